"""Sparklines: the shape of a figure, beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from codometer.analysis.numbers import Value
from codometer.serve.web.charts.lines import drawn_line, stretched
from codometer.serve.web.charts.scale import Scale

_ROOM: Final = 0.12
_LEAST_ROOM: Final = 0.02
"""Keeps a figure that hardly moves from looking as if it leapt."""


def sparkline(values: Sequence[Value], previous: Sequence[Value] = ()) -> Markup:
    """Draw a trend in front of that of the period before, on a scale of its own.

    There is no axis and so no claim about level: never show one alone. Fewer than two
    known values have no shape, and give nothing.
    """
    if sum(value is not None for value in values) <= 1:
        return Markup()
    known = [float(value) for value in (*values, *previous) if value is not None]
    low, high = min(known), max(known)
    room = max((high - low) * _ROOM, abs(high) * _LEAST_ROOM) or 1.0
    scale = Scale(ticks=(low - room, high + room))
    lines = [drawn_line(values, scale, "s1")]
    if any(value is not None for value in previous):
        lines.insert(0, drawn_line(previous, scale, "sp"))
    return stretched(*lines, class_="spark")
