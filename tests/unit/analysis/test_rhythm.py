from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from codometer.analysis.rhythm import QUIET, Busiest, find_busiest, week_of_hours
from codometer.model.period import Period

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def period(weeks: float, zone: str = "UTC", start: datetime = MONDAY) -> Period:
    return Period(start=start, end=start + weeks * timedelta(weeks=1), zone=ZoneInfo(zone))


def test_an_hour_of_the_week_has_the_mean_of_its_weeks() -> None:
    nine = MONDAY + 9 * HOUR
    week = week_of_hours({nine: 10, nine + timedelta(weeks=1): 13}, period(2))
    assert week[0][9] == 11.5
    assert week[0][10] == QUIET
    assert (len(week), len(week[0])) == (7, 24)


def test_a_week_without_anybody_counts_as_nobody() -> None:
    assert week_of_hours({MONDAY: 12}, period(2))[0][0] == 6


def test_what_was_before_the_first_data_is_unknown() -> None:
    later = MONDAY + timedelta(weeks=1, hours=9)
    week = week_of_hours({later: 12}, period(2))
    assert week[0][9] == 12
    assert week_of_hours({}, period(2))[0][9] == QUIET


def test_four_people_look_like_nobody() -> None:
    week = week_of_hours({MONDAY: 4, MONDAY + HOUR: 5, MONDAY + 2 * HOUR: None}, period(1))
    assert week[0][:3] == [QUIET, 5, QUIET]


def test_an_hour_that_is_not_over_is_missing() -> None:
    short = Period(start=MONDAY, end=MONDAY + timedelta(minutes=75), zone=ZoneInfo("UTC"))
    week = week_of_hours({MONDAY: 7, MONDAY + HOUR: 9}, short)
    assert week[0][:2] == [7, None]
    assert week[1] == [None] * 24


def test_hours_are_those_of_the_zone() -> None:
    kathmandu = period(1, "Asia/Kathmandu", start=MONDAY)  # 05:45 there
    six = MONDAY + timedelta(minutes=15)
    assert week_of_hours({six: 8}, kathmandu)[0][6] == 8


def test_an_hour_that_comes_twice_counts_twice() -> None:
    # Clocks in Berlin go back from 03:00 to 02:00 on Sunday 25 October 2026.
    sunday = Period(
        start=datetime(2026, 10, 24, 22, tzinfo=UTC),
        end=datetime(2026, 10, 25, 23, tzinfo=UTC),
        zone=ZoneInfo("Europe/Berlin"),
    )
    twice = {datetime(2026, 10, 25, hour, tzinfo=UTC): people for hour, people in ((0, 6), (1, 8))}
    assert week_of_hours(twice, sunday)[6][2] == 7


def test_the_busiest_hour_is_named() -> None:
    week: list[list[float | None]] = [[None] * 24 for _ in range(7)]
    assert find_busiest(week) is None
    week[2][14], week[4][9], week[5][9] = 38.5, 38.5, 12
    assert find_busiest(week) == Busiest(weekday=2, hour=14, people=38.5)
