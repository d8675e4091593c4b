"""Days of a time zone, in SQL that needs no time-zone support of the engine."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from codometer.model.period import Period

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo


def local_day(column: str, zone: ZoneInfo, start: datetime, end: datetime) -> str:
    """Return the local date of a time column, right from `start` to `end`, all naive and UTC."""
    period = Period.covering(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), zone)
    *changes, last = period.offsets()
    if not changes:
        return f"CAST({column} + to_seconds({last.seconds}) AS DATE)"
    whens = " ".join(
        f"WHEN {column} < TIMESTAMP '{change.until:%Y-%m-%d %H:%M:%S}' THEN {change.seconds}"
        for change in changes
    )
    return f"CAST({column} + to_seconds(CASE {whens} ELSE {last.seconds} END) AS DATE)"
