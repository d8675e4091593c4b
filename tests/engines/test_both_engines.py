"""Every measure by every dimension gives the same answer on both engines."""

from datetime import datetime
from math import isclose
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import DIMENSIONS
from codometer.analysis.measures.measure import Number
from codometer.analysis.measures.query import Query, applicable, parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.model.period import Period, parse_zone
from tests.engines.embedded import (
    RESOURCE_KEYS,
    ClickHouseInProcess,
    DuckDBInMemory,
    FillableEngine,
)
from tests.engines.sample import ODD_TEAM, fill

pytestmark = pytest.mark.needs("chdb")

ZONE = parse_zone("America/New_York")
RESOURCE = f"resource.{RESOURCE_KEYS[0]}"
Engines = tuple[FillableEngine, FillableEngine]


@pytest.fixture(scope="module")
def engines() -> Engines:
    both = (DuckDBInMemory(), ClickHouseInProcess())
    for engine in both:
        fill(engine, zone=ZONE)
    return both


def days(first: str, last: str, zone: ZoneInfo = ZONE) -> Period:
    start, end = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (first, last))
    return Period.covering(start, end, zone)


PERIOD = days("2026-02-27T06:30", "2026-03-31")


@pytest.mark.parametrize("dimension", [*DIMENSIONS, RESOURCE])
def test_measures_by_a_dimension_are_the_same(engines: Engines, dimension: str) -> None:
    measures = [
        name
        for name, measure in MEASURES.items()
        if dimension == RESOURCE or DIMENSIONS[dimension] in applicable(measure)
    ]
    query = parse_query(measures, period=PERIOD, by=[dimension])
    assert len(ask_both(engines, query).groups) > 1


def test_totals_are_the_same(engines: Engines) -> None:
    ask_both(engines, parse_query(list(MEASURES), period=PERIOD))


def test_comparisons_over_several_dimensions_are_the_same(engines: Engines) -> None:
    query = parse_query(
        ["cost", "sessions", "request_duration_p95_ms"],
        period=days("2026-03-20", "2026-04-01"),
        by=["week", "team", "person"],
        compare="previous",
    )
    changes = [group.change["cost"] for group in ask_both(engines, query).groups if group.change]
    assert any(changes)


@pytest.mark.parametrize(
    "where",
    [
        [("team", ODD_TEAM)],
        [("team", "payments"), ("team", "")],
        [("model", "model-a"), ("agent", "codex")],
        [(RESOURCE, "blue")],
        [(RESOURCE, "")],
        [("token_type", "output"), ("token_type", "cache_read")],
    ],
)
def test_filters_are_the_same(engines: Engines, where: list[tuple[str, str]]) -> None:
    query = parse_query(["tokens"], period=PERIOD, by=["day"], where=where)
    assert len(ask_both(engines, query).groups) > 1


@pytest.mark.parametrize(
    "zone", ["Asia/Kathmandu", "America/New_York", "Australia/Adelaide", "UTC"]
)
@pytest.mark.parametrize("by", ["hour", "day", "week", "month"])
def test_every_zone_is_cut_the_same(engines: Engines, zone: str, by: str) -> None:
    period = days("2026-03-01", "2026-04-08", parse_zone(zone))
    assert len(ask_both(engines, parse_query(["cost"], period=period, by=[by])).groups) > 1


def test_a_period_without_rows_is_the_same(engines: Engines) -> None:
    answer = ask_both(engines, parse_query(list(MEASURES), period=days("2025-01-01", "2025-02-01")))
    assert set(answer.groups[0].values.values()) == {None}
    assert answer.coverage.signals == ()


def ask_both(engines: Engines, query: Query) -> Answer:
    """Ask both engines, compare their answers, and return one."""
    one, other = (run_query(engine, query, organisation_zone=ZONE) for engine in engines)
    assert one.coverage == other.coverage
    found, expected = (
        {tuple(group.key.items()): group.values for group in answer.groups}
        for answer in (one, other)
    )
    assert found.keys() == expected.keys()
    for key, values in found.items():
        for name, value in values.items():
            assert is_same(value, expected[key][name]), (key, name, value, expected[key][name])
    return one


def is_same(one: Number | None, other: Number | None) -> bool:
    """Counts and money are equal; what rests on doubles, to their last digits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-12)
    return one == other
    return one == other
