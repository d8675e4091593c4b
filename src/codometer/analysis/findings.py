"""What deserves a look, in words.

Each finding says what happened with its number and date, and what is usual.
The sentences are made here, from the numbers that pages show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

from codometer.analysis.anomalies import (
    UnusualDay,
    expected_spend,
    find_silent_days,
    find_unusual_days,
)
from codometer.analysis.dates import format_date, format_weekday
from codometer.analysis.numbers import Value, format_money_cell, format_rate, format_value

MOST: Final = 5
"""A longer list is not read."""

_GRAVE_SHARE: Final = 0.5
_MAIN_PART: Final = 0.5
_LEAST_DECISIONS: Final = 100
_CLEAR_FALL: Final = 0.08
_CLEAR_FAILURE: Final = 0.05
_LEAST_CALLS: Final = 500
_LEAST_LOST: Final = 0.005
_NAMED: Final = 3

Spend = Mapping[date, float]


class Severity(IntEnum):
    """How soon to look, the most urgent last."""

    NOTE = 1
    WARNING = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at; `day` and `team` are what shows it best."""

    severity: Severity
    title: str
    text: str
    money: float = 0.0
    day: date | None = None
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

    `parts` are the models of the whole; `teams` only those that may be shown. What was
    before `since` is only compared with.
    """
    of_teams = [
        (team, unusual)
        for team, spend in teams.items()
        for day, unusual in find_unusual_days(spend).items()
        if day >= since
    ]
    findings = [
        _team_spike(team, unusual, usual=expected_spend(total, unusual.day), today=today)
        for team, unusual in of_teams
    ]
    for day, unusual in find_unusual_days(total).items():
        explained = sum(each.excess for _, each in of_teams if each.day == day)
        if day >= since and explained < _MAIN_PART * unusual.excess:
            findings.append(_spike(unusual, parts, today=today))
    return findings


def find_silence(total: Spend, *, since: date, today: date) -> list[Finding]:
    """Tell of whole days from `since` on without any data, where data are usual."""
    silent = [each for each in find_silent_days(total) if each.day >= since]
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"No data on {format_date(each.day, today=today)}",
            text=f"{_usual_text(each)} Either nobody worked, or nothing reached this server.",
            money=each.expected,
            day=each.day,
        )
        for each in silent
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
    what = f"{_count(requests, 'request')} {_has(requests)}" if requests else "Some requests have"
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
            title=f"{_count(events, 'event')} did not arrive",
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
            title=f"{_count(count, 'signal')} {_was(count)} refused",
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
        if share - usual >= _CLEAR_FAILURE:
            findings.append(
                Finding(
                    severity=Severity.WARNING,
                    title=f"{format_rate(share)} of tool calls fail in version {version}",
                    text=f"{format_rate(usual)} in all other versions."
                    f" {format_value(calls, 'count')} calls were made with it.",
                )
            )
    return findings


def _team_spike(team: str, unusual: UnusualDay, *, usual: float, today: date) -> Finding:
    return Finding(
        severity=_severity(unusual.excess, usual),
        title=f"{team} spent {format_money_cell(unusual.spend)}"
        f" on {format_date(unusual.day, today=today)}",
        text=_usual_text(unusual),
        money=unusual.excess,
        day=unusual.day,
        team=team,
    )


def _spike(unusual: UnusualDay, parts: Mapping[str, Spend], *, today: date) -> Finding:
    text = _usual_text(unusual)
    rises = {
        name: spend.get(unusual.day, 0.0) - expected_spend(spend, unusual.day)
        for name, spend in parts.items()
    }
    main = max(rises, key=lambda name: rises[name], default=None)
    if main is not None and len(parts) > 1 and rises[main] >= _MAIN_PART * unusual.excess:
        text += f" {main} alone cost {format_money_cell(rises[main])} more than usual."
    return Finding(
        severity=_severity(unusual.excess, unusual.expected),
        title=f"{format_date(unusual.day, today=today)} cost {format_money_cell(unusual.spend)}",
        text=text,
        money=unusual.excess,
        day=unusual.day,
    )


def _usual_text(unusual: UnusualDay) -> str:
    low, high = format_money_cell(unusual.low), format_money_cell(unusual.high)
    between = low if low == high else f"{low} to {high}"
    return f"Usual for a {format_weekday(unusual.day)}: {between}."


def _severity(excess: float, usual: float) -> Severity:
    return Severity.CRITICAL if excess >= _GRAVE_SHARE * usual else Severity.WARNING


def _count(number: int | None, noun: str) -> str:
    return f"{format_value(number, 'count')} {noun}{'' if number == 1 else 's'}"


def _has(number: int | None) -> str:
    return "has" if number == 1 else "have"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
