"""What people ask for of their own data, until somebody did it or said why not.

Whoever decides sees a pseudonym, what was asked for and in which words, never a
name. An erasure that is done takes the request along; all else stays for the
person to see, for some weeks.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from codometer.access.actions import Action, Outcome
from codometer.access.actor import SYSTEM
from codometer.access.audit import check_reason
from codometer.errors import BadRequest, CodometerError
from codometer.people.requests import NoSuchPerson, Requests
from codometer.people.vault import Treatment
from codometer.store.control_tables import SUBJECT_REQUEST

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from codometer.access.actor import Actor
    from codometer.people.requests import Found

TARGET: Final = timedelta(days=30)
"""GDPR, article 12, gives a month: https://eur-lex.europa.eu/eli/reg/2016/679 (2026-11)."""
KEPT: Final = timedelta(days=90)
"""How long a request is kept once it is decided."""
MOST_WORDS: Final = 500
_ID_BYTES: Final = 5


class Right(StrEnum):
    """What can be asked for here. A copy people take along by themselves."""

    ERASURE = "erasure"
    OBJECTION = "objection"
    CORRECTION = "correction"


class NoSuchRequest(CodometerError):
    """Nothing like this is waiting."""

    code = "no_such_request"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `words` are the person's; `reason` says why it was declined, or what was done.

    `outcome` is None as long as nobody decided.
    """

    id: str
    right: Right
    person: str
    words: str
    asked: datetime
    decided: datetime | None
    outcome: Outcome | None
    reason: str

    @property
    def due(self) -> datetime:
        """When it should be decided at the latest."""
        return self.asked + TARGET

    def age_days(self, now: datetime) -> int:
        """Return how many whole days ago it was asked for."""
        return (now - self.asked).days

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it waits longer than it should."""
        return self.decided is None and now > self.due


@dataclass(frozen=True, slots=True)
class Queue:
    """The requests of one installation."""

    requests: Requests

    def list_open(self) -> list[Asked]:
        """Return what waits, the oldest first."""
        return self._list(SUBJECT_REQUEST.c.decided.is_(None))

    def list_of(self, person: str) -> list[Asked]:
        """Return what a person asked for, the oldest first, also what is decided."""
        names = self.requests.people.contents.names_of(person)
        return self._list(SUBJECT_REQUEST.c.person.in_(names))

    def ask(self, person: str, right: Right, words: str) -> None:
        """Put a request of a person in the queue; whoever calls knows that it is theirs.

        The record does not say whose account asked: with the pseudonym beside it in the
        queue, it would be known whose that is.

        Raises:
            BadRequest: the same waits already, or the words are too many.
        """
        words = words.strip()
        if len(words) > MOST_WORDS or not words.isprintable():
            raise BadRequest(
                f"this is more than one line of {MOST_WORDS} characters", field="words"
            )
        if any(each.right is right and each.decided is None for each in self.list_of(person)):
            raise BadRequest(f"a request for {right} waits already", hint="somebody decides soon")
        with self.requests.people.access.audit.change(SYSTEM) as change:
            values = {"id": f"req_{secrets.token_hex(_ID_BYTES)}", "right": right}
            values |= {"person": person, "words": words, "reason": ""}
            change.connection.execute(insert(SUBJECT_REQUEST).values(**values, asked=change.time))
            change.record(Action.REQUEST_ASK, object=values["id"], after={"right": str(right)})

    def get(self, id_: str) -> Asked:
        """Return a request that waits.

        Raises:
            NoSuchRequest: it does not.
        """
        found = self._list((SUBJECT_REQUEST.c.id == id_) & SUBJECT_REQUEST.c.decided.is_(None))
        if not found:
            raise NoSuchRequest("no such request waits", hint="codometer person requests")
        return found[0]

    def preview(self, asked: Asked) -> Found:
        """Return what an erasure would take away.

        Raises:
            NoSuchPerson: nothing is stored of the person any more.
        """
        return self.requests.forget(self._find_person(asked), "", "", SYSTEM)

    def do(self, id_: str, reason: str, actor: Actor, *, confirmed: str = "") -> None:
        """Do what was asked for; a correction must have been made before.

        An erasure is for good, so it needs the person's pseudonym once more as `confirmed`.

        Raises:
            NoSuchRequest: it does not wait.
            NoSuchPerson: nothing is stored of the person any more.
            BadRequest: there is no reason, or an erasure was not confirmed.
            OnHold: a legal hold keeps what is stored of them.
        """
        check_reason(reason)
        asked = self.get(id_)
        if asked.right is not Right.CORRECTION:
            person = self._find_person(asked)
            if asked.right is Right.ERASURE:
                if not confirmed:
                    raise BadRequest("an erasure is confirmed", hint=f"confirm {person}")
                self.requests.forget(person, confirmed, reason, actor)
            else:
                self.requests.treat(person, Treatment.EXCLUDED, reason, actor)
        self._decide(asked, Outcome.DONE, reason, actor)

    def decline(self, id_: str, reason: str, actor: Actor) -> None:
        """Decline it; the person reads why.

        Raises:
            NoSuchRequest: it does not wait.
            BadRequest: there is no reason.
        """
        check_reason(reason)
        self._decide(self.get(id_), Outcome.REFUSED, reason, actor)

    def sweep(self) -> None:
        """Let go of what was decided long ago."""
        before = self.requests.people.access.audit.now() - KEPT
        with self.requests.people.access.control.write() as connection:
            connection.execute(delete(SUBJECT_REQUEST).where(SUBJECT_REQUEST.c.decided < before))

    def _find_person(self, asked: Asked) -> str:
        person = self.requests.find_person(asked.person)
        if person is None:
            raise NoSuchPerson("nothing is stored of them", hint="decline it, and say so")
        return person

    def _decide(self, asked: Asked, outcome: Outcome, reason: str, actor: Actor) -> None:
        with self.requests.people.access.audit.change(actor) as change:
            mine = (SUBJECT_REQUEST.c.id == asked.id) & SUBJECT_REQUEST.c.decided.is_(None)
            values = {"decided": change.time, "outcome": outcome, "reason": reason.strip()}
            decide = update(SUBJECT_REQUEST).where(mine).values(**values)
            is_gone = (asked.right, outcome) == (Right.ERASURE, Outcome.DONE)  # with the person
            if not change.connection.execute(decide).rowcount and not is_gone:
                raise NoSuchRequest("somebody else decided it", hint="look at it again")
            change.record(
                Action.REQUEST_DECIDE,
                object=asked.id,
                outcome=outcome,
                reason=reason,
                after={"right": str(asked.right)},
            )

    def _list(self, condition: ColumnElement[bool]) -> list[Asked]:
        wanted = select(SUBJECT_REQUEST).where(condition).order_by(SUBJECT_REQUEST.c.asked)
        with self.requests.people.access.control.read() as connection:
            return [
                Asked(
                    id=row.id,
                    right=Right(row.right),
                    person=row.person,
                    words=row.words,
                    asked=row.asked,
                    decided=row.decided,
                    outcome=Outcome(row.outcome) if row.outcome else None,
                    reason=row.reason,
                )
                for row in connection.execute(wanted)
            ]


def count_overdue(waiting: Collection[Asked], now: datetime) -> int:
    """Return how many of them wait longer than they should."""
    return sum(each.is_overdue(now) for each in waiting)
