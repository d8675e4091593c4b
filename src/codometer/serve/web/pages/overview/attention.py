"""What to look at first, with a way to look at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
from codometer.analysis.measures.groups import OTHER
from codometer.analysis.measures.run import Group
from codometer.privacy.profile import Cut
from codometer.serve.web.naming import name_model, name_team
from codometer.serve.web.pages.first_run import explain_refusal
from codometer.serve.web.pages.overview.questions import Questions, Team, daily
from codometer.serve.web.pages.overview.teams import split_teams
from codometer.serve.web.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A finding with the address that shows it best, if one does."""

    finding: Finding
    href: str | None
    action: str


def build_attention(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the most important findings."""
    teams = split_teams(questions, view).shown
    found = [
        *_find_in_spend(questions, view, teams),
        *_find_in_use(questions, view, teams),
        *(
            finding
            for reject in (questions.rejects(view) if not view.is_limited else ())
            for finding in find_refused(reject.count, explain_refusal(reject.reason))
        ),
    ]
    has_days = view.finest is not Cut.WEEK
    return {"shown": [_show(view, finding) for finding in rank(found)], "has_days": has_days}


def _find_in_spend(questions: Questions, view: View, teams: Iterable[Team]) -> list[Finding]:
    if view.finest is Cut.WEEK:
        return []  # nothing is told of days
    history = questions.history(view)
    total = history.told(view.today)
    last = max(total, default=view.today)
    days = questions.team_days(view)
    since, today = view.first_day, view.today
    return [
        *find_spikes(
            total,
            {
                name_model(model): daily([found], last=last)
                for model, found in history.costs.items()
                if model != OTHER
            },
            {
                name_team(team): {
                    day: amount
                    for day, amount in days.of(team, last=last).items()
                    if amount is not None
                }
                for team in teams
                if team in days.costs and view.group_cut is not Cut.WEEK
            },
            since=since,
            today=today,
        ),
        *find_silence(total, since=since, today=today),
    ]


def _find_in_use(questions: Questions, view: View, teams: Mapping[Team, Group]) -> list[Finding]:
    answer = questions.figures(view)
    (figures,) = answer.groups
    coverage, requests = answer.coverage, _whole(figures.values["requests"])
    versions = {
        str(group.key["version"]): Reliability(
            calls=_whole(group.values["tool_calls"]),
            failures=_whole(group.values["tool_failures"]),
        )
        for group in questions.versions(view).groups
        if group.key["version"] is not None and not (group.merged or group.withheld)
    }
    return [
        *find_unpriced(
            coverage.unpriced_models, coverage.unpriced_requests, coverage.fallback_cost
        ),
        *find_lost(coverage.missing_events, requests),
        *find_distrust({name_team(team): _decisions(group) for team, group in teams.items()}),
        *find_failing_versions(versions),
    ]


def _show(view: View, finding: Finding) -> Shown:
    if finding.first is not None and finding.last is not None:
        first, last = finding.first.isoformat(), finding.last.isoformat()
        team = {} if finding.team is None else {"team": finding.team}
        return Shown(
            finding=finding,
            href=view.href(range=None, from_=first, to=last, **team),
            action="Show this day" if first == last else "Show these days",
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
