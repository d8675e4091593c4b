from datetime import UTC, datetime

import pytest

from codometer.cli.times import format_ago, format_instant, format_period

NOW = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "zone", "text"),
    [
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "UTC", "1 to 30 Nov 2026, UTC"),
        ("2026-10-26T00:00:00Z", "2026-11-23T00:00:00Z", "UTC", "26 Oct to 22 Nov 2026, UTC"),
        ("2025-12-31T00:00:00Z", "2026-01-02T00:00:00Z", "UTC", "31 Dec 2025 to 1 Jan 2026, UTC"),
        ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "UTC", "22 Nov 2026, UTC"),
        (
            "2026-10-24T22:00:00Z",
            "2026-10-26T23:00:00Z",
            "Europe/Berlin",
            "25 to 26 Oct 2026, Europe/Berlin",
        ),
        (
            "2026-11-22T08:30:00Z",
            "2026-11-23T14:15:00Z",
            "UTC",
            "22 Nov 08:30 to 23 Nov 2026 14:15, UTC",
        ),
        (
            "2025-12-31T00:00:00Z",
            "2026-01-02T09:00:00Z",
            "UTC",
            "31 Dec 2025 to 2 Jan 2026 09:00, UTC",
        ),
    ],
)
def test_a_period_names_its_last_day(start: str, end: str, zone: str, text: str) -> None:
    assert format_period({"start": start, "end": end, "timezone": zone}) == text


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (None, "–"),
        ("2026-11-23T14:03:08Z", "12 s ago"),
        ("2026-11-23T14:03:21Z", "0 s ago"),
        ("2026-11-23T13:49:00Z", "14 min ago"),
        ("2026-11-22T15:00:00Z", "23 h ago"),
        ("2026-11-02T08:15:00Z", "2 Nov 2026 08:15"),
    ],
)
def test_what_is_recent_is_told_by_its_age(instant: str | None, text: str) -> None:
    assert format_ago(instant, NOW) == text


def test_an_instant_is_in_utc() -> None:
    assert format_instant("2026-11-02T13:45:00+05:45") == "2 Nov 2026 08:00"
    assert format_instant(None) == "–"
