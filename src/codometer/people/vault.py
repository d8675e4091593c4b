"""The identity vault: pseudonyms, whose they are, and encrypted what they stand for.

It lives in the control plane, apart from the telemetry, and is held in memory
as a whole, because every new client is looked up in it. What records teach is
written down before they are; it is no act of anybody, so the audit log has no
entry of it, unlike of what an administrator decides.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, insert, or_, select, update

from codometer.access.generation import bump_generation, find_generation
from codometer.privacy.encryption import Purpose
from codometer.privacy.pseudonym import IdentityKind, tombstone
from codometer.privacy.resolution import Known, Link, Resolution, Seen
from codometer.store.control import insert_new
from codometer.store.control_tables import (
    IDENTITY,
    IDENTITY_LINK,
    IDENTITY_MOVE,
    LEGAL_HOLD,
    TOMBSTONE,
    TREATMENT,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from codometer.access.keys import Keys
    from codometer.store.control import Control

GENERATION: Final = "people"


class Treatment(StrEnum):
    """How the records of somebody are treated."""

    PERSON = "person"
    """As those of a person, whatever the rules for services say."""
    SERVICE = "service"
    """As those of a service: it is no person, and counted apart."""
    EXCLUDED = "excluded"
    """As of nobody, because they object: what it cost is kept, and nothing that leads to them."""


_STRICTEST_FIRST: Final = (Treatment.EXCLUDED, Treatment.SERVICE, Treatment.PERSON)
_AT_ONCE: Final = 500
_SUBJECT_BYTES: Final = 8


class Treated(NamedTuple):
    """Whose records are treated how; `subject` is a number by chance."""

    subject: str
    treatment: Treatment


class Vault:
    """The vault of one installation. Used by one thread at a time."""

    def __init__(self, control: Control, keys: Keys, now: Callable[[], datetime]) -> None:
        self._control = control
        self._now = now
        self._keys = keys
        self._seen: list[tuple[datetime, Seen]] = []
        self._values: dict[str, str] = {}
        self._learned: dict[str, Treated] = {}
        self._erased: set[str] = set()
        self.reload()

    def see(
        self, record: list[tuple[IdentityKind, str]], values: dict[str, str], now: datetime
    ) -> str:
        """Learn from a record, and return whose it is. `values` by pseudonym are to be kept."""
        seen = self.people.see(record, now)
        if seen.identities or seen.links:
            self._seen.append((now, seen))
            self.moves |= seen.moved
        self._values.update(
            (name, value) for name, value in values.items() if name not in self._valued
        )
        return seen.person

    @property
    def has_news(self) -> bool:
        """Whether something is to be written down, told to the telemetry, or taken over."""
        return self._has_learned or bool(self.moves) or not self._is_current()

    @property
    def _has_learned(self) -> bool:
        return bool(self._seen or self._values or self._learned or self._erased)

    def save(self) -> None:
        """Write down what was learned since the last time."""
        if not self._has_learned:
            return
        if not self._is_current():
            self.reload()  # another server was here; what we learned is on top of it
        with self._control.write() as connection:
            self._generation = _bump(connection)
            self._insert_identities(connection)
            self._insert_marks(connection)
            made = {
                (link.stronger, link.weaker): (link, now)
                for now, seen in self._seen
                for link in seen.links
            }
            insert_new(
                connection,
                IDENTITY_LINK,
                [_link_row(link, now) for link, now in made.values()],
            )
            _insert_moves(connection, {name for _, seen in self._seen for name in seen.moved})
        self._valued.update(self._values)
        self._treatments.update(self._learned)
        self._marks.update(self._erased)
        self._seen, self._values, self._learned, self._erased = [], {}, {}, set()

    def follow(self) -> bool:
        """Take over what another server, or an administrator, changed; tell whether they did."""
        if self._is_current():
            return False
        self.reload()
        return True

    def reload(self) -> None:
        """Read all of it into memory, and what is not written down yet on top."""
        with self._control.read() as connection:
            self._generation = find_generation(connection, GENERATION)
            identities = {
                row.pseudonym: Known(
                    pseudonym=row.pseudonym,
                    kind=IdentityKind(row.kind),
                    created=row.created,
                    is_apart=row.is_apart,
                )
                for row in connection.execute(select(IDENTITY))
            }
            links = {
                (row.stronger, row.weaker): Link(row.stronger, row.weaker, row.is_decided)
                for row in connection.execute(select(IDENTITY_LINK))
            }
            valued = select(IDENTITY.c.pseudonym).where(IDENTITY.c.value.is_not(None))
            self._valued = set(connection.execute(valued).scalars())
            self._treatments: dict[str, Treated] = {
                row.mark: Treated(row.subject, Treatment(row.treatment))
                for row in connection.execute(select(TREATMENT))
            }
            self._marks = set(connection.execute(select(TOMBSTONE.c.mark)).scalars())
            moves = select(IDENTITY_MOVE.c.pseudonym).where(~IDENTITY_MOVE.c.waits)
            self.moves = set(connection.execute(moves).scalars())
            """Pseudonyms whose person or team changed, and the telemetry does not know."""
        for _, seen in self._seen:
            identities.update((each.pseudonym, each) for each in seen.identities)
            links.update(((link.stronger, link.weaker), link) for link in seen.links)
        self.people = Resolution(identities, links)

    def is_erased(self, pseudonyms: Sequence[str]) -> bool:
        """Tell whether somebody was erased whom each key gives one of these."""
        if not self._marks:
            return False
        marks = self._marks_of(pseudonyms)
        found = not self._marks.isdisjoint(marks)
        if found:
            self._erased.update(marks - self._marks)
        return found

    @property
    def has_marks(self) -> bool:
        """Whether anybody was erased, or is treated otherwise than usual."""
        return bool(self._marks or self._treatments)

    def find_treatment(self, pseudonyms: Sequence[str]) -> Treatment | None:
        """Return how the records of one who has these pseudonyms are treated, if unusually.

        Of several ways the strictest holds. They are known by all of these from then on, also
        when the key is gone that made one.
        """
        if not self._treatments:
            return None
        marks = self._marks_of(pseudonyms)
        treated = [self._treatments[each] for each in marks if each in self._treatments]
        if not treated:
            return None
        found = min(treated, key=lambda each: _STRICTEST_FIRST.index(each.treatment))
        self._learned.update((mark, found) for mark in marks if mark not in self._treatments)
        return found.treatment

    def treat(
        self, connection: Connection, pseudonyms: list[str], treatment: Treatment, now: datetime
    ) -> None:
        """Have records with these pseudonyms treated so, in somebody's transaction.

        It holds for all pseudonyms that came with one of these since they were treated first.
        """
        marks = self._marks_of(pseudonyms)
        known = {each.subject for mark in marks if (each := self._treatments.get(mark))}
        treated = Treated(secrets.token_hex(_SUBJECT_BYTES), treatment)
        marks |= {mark for mark, each in self._treatments.items() if each.subject in known}
        for mark in marks:
            connection.execute(delete(TREATMENT).where(TREATMENT.c.mark == mark))
        connection.execute(
            insert(TREATMENT), [_treatment_row(mark, treated, now) for mark in marks]
        )
        self._treatments.update(dict.fromkeys(marks, treated))
        self._generation = _bump(connection)

    def _marks_of(self, pseudonyms: Iterable[str]) -> set[str]:
        key = self._keys.ring.newest(Purpose.TOMBSTONE)
        return {tombstone(key, name) for name in pseudonyms}

    def find_addressed(self) -> set[str]:
        """Return the persons of whom an e-mail address is kept."""
        people = self.people
        return {
            person
            for name in self._valued
            if (known := people.identities.get(name))
            and known.kind is IdentityKind.EMAIL
            and (person := people.find_person(name))
        }

    def count_treated(self, treatment: Treatment) -> int:
        """Return how many are treated so."""
        treated = self._treatments.values()
        return len({each.subject for each in treated if each.treatment is treatment})

    def find_value(self, pseudonym: str) -> str | None:
        """Return what a pseudonym stands for, where that is kept."""
        with self._control.read() as connection:
            mine = IDENTITY.c.pseudonym == pseudonym
            blob = connection.execute(select(IDENTITY.c.value).where(mine)).scalar()
        return None if blob is None else self._keys.ring.decrypt(blob, self._place(pseudonym))

    def settle_moves(
        self, pseudonyms: Collection[str], waiting: Collection[str], holds: Collection[str]
    ) -> None:
        """Note that the telemetry knows, but for what is waiting until one of the holds is lifted.

        Where one was lifted meanwhile, that is to be told anew.
        """
        with self._control.write() as connection:
            stand = set(connection.execute(select(LEGAL_HOLD.c.id)).scalars())
            for name in pseudonyms:
                mine = IDENTITY_MOVE.c.pseudonym == name
                if name not in waiting:
                    connection.execute(delete(IDENTITY_MOVE).where(mine))
                elif stand.issuperset(holds):
                    connection.execute(update(IDENTITY_MOVE).where(mine).values(waits=True))
        again = () if stand.issuperset(holds) else waiting
        self.moves.difference_update(set(pseudonyms).difference(again))

    def tell_anew(self, connection: Connection, person: str) -> None:
        """Have the telemetry told anew what it should know of a person, in a transaction."""
        self._move(connection, [person])
        self._generation = _bump(connection)

    def decide(self, connection: Connection, link: Link, now: datetime) -> None:
        """Make two pseudonyms one person's, in somebody's transaction."""
        moved = self.people.decide(link)
        for name in (link.stronger, link.weaker):
            connection.execute(
                update(IDENTITY).where(IDENTITY.c.pseudonym == name).values(is_apart=False)
            )
        mine = (IDENTITY_LINK.c.stronger == link.stronger) & (IDENTITY_LINK.c.weaker == link.weaker)
        connection.execute(delete(IDENTITY_LINK).where(mine))
        insert_new(connection, IDENTITY_LINK, [_link_row(link, now)])
        self._move(connection, moved)
        self._generation = _bump(connection)

    def set_apart(self, connection: Connection, pseudonym: str) -> None:
        """Take a pseudonym out of its person, in somebody's transaction."""
        moved = self.people.set_apart(pseudonym)
        connection.execute(
            update(IDENTITY).where(IDENTITY.c.pseudonym == pseudonym).values(is_apart=True)
        )
        self._move(connection, moved)
        self._generation = _bump(connection)

    def bury(self, connection: Connection, pseudonyms: list[str], now: datetime) -> None:
        """Delete pseudonyms and all about them, and remember that they are erased."""
        key = self._keys.ring.newest(Purpose.TOMBSTONE)
        for mark in {tombstone(key, name) for name in pseudonyms} - self._marks:
            connection.execute(insert(TOMBSTONE).values(mark=mark, created=now))
            self._marks.add(mark)
        self.drop(connection, pseudonyms)

    def find_made_with(self, number: int) -> list[str]:
        """Return the pseudonyms that one key made."""
        with self._control.read() as connection:
            made = select(IDENTITY.c.pseudonym).where(IDENTITY.c.key_number == number)
            return [*connection.execute(made).scalars()]

    def drop(self, connection: Connection, pseudonyms: list[str]) -> None:
        """Delete pseudonyms and all about them, in somebody's transaction.

        A person that was named by one is named by another of theirs from now on.
        """
        for at in range(0, len(pseudonyms), _AT_ONCE):
            some = pseudonyms[at : at + _AT_ONCE]
            links = IDENTITY_LINK.c
            connection.execute(
                delete(IDENTITY_LINK).where(or_(links.stronger.in_(some), links.weaker.in_(some)))
            )
            connection.execute(delete(IDENTITY_MOVE).where(IDENTITY_MOVE.c.pseudonym.in_(some)))
            connection.execute(delete(IDENTITY).where(IDENTITY.c.pseudonym.in_(some)))
        moved = self.people.forget(pseudonyms)
        self._valued.difference_update(pseudonyms)
        self.moves.difference_update(pseudonyms)
        self._move(connection, moved)
        self._generation = _bump(connection)

    def drop_values(self) -> None:
        """Keep nothing of what pseudonyms stand for."""
        with self._control.write() as connection:
            connection.execute(update(IDENTITY).values(value=None))
            self._generation = _bump(connection)
        self._valued.clear()
        self._values.clear()

    def encrypt_anew(self) -> None:
        """Lock every value with the newest key."""
        with self._control.write() as connection:
            kept = select(IDENTITY.c.pseudonym, IDENTITY.c.value).where(
                IDENTITY.c.value.is_not(None)
            )
            for name, blob in connection.execute(kept).all():
                self._set_value(connection, name, self._keys.ring.decrypt(blob, self._place(name)))

    def _insert_marks(self, connection: Connection) -> None:
        now = self._now()
        treated = [_treatment_row(mark, each, now) for mark, each in self._learned.items()]
        insert_new(connection, TREATMENT, treated)
        insert_new(connection, TOMBSTONE, [{"mark": each, "created": now} for each in self._erased])

    def _insert_identities(self, connection: Connection) -> None:
        new = {known.pseudonym: known for _, seen in self._seen for known in seen.identities}
        number = self._keys.ring.newest(Purpose.PSEUDONYM).number
        inserted = insert_new(
            connection,
            IDENTITY,
            [
                {
                    "pseudonym": name,
                    "kind": known.kind,
                    "key_number": number,
                    "value": self._locked(name, self._values.get(name)),
                    "is_apart": known.is_apart,
                    "created": known.created,
                }
                for name, known in new.items()
            ],
        )
        for name, value in self._values.items():
            if name not in inserted:
                self._set_value(connection, name, value)

    def _locked(self, pseudonym: str, value: str | None) -> bytes | None:
        if value is None:
            return None
        return self._keys.ring.encrypt(value, self._place(pseudonym))

    def _is_current(self) -> bool:
        with self._control.read() as connection:
            return find_generation(connection, GENERATION) == self._generation

    def _move(self, connection: Connection, pseudonyms: Iterable[str]) -> None:
        _insert_moves(connection, pseudonyms)
        self.moves.update(pseudonyms)

    def _set_value(self, connection: Connection, pseudonym: str, value: str) -> None:
        mine = update(IDENTITY).where(IDENTITY.c.pseudonym == pseudonym)
        connection.execute(mine.values(value=self._locked(pseudonym, value)))

    def _place(self, pseudonym: str) -> str:
        return f"identity|value|{pseudonym}|{self._keys.installation}"


def wake_moves(connection: Connection) -> None:
    """Have the telemetry told soon what waited for a hold, in somebody's transaction."""
    _bump(connection)
    connection.execute(update(IDENTITY_MOVE).values(waits=False))


def _bump(connection: Connection) -> int:
    # It comes first in a transaction: whoever else writes waits at this row.
    bump_generation(connection, GENERATION)
    return find_generation(connection, GENERATION)


def _treatment_row(mark: str, treated: Treated, now: datetime) -> dict[str, Any]:
    return {"mark": mark, **treated._asdict(), "created": now}


def _link_row(link: Link, now: datetime) -> dict[str, Any]:
    return {**link._asdict(), "created": now}


def _insert_moves(connection: Connection, pseudonyms: Iterable[str]) -> None:
    names = set(pseudonyms)
    known = names - insert_new(
        connection, IDENTITY_MOVE, [{"pseudonym": name, "waits": False} for name in names]
    )
    for name in known:
        mine = IDENTITY_MOVE.c.pseudonym == name
        connection.execute(update(IDENTITY_MOVE).where(mine).values(waits=False))
