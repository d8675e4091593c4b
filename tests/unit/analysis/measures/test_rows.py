from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.compile import compile_query
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.rows import Days, Quarters, stretches
from codometer.model.period import parse_zone
from codometer.store.dialect import CLICKHOUSE, DUCKDB, Dialect
from tests.unit.analysis.measures.periods import JULY, between

NEW_YORK = parse_zone("America/New_York")
ZERO = parse_zone("UTC")


def cut(
    start: str, end: str, *, by: str = "day", zone: ZoneInfo = NEW_YORK, home: ZoneInfo = NEW_YORK
) -> list[tuple[str, ...]]:
    """Return what is read from which tier, in times of the zone."""
    query = parse_query(["cost"], period=between(start, end, zone), by=[by])
    return [
        ("day", str(part.start), str(part.end))
        if isinstance(part, Days)
        else ("15m", *(f"{t.astimezone(zone):%m-%dT%H:%M}" for t in (part.start, part.end)))
        for part in stretches(query, home)
    ]


def test_whole_days_of_the_organisation_come_from_the_daily_tier() -> None:
    assert cut("2026-07-01", "2026-08-01") == [("day", "2026-07-01", "2026-08-01")]


def test_what_is_no_whole_day_comes_from_quarter_hours() -> None:
    assert cut("2026-07-01T10:00", "2026-07-04T09:15") == [
        ("day", "2026-07-02", "2026-07-04"),
        ("15m", "07-01T10:00", "07-02T00:00"),
        ("15m", "07-04T00:00", "07-04T09:15"),
    ]


@pytest.mark.parametrize("end", ["2026-07-01T23:00", "2026-07-02T23:00"])
def test_less_than_a_whole_day_comes_from_quarter_hours(end: str) -> None:
    assert [tier for tier, *_ in cut("2026-07-01T10:00", end)] == ["15m"]


def test_hours_come_from_quarter_hours() -> None:
    assert cut("2026-07-01", "2026-07-03", by="hour") == [("15m", "07-01T00:00", "07-03T00:00")]


def test_days_of_another_zone_come_from_quarter_hours() -> None:
    for by in ("day", "week", "month"):
        assert [tier for tier, *_ in cut("2026-07-01", "2026-07-03", by=by, home=ZERO)] == ["15m"]


def test_without_days_any_zone_can_use_the_organisations_days() -> None:
    assert cut("2026-07-01", "2026-07-03", by="team", home=ZERO) == [
        ("day", "2026-07-02", "2026-07-03"),
        ("15m", "07-01T00:00", "07-01T20:00"),
        ("15m", "07-02T20:00", "07-03T00:00"),
    ]


def test_a_stretch_of_quarter_hours_is_in_utc() -> None:
    query = parse_query(["cost"], period=JULY, by=["hour"])
    assert stretches(query, ZERO) == (Quarters(start=JULY.start, end=JULY.end),)
    query = parse_query(["cost"], period=JULY)
    assert stretches(query, ZERO) == (Days(start=date(2026, 7, 1), end=date(2026, 8, 1)),)


@pytest.mark.parametrize("dialect", [DUCKDB, CLICKHOUSE], ids=lambda dialect: dialect.name)
def test_no_value_is_written_into_a_statement(dialect: Dialect) -> None:
    poison = "x'; DROP TABLE origin; --?{"
    query = parse_query(
        ["cost", "acceptance_ratio", "tool_duration_p50_ms"],
        period=JULY,
        by=["day", f"resource.{poison}"],
        where=[("team", poison), (f"resource.{poison}", poison)],
    )
    statements = compile_query(query, dialect, organisation_zone=ZERO)
    assert len(statements) == 2
    for statement in statements:
        text, values = dialect.bind(statement.sql.text, statement.sql.values)
        assert "DROP" not in text
        bound = values.values() if isinstance(values, Mapping) else values
        assert sum(poison in str(value) for value in bound) == 4


def test_an_origin_is_looked_up_only_when_it_is_asked_for() -> None:
    def text(measure: str, by: str) -> str:
        query = parse_query([measure], period=JULY, by=[by])
        (statement,) = compile_query(query, DUCKDB, organisation_zone=ZERO)
        return statement.sql.text

    assert "origin" not in text("cost", "model")
    assert "origin" in text("cost", "team")
    assert "origin" in text("sessions", "day")
