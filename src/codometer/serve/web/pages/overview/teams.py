"""Which teams spend, and which grow. Small teams stand together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from codometer.analysis.growth import describe_growth
from codometer.analysis.measures.measure import Number
from codometer.analysis.measures.run import Group, Values
from codometer.analysis.small_groups import MIN_PEOPLE, split_groups
from codometer.analysis.trend import trailing_means
from codometer.serve.web.buckets import days_of
from codometer.serve.web.charts import meter, sparkline
from codometer.serve.web.naming import name_team
from codometer.serve.web.pages.overview.questions import Costs, Questions, Team, daily
from codometer.serve.web.view import View

_MOST_ROWS: Final = 25


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
class Teams:
    """The groups of an answer by team, split into those that may be shown alone and the rest."""

    shown: Mapping[Team, Group]
    merged: frozenset[Team]
    rest: Group | None
    """The numbers of all that are merged, taken together."""


def split_teams(questions: Questions, view: View) -> Teams:
    """Ask about the teams and merge those that are small, or too many to list."""
    groups = {_team(group): group for group in questions.teams(view).groups}
    split = split_groups(
        {team: _people(group.values) for team, group in groups.items()},
        count=lambda teams: _people(_together(questions, view, teams).values),
    )
    listed = [team for team in groups if team in split.shown][:_MOST_ROWS]
    merged = split.merged | (split.shown - set(listed))
    return Teams(
        shown={team: groups[team] for team in listed},
        merged=merged,
        rest=_together(questions, view, merged) if merged else None,
    )


def build_teams(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the rows, their total and which teams grew fastest."""
    teams = split_teams(questions, view)
    (total,) = questions.figures(view).groups
    if not teams.shown and not teams.merged:
        return {"rows": [], "least": MIN_PEOPLE, "people": total.values["active_people"]}
    costs, whole = questions.team_days(view), float(total.values["cost"] or 0)
    rows = [
        _row(
            name_team(team),
            group,
            href=view.href(team=team) if team is not None and team != view.team else None,
            trend=_trend(view, costs, [team]),
            whole=whole,
        )
        for team, group in teams.shown.items()
    ]
    if teams.rest is not None:
        name = f"{len(teams.merged)} other team{'' if len(teams.merged) == 1 else 's'}"
        trend = _trend(view, costs, teams.merged)
        rows.append(_row(name, teams.rest, href=None, trend=trend, whole=whole))
    return {
        "rows": rows,
        "total": total,
        "growth": _describe_growth(teams.shown),
        "has_small": bool(teams.merged),
        "least": MIN_PEOPLE,
    }


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


def _trend(view: View, costs: Costs, teams: Iterable[Team]) -> Markup:
    """Draw what teams cost, as means of a week, in front of the period before."""
    spend = daily([costs[team] for team in teams if team in costs], last=view.last_day)
    means = dict(zip(spend, trailing_means(list(spend.values())), strict=True))
    now = [None if day == view.today else means.get(day) for day in days_of(view.period)]
    return sparkline(now, [means.get(day) for day in days_of(view.previous)])


def _describe_growth(shown: Mapping[Team, Group]) -> str | None:
    return describe_growth(
        {name_team(team): float(group.values["cost"] or 0) for team, group in shown.items()},
        {
            name_team(team): float((group.previous or {}).get("cost") or 0)
            for team, group in shown.items()
        },
    )


def _together(questions: Questions, view: View, teams: Iterable[Team]) -> Group:
    (group,) = questions.teams(view, teams).groups
    return group


def _team(group: Group) -> Team:
    team = group.key["team"]
    return None if team is None else str(team)


def _people(values: Values) -> int | None:
    people = values["active_people"]
    return None if people is None else int(people)
