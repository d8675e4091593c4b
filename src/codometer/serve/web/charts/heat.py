"""Heat: a value for every cell of a grid, in five steps of one hue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

from markupsafe import Markup

from codometer.analysis.numbers import Value
from codometer.serve.web.charts.plot import Table, Write, frame, place_texts, write_known
from codometer.serve.web.charts.svg import element, join, percent

_STEPS: Final = 5
_GAP_X, _GAP_Y = 0.0025, 0.012


def heat(
    *,
    title: str,
    corner: str,
    rows: Sequence[str],
    columns: Sequence[str],
    shown: Mapping[int, str],
    values: Sequence[Sequence[Value]],
    write_value: Write,
) -> Markup:
    """Draw a cell for every value: zero is the palest, the highest value the strongest.

    A missing value is a gap. `shown` are the columns that are written below, by place.
    """
    top = max((float(value) for row in values for value in row if value), default=0.0)
    write = write_known(write_value)
    cells = [
        _cell(
            f"{rows[row]} {columns[column]}: {write(value)}",
            class_=f"h{_step(float(value), top)}",
            at=(row / len(rows), column / len(columns)),
            size=(1 / len(rows) - _GAP_Y, 1 / len(columns) - _GAP_X),
        )
        for row, found in enumerate(values)
        for column, value in enumerate(found)
        if value is not None
    ]
    return frame(
        "heat",
        title=title,
        drawing=join(*cells),
        values=_row_texts(rows),
        places=place_texts({(at + 0.5) / len(columns): text for at, text in shown.items()}),
        table=Table(
            caption=title,
            corner=corner,
            columns=columns,
            classes=[""] * len(columns),
            rows=[
                (row, [write(value) for value in found])
                for row, found in zip(rows, values, strict=True)
            ],
        ),
        mode="cells",
    )


def _cell(text: str, *, class_: str, at: tuple[float, float], size: tuple[float, float]) -> Markup:
    return element(
        "rect",
        element("title", text),
        class_=class_,
        x=percent(at[1]),
        y=percent(at[0]),
        width=percent(size[1]),
        height=percent(size[0]),
    )


def _step(value: float, top: float) -> int:
    return 0 if value <= 0 else min(_STEPS, ceil(value / top * _STEPS))


def _row_texts(rows: Sequence[str]) -> Markup:
    return join(
        *(
            element("text", text, x="100%", y=percent((at + 0.5) / len(rows)), dy=".3em")
            for at, text in enumerate(rows)
        )
    )
