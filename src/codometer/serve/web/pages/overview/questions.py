"""What the panels ask, in one way each, so that a page asks nothing twice.

Complete days hardly change: what is asked of them alone is shared by all readers for
a minute. What is going on now is asked each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from codometer.analysis.anomalies import WEEKS
from codometer.analysis.forecast import HISTORY_DAYS
from codometer.analysis.measures.query import Query, parse_query
from codometer.analysis.measures.run import Answer, Group, beside
from codometer.analysis.trend import WEEK
from codometer.model.period import Period, local_date, monday_of, parse_period, start_of_day
from codometer.model.status import RejectStatus
from codometer.privacy.profile import Cut
from codometer.serve.api.status import StatusSource
from codometer.serve.web.buckets import Buckets, Key, cut, days_of
from codometer.serve.web.recent import Recent
from codometer.serve.web.view import RANGES, View

FIGURES: Final = (
    "active_people",
    "sessions",
    "active_time_seconds",
    "tokens",
    "lines_added",
    "lines_removed",
    "commits",
    "pull_requests",
    "acceptance_ratio",
)
_COSTS: Final = ("cost", "active_people", "cost_per_active_person")
_TEAM: Final = (*_COSTS, "edits_decided", "acceptance_ratio")

_DAY: Final = timedelta(days=1)
_COMPARED: Final = timedelta(weeks=WEEKS)

Team = str | None
"""A team's name, None for those who have none."""

Costs = Mapping[str | None, Mapping[Key, Decimal]]
"""What was spent by a name and by a bucket. Nothing is known of what is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What each model cost on each day, up to the end of a period and long before it."""

    costs: Costs
    last: date
    withheld: Mapping[date, float | None] = field(default_factory=dict)
    """Days that may not be told, with what such days of the same week cost on average.

    None where not even that may be told.
    """

    @property
    def is_whole(self) -> bool:
        """Whether all that was spent is in it, if not on its very day."""
        return None not in self.withheld.values()

    def total(self) -> dict[date, float]:
        """Return what each day cost in all, from the first with data on."""
        told = daily(self.costs.values(), last=self.last)
        means = {day: amount for day, amount in self.withheld.items() if amount is not None}
        days = sorted({*told, *means} - {day for day in self.withheld if day not in means})
        return {day: means.get(day, told.get(day, 0.0)) for day in days}

    def complete(self, today: date) -> dict[date, float]:
        """Return the same without today."""
        return {day: amount for day, amount in self.total().items() if day < today}

    def told(self, today: date) -> dict[date, float]:
        """Return the complete days that may be told by themselves."""
        complete = self.complete(today)
        return {day: amount for day, amount in complete.items() if day not in self.withheld}


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDays:
    """What each team cost, by day or by week.

    At times that are `untold`, a team that is not there may have cost something.
    """

    costs: Costs
    untold: frozenset[Key]
    step: timedelta = _DAY
    """From one to the next: a week where teams are told of by week, by its Monday."""

    def of(self, team: Team, *, last: date) -> dict[date, float | None]:
        """Return what each day cost, None where that may not be told."""
        found = self.costs.get(team, {})
        return {
            day: None if day in self.untold and day not in found else amount
            for day, amount in daily([found], last=last, step=self.step).items()
        }


def buckets_of(view: View) -> Buckets:
    """Cut the view's period."""
    return cut(view.period, now=view.now, zone=view.zone, finest=view.finest)


def find_wider(view: View) -> str | None:
    """Return the address of the longest range to choose, if it is longer than the view."""
    name = max(RANGES, key=lambda each: RANGES[each])
    return view.href(range=name) if len(days_of(view.period)) < RANGES[name] else None


class Questions:
    """Asks for the panels of one page."""

    def __init__(self, status: StatusSource) -> None:
        self._status = status
        self._answers: Recent[tuple[Hashable, Query], Answer] = Recent()
        self._rejects: Recent[None, Sequence[RejectStatus]] = Recent()

    def figures(self, view: View) -> Answer:
        """Ask for the figures and the cost, for the period before, and what they rest on."""
        names = (*FIGURES, *_COSTS, "cache_savings", "requests")
        return self._compare(view, parse_query(names, period=view.period, where=view.where))

    def trends(self, view: View) -> Answer:
        """Ask for the figures by bucket, over both periods and the week before them."""
        time = buckets_of(view).dimension
        start, end = view.previous.start, None
        if time == "day":
            start = _midnight(view, view.previous.first_day - WEEK * _DAY)
        elif time == "week" and view.finest is Cut.WEEK:
            start = _midnight(view, monday_of(view.previous.first_day))
        elif time == "hour":
            end = view.period.end
        return self._ask_past(view, FIGURES, by=[time], start=start, end=end)

    def month(self, view: View) -> Answer:
        """Ask what this month has cost up to now."""
        period = _since(view, view.today.replace(day=1))
        return view.ask(_plain(["cost", "cache_savings"], period=period, where=view.where))

    def history(self, view: View, *, up_to_now: bool = False) -> History:
        """Ask for days enough to compare with, to forecast from and to rank models by.

        They are weeks where only those are told, by their Mondays.
        """
        if view.finest is Cut.WEEK:
            return self._ask_weeks(view)
        last = view.today if up_to_now else view.last_day
        start = last - HISTORY_DAYS * _DAY
        if buckets_of(view).dimension in {"hour", "day"}:
            start = min(start, view.first_day - _COMPARED)
        by = ["day", "model"]
        end = _midnight(view, min(last + _DAY, view.today))
        period = Period.covering(_midnight(view, start), end, view.period.zone)
        past = _plain(["cost"], period=period, by=by, where=view.where)
        answers = [self._ask_recent(view, past)]
        if last == view.today:
            period = _since(view, view.today)
            answers.append(view.ask(_plain(["cost"], period=period, by=by, where=view.where)))
        costs = costs_by(answers, "model", "day")
        days = _withheld_days(answers)
        if not days:
            return History(costs=costs, last=last)
        by_week = _plain(["cost"], period=past.period, by=["week"], where=view.where)
        weeks = self._ask_recent(view, by_week)
        return History(costs=costs, last=last, withheld=_spread(days, costs, weeks))

    def _ask_weeks(self, view: View) -> History:
        start = _midnight(view, monday_of(view.first_day - HISTORY_DAYS * _DAY))
        answer = self._ask_past(view, ["cost"], by=["week", "model"], start=start)
        untold = _times((group for group in answer.groups if group.withheld), "week")
        return History(
            costs=costs_by([answer], "model", "week"),
            last=view.last_day,
            withheld=dict.fromkeys(untold),
        )

    def costs(self, view: View) -> Costs:
        """Ask what each model cost in each bucket of the period."""
        time = buckets_of(view).dimension
        query = _plain(["cost"], period=view.period, by=[time, "model"], where=view.where)
        return costs_by([view.ask(query)], "model", time)

    def models(self, view: View) -> Answer | None:
        """Ask what each model cost, now and in the period before; None if not all may be told."""
        query = _plain(["cost"], by=["model"], period=view.period, where=view.where)
        now, before = self._ask_recent(view, query), self._ask_recent(view, _before(query))
        whole = not any(each.merged or each.withheld for each in (*now.groups, *before.groups))
        return beside(now, before) if whole else None

    def team_days(self, view: View) -> TeamDays:
        """Ask what each team cost on complete days, up to the view's end and long before.

        They are weeks where teams are told of by week.
        """
        time, step, view = "day", _DAY, view.by_team
        start = min(_midnight(view, view.first_day - _COMPARED), view.previous.start)
        if view.group_cut is Cut.WEEK:
            time, step = "week", WEEK * _DAY
            start = _midnight(view, monday_of(local_date(start, view.period.zone)))
        answer = self._ask_past(view, ["cost"], by=[time, "team"], start=start)
        untold = _times((each for each in answer.groups if each.merged or each.withheld), time)
        return TeamDays(costs=costs_by([answer], "team", time), untold=frozenset(untold), step=step)

    def teams(self, view: View, only: Iterable[Team] = ()) -> Answer:
        """Ask about each team and the period before, or about some teams taken together."""
        view = view.by_team
        together = [("team", team or "") for team in sorted(only, key=str)]
        by, where = ([], [*view.where, *together]) if together else (["team"], view.where)
        return self._compare(view, _plain(_TEAM, by=by, period=view.period, where=where))

    def hours(self, view: View) -> Answer:
        """Ask how many people were active in each hour that is over."""
        end = view.period.end.replace(minute=0)
        return self._ask_past(
            view, ["active_people"], by=["hour"], start=view.period.start, end=end
        )

    def versions(self, view: View) -> Answer:
        """Ask how tools went in each version, on complete days."""
        return self._ask_past(
            view, ["tool_calls", "tool_failures"], by=["version"], start=view.period.start
        )

    def rejects(self, view: View) -> list[RejectStatus]:
        """Ask which signals were refused within the period."""
        rejects = self._rejects.get(None, self._status.read_rejects, now=view.now)
        return [
            each
            for each in rejects
            if each.last and view.period.start <= each.last < view.period.end
        ]

    def _ask_past(
        self,
        view: View,
        measures: Sequence[str],
        *,
        by: Sequence[str],
        start: datetime,
        end: datetime | None = None,
    ) -> Answer:
        """Ask about complete days; where there is none yet, about all of the period."""
        end = end or min(view.period.end, _midnight(view, view.today))
        period = Period.covering(start, end if end > start else view.period.end, view.period.zone)
        return self._ask_recent(view, _plain(measures, period=period, by=by, where=view.where))

    def _compare(self, view: View, query: Query) -> Answer:
        return beside(view.ask(query), self._ask_recent(view, _before(query)))

    def _ask_recent(self, view: View, query: Query) -> Answer:
        # Readers share answers where they may see the same.
        return self._answers.get((view.reader, query), lambda: view.ask(query), now=view.now)


def costs_by(
    answers: Iterable[Answer], name: str, time: str
) -> dict[str | None, dict[Key, Decimal]]:
    """Return the costs of some answers by name and time."""
    costs: dict[str | None, dict[Key, Decimal]] = {}
    for answer in answers:
        for group in answer.groups:
            amount, found, at = group.values["cost"], group.key[name], group.key[time]
            if isinstance(amount, Decimal) and isinstance(at, date):
                costs.setdefault(None if found is None else str(found), {})[at] = amount
    return costs


def _times(groups: Iterable[Group], time: str) -> set[date]:
    found = (group.key[time] for group in groups)
    return {each for each in found if isinstance(each, date)}


def _withheld_days(answers: Iterable[Answer]) -> set[date]:
    return _times((each for answer in answers for each in answer.groups if each.withheld), "day")


def _spread(days: Iterable[date], costs: Costs, weeks: Answer) -> dict[date, float | None]:
    """Give each day that may not be told an equal part of what its week leaves for such days."""
    left = {
        monday: float(amount)
        for group in weeks.groups
        if isinstance(monday := group.key["week"], date)
        and (amount := group.values["cost"]) is not None
    }
    for found in costs.values():
        for day, amount in found.items():
            if (monday := monday_of(_date(day))) in left:
                left[monday] -= float(amount)
    numbers = Counter(map(monday_of, days))
    return {
        day: left[monday] / numbers[monday] if (monday := monday_of(day)) in left else None
        for day in days
    }


def daily(
    costs: Iterable[Mapping[Key, Decimal]], *, last: date, step: timedelta = _DAY
) -> dict[date, float]:
    """Return what each day cost in all, from the first with data on; later ones may be zero.

    With another step the keys are those of days so far apart.
    """
    amounts = [(_date(at), amount) for found in costs for at, amount in found.items()]
    first = min((day for day, _ in amounts), default=last + _DAY)
    totals = {first + at * step: Decimal(0) for at in range((last - first) // step + 1)}
    for day, amount in amounts:
        if day in totals:
            totals[day] += amount
    return {day: float(total) for day, total in totals.items()}


def _plain(
    measures: Sequence[str],
    *,
    period: Period,
    where: Iterable[tuple[str, str]],
    by: Sequence[str] = (),
) -> Query:
    return parse_query(measures, period=period, by=by, where=where, with_coverage=False)


def _before(query: Query) -> Query:
    return replace(query, period=query.period.previous(), with_coverage=False)


def _since(view: View, day: date) -> Period:
    return parse_period(day.isoformat(), None, now=view.now, zone=view.period.zone)


def _midnight(view: View, day: date) -> datetime:
    return start_of_day(day, view.period.zone)


def _date(key: Key) -> date:
    """Return a key that is known to be a day."""
    assert not isinstance(key, datetime)  # noqa: S101 - asked by day
    return key
