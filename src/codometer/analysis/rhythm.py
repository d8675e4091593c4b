"""When people work: how many are active at each hour of a week, never who.

An hour at which fewer people than the minimum are active on average is told as
`quiet`, whether it is nobody or a few, so that nobody can be found at night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from codometer.model.period import Period, local_date, start_of_day

_HOUR: Final = timedelta(hours=1)
_DAYS, _HOURS = 7, 24

MIN_PEOPLE: Final = 5
"""Hours are never told of fewer, whoever looks."""

QUIET: Final = 0.0
"""Stands in a cell for fewer than the minimum, nobody included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busiest:
    """The hour of the week at which most people are active, Monday being 0."""

    weekday: int
    hour: int
    people: float


def week_of_hours(
    active: Mapping[datetime, int | None], period: Period, *, least: int = MIN_PEOPLE
) -> list[list[float | None]]:
    """Return how many people are active on average, by weekday and by hour of the zone.

    `active` has the people of each hour by the instant at which it begins; hours that
    are not there, or not told, had nobody, but for days before the first that is there.
    An hour of the week that is not over once in the period is None. Where clocks go back,
    both hours count, where they go forward, none.
    """
    sums = [[0] * _HOURS for _ in range(_DAYS)]
    counts = [[0] * _HOURS for _ in range(_DAYS)]
    instant = _first_hour(period)
    if active:
        first = local_date(min(active), period.zone)
        instant = max(instant, start_of_day(first, period.zone))
    while instant + _HOUR <= period.end:
        local = instant.astimezone(period.zone)
        sums[local.weekday()][local.hour] += active.get(instant) or 0
        counts[local.weekday()][local.hour] += 1
        instant += _HOUR
    return [
        [_mean(total, count, least) for total, count in zip(*rows, strict=True)]
        for rows in zip(sums, counts, strict=True)
    ]


def find_busiest(week: list[list[float | None]]) -> Busiest | None:
    """Return the busiest hour, the first of several; None of a week that is quiet throughout."""
    best: Busiest | None = None
    for weekday, hours in enumerate(week):
        for hour, people in enumerate(hours):
            if people and (best is None or people > best.people):
                best = Busiest(weekday=weekday, hour=hour, people=people)
    return best


def _first_hour(period: Period) -> datetime:
    """Return the first instant at which the zone's clocks show a full hour."""
    local = period.start.astimezone(period.zone)
    past = timedelta(minutes=local.minute, seconds=local.second)
    return period.start + (_HOUR - past if past else past)


def _mean(total: int, count: int, least: int) -> float | None:
    if not count:
        return None
    mean = total / count
    return mean if mean >= least else QUIET
