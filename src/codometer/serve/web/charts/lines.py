"""Lines: how rates and levels move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from codometer.analysis.numbers import Value
from codometer.serve.web.charts.plot import (
    Axis,
    Series,
    Table,
    Write,
    frame,
    grid,
    place_texts,
    value_texts,
    write_known,
)
from codometer.serve.web.charts.scale import Scale, make_scale
from codometer.serve.web.charts.svg import element, join

SPAN = 1000
"""The width and height of the stretched drawing in its own units."""


def line_chart(
    *,
    title: str,
    axis: Axis,
    series: Sequence[Series],
    write_tick: Write,
    write_value: Write,
    size: str = "normal",
    lowest: float = 0.0,
) -> Markup:
    """Draw a line for every series. Missing values are gaps; what is not over is faded.

    The value axis begins at `lowest`, which is zero unless the panel says otherwise.
    """
    known = [float(value) for each in series for value in each.values if value is not None]
    scale = make_scale(max(known, default=0.0), lowest=lowest)
    count = len(axis.labels)
    lines = [drawn_line(part, scale, css) for each in series for part, css in _parts(each, axis)]
    rows = [
        (axis.labels[at], [write_known(write_value)(each.values[at]) for each in series])
        for at in range(count)
    ]
    table = Table(
        caption=title,
        corner=axis.name,
        columns=[each.name for each in series],
        classes=[each.css for each in series],
        rows=rows,
    )
    return frame(
        "lines",
        title=title,
        drawing=join(grid(scale), stretched(*lines)),
        values=value_texts(scale, write_tick),
        places=place_texts({_place(at, count): text for at, text in axis.shown.items()}),
        table=table,
        size=size,
        mode="point",
    )


def stretched(*lines: str, class_: str | None = None) -> Markup:
    """Return a drawing of 1000 by 1000 units that is stretched over all there is."""
    return element(
        "svg",
        *lines,
        class_=class_,
        viewBox=f"0 0 {SPAN} {SPAN}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def drawn_line(values: Sequence[Value], scale: Scale, css: str) -> Markup:
    """Draw a line through the values that are known; a value between two gaps is a dot."""
    path = "".join(_path(points) for points in _stretches(values, scale))
    return element("path", class_=f"ln {css}", vector_effect="non-scaling-stroke", d=path)


def _parts(series: Series, axis: Axis) -> Iterator[tuple[Sequence[Value], str]]:
    """Split a series into what is over, and the way to what is not."""
    if not axis.running:
        yield series.values, series.css
        return
    first = min(axis.running)
    values = list(series.values)
    nothing: list[Value] = [None] * len(values)
    yield [*values[:first], *nothing[first:]], series.css
    before = max(first - 1, 0)
    yield [*nothing[:before], *values[before:]], f"{series.css} part"


def _stretches(values: Sequence[Value], scale: Scale) -> Iterator[list[tuple[float, float]]]:
    """Yield the points between gaps, in the units of the drawing."""
    points: list[tuple[float, float]] = []
    for at, value in enumerate(values):
        if value is not None:
            up = scale.share(float(value))
            points.append((_place(at, len(values)) * SPAN, (1 - up) * SPAN))
        elif points:
            yield points
            points = []
    if points:
        yield points


def _path(points: list[tuple[float, float]]) -> str:
    if len(points) == 1:
        points = points * 2
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _place(at: int, count: int) -> float:
    """Return how far right a point stands; a single one in the middle."""
    return at / (count - 1) if count > 1 else 0.5
