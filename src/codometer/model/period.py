"""Periods: half-open stretches of time, and the words people use for them.

A day is not 24 hours everywhere, and an hour need not begin at :00 UTC. All
that depends on a time zone is decided here, with zoneinfo; the database engines
only compare instants and add seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from codometer.errors import BadRequest

BUCKET: Final = timedelta(minutes=15)
DEFAULT_SINCE: Final = "30d"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_USUAL: Final = frozenset(
    {*(f"{days}d" for days in (1, 7, 14, 28, 30, 60, 90, 180, 365)), "1w", "2w", "4w", "24h"}
)
"""Stretches up to now that everybody asks for."""
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199
_DURATION: Final = re.compile(r"(\d{1,5})([hdw])")
_HINT: Final = "use 24h, 30d, 2w, a date such as 2026-07-01, or an instant: 2026-07-01T08:00Z"


class Offset(NamedTuple):
    """Local time is `seconds` ahead of UTC up to the instant `until` (None: to the end)."""

    until: datetime | None
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """All instants from `start` (included) to `end` (excluded), in UTC, on quarter hours.

    `zone` is where its days begin. `Period.covering` makes one from any two instants.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    is_chosen: bool = field(default=False, compare=False)
    """Whether somebody chose its ends: it is no usual stretch up to now, and no calendar one."""
    splits_days: bool = field(default=False, compare=False)
    """Whether an end that somebody chose is no midnight."""
    is_open: bool = field(default=False, compare=False)
    """Whether it ends now because nobody said when."""
    is_of_weeks: bool = False
    """Whether it is of weeks, also where those happen to be whole months."""

    @classmethod
    def covering(cls, start: datetime, end: datetime, zone: ZoneInfo) -> Period:
        """Return the smallest period of whole quarter hours that covers both instants.

        Raises:
            BadRequest: it is empty, or lies outside the years 2000 to 2199.
        """
        for instant in (start, end):
            if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
                raise BadRequest(
                    f"the year {instant.year} is out of bounds",
                    hint=f"periods lie between {_FIRST_YEAR} and {_LAST_YEAR}",
                )
        if end <= start:
            raise BadRequest(
                f"the period ends ({end.isoformat()}) before it starts ({start.isoformat()})",
                hint="the start is included and the end is not: let the end be later",
            )
        return cls(start=_floor(start), end=_ceiling(end), zone=zone)

    @property
    def first_day(self) -> date:
        """The local date of the first instant."""
        return local_date(self.start, self.zone)

    def offsets(self) -> tuple[Offset, ...]:
        """Return the zone's offsets within the period, in order; the last has no end."""
        found: list[Offset] = []
        current, seconds = self.start, _offset_seconds(self.start, self.zone)
        while current < self.end:
            following = min(current + _DAY, self.end)
            if _offset_seconds(following, self.zone) != seconds:
                change = _find_change(current, following, self.zone)
                if change < self.end:
                    found.append(Offset(change, seconds))
                    seconds = _offset_seconds(change, self.zone)
                following = change
            current = following
        return (*found, Offset(None, seconds))

    def previous(self) -> Period:
        """Return the period to compare this one with.

        Whole calendar months that are not of weeks: as many months before. Else, when it
        starts at a local midnight: as many local days earlier as it touches, so that a day
        under way is compared with the same part of a day. Else: its own length earlier.
        """
        return replace(
            self._before(),
            is_chosen=self.is_chosen,
            splits_days=self.splits_days,
            is_of_weeks=self.is_of_weeks,
        )

    def _before(self) -> Period:
        zone = self.zone
        first, last = self.first_day, local_date(self.end, zone)
        if start_of_day(first, zone) != self.start:
            return Period(start=self.start - (self.end - self.start), end=self.start, zone=zone)
        ends_at_midnight = start_of_day(last, zone) == self.end
        if ends_at_midnight and first.day == last.day == 1 and not self.is_of_weeks:
            months = (last.year - first.year) * 12 + last.month - first.month
            return Period(
                start=start_of_day(_add_months(first, -months), zone), end=self.start, zone=zone
            )
        days = timedelta(days=(last - first).days + (not ends_at_midnight))
        end = self.end.astimezone(zone).replace(tzinfo=None) - days
        return Period(
            start=start_of_day(first - days, zone), end=_ceiling(_to_utc(end, zone)), zone=zone
        )


def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name, such as `Asia/Kathmandu`.

    Raises:
        BadRequest: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadRequest(
            f"unknown time zone {name!r}", hint="use an IANA name such as Europe/Berlin or UTC"
        ) from error


def parse_period(since: str | None, until: str | None, *, now: datetime, zone: ZoneInfo) -> Period:
    """Read `--since` and `--until`; without them, the last 30 days up to now.

    `Nh` is N hours before now. `Nd` and `Nw` count calendar days of the zone with today
    as the last: `1d` starts at today's midnight, `30d` 29 midnights before. A date is its
    midnight in the zone, so `until` a date leaves that date out. An instant without an
    offset is local.

    Raises:
        BadRequest: a text is none of these, or the period is empty.
    """
    start = _parse_instant(since or DEFAULT_SINCE, now=now, zone=zone)
    end = _parse_instant(until, now=now, zone=zone) if until else _floor(now) + BUCKET
    period = Period.covering(start, end, zone)
    if not until and (since or DEFAULT_SINCE).strip() in _USUAL:
        return period
    ends = (period.start,) if not until else (period.start, period.end)
    days = [local_date(each, zone) for each in ends]
    splits = any(start_of_day(day, zone) != each for day, each in zip(days, ends, strict=True))
    return replace(
        period,
        is_chosen=splits or not _is_calendar(days),
        splits_days=splits,
        is_open=not until,
    )


def parse_day(text: str, *, now: datetime, zone: ZoneInfo) -> date:
    """Read the day that a text names as `parse_period` would: a date, or `30d`.

    Raises:
        BadRequest: it is neither, or an instant within a day.
    """
    instant = _parse_instant(text, now=now, zone=zone)
    day = local_date(instant, zone)
    if start_of_day(day, zone) != instant:
        raise BadRequest(f"{text!r} is no day", hint="write a date, or 30d")
    return day


def _is_calendar(ends: list[date]) -> bool:
    """Tell whether days, of which the last is not included, are one day or whole months or weeks.

    One day alone is the beginning of a period up to now.
    """
    is_one_day = len(ends) > 1 and ends[1] - ends[0] == _DAY
    return (
        is_one_day or all(day.day == 1 for day in ends) or all(day.weekday() == 0 for day in ends)
    )


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """Return the date on a calendar in the zone at that instant."""
    return instant.astimezone(zone).date()


def monday_of(day: date) -> date:
    """Return the first day of a day's week."""
    return day - timedelta(days=day.weekday())


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) of a local day, also where clocks skip its midnight."""
    return _to_utc(datetime.combine(day, time.min), zone)


def _parse_instant(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    text = text.strip()
    try:
        if duration := _DURATION.fullmatch(text):
            return _before(now, int(duration[1]), unit=duration[2], zone=zone)
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else _to_utc(instant, zone)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{text!r} is not a time", hint=_HINT) from error


def _before(now: datetime, amount: int, *, unit: str, zone: ZoneInfo) -> datetime:
    if unit == "h":
        return now.astimezone(UTC) - timedelta(hours=amount)
    days = amount * 7 if unit == "w" else amount
    return start_of_day(local_date(now, zone) + _DAY - timedelta(days=days), zone)


def _to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _floor(instant: datetime) -> datetime:
    return instant.astimezone(UTC) - (instant - _EPOCH) % BUCKET


def _ceiling(instant: datetime) -> datetime:
    return instant.astimezone(UTC) + (_EPOCH - instant) % BUCKET


def _add_months(first_of_month: date, months: int) -> date:
    year, month = divmod(first_of_month.year * 12 + first_of_month.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _offset_seconds(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _find_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first quarter hour with another offset than `before`, by halving."""
    seconds = _offset_seconds(before, zone)
    low, high = 0, (after - before) // BUCKET
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_seconds(before + middle * BUCKET, zone) == seconds:
            low = middle
        else:
            high = middle
    return before + high * BUCKET
