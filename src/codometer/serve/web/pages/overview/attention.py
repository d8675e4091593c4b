"""What to look at first, with a way to look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codometer.analysis.dates import format_date
from codometer.analysis.findings import (
    Decisions,
    Finding,
    Reliability,
    find_distrust,
    find_failing_versions,
    find_lost,
    find_refused,
    find_silence,
    find_spikes,
    find_unpriced,
    rank,
)
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Group
from codometer.serve.api.status import StatusSource
from codometer.serve.web.naming import name_model, name_team
from codometer.serve.web.page import Panel
from codometer.serve.web.pages.first_run import explain_refusal
from codometer.serve.web.pages.overview.asking import (
    ask_figures,
    ask_history,
    ask_team_days,
    daily,
)
from codometer.serve.web.pages.overview.teams import split_teams
from codometer.serve.web.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A finding with the address that shows it best, if one does."""

    finding: Finding
    href: str | None
    action: str


def attention_panel(status: StatusSource) -> Panel:
    """Return the panel; `status` tells which signals were refused."""

    def build(view: View) -> Mapping[str, object]:
        found = [*_find_in_spend(view), *_find_in_use(view), *_find_refused(view, status)]
        return {"shown": [_show(view, finding) for finding in rank(found)]}

    return Panel(
        name="attention",
        title="Needs attention",
        template="overview/attention.html",
        build=build,
        classes="c5",
    )


def _find_in_spend(view: View) -> list[Finding]:
    history = ask_history(view)
    total = history.complete(view.today)
    last = max(total, default=view.today)
    costs = ask_team_days(view)
    teams = {
        name_team(team): daily({team: costs[team]}, first=history.first, last=last)
        for team in split_teams(view).shown
        if team in costs
    }
    models = {
        name_model(model): daily({model: found}, first=history.first, last=last)
        for model, found in history.costs.items()
    }
    since, today = view.first_day, view.today
    return [
        *find_spikes(total, models, teams, since=since, today=today),
        *find_silence(total, since=since, today=today),
    ]


def _find_in_use(view: View) -> list[Finding]:
    answer = ask_figures(view)
    (figures,) = answer.groups
    coverage, requests = answer.coverage, _whole(figures.values["requests"])
    teams = {name_team(team): _decisions(group) for team, group in split_teams(view).shown.items()}
    return [
        *find_unpriced(
            coverage.unpriced_models, coverage.unpriced_requests, coverage.fallback_cost
        ),
        *find_lost(coverage.missing_events, requests),
        *find_distrust(teams),
        *find_failing_versions(_ask_versions(view)),
    ]


def _ask_versions(view: View) -> dict[str, Reliability]:
    query = parse_query(
        ["tool_calls", "tool_failures"], by=["version"], period=view.period, where=view.where
    )
    return {
        str(group.key["version"]): Reliability(
            calls=_whole(group.values["tool_calls"]),
            failures=_whole(group.values["tool_failures"]),
        )
        for group in view.ask(query).groups
        if group.key["version"] is not None
    }


def _find_refused(view: View, status: StatusSource) -> list[Finding]:
    return [
        finding
        for reject in status.read_status().rejects
        if reject.last is not None and view.period.start <= reject.last < view.period.end
        for finding in find_refused(reject.count, explain_refusal(reject.reason))
    ]


def _show(view: View, finding: Finding) -> Shown:
    if finding.day is not None:
        day = finding.day.isoformat()
        team = {} if finding.team is None else {"team": finding.team}
        href = view.href(range=None, from_=day, to=day, **team)
        return Shown(
            finding=finding,
            href=href,
            action=f"Show {format_date(finding.day, today=view.today)}",
        )
    if finding.team is not None and finding.team != view.team:
        return Shown(
            finding=finding, href=view.href(team=finding.team), action=f"Show {finding.team}"
        )
    return Shown(finding=finding, href=None, action="")


def _decisions(group: Group) -> Decisions:
    before = group.previous or {}
    ratio, ratio_before = group.values["acceptance_ratio"], before.get("acceptance_ratio")
    return Decisions(
        decided=_whole(group.values["edits_decided"]),
        ratio=None if ratio is None else float(ratio),
        decided_before=_whole(before.get("edits_decided")),
        ratio_before=None if ratio_before is None else float(ratio_before),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
