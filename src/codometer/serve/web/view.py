"""What a reader looks at: read once from the address, and written back into links.

    ?range=7d|28d|90d             days of the organisation's zone, today the last of them
    ?from=2026-11-02&to=2026-11-15    both days included
    &team=payments                one team; without it all of them
    &tz=Europe/Berlin             the zone of clock times; days stay the organisation's
    &sort=change                  the column that tables are in the order of

An address names only what differs from the default, so that a page has one address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from codometer.analysis.measures.grain import FindGrain, Grain, any_grain
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer
from codometer.errors import BadRequest
from codometer.model.period import Period, local_date, parse_period, parse_zone
from codometer.privacy.profile import Cut

RANGES: Final = {"7d": 7, "28d": 28, "90d": 90}
"""The ranges to choose from, in days: whole weeks, so that weekdays meet weekdays."""

CUSTOM: Final = "custom"
DEFAULT_RANGE: Final = "28d"
LOOKS_BACK: Final = timedelta(weeks=20)
"""How long before the period that it is compared with panels look, at most."""

MAX_DAYS: Final = 1_100
"""Three years: more would be more marks than a chart can hold."""

_DATES: Final = ("from", "to")
_PARAMETERS: Final = ("range", *_DATES, "team", "tz", "sort")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page shows, of whom, and how it is told.

    `period` has the organisation's zone, in which days are cut; `zone` is the reader's,
    for clock times. `ask` answers as of the last refresh of the sums and never waits for
    the next. `given` has the parameters of the address that are not defaults.
    """

    path: str
    given: Mapping[str, str]
    period: Period
    range: str
    team: str | None
    zone: ZoneInfo
    now: datetime
    ask: Callable[[Query], Answer]
    reader: Hashable = None
    """Equal for those who are answered the same."""
    minimum_people: int = 1
    """The fewest that a number on the page covers."""
    is_limited: bool = False
    """Whether the reader sees a part of the organisation only."""
    group_cut: Cut = Cut.HOUR
    """The finest cut of time by which such a part is told of."""

    @property
    def sort(self) -> str | None:
        """The column that tables shall be in the order of; each knows its own."""
        return self.given.get("sort")

    @property
    def identity(self) -> Hashable:
        """Equal for views in which the same is shown, as long as the sums do not change."""
        given = tuple(sorted(self.given.items()))
        return self.reader, self.path, given, self.period, self.today, self.group_cut

    @property
    def is_of_group(self) -> bool:
        """Whether all that is shown is about a part of the organisation."""
        return self.is_limited or self.team is not None

    @property
    def finest(self) -> Cut:
        """The finest cut of time by which all that is shown can be told."""
        return self.group_cut if self.is_of_group else Cut.HOUR

    @property
    def by_team(self) -> View:
        """The same, of a period by which teams can be told of."""
        return replace(self, period=self.narrowed(self.period))

    def narrowed(self, period: Period) -> Period:
        """Return a period around one by which teams can be told of."""
        return Grain(self.group_cut, self.now).around(period)

    @property
    def previous(self) -> Period:
        """The period to compare with."""
        return self.period.previous()

    @property
    def where(self) -> tuple[tuple[str, str], ...]:
        """The filters, as `parse_query` takes them."""
        return () if self.team is None else (("team", self.team),)

    @property
    def first_day(self) -> date:
        """The first day shown."""
        return self.period.first_day

    @property
    def last_day(self) -> date:
        """The last day shown."""
        return local_date(self.period.end - timedelta(microseconds=1), self.period.zone)

    @property
    def today(self) -> date:
        """The date where days are cut."""
        return local_date(self.now, self.period.zone)

    @property
    def is_running(self) -> bool:
        """Whether the last day shown is not over yet."""
        return self.last_day >= self.today

    def href(self, path: str | None = None, **changes: str | None) -> str:
        """Return the address of this view, of another page if named, with changes.

        A change to None leaves a parameter out. The days of a custom range go with it.
        """
        if "range" in changes:
            changes = {**dict.fromkeys(_DATES), **changes}
        named = {_unescape(name): value for name, value in changes.items()}
        wanted = {**dict.fromkeys(_PARAMETERS), **self.given, **named}
        kept = {name: value for name, value in wanted.items() if value is not None}
        if kept.get("range") == DEFAULT_RANGE:
            del kept["range"]
        return _address(path or self.path, kept)


def read_view(
    given: Mapping[str, str],
    *,
    path: str,
    now: datetime,
    days_in: ZoneInfo,
    ask: Callable[[Query], Answer],
    reader: Hashable = None,
    minimum_people: int = 1,
    find_grain: FindGrain = any_grain,
    is_limited: bool = False,
) -> View:
    """Read an address's parameters; those that are unknown or empty are left out.

    Where parts of the organisation are told of by week, the period of one is as many whole weeks.

    Raises:
        BadRequest: a range, date or zone that is none, or days that cannot be shown.
    """
    known = {name: given.get(name, "").strip() for name in _PARAMETERS}
    kept = {name: value for name, value in known.items() if value}
    period, chosen = _read_period(kept, now, days_in)
    if chosen == CUSTOM:
        kept.pop("range", None)
    elif chosen == DEFAULT_RANGE:
        kept = {name: value for name, value in kept.items() if name not in {"range", *_DATES}}
    zone = parse_zone(kept["tz"]) if "tz" in kept else days_in
    if zone == days_in:
        kept.pop("tz", None)
    view = View(
        path=path,
        given=kept,
        period=period,
        range=chosen,
        team=kept.get("team"),
        zone=zone,
        now=now,
        ask=ask,
        reader=reader,
        minimum_people=minimum_people,
        is_limited=is_limited,
        group_cut=find_grain(period.previous().start - LOOKS_BACK).finest,
    )
    return view.by_team if view.is_of_group else view


def _read_period(given: Mapping[str, str], now: datetime, zone: ZoneInfo) -> tuple[Period, str]:
    chosen = given.get("range", CUSTOM if set(_DATES) & set(given) else DEFAULT_RANGE)
    if chosen == CUSTOM:
        return _read_days(given, now, zone), CUSTOM
    if chosen not in RANGES:
        raise BadRequest(
            f"the range {chosen!r} is not one of {', '.join(RANGES)}",
            hint="choose one of these, or days with from and to",
        )
    return parse_period(chosen, None, now=now, zone=zone), chosen


def _read_days(given: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Period:
    today = local_date(now, zone)
    first, last = (_read_date(given.get(name, ""), name) for name in _DATES)
    if first > last:
        raise BadRequest(
            f"the days end ({last}) before they begin ({first})", hint="exchange from and to"
        )
    if first > today:
        raise BadRequest(f"{first} has not come yet", hint=f"today is {today}")
    if (last - first).days >= MAX_DAYS:
        raise BadRequest(
            f"{first} to {last} is too long", hint=f"ask for at most {MAX_DAYS:,} days"
        )
    if last >= today:
        return parse_period(first.isoformat(), None, now=now, zone=zone)
    return parse_period(first.isoformat(), (last + _DAY).isoformat(), now=now, zone=zone)


def _read_date(text: str, name: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadRequest(
        f"{name} is {text!r}, which is not a date" if text else f"the date {name} is missing",
        hint="give both days as 2026-11-02: from and to, both included",
    )


def _unescape(name: str) -> str:
    """Return a parameter's name: `from_` stands for `from`, which Python keeps for itself."""
    return name.removesuffix("_")


def _address(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path
