"""How pages write numbers, dates and times: every row of the rules, as a filter for templates.

The rules themselves are in `analysis.numbers` and `analysis.dates`, which sentences
and the command line share.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from codometer.analysis import dates, numbers
from codometer.analysis.numbers import Value
from codometer.model.words import counted


def format_count(value: Value) -> str:
    """Write a count in full: `15,569`."""
    return numbers.format_value(value, "count")


def format_ratio(value: Value) -> str:
    """Write a ratio as a figure: `78.4%`."""
    return numbers.format_value(value, "ratio")


def format_duration(seconds: Value) -> str:
    """Write a duration: `420 ms`, `8.9 s`, `1m 29s`, `4h 05m`, and long totals as `4,032 h`."""
    return numbers.format_value(seconds, "seconds")


def format_figure(value: Value, display: str, unit: str = "") -> str:
    """Write a measure's value as a figure; what comes in millions is written in three digits."""
    if display == "money":
        return numbers.format_money(value)
    if display == "count" and unit in _SHORT_UNITS:
        return numbers.format_short(value)
    return numbers.format_value(value, display)


def format_iso(instant: datetime) -> str:
    """Write an instant for programs and titles, in UTC."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_SHORT_UNITS: Final = frozenset({"tokens", "lines"})

FILTERS: Final[dict[str, Callable[..., str]]] = {
    "money": numbers.format_money,
    "money_cell": numbers.format_money_cell,
    "money_exact": numbers.format_money_exact,
    "short": numbers.format_short,
    "count": format_count,
    "ratio": format_ratio,
    "rate": numbers.format_rate,
    "duration": format_duration,
    "bytes": numbers.format_bytes,
    "figure": format_figure,
    "step": numbers.format_step,
    "change_cell": numbers.format_change_cell,
    "axis": numbers.format_axis,
    "weekday": dates.format_weekday,
    "month": dates.format_month,
    "day": dates.format_day,
    "date": dates.format_date,
    "days": dates.format_days,
    "passed": dates.format_passed,
    "ago": dates.format_ago,
    "moment": dates.format_moment,
    "iso": format_iso,
    "counted": counted,
}
"""What templates write values with. A filter takes the value first, the rest by name or place."""
