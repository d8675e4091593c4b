"""Days, weeks, months and hours of a zone, over the changes of its clocks.

One request in every quarter hour of the year 2026 (UTC) makes lengths countable: an hour is 4.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.model.period import BUCKET, Period, parse_zone, start_of_day
from tests.engines.embedded import DuckDBInMemory, Values

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ["Asia/Kathmandu", "America/New_York", "Australia/Adelaide", "UTC"]
NEW_YORK = parse_zone("America/New_York")
ELSEWHERE = "Pacific/Auckland"
"""For an organisation there, the daily tier does not have the days that are asked for."""


@pytest.fixture(scope="module")
def engine() -> DuckDBInMemory:
    filled = DuckDBInMemory()
    filled.execute(
        "INSERT INTO session_15m BY NAME SELECT ? + to_minutes(15 * n) AS bucket, 1 AS scope,"
        " 1 AS origin, 1 AS workplace, 1 AS requests FROM range(?) AS r(n)",
        (NEW_YEAR.replace(tzinfo=None), 365 * 96),
    )
    filled.insert("session_day", (new_york_day(date(2025, 12, 31), ahead) for ahead in range(366)))
    return filled


def new_york_day(first: date, ahead: int) -> Values:
    day = first + timedelta(days=ahead)
    start, end = (start_of_day(day + timedelta(days=more), NEW_YORK) for more in (0, 1))
    inside = min(end, NEW_YEAR + timedelta(days=365)) - max(start, NEW_YEAR)
    row = {"day": day, "scope": 1, "origin": 1, "workplace": 1}
    return {**row, "requests": inside // BUCKET}


def ask(
    engine: DuckDBInMemory, by: str, period: Period, home: str = ELSEWHERE
) -> dict[object, object]:
    query = parse_query(["requests"], period=period, by=[by])
    answer = run_query(engine, query, organisation_zone=parse_zone(home))
    return {group.key[by]: group.values["requests"] for group in answer.groups}


def days(zone: str, first: date, last: date) -> Period:
    place = parse_zone(zone)
    return Period(start=start_of_day(first, place), end=start_of_day(last, place), zone=place)


@pytest.mark.parametrize("home", [ELSEWHERE, "America/New_York"])
def test_days_are_as_long_as_the_clocks_make_them(engine: DuckDBInMemory, home: str) -> None:
    year = days("America/New_York", date(2026, 1, 2), date(2026, 12, 31))
    found = ask(engine, "day", year, home)
    assert found.pop(date(2026, 3, 8)) == 23 * 4
    assert found.pop(date(2026, 11, 1)) == 25 * 4
    assert set(found.values()) == {24 * 4}
    assert len(found) == 361


def test_the_clocks_of_adelaide_change_at_half_past_utc(engine: DuckDBInMemory) -> None:
    year = days("Australia/Adelaide", date(2026, 1, 2), date(2026, 12, 31))
    found = ask(engine, "day", year)
    assert {day: n for day, n in found.items() if n != 96} == {
        date(2026, 4, 5): 25 * 4,
        date(2026, 10, 4): 23 * 4,
    }


@pytest.mark.parametrize("by", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_adds_up_to_the_same_year(engine: DuckDBInMemory, zone: str, by: str) -> None:
    year = Period(start=NEW_YEAR, end=NEW_YEAR + timedelta(days=365), zone=parse_zone(zone))
    for home in (ELSEWHERE, "America/New_York"):
        assert sum(ask(engine, by, year, home).values()) == 365 * 96  # type: ignore[arg-type] # counts


def test_the_hour_that_comes_twice_is_two_hours(engine: DuckDBInMemory) -> None:
    night = days("America/New_York", date(2026, 11, 1), date(2026, 11, 2))
    found = ask(engine, "hour", night)
    assert len(found) == 25
    assert set(found.values()) == {4}
    assert datetime(2026, 11, 1, 5, tzinfo=UTC) in found  # 01:00, summer time
    assert datetime(2026, 11, 1, 6, tzinfo=UTC) in found  # 01:00 again


def test_hours_of_kathmandu_begin_at_a_quarter_past(engine: DuckDBInMemory) -> None:
    found = ask(engine, "hour", days("Asia/Kathmandu", date(2026, 7, 1), date(2026, 7, 2)))
    assert min(map(str, found)) == "2026-06-30 18:15:00+00:00"
    assert list(found.values()) == [4] * 24


def test_hours_of_adelaide_begin_at_half_past(engine: DuckDBInMemory) -> None:
    found = ask(engine, "hour", days("Australia/Adelaide", date(2026, 4, 5), date(2026, 4, 6)))
    assert {str(hour)[14:16] for hour in found} == {"30"}
    assert list(found.values()) == [4] * 25


def test_weeks_begin_on_monday_and_months_on_their_first(engine: DuckDBInMemory) -> None:
    summer = days("America/New_York", date(2026, 6, 30), date(2026, 7, 8))
    for home in (ELSEWHERE, "America/New_York"):
        assert ask(engine, "week", summer, home) == {
            date(2026, 6, 29): 6 * 96,
            date(2026, 7, 6): 2 * 96,
        }
        assert ask(engine, "month", summer, home) == {
            date(2026, 6, 1): 96,
            date(2026, 7, 1): 7 * 96,
        }
