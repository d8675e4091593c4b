"""Legal holds: what must stay whatever its age, and whoever asks for it to be forgotten."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from codometer.access.actions import Action
from codometer.errors import BadRequest, CodometerError
from codometer.people.vault import wake_moves
from codometer.privacy.pseudonym import is_pseudonym
from codometer.store.control_tables import EVERYTHING, LEGAL_HOLD
from codometer.store.retention import Held

if TYPE_CHECKING:
    from collections.abc import Callable

    from codometer.access.actor import Actor
    from codometer.access.audit import AuditLog

_ID_BYTES: Final = 5
_MAX_LENGTH: Final = 200


class HoldKind(StrEnum):
    """What a hold is about."""

    EVERYTHING = EVERYTHING
    TEAM = "team"
    PERSON = "person"


_HINTS: Final = {
    HoldKind.TEAM: "codometer team list has the teams, as they are spelt",
    HoldKind.PERSON: "codometer person show tells the pseudonym of a person",
}


class OnHold(CodometerError):
    """It is under a legal hold, and must stay."""

    code = "on_hold"
    status = 409


class NoSuchHold(CodometerError):
    """There is no hold with this id."""

    code = "no_such_hold"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold. `subject` is a team, a person's pseudonym, or empty for everything."""

    id: str
    kind: HoldKind
    subject: str
    reason: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds of an installation. `is_stored` tells whether there is anything to hold."""

    audit: AuditLog
    is_stored: Callable[[HoldKind, str], bool]

    def list_holds(self) -> list[Hold]:
        """Return those that are in force, the oldest first."""
        with self.audit.control.read() as connection:
            rows = connection.execute(select(LEGAL_HOLD).order_by(LEGAL_HOLD.c.created))
            return [
                Hold(
                    id=row.id,
                    kind=HoldKind(row.kind),
                    subject=row.subject,
                    reason=row.reason,
                    created=row.created,
                )
                for row in rows
            ]

    def find_held(self, find_person: Callable[[str], str | None]) -> Held | None:
        """Return what stays, None for everything; persons go by the name they have now."""
        holds = self.list_holds()
        if any(each.kind is HoldKind.EVERYTHING for each in holds):
            return None
        persons = {each.subject for each in holds if each.kind is HoldKind.PERSON}
        return Held(
            teams=frozenset(each.subject for each in holds if each.kind is HoldKind.TEAM),
            persons=frozenset(persons | {find_person(name) or name for name in persons}),
        )

    def set(self, kind: HoldKind, subject: str, reason: str, actor: Actor) -> Hold:
        """Put everything, a team or a person under a hold.

        Raises:
            BadRequest: there is no reason, or the subject is none of that kind that is stored.
        """
        subject, reason = subject.strip(), _clean(reason)
        if kind is HoldKind.PERSON and not is_pseudonym(subject):
            raise BadRequest(
                "this is no pseudonym",
                hint="codometer person show tells that of a person, or where names are stored"
                " plainly, the audit log: it has an entry of what was shown",
                field="subject",
            )
        if bool(subject) is (kind is HoldKind.EVERYTHING) or len(subject) > _MAX_LENGTH:
            raise BadRequest(
                f"this names no {kind}",
                hint="everything has no name, a team has one",
                field="subject",
            )
        if subject and not self.is_stored(kind, subject):
            raise BadRequest(
                f"nothing is stored of the {kind} {subject}", hint=_HINTS[kind], field="subject"
            )
        with self.audit.change(actor) as change:
            made = Hold(
                id=f"hold_{secrets.token_hex(_ID_BYTES)}",
                kind=kind,
                subject=subject,
                reason=reason,
                created=change.time,
            )
            change.connection.execute(
                insert(LEGAL_HOLD).values(
                    id=made.id, kind=kind, subject=subject, reason=reason, created=made.created
                )
            )
            after = {"kind": str(kind), "subject": subject}
            change.record(Action.HOLD_SET, object=made.id, reason=reason, after=after)
        return made

    def lift(self, id_: str, reason: str, actor: Actor) -> None:
        """Lift a hold; what is past its retention goes with the next run.

        Rows that belong to another team since follow soon, where no other hold keeps them.

        Raises:
            NoSuchHold: there is none with this id.
            BadRequest: there is no reason.
        """
        reason = _clean(reason)
        with self.audit.change(actor) as change:
            gone = change.connection.execute(delete(LEGAL_HOLD).where(LEGAL_HOLD.c.id == id_))
            if not gone.rowcount:
                raise NoSuchHold(
                    "there is no such hold", hint="codometer retention show lists them"
                )
            wake_moves(change.connection)
            change.record(Action.HOLD_LIFT, object=id_, reason=reason)


def _clean(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > _MAX_LENGTH or not reason.isprintable():
        raise BadRequest(
            f"a hold needs a reason, of one line of at most {_MAX_LENGTH} characters",
            hint="it is kept in the audit log",
            field="reason",
        )
    return reason
