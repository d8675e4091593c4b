"""Instants and periods as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.dates import format_days, format_passed
from codometer.analysis.numbers import UNKNOWN

_DAY: Final = timedelta(days=1)


def parse_instant(text: str) -> datetime:
    """Read an instant of the API, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def format_period(period: dict[str, Any]) -> str:
    """Write a period in its own zone: `25 Oct to 22 Nov 2026, UTC`, the last day included."""
    zone = ZoneInfo(period["timezone"])
    start = parse_instant(period["start"]).astimezone(zone)
    end = parse_instant(period["end"]).astimezone(zone)
    if _is_midnight(start) and _is_midnight(end):
        last = end - timedelta(hours=12)
        return f"{format_days(start.date(), last.date())}, {zone.key}"
    first = _date(start, year=start.year != end.year)
    if not _is_midnight(start):
        first = f"{first} {start:%H:%M}"
    return f"{first} to {_date(end, year=True)} {end:%H:%M}, {zone.key}"


def format_ago(text: str | None, now: datetime) -> str:
    """Write how long ago an instant was, up to a day; then the instant."""
    if text is None:
        return UNKNOWN
    instant = parse_instant(text)
    if now - instant < _DAY:
        return format_passed(now - instant)
    return format_instant(text)


def format_day(text: str, zone: str) -> str:
    """Write the date of an instant in a zone."""
    return _date(parse_instant(text).astimezone(ZoneInfo(zone)), year=True)


def format_instant(text: str | None) -> str:
    """Write an instant in UTC, to the minute."""
    if text is None:
        return UNKNOWN
    instant = parse_instant(text)
    return f"{_date(instant, year=True)} {instant:%H:%M}"


def _date(moment: datetime, *, year: bool) -> str:
    return f"{moment.day} {moment:%b %Y}" if year else f"{moment.day} {moment:%b}"


def _is_midnight(moment: datetime) -> bool:
    return (moment.hour, moment.minute) == (0, 0)
