"""How finely in time a part of the organisation is told of: as the privacy policy says.

A group that is large enough can still be watched at work, by day or even by hour; whoever
presses a group presses its people. So the policy has a finest cut of time for every question
that parts people: grouped by, filtered by or narrowed to teams and the like. A period could be
used to cut finer than that, and another time zone too, so both must fit the cut.

A week is told when it is over: seen on each of its days, it would be told by day. Months are not
told beside weeks: a month less its weeks leaves single days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.analysis.measures.coverage import Coverage
from codometer.analysis.measures.dimensions import Place
from codometer.analysis.measures.query import Query
from codometer.errors import TooFine
from codometer.model.period import Period, local_date, monday_of, start_of_day
from codometer.privacy.profile import Cut

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)


class Grain(NamedTuple):
    """The finest cut by which a group is told of, and when that is asked."""

    finest: Cut
    now: datetime

    def around(self, period: Period) -> Period:
        """Return a period by which a group is told of: this one, or the weeks around it."""
        return _weeks_around(period, self.now) if self.finest is Cut.WEEK else period


FindGrain = Callable[[datetime], Grain]
"""Returns how finely a group may be told of from a time on."""


def any_grain(_: datetime) -> Grain:
    """Return that groups may be told of by hour, as to who sees everything anyway."""
    return Grain(Cut.HOUR, datetime.max.replace(tzinfo=UTC))


def find_grain_of(query: Query, find_grain: FindGrain, organisation_zone: ZoneInfo) -> Grain:
    """Return how finely a query may be answered, if it is not finer than that.

    Raises:
        TooFine: it is; the hint says what would do.
    """
    if query.sees_people or not _parts_people(query):
        return any_grain(query.period.start)
    start = min(period.start for period in query.periods)
    # A week that is told as a whole less some of its days would tell of the others.
    grain = find_grain(_monday_before(start, query.period.zone))
    if grain.finest is not Cut.HOUR:
        _check_zone(query, organisation_zone)
        _CHECKS[grain.finest](query, grain.now)
    return grain


def fit(period: Period, find_grain: FindGrain) -> Period:
    """Return a period by which a group is told of: this one, or the weeks around it."""
    return find_grain(_monday_before(period.start, period.zone)).around(period)


def of_weeks(query: Query) -> Query:
    """Have a query compare its weeks with as many weeks before, also where they are a month."""
    return replace(query, period=replace(query.period, is_of_weeks=True))


def coarsen(coverage: Coverage, period: Period, finest: Cut) -> Coverage:
    """Return what an answer rests on, with times no finer than a group is told of."""
    first, last = coverage.reported_from, coverage.reported_until
    if finest is Cut.HOUR or first is None or last is None:
        return coverage
    begin, zone = _BEGIN[finest], period.zone
    end = begin(last - timedelta(microseconds=1), zone)
    following = local_date(end, zone) + (_WEEK if finest is Cut.WEEK else _DAY)
    return replace(
        coverage,
        reported_from=max(period.start, begin(first, zone)),
        reported_until=min(period.end, start_of_day(following, zone)),
    )


def _weeks_around(period: Period, now: datetime) -> Period:
    """Return the whole weeks, as many as a period needs, that are around it and over."""
    zone = period.zone
    last = period.end - timedelta(microseconds=1)
    end = monday_of(min(local_date(last, zone) + _WEEK, local_date(now, zone)))
    days = (local_date(last, zone) - period.first_day).days + 1
    start = min(monday_of(period.first_day), end - -(-days // _WEEK.days) * _WEEK)
    return Period(
        start=start_of_day(start, zone), end=start_of_day(end, zone), zone=zone, is_of_weeks=True
    )


def _parts_people(query: Query) -> bool:
    used = (*query.by, *(condition.dimension for condition in query.conditions))
    return any(dimension.parts_people for dimension in used)


def _check_zone(query: Query, organisation_zone: ZoneInfo) -> None:
    # Days of two zones differ by the hours at their ends.
    if query.period.zone.key != organisation_zone.key:
        raise TooFine(
            f"a group is told of in the time zone {organisation_zone.key} only",
            hint="leave the time zone out, or ask of the whole organisation",
        )


def _check_days(query: Query, _: datetime) -> None:
    if "hour" in _times(query):
        raise TooFine(
            "a group is not told of by hour",
            hint="ask by day, or of the whole organisation",
        )
    if not all(map(_is_of_days, query.periods)):
        raise TooFine(
            "a group is told of by whole days, and this period begins or ends within one",
            hint="give dates, or 1d, 7d, 30d, 90d up to now; or ask of the whole organisation",
        )


def _check_weeks(query: Query, now: datetime) -> None:
    finer = _times(query) - {"week"}
    if finer:
        raise TooFine(
            f"a group is not told of by {' and '.join(sorted(finer))}",
            hint="ask by week, or of the whole organisation",
        )
    if not all(_is_of_weeks(period, now) for period in of_weeks(query).periods):
        weeks = _weeks_around(query.period, now)
        since, until = (local_date(each, weeks.zone) for each in (weeks.start, weeks.end))
        before = ", or the one before it," if query.compare_previous else ""
        raise TooFine(
            f"a group is told of by whole weeks that are over, and this period{before} is"
            " other days",
            hint=f"give whole weeks that are over, such as {since} until {until}; or ask of the"
            " whole organisation",
        )


_CHECKS: Final = {Cut.DAY: _check_days, Cut.WEEK: _check_weeks}


def _times(query: Query) -> set[str]:
    return {dimension.name for dimension in query.by if dimension.place is Place.TIME}


def _is_of_days(period: Period) -> bool:
    """Tell whether nobody could cut a day by this period: it may end now, within today."""
    return start_of_day(period.first_day, period.zone) == period.start and not period.splits_days


def _is_of_weeks(period: Period, now: datetime) -> bool:
    zone = period.zone
    mondays = [monday_of(local_date(each, zone)) for each in (period.start, period.end)]
    ends = [start_of_day(monday, zone) for monday in mondays]
    return ends == [period.start, period.end] and period.end <= now


def _midnight_before(instant: datetime, zone: ZoneInfo) -> datetime:
    return start_of_day(local_date(instant, zone), zone)


def _monday_before(instant: datetime, zone: ZoneInfo) -> datetime:
    return start_of_day(monday_of(local_date(instant, zone)), zone)


_BEGIN: Final = {Cut.DAY: _midnight_before, Cut.WEEK: _monday_before}
