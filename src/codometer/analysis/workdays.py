"""What a working day costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

_COUNT: Final = 10
_WEEKEND: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """The mean of the last `days` working days."""

    days: int
    mean: float


def last_working_days(spend: Mapping[date, float]) -> WorkingDays | None:
    """Return the mean of the last ten Mondays to Fridays among complete days; None without one."""
    days = [day for day in sorted(spend) if day.weekday() < _WEEKEND][-_COUNT:]
    if not days:
        return None
    return WorkingDays(days=len(days), mean=sum(spend[day] for day in days) / len(days))
