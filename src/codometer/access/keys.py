"""The keys of an installation: opened at the start, replaced when somebody asks.

They are rows of the control plane, each wrapped with the main key. A server
whose main key is missing or another one does not start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from codometer.access.actions import Action
from codometer.access.actor import SYSTEM, Actor
from codometer.access.generation import bump_generation, find_generation
from codometer.errors import BadRequest
from codometer.privacy.encryption import (
    REPLACEABLE,
    CannotDecrypt,
    Key,
    KeyRing,
    Purpose,
    make_key,
    unwrap,
    wrap,
)
from codometer.privacy.main_key import MainKeySource, MainKeyUnusable
from codometer.store.control_tables import INSTANCE, WRAPPED_KEY

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from codometer.access.audit import AuditLog, Change

GENERATION: Final = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact:
    """What may be told of a key."""

    purpose: Purpose
    number: int
    created: datetime


class Keys:
    """The keys of one installation. Safe to use from several threads and servers."""

    def __init__(self, audit: AuditLog, source: MainKeySource) -> None:
        """Open the keys, or make them when there are none.

        Raises:
            MainKeyUnusable: the main key is missing, or did not lock these; nothing was changed.
        """
        self._audit = audit
        self._source = source
        with audit.change(SYSTEM) as change:
            installation = change.connection.execute(select(INSTANCE.c.id)).scalar_one()
            self.installation: str = installation
            """Which installation this is."""
            self._main = self._open(change)
            self._add_missing(change, self._main)
        self.reload()

    @property
    def source(self) -> str:
        """Where the main key is."""
        return self._source.name

    def list_keys(self) -> list[KeyFact]:
        """Return what there is, without the main key."""
        with self._audit.control.read() as connection:
            rows = connection.execute(
                select(WRAPPED_KEY).order_by(WRAPPED_KEY.c.purpose, WRAPPED_KEY.c.number)
            )
            return [
                KeyFact(purpose=Purpose(row.purpose), number=row.number, created=row.created)
                for row in rows
            ]

    def rotate_main(self, actor: Actor) -> None:
        """Put a new main key into our file and wrap every key with it.

        Raises:
            BadRequest: the main key is not in a file of ours.
        """
        if not self._source.is_ours:
            raise BadRequest(
                f"the main key is kept elsewhere: {self._source.name}",
                hint="put a new key there and the old one into CODOMETER_KEY_PREVIOUS, and start"
                " again",
            )
        main = self._source.prepare()
        with self._audit.change(actor) as change:
            self._rewrap(change, self._main, main)
        self._source.settle(main)
        self._main = main

    def rotate(self, purpose: Purpose, actor: Actor) -> Key:
        """Make a new key for a purpose; the older ones only open what they locked.

        Raises:
            BadRequest: what is made with this key could not be found again.
        """
        if purpose not in REPLACEABLE:
            raise BadRequest(f"the key for {purpose} is never replaced")
        with self._audit.change(actor) as change:
            key = make_key(self._newest_number(change.connection, purpose) + 1)
            self._insert(change, self._main, purpose, key)
            change.record(Action.KEY_CREATE, object=purpose, after={"number": key.number})
        self.reload()
        return key

    def check_replaced(self, purpose: Purpose, number: int) -> None:
        """Refuse to delete a key that is in use, or that there is not.

        Raises:
            BadRequest: it is the newest of its purpose, or there is none of this number.
        """
        numbers = [key.number for key in self.ring.keys[purpose]]
        if number not in numbers or number == numbers[-1]:
            raise BadRequest(
                f"{number} is no {purpose} key that was replaced",
                hint="codometer keys list shows them; the newest of each is in use",
            )

    def delete(self, change: Change, purpose: Purpose, number: int) -> None:
        """Delete a key that was replaced, in somebody's transaction; `reload` when that is done."""
        mine = (WRAPPED_KEY.c.purpose == purpose) & (WRAPPED_KEY.c.number == number)
        change.connection.execute(delete(WRAPPED_KEY).where(mine))
        bump_generation(change.connection, GENERATION)
        change.record(Action.KEY_DELETE, object=purpose, before={"number": number})

    def delete_replaced(self, purpose: Purpose, actor: Actor) -> None:
        """Delete all keys of a purpose but the newest: nothing is locked with them any more."""
        *older, _ = self.ring.keys[purpose]
        if older:
            with self._audit.change(actor) as change:
                for key in older:
                    self.delete(change, purpose, key.number)
            self.reload()

    def follow(self) -> None:
        """Take over what other servers changed, if they did."""
        with self._audit.control.read() as connection:
            found = find_generation(connection, GENERATION)
        if found != self._generation:
            self.reload()

    def reload(self) -> None:
        """Read all of them into memory."""
        with self._audit.control.read() as connection:
            self._generation = find_generation(connection, GENERATION)
            self.ring = KeyRing(self._read(connection, self._main))

    def _open(self, change: Change) -> Key:
        """Return the main key that opens what is stored, and have the newest lock it."""
        main = self._source.find()
        if not change.connection.execute(select(WRAPPED_KEY.c.number)).first():
            if main is None and not self._source.is_ours:
                raise self._unusable("is missing")
            return main or self._source.make()
        candidates = [*([main] if main else []), *self._source.find_others()]
        for candidate in candidates:
            try:
                self._read(change.connection, candidate)
            except CannotDecrypt:
                continue
            return self._settle(change, candidate, main)
        raise self._unusable("did not lock the keys in the control plane" if main else "is missing")

    def _settle(self, change: Change, opens: Key, main: Key | None) -> Key:
        if main is None or opens == main:
            self._source.settle(opens)
            return opens
        if self._source.is_ours:  # our own replacement was cut short after it had locked all
            self._source.settle(opens)
            return opens
        self._rewrap(change, opens, main)
        return main

    def _unusable(self, what: str) -> MainKeyUnusable:
        return MainKeyUnusable(
            f"the main key ({self._source.name}) {what}",
            hint="give the key that this installation was started with; nothing was changed, and"
            " no other key opens what is encrypted",
        )

    def _add_missing(self, change: Change, main: Key) -> None:
        have = set(change.connection.execute(select(WRAPPED_KEY.c.purpose)).scalars())
        missing = [purpose for purpose in Purpose if purpose not in have]
        for purpose in missing:
            self._insert(change, main, purpose, make_key())
        if missing:
            change.record(Action.KEY_CREATE, object="keys", after={"purposes": [*missing]})

    def _insert(self, change: Change, main: Key, purpose: Purpose, key: Key) -> None:
        change.connection.execute(
            insert(WRAPPED_KEY).values(
                purpose=purpose,
                number=key.number,
                wrapped=wrap(main, purpose, key, self.installation),
                created=change.time,
            )
        )
        bump_generation(change.connection, GENERATION)

    def _rewrap(self, change: Change, old: Key, new: Key) -> None:
        for purpose, keys in self._read(change.connection, old).items():
            for key in keys:
                mine = (WRAPPED_KEY.c.purpose == purpose) & (WRAPPED_KEY.c.number == key.number)
                wrapped = wrap(new, purpose, key, self.installation)
                change.connection.execute(update(WRAPPED_KEY).where(mine).values(wrapped=wrapped))
        change.record(Action.KEY_REWRAP, object="main")

    def _read(self, connection: Connection, main: Key) -> dict[Purpose, list[Key]]:
        found: dict[Purpose, list[Key]] = {}
        for row in connection.execute(select(WRAPPED_KEY).order_by(WRAPPED_KEY.c.number)):
            purpose = Purpose(row.purpose)
            key = unwrap(main, purpose, row.number, row.wrapped, installation=self.installation)
            found.setdefault(purpose, []).append(key)
        return found

    def _newest_number(self, connection: Connection, purpose: Purpose) -> int:
        mine = WRAPPED_KEY.c.purpose == purpose
        numbers = connection.execute(select(WRAPPED_KEY.c.number).where(mine)).scalars()
        return max(int(number) for number in numbers)
