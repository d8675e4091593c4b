"""What the panels ask, in one way each, so that a page asks nothing twice.

Complete days hardly change: what is asked of them alone is shared by all readers for
a minute. What is going on now is asked each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from codometer.analysis.anomalies import WEEKS
from codometer.analysis.forecast import HISTORY_DAYS
from codometer.analysis.measures.query import Query, parse_query
from codometer.analysis.measures.run import Answer, beside
from codometer.analysis.small_groups import MIN_PEOPLE
from codometer.analysis.trend import WEEK
from codometer.model.period import Period, parse_period, start_of_day
from codometer.model.status import RejectStatus
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

    def total(self) -> dict[date, float]:
        """Return what each day cost in all, from the first with data on."""
        return daily(self.costs.values(), last=self.last)

    def complete(self, today: date) -> dict[date, float]:
        """Return the same without today."""
        return {day: amount for day, amount in self.total().items() if day < today}


def buckets_of(view: View) -> Buckets:
    """Cut the view's period."""
    return cut(view.period, now=view.now, zone=view.zone)


def find_wider(view: View) -> str | None:
    """Return the address of the longest range to choose, if it is longer than the view."""
    name = max(RANGES, key=lambda each: RANGES[each])
    return view.href(range=name) if len(days_of(view.period)) < RANGES[name] else None


class Questions:
    """Asks for the panels of one page."""

    def __init__(self, status: StatusSource) -> None:
        self._status = status
        self._answers: Recent[Query, Answer] = Recent()
        self._rejects: Recent[None, Sequence[RejectStatus]] = Recent()

    def figures(self, view: View) -> Answer:
        """Ask for the figures and the cost, for the period before, and what they rest on."""
        names = (*FIGURES, *_COSTS, "requests")
        return self._compare(view, parse_query(names, period=view.period, where=view.where))

    def trends(self, view: View) -> Answer:
        """Ask for the figures by bucket, over both periods and the week before them."""
        time = buckets_of(view).dimension
        start, end = view.previous.start, None
        if time == "day":
            start = _midnight(view, view.previous.first_day - WEEK * _DAY)
        elif time == "hour":
            end = view.period.end
        return self._ask_past(view, FIGURES, by=[time], start=start, end=end)

    def month(self, view: View) -> Answer:
        """Ask what this month has cost up to now."""
        period = _since(view, view.today.replace(day=1))
        return view.ask(_plain(["cost", "cache_savings"], period=period, where=view.where))

    def history(self, view: View, *, up_to_now: bool = False) -> History:
        """Ask for days enough to compare with, to forecast from and to rank models by."""
        last = view.today if up_to_now else view.last_day
        start = last - HISTORY_DAYS * _DAY
        if buckets_of(view).dimension in {"hour", "day"}:
            start = min(start, view.first_day - _COMPARED)
        by = ["day", "model"]
        end = _midnight(view, min(last + _DAY, view.today))
        period = Period.covering(_midnight(view, start), end, view.period.zone)
        answers = [self._ask_recent(view, _plain(["cost"], period=period, by=by, where=view.where))]
        if last == view.today:
            period = _since(view, view.today)
            answers.append(view.ask(_plain(["cost"], period=period, by=by, where=view.where)))
        return History(costs=costs_by(answers, "model", "day"), last=last)

    def costs(self, view: View) -> Costs:
        """Ask what each model cost in each bucket of the period."""
        time = buckets_of(view).dimension
        query = _plain(["cost"], period=view.period, by=[time, "model"], where=view.where)
        return costs_by([view.ask(query)], "model", time)

    def models(self, view: View) -> Answer:
        """Ask what each model cost, now and in the period before."""
        query = _plain(["cost"], by=["model"], period=view.period, where=view.where)
        return beside(self._ask_recent(view, query), self._ask_recent(view, _before(query)))

    def team_days(self, view: View) -> Costs:
        """Ask what each team cost on complete days, up to the view's end and long before."""
        return costs_by([self._ask_team_days(view)], "team", "day")

    def small_team_days(self, view: View) -> set[tuple[Team, date]]:
        """Ask on which days fewer people of a team were active than may be told of."""
        small = set()
        for group in self._ask_team_days(view).groups:
            team, day, people = group.key["team"], group.key["day"], group.values["active_people"]
            if isinstance(day, date) and (people or 0) < MIN_PEOPLE:
                small.add((None if team is None else str(team), day))
        return small

    def teams(self, view: View, only: Iterable[Team] = ()) -> Answer:
        """Ask about each team and the period before, or about some teams taken together."""
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
        rejects = self._rejects.get(None, lambda: self._status.read_status().rejects, now=view.now)
        return [
            each
            for each in rejects
            if each.last and view.period.start <= each.last < view.period.end
        ]

    def _ask_team_days(self, view: View) -> Answer:
        start = min(_midnight(view, view.first_day - _COMPARED), view.previous.start)
        measures = ["cost", "active_people"]
        return self._ask_past(view, measures, by=["day", "team"], start=start)

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
        return self._answers.get(query, lambda: view.ask(query), now=view.now)


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


def daily(costs: Iterable[Mapping[Key, Decimal]], *, last: date) -> dict[date, float]:
    """Return what each day cost in all, from the first with data on; later ones may be zero."""
    amounts = [(_date(at), amount) for found in costs for at, amount in found.items()]
    first = min((day for day, _ in amounts), default=last + _DAY)
    totals = {first + number * _DAY: Decimal(0) for number in range((last - first).days + 1)}
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
