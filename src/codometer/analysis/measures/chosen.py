"""Periods that somebody chose freely, as days, weeks and months of the calendar."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.crowds import Crowds
from codometer.analysis.measures.dimensions import DIMENSIONS, Dimension, Place
from codometer.analysis.measures.groups import Level
from codometer.model.period import Period, local_date, start_of_day

Key = tuple[Any, ...]

DAY: Final = DIMENSIONS["day"]
_WEEK: Final = timedelta(days=7)
_COARSER: Final = ("month", "week")


def calendar_around(period: Period) -> Period:
    """Return the whole weeks and months around a period."""
    days = find_days(period)
    first, last = _monday(min(days).replace(day=1)), _next_month(max(days).replace(day=1))
    if last.weekday():
        last = _monday(last) + _WEEK
    zone = period.zone
    return replace(period, start=start_of_day(first, zone), end=start_of_day(last, zone))


def find_days(period: Period) -> frozenset[date]:
    """Return the days of a period; of one up to now, also those to come of its week and month."""
    first = period.first_day
    last = local_date(period.end - timedelta(microseconds=1), period.zone)
    if period.is_open:
        last = max(_next_month(last.replace(day=1)), _monday(last) + _WEEK) - timedelta(days=1)
    return frozenset(first + timedelta(days=at) for at in range((last - first).days + 1))


def days_of(
    days: Collection[date], by: Sequence[Dimension], key: Key, zone: ZoneInfo
) -> frozenset[date]:
    """Return those of the days that a group with this key is about."""
    times = [
        (each.name, local_date(value, zone) if isinstance(value, datetime) else value)
        for each, value in zip(by, key, strict=True)
        if each.place is Place.TIME
    ]
    return frozenset(day for day in days if all(_cut(name, day) == value for name, value in times))


def find_told(
    crowds: Crowds,
    withheld: Mapping[Level, Collection[Key]],
    fine: Level,
    days: frozenset[date],
) -> Callable[[Key], bool]:
    """Return what tells whether a day that is withheld is in a whole month or week that is told.

    A week of which a day is in such a month is not told beside it.
    """
    at = {crowds.dimensions[place].name: number for number, place in enumerate(fine)}

    def is_told_in(name: str, cell: Key) -> bool:
        first = cell[at[name]]
        if not days.issuperset(_days_in(name, first)):
            return False
        level = tuple(
            place
            for place in fine
            if crowds.dimensions[place].name not in {"hour", "day", *_COARSER}
            or crowds.dimensions[place].name == name
        )
        kept = [number for number, place in enumerate(fine) if place in level]
        return tuple(cell[number] for number in kept) not in withheld[level]

    def is_told(cell: Key) -> bool:
        if is_told_in("month", cell):
            return True
        months = {day.replace(day=1) for day in _days_in("week", cell[at["week"]])}
        return is_told_in("week", cell) and not any(
            is_told_in("month", _with(cell, at["month"], month)) for month in months
        )

    return is_told


def _with(cell: Key, place: int, value: object) -> Key:
    return (*cell[:place], value, *cell[place + 1 :])


@lru_cache(maxsize=256)
def _days_in(name: str, first: date) -> tuple[date, ...]:
    end = _next_month(first) if name == "month" else first + _WEEK
    return tuple(first + timedelta(days=at) for at in range((end - first).days))


def _cut(name: str, day: date) -> date:
    return {"month": day.replace(day=1), "week": _monday(day)}.get(name, day)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
