"""Which teams spend, and which grow. Small teams stand together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from codometer.analysis.dates import format_days
from codometer.analysis.growth import describe_growth
from codometer.analysis.measures.measure import Number
from codometer.analysis.measures.run import Group
from codometer.analysis.trend import WEEK, trailing_means
from codometer.model.words import counted
from codometer.privacy.profile import Cut
from codometer.serve.web.buckets import days_of
from codometer.serve.web.charts import meter, sparkline
from codometer.serve.web.naming import name_team
from codometer.serve.web.pages.overview.questions import Questions, Team
from codometer.serve.web.view import View

_MOST_ROWS: Final = 25
_ANCHOR: Final = "#teams"
_COST: Final = "cost"
_COLUMNS: Final[Mapping[str, str]] = {
    "team": "Team",
    _COST: "Spend",
    "change": "Change",
    "people": "Developers",
    "per_person": "Per developer",
}
"""What the table can be in the order of; of the largest first, but for names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `href` leads to the team alone, if the line is one team."""

    name: str
    href: str | None
    cost: Number | None
    change: float | None
    trend: Markup
    people: Number | None
    per_person: Number | None
    share: float | None
    meter: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's head, and where it leads: to the table in its order."""

    label: str
    href: str
    order: str | None
    """`ascending` or `descending` where the table is in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams:
    """The groups of an answer by team, as they are listed."""

    shown: Mapping[Team, Group]
    further: tuple[Team, ...]
    """Those that are too many to list."""
    small: Group | None
    """The teams that may not be told apart, taken together."""


def split_teams(questions: Questions, view: View) -> Teams:
    """Ask about the teams, and split off what is told only together."""
    groups = questions.teams(view).groups
    told = {_team(group): group for group in groups if not (group.merged or group.withheld)}
    listed = list(told)[:_MOST_ROWS]
    return Teams(
        shown={team: told[team] for team in listed},
        further=tuple(told)[_MOST_ROWS:],
        small=next((group for group in groups if group.merged), None),
    )


def build_teams(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the rows, their total and which teams grew fastest."""
    view, teams = view.by_team, split_teams(questions, view)
    (total,) = questions.figures(view).groups
    if not teams.shown:
        people = total.values["active_people"] or total.withheld
        return {"rows": [], "least": view.minimum_people, "people": people}
    days, whole = questions.team_days(view), float(total.values["cost"] or 0)
    rows = [
        _row(
            name_team(team),
            group,
            href=view.href(team=team) if team is not None and team != view.team else None,
            trend=_trend(view, [days.of(team, last=view.last_day)], days.step),
            whole=whole,
        )
        for team, group in teams.shown.items()
    ]
    _sort(rows, _chosen(view))
    if teams.further:
        name = counted(len(teams.further), "more team")
        (further,) = questions.teams(view, teams.further).groups
        further_days = [days.of(team, last=view.last_day) for team in teams.further]
        trend = _trend(view, further_days, days.step)
        rows.append(_row(name, further, href=None, trend=trend, whole=whole))
    if teams.small is not None:
        rows.append(_row("Small teams", teams.small, href=None, trend=Markup(), whole=whole))
    return {
        "rows": rows,
        "heads": _heads(view),
        "total": total,
        "growth": _describe_growth(teams.shown, view),
        "has_small": teams.small is not None,
        "least": view.minimum_people,
        "weeks": format_days(view.first_day, view.last_day)
        if view.group_cut is Cut.WEEK and not view.is_of_group
        else None,
    }


def _chosen(view: View) -> str:
    return view.sort if view.sort and view.sort in _COLUMNS else _COST


def _heads(view: View) -> Mapping[str, Head]:
    chosen = _chosen(view)
    return {
        name: Head(
            label=label,
            href=view.href(sort=None if name == _COST else name) + _ANCHOR,
            order=None if name != chosen else "ascending" if name == "team" else "descending",
        )
        for name, label in _COLUMNS.items()
    }


def _sort(rows: list[Row], column: str) -> None:
    """Put rows in the order of a column; those that are equal or unknown keep theirs."""
    if column == "team":
        rows.sort(key=lambda row: row.name.casefold())
    else:
        rows.sort(key=lambda row: _rank(getattr(row, column)))


def _rank(value: Number | float | None) -> tuple[bool, float]:
    return value is None, -float(value or 0)


def _row(name: str, group: Group, *, href: str | None, trend: Markup, whole: float) -> Row:
    cost = group.values["cost"]
    share = float(cost) / whole if cost is not None and whole else None
    return Row(
        name=name,
        href=href,
        cost=cost,
        change=(group.change or {}).get("cost"),
        trend=trend,
        people=group.values["active_people"],
        per_person=group.values["cost_per_active_person"],
        share=share,
        meter=meter(share or 0.0),
    )


def _trend(view: View, teams: Sequence[Mapping[date, float | None]], step: timedelta) -> Markup:
    """Draw what teams cost, as means of a week or by week, in front of the period before."""
    days = sorted({day for found in teams for day in found})
    spend = [_sum([found[day] for found in teams if day in found]) for day in days]
    over = timedelta(days=WEEK) // step
    means = dict(zip(days, trailing_means(spend, over=over, least=1), strict=True))
    now, before = (days_of(period)[:: step.days] for period in (view.period, view.previous))
    shown = [None if day == view.today else means.get(day) for day in now]
    return sparkline(shown, [means.get(day) for day in before])


def _sum(amounts: Sequence[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _describe_growth(shown: Mapping[Team, Group], view: View) -> str | None:
    """Tell of growth; a team of which nothing is told before may not have grown."""
    before = {team: (group.previous or {}).get("cost") for team, group in shown.items()}
    known = [team for team in shown if view.minimum_people == 1 or before[team] is not None]
    return describe_growth(
        {name_team(team): float(shown[team].values["cost"] or 0) for team in known},
        {name_team(team): float(before[team] or 0) for team in known},
    )


def _team(group: Group) -> Team:
    team = group.key["team"]
    return None if team is None else str(team)
