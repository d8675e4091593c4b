"""Whoever is taken out of old rows, no sum changes, and nothing is told that was not before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.model.period import Period
from codometer.store.dialect import DUCKDB
from codometer.store.retention import NOBODY, cut_days, cut_quarters, fold_sessions
from codometer.store.tables import TABLES
from tests.engines.embedded import DuckDBInMemory
from tests.measures.uses import ZONE, Use, fill

PERIOD: Final = Period.covering(
    datetime(2026, 11, 2, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC), ZONE
)
AFTER: Final = date(2027, 1, 1)
MINIMUM: Final = 3
WAYS: Final = ("day", "week", "month", "hour", "team", "model")
SUMS: Final = ("tokens", "cost", "requests")

FLEETS: Final = st.lists(
    st.builds(
        Use,
        st.none() | st.integers(0, 7),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0, 1, 7, 29, 30, 40]),
        st.sampled_from(["opus", "haiku"]),
        st.sampled_from([1, 10, 10, 400]),
    ),
    max_size=24,
)


@cache
def engine() -> DuckDBInMemory:
    opened = DuckDBInMemory()
    for table in ("event", "reading", "dirty"):
        opened.execute(DUCKDB.create_table(table, TABLES[table]))
    return opened


def cut(before: date) -> None:
    cut_quarters(engine().connection, before, NOBODY)
    fold_sessions(engine().connection, before, NOBODY)
    cut_days(engine().connection, before, NOBODY)


def answer(by: Sequence[str], *measures: str, minimum: int = 1) -> dict[tuple[Any, ...], Any]:
    """Return what is told, by key: never what is merged or withheld."""
    query = replace(parse_query(measures, period=PERIOD, by=by), sees_people=minimum == 1)
    found = run_query(engine(), query, organisation_zone=ZONE, minimum_people=minimum)
    return {
        tuple(group.key.values()): group.values
        for group in found.groups
        if not (group.merged or group.withheld)
    }


@settings(max_examples=25, deadline=None)
@given(
    fleet=FLEETS,
    by=st.sets(st.sampled_from(WAYS), max_size=2),
    before=st.sampled_from([date(2026, 12, 1), AFTER]),
)
def test_no_sum_changes_and_nothing_more_is_told(
    fleet: list[Use], by: set[str], before: date
) -> None:
    fill(engine(), fleet)
    ways = sorted(by)
    asked = SUMS if "model" in by else (*SUMS, "sessions")
    sums, few = answer(ways, *asked), answer(ways, "tokens", minimum=MINIMUM)
    people = answer(ways, "active_people")
    cut(before)
    assert answer(ways, *asked) == sums
    assert answer(ways, "tokens", minimum=MINIMUM).keys() <= few.keys()
    for key, values in answer(ways, "active_people").items():
        assert values["active_people"] in {None, people[key]["active_people"]}
        if by & {"day", "month", "hour"}:
            assert values == people[key]


@settings(max_examples=10, deadline=None)
@given(fleet=FLEETS)
def test_no_row_leads_from_one_month_to_another_or_to_a_person(fleet: list[Use]) -> None:
    fill(engine(), fleet)
    cut(AFTER)
    for table, month in (("session_day", "day"), ("session_15m", "bucket")):
        found = engine().fetch(
            f"SELECT person_id, count(DISTINCT date_trunc('month', {month})) FROM {table} "
            "WHERE person_id IS NOT NULL GROUP BY person_id"
        )
        assert all(months == 1 for _, months in found)
    assert engine().fetch("SELECT 1 FROM session_day JOIN session_15m USING (person_id)") == []
    assert engine().fetch("SELECT 1 FROM session_day JOIN session_15m USING (session_id)") == []
    assert engine().fetch("SELECT 1 FROM origin WHERE session IS NOT NULL") == []
    assert engine().fetch("SELECT 1 FROM origin WHERE person IS NOT NULL") == []
