"""The shape of a series: its week taken out, and what is missing left missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codometer.analysis.numbers import Value

WEEK: Final = 7


def trailing_means(values: Sequence[Value], *, over: int = WEEK) -> list[float | None]:
    """Return for each place the mean of what is known up to it, over at most so many places."""
    means: list[float | None] = []
    for at in range(len(values)):
        known = [
            float(value) for value in values[max(0, at + 1 - over) : at + 1] if value is not None
        ]
        means.append(sum(known) / len(known) if known else None)
    return means
