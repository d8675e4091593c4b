"""Dates and times as people read them, on pages, in sentences and in the terminal.

Days are local days already; instants are put on the clocks of a zone. A year is
written where it is not the current one. Names of days and months are ours, so
that the language of the machine cannot change a page.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from codometer.model.words import counted

WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def format_weekday(day: date) -> str:
    """Write the name of a day: `Thursday`."""
    return WEEKDAYS[day.weekday()]


def format_month(day: date, *, today: date | None = None) -> str:
    """Write the month of a day: `November`."""
    return f"{_MONTHS[day.month - 1]}{_year(day, today)}"


def format_day(day: date, *, today: date | None = None) -> str:
    """Write a day: `12 Nov`."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]}{_year(day, today)}"


def format_date(day: date, *, today: date | None = None) -> str:
    """Write a day with its weekday: `Thu 12 Nov`."""
    return f"{format_weekday(day)[:3]} {format_day(day, today=today)}"


def format_days(first: date, last: date) -> str:
    """Write days from the first to the last: `26 Oct to 22 Nov 2026`, `2 to 8 Nov 2026`."""
    end = f"{format_day(last)} {last.year}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {end}"
    return f"{format_day(first, today=last)} to {end}"


def format_passed(passed: timedelta) -> str:
    """Write how long ago something was, in its largest unit up to days: `12 s ago`."""
    if passed < _MINUTE:
        return f"{max(passed // timedelta(seconds=1), 0)} s ago"
    if passed < _HOUR:
        return f"{passed // _MINUTE} min ago"
    if passed < _DAY:
        return f"{passed // _HOUR} h ago"
    return f"{counted(passed // _DAY, 'day')} ago"


def format_ago(instant: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """Write how long ago an instant was, up to a day; then its date and time in the zone."""
    if now - instant < _DAY:
        return format_passed(now - instant)
    return format_moment(instant, zone, today=now.astimezone(zone).date())


def format_moment(instant: datetime, zone: ZoneInfo, *, today: date | None = None) -> str:
    """Write an instant on the clocks of a zone: `Thu 12 Nov 18:10`."""
    local = instant.astimezone(zone)
    return f"{format_date(local.date(), today=today)} {local:%H:%M}"


def _year(day: date, today: date | None) -> str:
    return f" {day.year}" if today and day.year != today.year else ""
