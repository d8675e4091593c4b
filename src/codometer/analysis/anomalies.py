"""Unusual days: spend that its own past does not explain.

A day is compared with the same weekday of the eight weeks before. Amounts are
compared as logarithms, because spend grows and swings by shares, and the spread
is pooled over all weekdays (or weekend days), because eight values alone say
little about spread. Days that were unusual themselves do not count as usual
afterwards. Small groups swing too much for statistics; for them a day also
counts when it is twice the highest of the last four weeks.

Never asked about a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import expm1, log1p
from statistics import median
from typing import Final

WEEKS: Final = 8
"""How far back a day is compared."""

MIN_COMPARABLE: Final = 4
_MIN_RESIDUALS: Final = 8
_MAX_DEVIATION: Final = 3.5
_LEAST_SCALE: Final = 0.15
_NORMAL: Final = 1.4826
"""The standard deviation over the median absolute deviation, where deviations are normal."""

_LEAST_RATIO: Final = 1.5
_LEAST_EXCESS: Final = 25.0
_CLEAR_EXCESS: Final = 100.0
_EXCESS_SHARE: Final = 0.1
_GUARD_DAYS: Final = 28
_GUARD_RATIO: Final = 2.0
_WEEKEND: Final = 5

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusualDay:
    """A day that is unlike comparable days, on which `low` to `high` were spent."""

    day: date
    spend: float
    expected: float
    low: float
    high: float

    @property
    def excess(self) -> float:
        """What was spent more than expected."""
        return self.spend - self.expected


def find_unusual_days(
    spend: Mapping[date, float], *, since: date | None = None
) -> dict[date, UnusualDay]:
    """Find the unusual days among complete days, from `since` on if given.

    A day must exceed its median by 3.5 deviations and by half, and by $100 or 10 % of a
    usual day, at least $25; four comparable days are needed.
    """
    found: dict[date, UnusualDay] = {}
    first = date.min if since is None else since - WEEKS * _WEEK
    for day in sorted(each for each in spend if each >= first):
        usual = _Usual(spend, day, leave_out=found)
        if len(usual.comparable) >= MIN_COMPARABLE and _is_unusual(spend[day], usual):
            found[day] = _describe(day, spend[day], usual)
    return {day: unusual for day, unusual in found.items() if since is None or day >= since}


def expected_spend(spend: Mapping[date, float], day: date) -> float:
    """Return what the eight weeks before let expect of a day; nothing without any."""
    return _Usual(spend, day, leave_out={}).expected


def find_silent_days(spend: Mapping[date, float]) -> list[UnusualDay]:
    """Find the complete days without any spend on which at least $25 were to be expected.

    Four comparable days with spend are needed.
    """
    spent = {day: amount for day, amount in spend.items() if amount}
    found = []
    for day in sorted(set(spend) - set(spent)):
        usual = _Usual(spent, day, leave_out={})
        if len(usual.comparable) >= MIN_COMPARABLE and usual.expected >= _LEAST_EXCESS:
            found.append(_describe(day, 0.0, usual))
    return found


def usual_spend(spend: Mapping[date, float]) -> dict[date, float]:
    """Return the spend with unusual and silent days at what was expected of them."""
    unusual = {
        **find_unusual_days(spend),
        **{silent.day: silent for silent in find_silent_days(spend)},
    }
    return {
        day: unusual[day].expected if day in unusual else amount for day, amount in spend.items()
    }


class _Usual:
    """What was usual before a day: the same weekday, and the days of its kind."""

    def __init__(
        self, spend: Mapping[date, float], day: date, *, leave_out: Mapping[date, object]
    ) -> None:
        self._spend = spend
        self._day = day
        self._leave_out = leave_out
        self.comparable = self._same_weekday(day)
        logs = [log1p(amount) for amount in self.comparable]
        self.median = median(logs) if logs else 0.0
        self.expected = expm1(self.median)

    def amounts(self, days: int) -> list[float]:
        """Return the amounts of the last so many days."""
        return [
            self._spend[day]
            for back in range(1, days + 1)
            if (day := self._day - back * _DAY) in self._spend and day not in self._leave_out
        ]

    def scale(self) -> float | None:
        """Return the usual deviation from a weekday's median; None from too few days."""
        kinds = range(_WEEKEND) if self._day.weekday() < _WEEKEND else range(_WEEKEND, 7)
        residuals = [
            abs(residual)
            for back in range(1, 8)
            if (day := self._day - back * _DAY + _WEEK).weekday() in kinds
            for residual in _residuals(self._same_weekday(day))
        ]
        if len(residuals) < _MIN_RESIDUALS:
            return None
        return max(_LEAST_SCALE, _NORMAL * median(residuals))

    def _same_weekday(self, day: date) -> list[float]:
        """Return the amounts of a day's weekday in the eight weeks before `self._day`."""
        return [
            self._spend[earlier]
            for weeks in range(1, WEEKS + 1)
            if (earlier := day - weeks * _WEEK) in self._spend and earlier not in self._leave_out
        ]


def _residuals(amounts: list[float]) -> list[float]:
    """Return how far each logarithm lies from the median of the others."""
    logs = [log1p(amount) for amount in amounts]
    if len(logs) <= 1:
        return []
    return [each - median(logs[:at] + logs[at + 1 :]) for at, each in enumerate(logs)]


def _describe(day: date, spend: float, usual: _Usual) -> UnusualDay:
    return UnusualDay(
        day=day,
        spend=spend,
        expected=usual.expected,
        low=min(usual.comparable),
        high=max(usual.comparable),
    )


def _is_unusual(spend: float, usual: _Usual) -> bool:
    excess = spend - usual.expected
    if excess < _LEAST_EXCESS or spend <= _LEAST_RATIO * usual.expected:
        return False
    recent = usual.amounts(_GUARD_DAYS)
    if excess > _CLEAR_EXCESS and spend > _GUARD_RATIO * max(recent):
        return True
    if excess < min(_CLEAR_EXCESS, _EXCESS_SHARE * median(recent)):
        return False
    scale = usual.scale()
    return scale is not None and (log1p(spend) - usual.median) / scale > _MAX_DEVIATION
