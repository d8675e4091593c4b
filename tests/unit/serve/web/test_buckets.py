from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from codometer.model.period import Period, start_of_day
from codometer.serve.web.buckets import cut, days_of
from codometer.serve.web.naming import name_model, name_team

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)


def period(first: date, last: date, end: datetime | None = None) -> Period:
    following = date.fromordinal(last.toordinal() + 1)
    return Period(
        start=start_of_day(first, BERLIN), end=end or start_of_day(following, BERLIN), zone=BERLIN
    )


@pytest.mark.parametrize(
    ("first", "dimension", "count"),
    [
        (date(2026, 11, 23), "hour", 24),
        (date(2026, 11, 22), "hour", 48),
        (date(2026, 11, 21), "day", 3),
        (date(2026, 8, 26), "day", 90),
        (date(2026, 8, 25), "week", 14),
        (date(2025, 10, 20), "week", 58),
        (date(2025, 10, 19), "month", 14),
    ],
)
def test_a_longer_period_has_wider_buckets(first: date, dimension: str, count: int) -> None:
    buckets = cut(period(first, date(2026, 11, 23)), now=NOW, zone=BERLIN)
    assert (buckets.dimension, len(buckets.keys)) == (dimension, count)


def test_the_day_that_goes_on_is_running() -> None:
    end = datetime(2026, 11, 23, 14, 15, tzinfo=UTC)
    buckets = cut(period(date(2026, 11, 16), date(2026, 11, 23), end), now=NOW, zone=BERLIN)
    assert buckets.running == buckets.partial == {7}
    axis = buckets.axis(unusual={date(2026, 11, 17), date(2026, 11, 23)})
    assert axis.labels[0] == "Mon 16 Nov"
    assert axis.labels[1] == "Tue 17 Nov, unusual"
    assert axis.labels[7] == "Mon 23 Nov, so far, unusual"
    assert (axis.unusual, axis.running) == ({1, 7}, {7})


def test_a_week_cut_by_the_period_is_in_part() -> None:
    buckets = cut(period(date(2026, 3, 4), date(2026, 8, 31)), now=NOW, zone=BERLIN)
    labels = buckets.axis().labels
    assert labels[0] == "Week of 2 Mar, in part"
    assert labels[1] == "Week of 9 Mar"
    assert labels[-1] == "Week of 31 Aug, in part"
    assert buckets.running == frozenset()
    assert buckets.axis().name == "Week"


@pytest.mark.parametrize(
    ("first", "shown"),
    [
        (date(2026, 11, 23), ["00:00", "06:00", "12:00", "18:00"]),
        (date(2026, 11, 17), ["Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon"]),
        (date(2026, 10, 27), ["2 Nov", "9 Nov", "16 Nov", "23 Nov"]),
        (
            date(2026, 8, 26),
            ["31 Aug", "14 Sep", "28 Sep", "12 Oct", "26 Oct", "9 Nov", "23 Nov"],
        ),
        (date(2025, 10, 1), ["Oct", "Dec", "Feb", "Apr", "Jun", "Aug", "Oct"]),
    ],
)
def test_few_labels_are_written_below(first: date, shown: list[str]) -> None:
    axis = cut(period(first, date(2026, 11, 23)), now=NOW, zone=BERLIN).axis()
    assert list(axis.shown.values()) == shown


def test_clock_times_are_the_readers_and_days_the_organisations() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    axis = cut(period(date(2026, 11, 23), date(2026, 11, 23)), now=NOW, zone=kathmandu).axis()
    assert axis.labels[0] == "Mon 23 Nov 04:45"
    months = cut(period(date(2024, 10, 1), date(2026, 11, 30)), now=NOW, zone=kathmandu).axis()
    assert months.labels[0] == "October 2024"
    assert months.labels[-1] == "November, so far"


def test_the_days_of_a_period_are_those_it_touches() -> None:
    part = Period(
        start=datetime(2026, 11, 22, 23, tzinfo=UTC),
        end=datetime(2026, 11, 23, 14, tzinfo=UTC),
        zone=BERLIN,
    )
    assert days_of(part) == (date(2026, 11, 23),)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-opus-4-5", "Opus 4.5"),
        ("claude-sonnet-5", "Sonnet 5"),
        ("claude-3-5-haiku", "Haiku 3.5"),
        ("claude-next", "claude-next"),
        ("gpt-6", "gpt-6"),
        (None, "Unknown model"),
    ],
)
def test_a_model_has_a_name_for_people(model: str | None, name: str) -> None:
    assert name_model(model) == name


def test_those_without_a_team_have_a_name_too() -> None:
    assert (name_team("payments"), name_team(None)) == ("payments", "No team")
