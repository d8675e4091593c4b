"""Rulers and meters: an amount on a measured scale, large and small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from codometer.analysis.numbers import Value
from codometer.serve.web.charts.plot import Write
from codometer.serve.web.charts.scale import Scale, make_scale
from codometer.serve.web.charts.svg import element, join, percent

# Heights, in pixels from the top of the drawing.
_LABEL, _BAR, _LINE_TOP, _EDGE, _TEXT = 28, 40, 34, 62, 90
_BAR_HEIGHT: Final = _EDGE - _BAR
_TICKS: Final = {"tkm": 14, "tk": 9, "tk mn": 5}
"""How far down ticks reach: with a number, half-way, between."""

_MAJOR_STEPS: Final = 6
_PARTS: Final = 10
_ROOM: Final = 1.04
_RIGHT_SIDE: Final = 0.6
"""From here on a label stands left of its line, or it would leave the drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where an amount is expected to end, and the range that it most likely ends in."""

    expected: float
    low: float
    high: float
    label: str


def ruler(*, title: str, amount: Value, outlook: Outlook | None, write_tick: Write) -> Markup:
    """Draw an amount as a bar over a scale, with the range and line of its outlook."""
    filled = max(float(amount or 0), 0.0)
    highest = max(filled, outlook.high if outlook else 0.0)
    scale = make_scale(highest * _ROOM, lines=_MAJOR_STEPS)
    bar = _bar(0.0, scale.share(filled), css="fill")
    return element(
        "svg",
        *(_outlook(outlook, scale) if outlook else ()),
        bar,
        *_graduation(scale, write_tick),
        class_="ruler",
        role="img",
        aria_label=title,
    )


def meter(share: float) -> Markup:
    """Draw a share of a whole as a small bar; the number must stand beside it."""
    return element(
        "svg",
        element("rect", class_="track", width="100%", height="100%"),
        element("rect", class_="s1", width=percent(min(max(share, 0.0), 1.0)), height="100%"),
        class_="meter",
        aria_hidden="true",
    )


def _outlook(outlook: Outlook, scale: Scale) -> tuple[Markup, Markup, Markup]:
    at = scale.share(outlook.expected)
    left = at > _RIGHT_SIDE
    return (
        _bar(scale.share(outlook.low), scale.share(outlook.high), css="fr"),
        _line(at, _LINE_TOP, _EDGE, css="exp"),
        element(
            "text",
            outlook.label,
            class_="ac en" if left else "ac",
            x=percent(at),
            y=_LABEL,
            dx=2 if left else -2,
        ),
    )


def _graduation(scale: Scale, write: Write) -> Sequence[Markup]:
    """Return a tick for every tenth of a step, and a number for every step."""
    count = (len(scale.ticks) - 1) * _PARTS
    lines = [
        _line(at / count, _EDGE, _EDGE + _TICKS[css], css=css)
        for at in range(count + 1)
        for css in (_tick_class(at),)
    ]
    last = len(scale.ticks) - 1
    texts = [
        element(
            "text",
            write(tick),
            x=percent(at / last),
            y=_TEXT,
            class_={0: "st", last: "en"}.get(at, "mid"),
        )
        for at, tick in enumerate(scale.ticks)
    ]
    return [join(*lines), *texts]


def _tick_class(at: int) -> str:
    if at % _PARTS == 0:
        return "tkm"
    return "tk mn" if at % (_PARTS // 2) else "tk"


def _bar(start: float, end: float, *, css: str) -> Markup:
    return element(
        "rect", class_=css, x=percent(start), y=_BAR, width=percent(end - start), height=_BAR_HEIGHT
    )


def _line(at: float, top: int, bottom: int, *, css: str) -> Markup:
    return element("line", class_=css, x1=percent(at), x2=percent(at), y1=top, y2=bottom)
