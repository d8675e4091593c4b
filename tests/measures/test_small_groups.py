"""No number, and no difference of two, is about fewer people than the minimum: on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.analysis.measures.groups import MAX_SHARE
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, Group, run_query
from codometer.model.period import Period, parse_zone
from tests.engines.embedded import (
    ClickHouseInProcess,
    DuckDBInMemory,
    FillableEngine,
    client,
    give_rollups,
)

ZONE: Final = parse_zone("UTC")
MONDAY: Final = date(2026, 11, 2)
PERIOD: Final = Period.covering(
    datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC), ZONE
)
MINIMUM: Final = 3
DIMENSIONS: Final = ("week", "day", "team", "model", "agent")
COARSER: Final = {"day": {"week", "month"}}

Engine = FillableEngine
Fleet = Sequence["Use"]


@dataclass(frozen=True, slots=True)
class Use:
    """What somebody, or something that is nobody, used on a day."""

    person: int | None
    team: str | None
    day: int
    model: str = "opus"
    tokens: int = 10
    agent: str = "claude_code"

    def value(self, dimension: str) -> object:
        day = MONDAY + timedelta(days=self.day)
        if dimension == "day":
            return day
        if dimension == "week":
            return day - timedelta(days=day.weekday())
        value: object = getattr(self, dimension)
        return value


@cache
def duckdb() -> Engine:
    return DuckDBInMemory()


@cache
def clickhouse() -> Engine:
    return ClickHouseInProcess()


ENGINES: Final = [
    pytest.param(duckdb, id="duckdb"),
    pytest.param(clickhouse, id="clickhouse", marks=pytest.mark.needs("chdb")),
]


def fill(engine: Engine, fleet: Fleet) -> None:
    engine.empty()
    clients = list(dict.fromkeys((use.person, use.team, use.agent) for use in fleet))
    rows = []
    for number, (person, team, agent) in enumerate(clients):
        known = client(
            number,
            team=team,
            agent=agent,
            session=f"session {number}",
            person=None if person is None else f"person {person}",
        )
        for table, row in known.items():
            engine.insert(table, [row])
        origin = known["origin"]
        rows += [
            {
                "bucket": datetime(2026, 11, 2, 9) + timedelta(days=use.day),  # noqa: DTZ001 - as stored
                "scope": number,
                "origin": number,
                "workplace": number,
                "session_id": origin["session_id"],
                "person_id": origin["person_id"],
                "part": "live",
                "source": "event",
                "model": use.model,
                "requests": 1,
                "output_tokens": use.tokens,
                "cost": Decimal(use.tokens),
            }
            for use in fleet
            if (use.person, use.team, use.agent) == (person, team, agent)
        ]
    give_rollups(engine, rows, ZONE)


def ask(
    engine: Engine,
    *measures: str,
    by: Iterable[str] = (),
    where: Iterable[tuple[str, str]] = (),
    minimum: int = MINIMUM,
    **rights: bool,
) -> Answer:
    query = parse_query(measures, period=PERIOD, by=list(by), where=where)
    query = replace(query, **rights)  # type: ignore[arg-type] # flags of a query
    return run_query(engine, query, organisation_zone=ZONE, minimum_people=minimum)


def rows_of(fleet: Fleet, key: dict[str, Any]) -> set[int]:
    """Return the numbers of the uses that a cell covers."""
    return {
        at
        for at, use in enumerate(fleet)
        if all(use.value(name) == value for name, value in key.items())
    }


def is_safe(fleet: Fleet, rows: Iterable[int]) -> bool:
    """Say whether what is known of these uses is about nobody."""
    tokens: dict[int, int] = {}
    uses = [fleet[at] for at in rows]
    for use in uses:
        if use.person is not None:
            tokens[use.person] = tokens.get(use.person, 0) + use.tokens
    return not uses or (
        len(tokens) >= MINIMUM and max(tokens.values()) <= MAX_SHARE * sum(tokens.values()) + 1e-6
    )


def shown(answer: Answer) -> list[Group]:
    return [group for group in answer.groups if not (group.merged or group.withheld)]


PEOPLE: Final = st.none() | st.integers(0, 11)
USES: Final = st.builds(
    Use,
    PEOPLE,
    st.sampled_from(["a", "b", "c", None]),
    st.integers(0, 13),
    st.sampled_from(["opus", "haiku"]),
    st.sampled_from([1, 10, 10, 10, 400]),
)


@st.composite
def fleets(draw: st.DrawFn) -> list[Use]:
    """Most people are of one team and work on most days; some are not or do not."""
    fleet = draw(st.lists(USES, max_size=6))
    for team in draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=14)):
        person, tokens = len(fleet) % 12, draw(st.sampled_from([10, 10, 11, 300]))
        days = draw(st.sampled_from([(0,), (0, 1), (0, 1, 5), (0, 1, 2, 7, 8), (6,)]))
        fleet += [Use(person, team, day, tokens=tokens) for day in days]
    return fleet


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(DIMENSIONS), min_size=1, max_size=3))
def test_no_cell_and_no_difference_of_cells_is_about_fewer_than_the_minimum(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str]
) -> None:
    fill(engine(), fleet)
    fine = ask(engine(), "tokens", by=sorted(by))
    cells = [rows_of(fleet, group.key) for group in shown(fine)]
    assert all(is_safe(fleet, rows) for rows in cells)
    levels = [set(names) for size in range(len(by)) for names in combinations(sorted(by), size)]
    levels += [(by - {"day"}) | {"week"}] if "day" in by else []
    for level in levels:
        for total in shown(ask(engine(), "tokens", by=sorted(level))):
            rows = rows_of(fleet, total.key)
            within = [cell for cell in cells if cell <= rows]
            assert is_safe(fleet, rows.difference(*within))
            for cell in within:
                assert is_safe(fleet, rows - cell)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(["day", "team", "model"]), min_size=1))
def test_what_is_shown_adds_up_to_the_totals_that_are_shown(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str]
) -> None:
    fill(engine(), fleet)
    times = sorted(by & {"day"})
    totals = {
        tuple(group.key.values()): group for group in ask(engine(), "tokens", by=times).groups
    }
    sums: dict[tuple[Any, ...], list[Group]] = {}
    for group in ask(engine(), "tokens", by=sorted(by)).groups:
        sums.setdefault(tuple(group.key[name] for name in times), []).append(group)
    if by - {"day"}:
        for key, groups in sums.items():
            if totals[key].withheld:
                assert all(group.withheld for group in groups)
            else:
                assert (
                    sum(group.values["tokens"] or 0 for group in groups)
                    == (totals[key].values["tokens"])
                )


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(["day", "model"])), team=st.sampled_from("abcd"))
def test_a_filter_shows_what_the_answer_by_its_dimension_shows(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str], team: str
) -> None:
    fill(engine(), fleet)
    grouped = {
        tuple(group.key[name] for name in sorted(by)): group.values["tokens"]
        for group in shown(ask(engine(), "tokens", by=[*sorted(by), "team"]))
        if group.key["team"] == team
    }
    filtered = ask(engine(), "tokens", by=sorted(by), where=[("team", team)])
    assert {tuple(group.key.values()): group.values["tokens"] for group in shown(filtered)} == (
        grouped
    )
