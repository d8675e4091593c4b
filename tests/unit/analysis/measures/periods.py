"""Periods that several tests ask about."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from codometer.model.period import Period, parse_zone


def between(start: str, end: str, zone: ZoneInfo) -> Period:
    """Return the period between two local times."""
    first, last = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (start, end))
    return Period.covering(first, last, zone)


JULY: Final = between("2026-07-01", "2026-08-01", parse_zone("UTC"))
