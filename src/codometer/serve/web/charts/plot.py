"""What charts with axes share: series, the frame around the drawing, and the table of its data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from codometer.analysis.numbers import UNKNOWN, Value
from codometer.serve.web.charts.scale import Scale
from codometer.serve.web.charts.svg import element, join, percent

Write = Callable[[Value], str]
"""Writes a value for people."""

SIZES: Final = ("small", "normal", "large")
"""The heights that a drawing can have."""

_READ: Final = "Use the arrow keys to read values; the data table follows."
_EDGE: Final = 0.04
_BASELINE: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The values of one thing, one for each place on the axis; None is missing.

    `css` is its colour: `s1` to `s4`, or `so` for what remains.
    """

    name: str
    css: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The places from left to right: days, hours, weeks.

    `labels` name each one in full; `shown` are written below, by place. `running` are
    those that are not over, `unusual` those that stand out: their labels should say so.
    """

    labels: Sequence[str]
    shown: Mapping[int, str]
    name: str = "Date"
    running: Collection[int] = ()
    unusual: Collection[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The data behind a chart. `classes` are the colours of the columns, for the tooltip."""

    caption: str
    corner: str
    columns: Sequence[str]
    classes: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def frame(
    kind: str,
    *,
    title: str,
    drawing: str,
    values: str,
    places: str,
    table: Table,
    size: str = "normal",
    mode: str,
) -> Markup:
    """Put a drawing between its axes, with its data below; the pointer and arrow keys read it."""
    return element(
        "figure",
        element("svg", values, class_="ya", aria_hidden="true"),
        element(
            "div",
            element("svg", drawing, aria_hidden="true"),
            class_=f"pl {size}",
            tabindex=0,
            role="img",
            aria_label=f"{title}. {_READ}",
        ),
        element("svg", places, class_="xa", aria_hidden="true"),
        _details(table),
        class_=f"chart {kind}",
        data_n=len(table.rows),
        data_mode=mode,
    )


def grid(scale: Scale) -> Markup:
    """Draw a line at every tick, the one at zero stronger."""
    return join(
        *(
            element(
                "line",
                class_="g" if tick else "g0",
                x1=0,
                x2="100%",
                y1=percent(1 - scale.share(tick)),
                y2=percent(1 - scale.share(tick)),
            )
            for tick in scale.ticks
        )
    )


def value_texts(scale: Scale, write: Write) -> Markup:
    """Write the ticks, right-aligned beside the drawing."""
    return join(
        *(
            element("text", write(tick), x="100%", y=percent(1 - scale.share(tick)), dy=".32em")
            for tick in scale.ticks
        )
    )


def place_texts(shown: Mapping[float, str]) -> Markup:
    """Write texts below the drawing, by how far right they stand; none leaves its edges."""
    return join(
        *(
            element("text", text, x=percent(share), y=_BASELINE, class_=_anchor(share))
            for share, text in shown.items()
        )
    )


def key(entries: Sequence[tuple[str, str]]) -> Markup:
    """Return the key of a chart, from names and colours in the order in which they are stacked."""
    return element(
        "div",
        *(element("span", element("i", class_=css), name) for name, css in entries),
        class_="key",
    )


def write_known(write: Write) -> Write:
    """Return a writer that writes a dash for what is missing."""
    return lambda value: UNKNOWN if value is None else write(value)


def _anchor(share: float) -> str:
    if share < _EDGE:
        return "st"
    return "en" if share > 1 - _EDGE else "mid"


def _details(table: Table) -> Markup:
    heads = (
        element("th", name, scope="col", data_k=css or None)
        for name, css in zip(table.columns, table.classes, strict=True)
    )
    rows = (
        element(
            "tr",
            element("th", label, scope="row"),
            *(element("td", value) for value in values),
        )
        for label, values in table.rows
    )
    return element(
        "details",
        element("summary", "Data table"),
        element(
            "div",
            element(
                "table",
                element("caption", table.caption, class_="vh"),
                element(
                    "thead",
                    element("tr", element("th", table.corner, scope="col"), *heads),
                ),
                element("tbody", *rows),
            ),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=f"Data: {table.caption}",
        ),
        class_="data",
    )
