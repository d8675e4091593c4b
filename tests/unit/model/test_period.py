from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.errors import BadRequest
from codometer.model.period import (
    BUCKET,
    Period,
    local_date,
    parse_period,
    parse_zone,
    start_of_day,
)

NEW_YORK = parse_zone("America/New_York")
KATHMANDU = parse_zone("Asia/Kathmandu")
ZERO = parse_zone("UTC")
NOW = datetime(2026, 7, 31, 19, 7, tzinfo=UTC)  # 15:07 in New York


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(since: str | None, until: str | None = None, zone: ZoneInfo = NEW_YORK) -> Period:
    return parse_period(since, until, now=NOW, zone=zone)


@pytest.mark.parametrize(
    ("since", "start"),
    [
        ("1d", "2026-07-31T04:00"),  # today's midnight in New York
        ("30d", "2026-07-02T04:00"),  # with today, thirty days
        ("2w", "2026-07-18T04:00"),
        (None, "2026-07-02T04:00"),
        ("24h", "2026-07-30T19:00"),  # 19:07, widened to the quarter hour
        ("2026-03-01", "2026-03-01T05:00"),  # winter time
        (" 2026-07-01 ", "2026-07-01T04:00"),
        ("2026-07-01T08:00", "2026-07-01T12:00"),
        ("2026-07-01T08:00Z", "2026-07-01T08:00"),
        ("2026-07-01T08:00:01+05:45", "2026-07-01T02:15"),
    ],
)
def test_a_start_is_understood(since: str | None, start: str) -> None:
    assert read(since).start == at(start)


@pytest.mark.parametrize(
    ("until", "end"),
    [
        (None, "2026-07-31T19:15"),  # the quarter hour under way
        ("1d", "2026-07-31T04:00"),  # without today
        ("2026-07-15", "2026-07-15T04:00"),
        ("2026-07-15T00:01Z", "2026-07-15T00:15"),
    ],
)
def test_an_end_is_understood(until: str | None, end: str) -> None:
    assert read("30d", until).end == at(end)


def test_now_is_inside_a_period_that_ends_now_also_on_a_quarter_hour() -> None:
    on_the_hour = at("2026-07-31T04:00")
    period = parse_period("1d", None, now=on_the_hour, zone=NEW_YORK)
    assert (period.start, period.end) == (on_the_hour, on_the_hour + BUCKET)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("yesterday", None),
        ("30 d", None),
        ("-1d", None),
        ("2026-02-30", None),
        ("2026-07-01T25:00", None),
        ("99999w", None),
        ("1999-12-31", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("0001-01-01T00:00+14:00", None),
        ("2026-07-02", "2026-07-01"),
        ("2026-07-02", "2026-07-02"),
        ("1d", "30d"),
    ],
)
def test_what_is_no_period_is_refused(since: str, until: str | None) -> None:
    with pytest.raises(BadRequest) as refused:
        read(since, until)
    assert refused.value.hint


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe", "x\0y"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        parse_zone(name)


def test_offsets_change_with_the_clocks() -> None:
    year = read("2026-01-01", "2027-01-01")
    assert [(change.until, change.seconds // 3600) for change in year.offsets()] == [
        (at("2026-03-08T07:00"), -5),
        (at("2026-11-01T06:00"), -4),
        (None, -5),
    ]
    assert read("2026-01-01", "2027-01-01", KATHMANDU).offsets() == ((None, 20_700),)


def test_a_change_at_the_end_is_not_in_the_period() -> None:
    period = Period.covering(at("2026-03-08T00:00"), at("2026-03-08T07:00"), NEW_YORK)
    assert period.offsets() == ((None, -18_000),)


@given(
    start=st.integers(0, 366 * 96),
    length=st.integers(1, 200 * 96),
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
)
def test_offsets_say_what_the_zone_says(start: int, length: int, zone: str) -> None:
    first = at("2026-01-01T00:00") + start * BUCKET
    period = Period.covering(first, first + length * BUCKET, parse_zone(zone))
    for step in range(0, length, 97):
        instant = first + step * BUCKET
        seconds = next(s for until, s in period.offsets() if until is None or instant < until)
        assert instant.astimezone(period.zone).utcoffset().total_seconds() == seconds  # type: ignore[union-attr] # aware


@pytest.mark.parametrize(
    ("since", "until", "start", "end"),
    [
        ("2026-07-01", "2026-08-01", "2026-06-01T04:00", "2026-07-01T04:00"),
        ("2026-03-01", "2026-06-01", "2025-12-01T05:00", "2026-03-01T05:00"),
        ("2026-07-20", "2026-07-27", "2026-07-13T04:00", "2026-07-20T04:00"),
        # 8 March 2026 has 23 hours; days are compared with days all the same.
        ("2026-03-08", "2026-03-09", "2026-03-07T05:00", "2026-03-08T05:00"),
        # Today is under way: the same part of yesterday, and of the thirty days before.
        ("1d", None, "2026-07-30T04:00", "2026-07-30T19:15"),
        ("30d", None, "2026-06-02T04:00", "2026-07-01T19:15"),
        ("24h", None, "2026-07-29T18:45", "2026-07-30T19:00"),
    ],
)
def test_the_period_before_is_like_the_period(
    since: str, until: str | None, start: str, end: str
) -> None:
    previous = read(since, until).previous()
    assert (previous.start, previous.end) == (at(start), at(end))


def test_a_day_begins_at_its_first_instant_where_midnight_is_skipped() -> None:
    cairo = parse_zone("Africa/Cairo")
    first = start_of_day(date(2026, 4, 24), cairo)  # clocks go from 00:00 to 01:00
    assert first == at("2026-04-23T22:00")
    assert local_date(first, cairo) == date(2026, 4, 24)
    assert local_date(first - BUCKET, cairo) == date(2026, 4, 23)
    assert read("2026-04-24", "2026-04-25", ZERO).first_day == date(2026, 4, 24)
