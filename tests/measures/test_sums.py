"""What must hold of every sum, however a period is cut and grouped."""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import DIMENSIONS
from codometer.analysis.measures.measure import Fact, Number, SumOf
from codometer.analysis.measures.query import applicable, parse_query
from codometer.analysis.measures.run import run_query
from codometer.model.period import BUCKET, Period, parse_zone
from tests.engines.embedded import DuckDBInMemory
from tests.engines.sample import DAYS, FIRST, fill, rollups

SUMS = [measure for measure in MEASURES.values() if measure.additive]
HOME = parse_zone("America/New_York")

# Each example asks the store several times.
SOME = settings(max_examples=settings().max_examples // 4)

Values = dict[str, Number | None]

# Half of the cuts lie on New York's midnights, where the daily tier begins to serve.
CUTS = st.integers(0, DAYS * 96) | st.integers(0, DAYS - 1).flatmap(
    lambda day: st.sampled_from([day * 96 + 16, day * 96 + 20])
)
PERIODS = st.builds(
    lambda zone, cuts: Period.covering(
        FIRST + min(cuts) * BUCKET, FIRST + max(cuts) * BUCKET, parse_zone(zone)
    ),
    st.sampled_from(["Asia/Kathmandu", "America/New_York", "Australia/Adelaide", "UTC"]),
    st.sets(CUTS, min_size=2, max_size=2),
)


@pytest.fixture(scope="module")
def engine() -> DuckDBInMemory:
    filled = DuckDBInMemory()
    fill(filled, zone=HOME)
    return filled


@SOME
@given(period=PERIODS)
def test_a_total_is_the_sum_of_its_rows(engine: DuckDBInMemory, period: Period) -> None:
    assert_same(ask_groups(engine, period)[0], add_up_rows(period))


@SOME
@given(period=PERIODS, share=st.floats(0, 1, exclude_max=True))
def test_splitting_a_period_changes_no_sum(
    engine: DuckDBInMemory, period: Period, share: float
) -> None:
    middle = period.start + int((period.end - period.start) / BUCKET * share) * BUCKET
    parts = [
        Period(start=start, end=end, zone=period.zone)
        for start, end in ((period.start, middle), (middle, period.end))
        if start < end
    ]
    found = [ask_groups(engine, part)[0] for part in parts]
    assert_same(add_up(found), ask_groups(engine, period)[0])


@SOME
@given(dimension=st.sampled_from([*DIMENSIONS, "resource.x"]), period=PERIODS)
def test_groups_add_up_to_the_total(engine: DuckDBInMemory, dimension: str, period: Period) -> None:
    found = add_up(ask_groups(engine, period, dimension))
    total = add_up_rows(period)
    assert_same(found, {name: total[name] for name in found})


def ask_groups(engine: DuckDBInMemory, period: Period, *by: str) -> list[Values]:
    names = [
        measure.name
        for measure in SUMS
        if all(DIMENSIONS.get(name) in {None, *applicable(measure)} for name in by)
    ]
    answer = run_query(engine, parse_query(names, period=period, by=by), organisation_zone=HOME)
    return [group.values for group in answer.groups] or [dict.fromkeys(names)]


def add_up_rows(period: Period) -> Values:
    """The sums as a person would work them out, row by row."""
    rows = [row for row in rollups() if period.start <= utc(row["bucket"]) < period.end]
    columns = {column for measure in SUMS for column in measure.facts()}
    facts: dict[Fact, Number | None] = {
        fact: add(row[fact.column] for row in rows)  # type: ignore[misc] # numbers or None
        for fact in columns
        if isinstance(fact, SumOf)
    }
    return {measure.name: measure.value(facts) for measure in SUMS}


def utc(bucket: object) -> datetime:
    assert isinstance(bucket, datetime)
    return bucket.replace(tzinfo=UTC)


def add_up(groups: list[Values]) -> Values:
    return {name: add(group[name] for group in groups) for name in groups[0]}


def add(numbers: Iterable[Number | None]) -> Number | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def assert_same(found: Values, expected: Values) -> None:
    assert found.keys() == expected.keys()
    for name, value in found.items():
        other = expected[name]
        if isinstance(value, float) and isinstance(other, float):
            assert isclose(value, other, rel_tol=1e-9), name
        else:
            assert value == other, name
