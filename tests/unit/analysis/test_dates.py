from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.dates import (
    format_ago,
    format_date,
    format_day,
    format_days,
    format_month,
    format_passed,
    format_weekday,
)

TODAY = date(2026, 11, 22)
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_year_is_written_only_when_it_is_another() -> None:
    assert format_date(date(2026, 11, 12), today=TODAY) == "Thu 12 Nov"
    assert format_date(date(2025, 11, 12), today=TODAY) == "Wed 12 Nov 2025"
    assert format_day(date(2026, 3, 1)) == "1 Mar"
    assert format_month(TODAY, today=TODAY) == "November"
    assert format_month(date(2025, 12, 31), today=TODAY) == "December 2025"
    assert format_weekday(TODAY) == "Sunday"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 10, 26), date(2026, 11, 22), "26 Oct to 22 Nov 2026"),
        (date(2026, 11, 2), date(2026, 11, 8), "2 to 8 Nov 2026"),
        (date(2026, 11, 2), date(2026, 11, 2), "2 Nov 2026"),
        (date(2025, 12, 30), date(2026, 1, 5), "30 Dec 2025 to 5 Jan 2026"),
        (date(2025, 11, 30), date(2026, 11, 5), "30 Nov 2025 to 5 Nov 2026"),
    ],
)
def test_days_say_no_month_or_year_twice(first: date, last: date, text: str) -> None:
    assert format_days(first, last) == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=-3), "0 s ago"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(minutes=14), "14 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13, hours=23), "13 days ago"),
    ],
)
def test_time_that_passed_has_one_unit(passed: timedelta, text: str) -> None:
    assert format_passed(passed) == text


def test_what_is_older_than_a_day_has_a_date_in_the_zone() -> None:
    now = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert format_ago(now - timedelta(hours=2), now=now, zone=BERLIN) == "2 h ago"
    last = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert format_ago(last, now=now, zone=BERLIN) == "Sat 21 Nov 00:30"
