"""What several panels ask, in one way, so that a page asks it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from codometer.analysis.anomalies import WEEKS
from codometer.analysis.forecast import HISTORY_DAYS
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer
from codometer.model.period import Period, parse_period, start_of_day
from codometer.serve.web.buckets import Buckets, Key, cut
from codometer.serve.web.view import View

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
TEAM_MEASURES: Final = (
    "cost",
    "active_people",
    "cost_per_active_person",
    "edits_decided",
    "acceptance_ratio",
)
RANKED_DAYS: Final = 90
"""Colours go to what cost most over so many days."""

_DAY: Final = timedelta(days=1)
_COMPARED: Final = timedelta(weeks=WEEKS)

Costs = Mapping[str | None, Mapping[Key, Decimal]]
"""What was spent by a name and by a bucket. Nothing is known of what is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What each model cost on each day up to the end of a period, and the answer behind it."""

    costs: Costs
    first: date | None
    """The first day with any data in the time that was asked about."""
    last: date
    answer: Answer

    def total(self) -> dict[date, float]:
        """Return what each day cost in all; nothing on days without data."""
        return daily(self.costs, first=self.first, last=self.last)

    def complete(self, today: date) -> dict[date, float]:
        """Return the same without today."""
        return {day: amount for day, amount in self.total().items() if day < today}


def buckets_of(view: View) -> Buckets:
    """Cut the view's period."""
    return cut(view.period, now=view.now, zone=view.zone)


def ask_figures(view: View) -> Answer:
    """Ask for the figures and the cost, and for both in the period before."""
    names = (*FIGURES, "cost", "cost_per_active_person", "requests")
    return view.ask(parse_query(names, period=view.period, where=view.where, compare="previous"))


def ask_history(view: View, *, up_to_now: bool = False) -> History:
    """Ask for days enough to compare those of the view with, to forecast, and to rank models."""
    now = parse_period(view.today.isoformat(), None, now=view.now, zone=view.period.zone)
    end, last = (now.end, view.today) if up_to_now else (view.period.end, view.last_day)
    start = last - HISTORY_DAYS * _DAY
    if buckets_of(view).dimension in {"hour", "day"}:
        start = min(start, view.first_day - _COMPARED)
    zone = view.period.zone
    period = Period.covering(start_of_day(start, zone), end, zone)
    answer = view.ask(parse_query(["cost"], by=["day", "model"], period=period, where=view.where))
    costs = by_name(answer, "model", "day")
    days = [day for found in costs.values() for day in found]
    return History(costs=costs, first=min(days, default=None), last=last, answer=answer)


def ask_costs(view: View, name: str) -> Costs:
    """Ask what the view's period cost, by a name and by the buckets it is cut in."""
    dimension = buckets_of(view).dimension
    query = parse_query(["cost"], by=[dimension, name], period=view.period, where=view.where)
    return by_name(view.ask(query), name, dimension)


def ask_team_days(view: View) -> Costs:
    """Ask what each team cost on each day of the view and the time that it is compared with."""
    zone = view.period.zone
    start = min(start_of_day(view.first_day - _COMPARED, zone), view.previous.start)
    period = Period.covering(start, view.period.end, zone)
    query = parse_query(["cost"], by=["day", "team"], period=period, where=view.where)
    return by_name(view.ask(query), "team", "day")


def ask_teams(view: View) -> Answer:
    """Ask about each team, and about it in the period before."""
    return view.ask(
        parse_query(
            TEAM_MEASURES, by=["team"], period=view.period, where=view.where, compare="previous"
        )
    )


def ask_some_teams(view: View, teams: Sequence[str | None]) -> Answer:
    """Ask about some teams taken together."""
    where = [*view.where, *(("team", team or "") for team in teams)]
    return view.ask(parse_query(TEAM_MEASURES, period=view.period, where=where, compare="previous"))


def by_name(answer: Answer, name: str, time: str) -> dict[str | None, dict[Key, Decimal]]:
    """Return the costs of an answer by name and time."""
    costs: dict[str | None, dict[Key, Decimal]] = {}
    for group in answer.groups:
        amount, found, at = group.values["cost"], group.key[name], group.key[time]
        if isinstance(amount, Decimal) and isinstance(at, date):
            costs.setdefault(None if found is None else str(found), {})[at] = amount
    return costs


def daily(costs: Costs, *, first: date | None, last: date) -> dict[date, float]:
    """Return what each day cost in all; nothing on days without data."""
    if first is None:
        return {}
    days = (first + number * _DAY for number in range((last - first).days + 1))
    return {day: float(sum(found.get(day, 0) for found in costs.values())) for day in days}
