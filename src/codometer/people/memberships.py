"""Which team a person belongs to, as an administrator says, from which day until which.

It is asked for every new client and session, so it is held in memory, by person. Rows of the
table stay under the pseudonym that they were decided for, so that they are the right person's
after a merge and after a split. Where a merge made two overlap, the later decision holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from codometer.agents.origin import Place
from codometer.model.period import local_date, start_of_day
from codometer.store.control_tables import TEAM_MEMBERSHIP
from codometer.store.teams import Stay

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import ColumnElement, Connection

    from codometer.model.identity import Identities
    from codometer.people.vault import Vault
    from codometer.store.control import Control

FindPerson = Callable[["Identities", "Identities"], str | None]

_NS_PER_SECOND: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person's team from one day until another, not included; without one, from then on.

    Without a cost centre, the one that their client says holds.
    """

    person: str
    team: str
    cost_center: str | None
    first: date
    until: date | None
    decided: datetime

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        return self.first <= day and (self.until is None or day < self.until)


def leave_out(
    memberships: Iterable[Membership], first: date, until: date | None
) -> list[Membership]:
    """Return what is left of memberships beside some days."""
    left: list[Membership] = []
    for each in memberships:
        before = first if each.until is None else min(each.until, first)
        if each.first < before:
            left.append(replace(each, until=before))
        if until is not None:
            after = max(each.first, until)
            if each.until is None or after < each.until:
                left.append(replace(each, first=after))
    return left


def _settle(memberships: Iterable[Membership]) -> list[Membership]:
    """Return the memberships of one person, in order of time, of which no two hold at once."""
    settled: list[Membership] = []
    for each in sorted(memberships, key=lambda each: (each.decided, each.person, each.first)):
        settled = [*leave_out(settled, each.first, each.until), each]
    return sorted(settled, key=lambda each: each.first)


class Memberships:
    """The memberships of an installation. What changes them runs in somebody's transaction."""

    def __init__(
        self, control: Control, vault: Vault, find_person: FindPerson, zone: ZoneInfo
    ) -> None:
        """`find_person` says whose records are, by what was told and what is stored of it."""
        self._control = control
        self._vault = vault
        self._find_person = find_person
        self._zone = zone
        self._by_person: Mapping[str, Sequence[Membership]] = {}
        self.changes: Sequence[int] = ()
        """When any begins or ends, in order, in nanoseconds since 1970."""
        self.refresh()

    def refresh(self) -> None:
        """Read all of them, and whose they are now."""
        find = self._vault.people.find_person
        by_person: defaultdict[str, list[Membership]] = defaultdict(list)
        with self._control.read() as connection:
            for each in _read(connection):
                by_person[find(each.person) or each.person].append(each)
        self._by_person = {person: _settle(each) for person, each in by_person.items()}
        known = [each for memberships in self._by_person.values() for each in memberships]
        days = {day for each in known for day in (each.first, each.until) if day is not None}
        self.changes = tuple(sorted(map(self._nanoseconds, days)))

    def find(self, told: Identities, kept: Identities, since_ns: int) -> Place | None:
        """Return where somebody belongs from a change on until the next one."""
        if not since_ns or kept.person is None:
            return None
        person = self._find_person(told, kept)
        for each in self.list_of(person or ""):
            is_over = each.until is not None and self._nanoseconds(each.until) <= since_ns
            if self._nanoseconds(each.first) <= since_ns and not is_over:
                return Place(each.team, each.cost_center)
        return None

    def list_of(self, person: str) -> Sequence[Membership]:
        """Return those of a person, in order of time."""
        return self._by_person.get(person, ())

    def list_stays(self, person: str) -> list[Stay]:
        """Return those of a person as the store takes them."""
        return [
            Stay(each.first, each.until, each.team, each.cost_center)
            for each in self.list_of(person)
        ]

    def list_people(self) -> Collection[str]:
        """Return everybody who has any."""
        return self._by_person.keys()

    def find_members(self, day: date) -> set[str]:
        """Return everybody who belongs to any team on a day."""
        return {
            person
            for person, memberships in self._by_person.items()
            if any(each.holds_on(day) for each in memberships)
        }

    def count_by_team(self, day: date) -> Mapping[str, int]:
        """Return how many people belong to each team on a day, of those that anybody does."""
        counts: defaultdict[str, int] = defaultdict(int)
        for memberships in self._by_person.values():
            for each in memberships:
                if each.holds_on(day):
                    counts[each.team] += 1
        return counts

    def change(
        self,
        connection: Connection,
        names: Collection[str],
        first: date,
        until: date | None,
        by: Membership | None,
    ) -> None:
        """Have another one hold on some days, or none, for whoever goes by these names."""
        mine = TEAM_MEMBERSHIP.c.person.in_(names)
        kept = leave_out(_read(connection, mine), first, until)
        _write(connection, mine, [*kept, *([by] if by else [])])

    def rename(
        self, connection: Connection, gone: Collection[str], newer: Mapping[str, str]
    ) -> None:
        """Keep those of pseudonyms that go under newer ones, where there are any."""
        mine = TEAM_MEMBERSHIP.c.person.in_({*gone, *newer.values()})
        by_name: defaultdict[str, list[Membership]] = defaultdict(list)
        for each in _read(connection, mine):
            if each.person not in gone or each.person in newer:
                name = newer.get(each.person, each.person)
                by_name[name].append(replace(each, person=name))
        _write(connection, mine, [each for some in by_name.values() for each in _settle(some)])

    def forget(self, connection: Connection, names: Collection[str]) -> None:
        """Delete those of whoever goes by these names."""
        _write(connection, TEAM_MEMBERSHIP.c.person.in_(names), [])

    def drop_old(
        self,
        connection: Connection,
        before: date,
        *,
        held: Collection[str],
        stored: Collection[str],
    ) -> int:
        """Delete those that ended before a day, but for persons who are held; return how many.

        Of persons of whom nothing is stored, also those that had begun by then and were decided.
        """
        find, table = self._vault.people.find_person, TEAM_MEMBERSHIP.c

        def is_old(each: Membership) -> bool:
            person = find(each.person) or each.person
            known = max(each.first, local_date(each.decided, self._zone))
            has_ended = each.until is not None and each.until < before
            return person not in held and (has_ended or (person not in stored and known < before))

        old = [each for each in _read(connection) if is_old(each)]
        for each in old:
            mine = (table.person == each.person) & (table.first == each.first)
            connection.execute(delete(TEAM_MEMBERSHIP).where(mine))
        return len(old)

    def _nanoseconds(self, day: date) -> int:
        return int(start_of_day(day, self._zone).timestamp()) * _NS_PER_SECOND


def _read(connection: Connection, where: ColumnElement[bool] | None = None) -> list[Membership]:
    wanted = select(TEAM_MEMBERSHIP)
    rows = connection.execute(wanted if where is None else wanted.where(where))
    return [Membership(**row) for row in rows.mappings()]


def _write(
    connection: Connection, mine: ColumnElement[bool], memberships: Sequence[Membership]
) -> None:
    """Put these in place of those."""
    connection.execute(delete(TEAM_MEMBERSHIP).where(mine))
    if memberships:
        connection.execute(insert(TEAM_MEMBERSHIP), [asdict(each) for each in memberships])
