from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.compile import compile_query
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.rows import Need, stretches
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
        if part.has_days
        else ("15m", *(_local(instant, zone) for instant in (part.start, part.end)))
        for part in stretches(query, Need(), home)
    ]


def _local(instant: date, zone: ZoneInfo) -> str:
    assert isinstance(instant, datetime)
    return f"{instant.astimezone(zone):%m-%dT%H:%M}"


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
    assert [part[1:3] for part in stretches(query, Need(), ZERO)] == [(JULY.start, JULY.end)]
    query = parse_query(["cost"], period=JULY)
    (part,) = stretches(query, Need(), ZERO)
    assert part[1:3] == (date(2026, 7, 1), date(2026, 8, 1))


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
        assert sum(poison in str(value) for value in bound) == 2


def statement_of(measure: str, *by: str, where: Sequence[tuple[str, str]] = ()) -> str:
    query = parse_query([measure], period=JULY, by=by, where=where)
    (statement,) = compile_query(query, DUCKDB, organisation_zone=ZERO)
    return statement.sql.text


@pytest.mark.parametrize(
    ("measure", "by", "table"),
    [
        ("cost", "day", "session_day"),
        ("sessions", "team", "session_day"),
        ("cost", "model", "workplace_day"),
        ("tool_calls", "tool", "workplace_day"),
        ("acceptance_ratio", "day", "session_day"),
        ("active_people", "hour", "session_15m"),
        ("active_people", "model", "rollup_15m"),
        ("tool_calls", "person", "session_day"),
        ("request_duration_p50_ms", "day", "latency_15m"),
    ],
)
def test_the_smallest_table_that_can_tell_is_read(measure: str, by: str, table: str) -> None:
    assert f"FROM {table} AS r" in statement_of(measure, by)


def test_a_filter_needs_what_a_key_needs() -> None:
    assert "FROM workplace_day AS r" in statement_of("cost", "day", where=[("model", "opus")])
    assert "FROM rollup_15m AS r" in statement_of("active_people", where=[("model", "opus")])


def test_clients_are_looked_up_only_when_they_are_asked_for() -> None:
    assert "JOIN" not in statement_of("cost", "model")
    assert "JOIN" not in statement_of("sessions", "day")
    assert "JOIN workplace" in statement_of("cost", "team")
    assert "JOIN origin" in statement_of("cost", "person")
    assert "JOIN origin" not in statement_of("cost", "team")


def test_a_question_that_compares_is_one_statement() -> None:
    query = parse_query(["cost", "sessions"], period=JULY, by=["team"], compare="previous")
    (statement,) = compile_query(query, DUCKDB, organisation_zone=ZERO)
    assert statement.sql.text.count("SELECT") == 3
    assert statement.sql.values == (
        *(date(2026, 7, 1), date(2026, 8, 1)),
        *(date(2026, 6, 1), date(2026, 7, 1)),
    )
