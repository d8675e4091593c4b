"""How long the questions of the Overview take on weeks of a fleet, and on the detail itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isclose
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.model.period import Period
from codometer.store.duckdb_engine import DuckDBEngine
from codometer.store.store import Store
from codometer.store.tables import PEOPLE
from tests.bench.clients import in_own_process
from tests.bench.copies import copy_history
from tests.bench.history import History, write_history
from tests.bench.refresh import measure_refresh
from tests.bench.results import Results, quantile

SECTIONS: Final = ("overview", "overview_large")
"""Where the figures of each history go, the smaller one first."""

ZONE: Final = ZoneInfo("UTC")
_MEMORY: Final = "512MB"
_WRITING_MEMORY: Final = "4GB"
_THREADS: Final = 2
_DETAIL_ROUNDS: Final = (3, 1)
"""How often the detail of each history is asked: a hundred million events take their time."""
_NOW_HOUR: Final = 15
_TEAM: Final = (("team", "team-0"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a panel asks, and the same of the detail: its first measure comes first in both."""

    measures: tuple[str, ...]
    events: str = ""
    readings: str = ""
    by: tuple[str, ...] = ()
    days: int = 28
    compare: bool = True
    where: tuple[tuple[str, str], ...] = ()
    with_coverage: bool = False


_FIGURES: Final = Question(
    measures=(
        "active_people",
        "sessions",
        "tokens",
        "acceptance_ratio",
        "active_time_seconds",
        "lines_added",
        "lines_removed",
        "commits",
        "pull_requests",
    ),
    events=f"""
      count(DISTINCT CASE WHEN kind = 'request' THEN person END),
      count(DISTINCT CASE WHEN kind IN ('request', 'prompt', 'tool_call') THEN session END),
      sum(uncached_input_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
      sum(output_tokens), count(*) FILTER (kind = 'edit_decision' AND decision_source IN {PEOPLE}),
      count(*) FILTER (kind = 'edit_decision' AND accepted AND decision_source IN {PEOPLE})""",
    readings=", ".join(
        f"sum(value) FILTER (counter = '{counter}')"
        for counter in ("lines_added", "lines_removed", "active_time_seconds", "commits")
    ),
)
_COST: Final = "sum(coalesce(list_cost, reported_cost))"
_PEOPLE: Final = "count(DISTINCT CASE WHEN kind = 'request' THEN person END)"

QUESTIONS: Final[Mapping[str, Question]] = {
    "eight figures, compared": _FIGURES,
    "eight figures by day": Question(
        measures=_FIGURES.measures,
        events=_FIGURES.events,
        readings=_FIGURES.readings,
        by=("day",),
        compare=False,
    ),
    "eight figures of a team, compared": Question(
        measures=_FIGURES.measures,
        events=_FIGURES.events,
        readings=_FIGURES.readings,
        where=_TEAM,
    ),
    "cost by day and model": Question(
        measures=("cost",), events=_COST, by=("day", "model"), compare=False
    ),
    "cost by day and model, of a team": Question(
        measures=("cost",), events=_COST, by=("day", "model"), compare=False, where=_TEAM
    ),
    "active people by hour": Question(
        measures=("active_people",), events=_PEOPLE, by=("hour",), compare=False
    ),
    "cost and people by team, compared": Question(
        measures=("cost", "active_people"), events=f"{_COST}, {_PEOPLE}", by=("team",)
    ),
    "cost by team and day": Question(
        measures=("cost",), events=_COST, by=("team", "day"), compare=False
    ),
    "eight weeks of cost by day": Question(
        measures=("cost",), events=_COST, by=("day",), days=56, compare=False
    ),
    "cost of the month": Question(measures=("cost",), events=_COST, days=24, compare=False),
    "cache savings, compared": Question(measures=("cache_savings",), events="sum(cache_savings)"),
    "cost, and what it rests on": Question(
        measures=("cost",), events=_COST, compare=False, with_coverage=True
    ),
}

_KEYS: Final = {
    "day": "CAST(bucket AS DATE)",
    "hour": "date_trunc('hour', bucket)",
    "model": "model",
    "team": "team",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How long one question took, each time, in seconds."""

    sums: list[float]
    detail: list[float]


def measure_history(results: Results) -> None:
    """Write a history, ask about it, the same of a larger one, and keep the first current."""
    first, *_ = folders = [results.folder / section for section in SECTIONS]
    events, *larger = results.scale.history_events
    results.tell(f"history: {events:,} events")
    seconds = in_own_process(make_history, first, events)
    results.add("history", SECTIONS[0], events=events, **seconds)
    for folder, wanted in zip(folders[1:], larger, strict=False):
        results.tell(f"history: {wanted:,} events")
        times = wanted // events
        seconds = in_own_process(enlarge_history, first, folder, times)
        results.add("history", folder.name, events=times * events, **seconds)
    for folder, rounds in zip(folders[: 1 + len(larger)], _DETAIL_ROUNDS, strict=False):
        section = folder.name
        results.tell(f"overview: {section}")
        asked = in_own_process(ask_overview, folder, results.scale.questions, rounds)
        for name, took in asked.items():
            sums, detail = quantile(took.sums, 0.5) * 1000, quantile(took.detail, 0.5) * 1000
            results.add(section, name, p50_ms=sums, detail_ms=detail, times=detail / sums)
        slowest = max(quantile(took.sums, 0.5) for took in asked.values()) * 1000
        results.add("history", section, slowest_ms=slowest)
    measure_refresh(results, first)


def make_history(folder: Path, events: int) -> dict[str, float]:
    """Fill a data folder, and return how long the writing and the first sums took."""
    store = Store(folder, ZONE, memory_limit=_WRITING_MEMORY, threads=_THREADS)
    began = time.perf_counter()
    connection = store._engine.connect()  # noqa: SLF001 - past the writer, which is measured elsewhere
    write_history(connection, History(events=events, until=_midnight()))
    connection.close()
    written = time.perf_counter()
    store.roll_up()
    rolled_up = time.perf_counter()
    store.close()
    return {"written_seconds": written - began, "sums_seconds": rolled_up - written}


def enlarge_history(source: Path, folder: Path, times: int) -> dict[str, float]:
    """Fill a data folder with another so many times, and return how long that took."""
    began = time.perf_counter()
    copy_history(source, folder, times=times, memory_limit=_WRITING_MEMORY)
    return {"copied_seconds": time.perf_counter() - began}


def ask_overview(folder: Path, rounds: int, detail_rounds: int) -> dict[str, Asked]:
    """Ask every question several times, of the sums and of the detail, and compare the answers."""
    engine = DuckDBEngine(folder, memory_limit=_MEMORY, threads=_THREADS)
    found = {}
    try:
        for name, question in QUESTIONS.items():
            sums, detail = [], []
            for number in range(rounds + 1):
                began = time.perf_counter()
                answer = _ask(engine, question)
                sums.append(time.perf_counter() - began)
                if number < detail_rounds:
                    began = time.perf_counter()
                    rows = _ask_detail(engine, question, answer)
                    detail.append(time.perf_counter() - began)
                    _check_same(name, question, answer, rows)
            found[name] = Asked(sums=sums[1:], detail=detail)
    finally:
        engine.close()
    return found


def _midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _period(question: Question) -> Period:
    """Return so many days, of which the last is under way."""
    end = _midnight().replace(tzinfo=UTC) - timedelta(days=1) + timedelta(hours=_NOW_HOUR)
    start = end.replace(hour=0) - timedelta(days=question.days - 1)
    return Period(start=start, end=end, zone=ZONE)


def _ask(engine: DuckDBEngine, question: Question) -> Answer:
    query = parse_query(
        question.measures,
        period=_period(question),
        by=question.by,
        where=question.where,
        compare="previous" if question.compare else None,
        with_coverage=question.with_coverage,
    )
    return run_query(engine, query, organisation_zone=ZONE)


def _ask_detail(engine: DuckDBEngine, question: Question, answer: Answer) -> list[tuple[Any, ...]]:
    """Return the rows for the period; ask for the earlier one and the readings too."""
    periods = [answer.period, *filter(None, [answer.previous_period])]
    first: list[tuple[Any, ...]] = []
    for table, selected in (("reading", question.readings), ("event", question.events)):
        for period in reversed(periods) if selected else ():
            first = engine.fetch(*_statement(table, selected, question, period))
    return first


def _statement(
    table: str, selected: str, question: Question, period: Period
) -> tuple[str, list[object]]:
    keys = ", ".join(_KEYS[name] for name in question.by)
    joins = "JOIN origin USING (origin) JOIN workplace USING (workplace)"
    filters = "".join(f" AND {name} = ?" for name, _ in question.where)
    counted = " AND model IS NOT NULL" if "model" in question.by else ""
    bounds = [instant.replace(tzinfo=None) for instant in (period.start, period.end)]
    statement = (
        f"SELECT {keys}{', ' if keys else ''}{selected} FROM {table} {joins} "
        f"WHERE bucket >= ? AND bucket < ?{filters}{counted}{' GROUP BY ALL' if keys else ''}"
    )
    return statement, [*bounds, *(value for _, value in question.where)]


def _check_same(
    name: str, question: Question, answer: Answer, rows: Iterable[tuple[Any, ...]]
) -> None:
    """Fail unless the first measure is the same in every group."""
    width = len(question.by)
    expected = {tuple(map(_plain, row[:width])): float(row[width] or 0) for row in rows}
    found = {
        tuple(map(_plain, group.key.values())): float(group.values[question.measures[0]] or 0)
        for group in answer.groups
    }
    differ = {
        key
        for key in expected.keys() | found.keys()
        if not isclose(expected.get(key, 0), found.get(key, 0), rel_tol=1e-9)
    }
    if differ or not found:
        raise AssertionError(f"{name}: {len(differ)} of {len(found)} groups differ from the detail")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value if isinstance(value, date) else str(value)
