"""The shape of a series: its week taken out, and what is missing left missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codometer.analysis.numbers import Value

WEEK: Final = 7


def trailing_means(
    values: Sequence[Value], *, over: int = WEEK, least: int | None = None
) -> list[float | None]:
    """Return for each place the mean of what is known of so many places up to it.

    None where fewer places than that lie before, or fewer than `least` are known, which
    is all of them if not given: a week that lacks its weekend is no mean week.
    """
    least = over if least is None else least
    means: list[float | None] = []
    for at in range(len(values)):
        window = values[max(0, at + 1 - over) : at + 1]
        known = [float(value) for value in window if value is not None]
        is_whole = len(window) == over and len(known) >= least
        means.append(sum(known) / len(known) if is_whole else None)
    return means
