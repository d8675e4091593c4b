"""Stacked columns: how much, when, of what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
from codometer.serve.web.charts.svg import element, join, percent

_MANY: Final = 12
_WIDE, _NARROW = 0.72, 0.56
_RING_ROOM: Final = 1.08
"""A ringed column leaves room for its ring below the top."""


def stacked_columns(
    *,
    title: str,
    axis: Axis,
    series: Sequence[Series],
    write_tick: Write,
    write_value: Write,
    size: str = "normal",
    whole: bool = False,
) -> Markup:
    """Draw a column for every place, of parts in the order of the series from the bottom.

    A place where every series is missing stays empty. Columns that are not over are
    faded, unusual ones carry a ring. Several series get their total in the table.
    """
    totals = [_total([each.values[place] for each in series]) for place in range(len(axis.labels))]
    needed = [
        total * (_RING_ROOM if place in axis.unusual else 1)
        for place, total in enumerate(totals)
        if total
    ]
    scale = make_scale(max(needed, default=0.0), whole=whole)
    columns = [_column(axis, series, place, scale) for place, total in enumerate(totals) if total]
    rings = [
        _ring(axis, place, 1 - scale.share(total or 0.0))
        for place, total in enumerate(totals)
        if place in axis.unusual
    ]
    count = len(axis.labels)
    return frame(
        "bars",
        title=title,
        drawing=join(grid(scale), *columns, *rings),
        values=value_texts(scale, write_tick),
        places=place_texts({(at + 0.5) / count: text for at, text in axis.shown.items()}),
        table=_table(title, axis, series, write_known(write_value)),
        size=size,
        mode="band",
    )


def _column(axis: Axis, series: Sequence[Series], place: int, scale: Scale) -> Markup:
    count = len(axis.labels)
    width = (_WIDE if count > _MANY else _NARROW) / count
    left = (place + 0.5) / count - width / 2
    top = 1.0
    parts = []
    for each in series:
        height = scale.share(float(each.values[place] or 0))
        if height <= 0:
            continue
        top -= height
        parts.append(
            element(
                "rect",
                class_=each.css,
                x=percent(left),
                y=percent(top),
                width=percent(width),
                height=percent(height),
            )
        )
    return element("g", *parts, class_="part" if place in axis.running else None)


def _ring(axis: Axis, place: int, top: float) -> Markup:
    return element(
        "circle",
        element("title", axis.labels[place]),
        class_="anom",
        cx=percent((place + 0.5) / len(axis.labels)),
        cy=percent(top),
        r=3.5,
        transform="translate(0 -9)",
    )


def _table(title: str, axis: Axis, series: Sequence[Series], write: Write) -> Table:
    names, classes = [each.name for each in series], [each.css for each in series]
    rows = []
    for place in range(len(axis.labels)):
        values = [each.values[place] for each in series]
        if len(series) > 1:
            values.append(_exact_total(values))
        rows.append((axis.labels[place], [write(value) for value in values]))
    if len(series) > 1:
        names.append("Total")
        classes.append("total")
    return Table(caption=title, corner=axis.name, columns=names, classes=classes, rows=rows)


def _total(values: Sequence[Value]) -> float | None:
    total = _exact_total(values)
    return None if total is None else float(total)


def _exact_total(values: Sequence[Value]) -> Value:
    """Add what is known, in the type that it has; missing if nothing is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
