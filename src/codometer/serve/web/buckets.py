"""A period cut into the buckets of a chart: hours, days, weeks or months."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from codometer.analysis.dates import format_date, format_day, format_month, format_weekday
from codometer.model.period import Period, local_date, start_of_day
from codometer.privacy.profile import Cut
from codometer.serve.web.charts import Axis

Key = date | datetime
"""What an answer has for a bucket: an instant for hours, else the first day."""

_DAYS_BY_HOUR: Final = 2
_DAYS_BY_DAY: Final = 90
_DAYS_BY_WEEK: Final = 400
_MOST_SHOWN: Final = 7
_HOURS_SHOWN: Final = 6
_WEEK_DAYS: Final = 7

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """The buckets of a period in order. `dimension` is what to group a query by.

    `partial` are the places of those that lie only partly in the period, and `running`
    of the one that goes on now.
    """

    dimension: str
    keys: tuple[Key, ...]
    partial: frozenset[int]
    running: frozenset[int]
    zone: ZoneInfo
    today: date

    def axis(self, unusual: Collection[Key] = ()) -> Axis:
        """Return the axis of a chart, with unusual buckets marked."""
        places = frozenset(at for at, key in enumerate(self.keys) if key in unusual)
        return Axis(
            labels=[self._label(at, unusual=at in places) for at in range(len(self.keys))],
            shown=dict(self._shown()),
            name={"hour": "Hour", "day": "Date", "week": "Week", "month": "Month"}[self.dimension],
            running=self.partial,
            unusual=places,
        )

    def _label(self, at: int, *, unusual: bool) -> str:
        label = self._name(self.keys[at])
        if at in self.running:
            label += ", so far"
        elif at in self.partial:
            label += ", in part"
        return f"{label}, unusual" if unusual else label

    def _name(self, key: Key) -> str:
        if isinstance(key, datetime):
            local = key.astimezone(self.zone)
            return f"{format_date(local.date(), today=self.today)} {local:%H:%M}"
        if self.dimension == "week":
            return f"Week of {format_day(key, today=self.today)}"
        if self.dimension == "month":
            return format_month(key, today=self.today)
        return format_date(key, today=self.today)

    def _shown(self) -> Iterator[tuple[int, str]]:
        """Yield the few labels that have room below a chart."""
        if self.dimension == "day" and len(self.keys) > _WEEK_DAYS:
            candidates = [at for at, key in enumerate(self.keys) if key.weekday() == 0]
        elif self.dimension == "hour":
            candidates = [at for at, key in enumerate(self.keys) if self._is_shown(key)]
        else:
            candidates = list(range(len(self.keys)))
        step = -(-len(candidates) // _MOST_SHOWN) or 1
        for at in candidates[::step]:
            yield at, self._short(self.keys[at])

    def _is_shown(self, key: Key) -> bool:
        return isinstance(key, datetime) and key.astimezone(self.zone).hour % _HOURS_SHOWN == 0

    def _short(self, key: Key) -> str:
        if isinstance(key, datetime):
            return f"{key.astimezone(self.zone):%H:%M}"
        if self.dimension == "month":
            return format_month(key)[:3]
        if len(self.keys) <= _WEEK_DAYS and self.dimension == "day":
            return format_weekday(key)[:3]
        return format_day(key)


def cut(period: Period, *, now: datetime, zone: ZoneInfo, finest: Cut = Cut.HOUR) -> Buckets:
    """Cut a period as its length asks: up to 2 days by hour, 90 by day, 400 by week.

    It is never cut finer than `finest`, and always by week where that is.
    `zone` is where clock times are told; days are those of the period's zone.
    """
    dimension, keys = _keys(period, finest)
    ends = (*keys[1:], _following(keys[-1], dimension))
    return Buckets(
        dimension=dimension,
        keys=keys,
        partial=frozenset(
            at
            for at, (start, end) in enumerate(zip(keys, ends, strict=True))
            if _instant(start, period) < period.start or _instant(end, period) > period.end
        ),
        running=frozenset(
            at
            for at, (start, end) in enumerate(zip(keys, ends, strict=True))
            if _instant(start, period) <= now < _instant(end, period)
        ),
        zone=zone,
        today=local_date(now, period.zone),
    )


def days_of(period: Period) -> tuple[date, ...]:
    """Return the days that a period touches."""
    last = local_date(period.end - timedelta(microseconds=1), period.zone)
    count = (last - period.first_day).days + 1
    return tuple(period.first_day + number * _DAY for number in range(count))


def _keys(period: Period, finest: Cut) -> tuple[str, tuple[Key, ...]]:
    days, by_week = days_of(period), finest is Cut.WEEK
    if len(days) <= _DAYS_BY_HOUR and finest is Cut.HOUR:
        return "hour", tuple(_hours(period))
    if len(days) <= _DAYS_BY_DAY and not by_week:
        return "day", days
    if len(days) <= _DAYS_BY_WEEK or by_week:
        return "week", tuple(_weeks(days[0], days[-1]))
    return "month", tuple(_months(days[0], days[-1]))


def _hours(period: Period) -> Iterator[datetime]:
    instant = period.start
    while instant < period.end:
        yield instant
        instant += _HOUR


def _weeks(first: date, last: date) -> Iterator[date]:
    day = first - first.weekday() * _DAY
    while day <= last:
        yield day
        day += _WEEK_DAYS * _DAY


def _months(first: date, last: date) -> Iterator[date]:
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = _following(day, "month")


def _following(key: Key, dimension: str) -> Key:
    if isinstance(key, datetime):
        return key + _HOUR
    if dimension == "month":
        return (key.replace(day=28) + 4 * _DAY).replace(day=1)
    return key + (_WEEK_DAYS if dimension == "week" else 1) * _DAY


def _instant(key: Key, period: Period) -> datetime:
    return key if isinstance(key, datetime) else start_of_day(key, period.zone)
