"""When people work: places with their clocks and holidays, weekends, and days off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from codometer.operate.simulator.chance import Chance

_SATURDAY: Final = 5
_THURSDAY: Final = 3
_NOVEMBER: Final = 11

_PRESENT: Final = (0.92, 0.94, 0.94, 0.92, 0.84, 0.06, 0.05)
"""The share of people who work on each day of the week, Monday first."""
_PRESENT_ON_HOLIDAYS: Final = 0.05
_LOAD: Final = (0.95, 1.1, 1.1, 1.05, 0.85, 0.6, 0.6)
"""How much they do then, beside an average day."""

_QUARTER_DAYS: Final = 91
_LEAVES_PER_QUARTER: Final = 0.6
_LEAVE_DAYS: Final = (5, 7, 9, 12, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place where people work. `holidays` are (month, day)."""

    zone: str
    share: int
    holidays: frozenset[tuple[int, int]]

    def has_holiday(self, day: date) -> bool:
        """Say whether nobody need work on a day, weekends apart."""
        is_thanksgiving = (
            self.zone.startswith("America/")
            and day.month == _NOVEMBER
            and day.weekday() == _THURSDAY
            and (day.day - 1) // 7 == _THURSDAY
        )
        return is_thanksgiving or (day.month, day.day) in self.holidays


_EVERYWHERE: Final = frozenset({(1, 1), (12, 25)})

SITES: Final = (
    Site(
        zone="Europe/Berlin",
        share=34,
        holidays=_EVERYWHERE | {(5, 1), (10, 3), (12, 24), (12, 26), (12, 31)},
    ),
    Site(zone="America/New_York", share=26, holidays=_EVERYWHERE | {(6, 19), (7, 3), (7, 4)}),
    Site(zone="America/Los_Angeles", share=20, holidays=_EVERYWHERE | {(6, 19), (7, 3), (7, 4)}),
    Site(zone="Asia/Kolkata", share=20, holidays=_EVERYWHERE | {(1, 26), (8, 15), (10, 2)}),
)


def is_present(site: Site, day: date, *, seed: int, person: int) -> bool:
    """Say whether a person works on a day; the same every time."""
    if _is_on_leave(day, seed=seed, person=person):
        return False
    share = _PRESENT_ON_HOLIDAYS if site.has_holiday(day) else _PRESENT[day.weekday()]
    return Chance(seed, "present", person, day).happens(share)


def load_of(day: date) -> float:
    """Return how much those who are there do, beside an average day."""
    return _LOAD[day.weekday()]


def _is_on_leave(day: date, *, seed: int, person: int) -> bool:
    """Say whether the day is in a leave of the person, of which there is at most one a quarter."""
    quarter, day_of_quarter = divmod(day.toordinal(), _QUARTER_DAYS)
    chance = Chance(seed, "leave", person, quarter)
    if not chance.happens(_LEAVES_PER_QUARTER):
        return False
    length = chance.choice(_LEAVE_DAYS)
    begins = chance.randrange(_QUARTER_DAYS - length)
    return begins <= day_of_quarter < begins + length
