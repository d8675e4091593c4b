"""What deserves a look, in words.

Each finding says what happened with its number and date, and what is usual.
The sentences are made here, from the numbers that pages show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from math import sqrt
from typing import Final

from codometer.analysis.anomalies import (
    UnusualDay,
    expected_spend,
    find_silent_days,
    find_unusual_days,
)
from codometer.analysis.dates import format_date, format_weekday
from codometer.analysis.numbers import Value, format_money_cell, format_rate, format_value
from codometer.model.words import counted

MOST: Final = 5
"""A longer list is not read."""

_GRAVE_SHARE: Final = 0.5
_MAIN_PART: Final = 0.5
_LEAST_DECISIONS: Final = 100
_CLEAR_FALL: Final = 0.08
_CLEAR_FAILURE: Final = 0.02
_CLEAR_FACTOR: Final = 1.5
_SURE: Final = 4.0
"""How many standard errors a difference must have: many versions are looked at."""

_LEAST_CALLS: Final = 500
_LEAST_LOST: Final = 0.005
_NAMED: Final = 3

_DAY: Final = timedelta(days=1)

Spend = Mapping[date, float]
Run = Sequence[UnusualDay]
"""Days that follow each other."""


class Severity(IntEnum):
    """How soon to look, the most urgent last."""

    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at; the days from `first` to `last` and `team` show it best."""

    severity: Severity
    title: str
    text: str
    money: float = 0.0
    first: date | None = None
    last: date | None = None
    team: str | None = None


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """Return the most important findings: by severity, then money."""
    ordered = sorted(findings, key=lambda each: (-each.severity, -each.money, each.title))
    return ordered[:MOST]


def find_spikes(
    total: Spend,
    parts: Mapping[str, Spend],
    teams: Mapping[str, Spend],
    *,
    since: date,
    today: date,
) -> list[Finding]:
    """Tell of unusual days: of the team that explains one, else of all with its main part.

    `parts` are the models of the whole; `teams` only those that may be told of, on the
    days on which they may. What was before `since` is only compared with.
    """
    of_teams = [
        (team, unusual)
        for team, spend in teams.items()
        for unusual in find_unusual_days(spend, since=since).values()
    ]
    of_all = [
        unusual
        for day, unusual in find_unusual_days(total, since=since).items()
        if sum(each.excess for _, each in of_teams if each.day == day) < _MAIN_PART * unusual.excess
    ]
    findings = [
        _team_spike(
            team,
            run,
            usual=sum(expected_spend(total, each.day) for each in run),
            today=today,
        )
        for team in teams
        for run in _runs([unusual for name, unusual in of_teams if name == team])
    ]
    return [*findings, *(_spike(run, parts, today=today) for run in _runs(of_all))]


def find_silence(total: Spend, *, since: date, today: date) -> list[Finding]:
    """Tell of whole days from `since` on without any data, where data are usual."""
    silent = [each for each in find_silent_days(total) if each.day >= since]
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"No data {_on(run, today)}",
            text=f"{_usual_text(run)} Either nobody worked, or nothing reached this server.",
            money=sum(each.expected for each in run),
            first=run[0].day,
            last=run[-1].day,
        )
        for run in _runs(silent)
    ]


def find_unpriced(models: Sequence[str], requests: int | None, fallback: Value) -> list[Finding]:
    """Tell of models without a list price, whose cost is not counted or only reported."""
    if not models or not (requests or fallback):
        return []
    names = ", ".join(models[:_NAMED])
    more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
    reported = (
        f"{format_money_cell(fallback)} of spend is what their clients reported."
        if fallback
        else "Spend leaves them out."
    )
    what = f"{counted(requests, 'request')} {_has(requests)}" if requests else "Some requests have"
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{what} no list price",
            text=f"Not in the price list: {names}{more}. {reported}",
            money=float(fallback or 0),
        )
    ]


def find_lost(events: int | None, requests: int | None) -> list[Finding]:
    """Tell of events that clients numbered and that never came, if they are not very few."""
    if not events or events < _LEAST_LOST * (requests or 0):
        return []
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{counted(events, 'event')} did not arrive",
            text="Clients number their events, and these numbers are missing. Counts of prompts,"
            " tools and errors are too low by that.",
        )
    ]


def find_refused(count: int, explanation: str) -> list[Finding]:
    """Tell of signals that the server refused, and why."""
    if not count:
        return []
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{counted(count, 'signal')} {_was(count)} refused",
            text=explanation,
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """How edits were decided in a team, and in the period before."""

    decided: int | None
    ratio: float | None
    decided_before: int | None
    ratio_before: float | None


def find_distrust(teams: Mapping[str, Decisions]) -> list[Finding]:
    """Tell of teams in which acceptance fell clearly, over enough decisions on both sides."""
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"Edit acceptance fell to {format_rate(each.ratio)} in {team}",
            text=f"It was {format_rate(each.ratio_before)} in the period before, over"
            f" {format_value(each.decided_before, 'count')} decisions;"
            f" now {format_value(each.decided, 'count')}.",
            team=team,
        )
        for team, each in teams.items()
        if each.ratio is not None
        and each.ratio_before is not None
        and min(each.decided or 0, each.decided_before or 0) >= _LEAST_DECISIONS
        and each.ratio_before - each.ratio >= _CLEAR_FALL
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How the tool calls of one version of a client went."""

    calls: int | None
    failures: int | None


def find_failing_versions(versions: Mapping[str, Reliability]) -> list[Finding]:
    """Tell of versions whose tools fail clearly more often than those of all other versions."""
    findings = []
    for version, each in versions.items():
        others = [other for name, other in versions.items() if name != version]
        calls, failures = each.calls or 0, each.failures or 0
        calls_of_others = sum(other.calls or 0 for other in others)
        if min(calls, calls_of_others) < _LEAST_CALLS:
            continue
        share = failures / calls
        usual = sum(other.failures or 0 for other in others) / calls_of_others
        error = sqrt(usual * (1 - usual) / calls)
        if share - usual >= max(_CLEAR_FAILURE, _SURE * error) and share >= _CLEAR_FACTOR * usual:
            findings.append(
                Finding(
                    severity=Severity.WARNING,
                    title=f"{format_rate(share)} of tool calls fail in version {version}",
                    text=f"{format_rate(usual)} in all other versions."
                    f" {format_value(calls, 'count')} calls were made with it.",
                )
            )
    return findings


def _runs(days: Sequence[UnusualDay]) -> list[list[UnusualDay]]:
    """Put days that follow each other together: what lasts is one finding."""
    runs: list[list[UnusualDay]] = []
    for each in days:
        if runs and each.day - runs[-1][-1].day == _DAY:
            runs[-1].append(each)
        else:
            runs.append([each])
    return runs


def _team_spike(team: str, run: Run, *, usual: float, today: date) -> Finding:
    excess = sum(each.excess for each in run)
    return Finding(
        severity=_severity(excess, usual),
        title=f"{team} spent {_spent(run)} {_on(run, today)}",
        text=_usual_text(run),
        money=excess,
        first=run[0].day,
        last=run[-1].day,
        team=team,
    )


def _spike(run: Run, parts: Mapping[str, Spend], *, today: date) -> Finding:
    excess = sum(each.excess for each in run)
    text = _usual_text(run)
    rises = {
        name: sum(spend.get(each.day, 0.0) - expected_spend(spend, each.day) for each in run)
        for name, spend in parts.items()
    }
    main = max(rises, key=lambda name: rises[name], default=None)
    if main is not None and len(parts) > 1 and rises[main] >= _MAIN_PART * excess:
        text += f" {main} alone cost {format_money_cell(rises[main])} more than usual."
    return Finding(
        severity=_severity(excess, sum(each.expected for each in run)),
        title=f"{_spent(run)} was spent {_on(run, today)}",
        text=text,
        money=excess,
        first=run[0].day,
        last=run[-1].day,
    )


def _spent(run: Run) -> str:
    return format_money_cell(sum(each.spend for each in run))


def _usual_text(run: Run) -> str:
    low, high = (
        format_money_cell(sum(amounts))
        for amounts in ((each.low for each in run), (each.high for each in run))
    )
    days = f"a {format_weekday(run[0].day)}" if len(run) == 1 else "these days"
    return f"Usual for {days}: {low if low == high else f'{low} to {high}'}."


def _on(run: Run, today: date) -> str:
    first, last = (format_date(each.day, today=today) for each in (run[0], run[-1]))
    return f"on {first}" if len(run) == 1 else f"from {first} to {last}"


def _severity(excess: float, usual: float) -> Severity:
    return Severity.CRITICAL if excess >= _GRAVE_SHARE * usual else Severity.WARNING


def _has(number: int | None) -> str:
    return "has" if number == 1 else "have"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
