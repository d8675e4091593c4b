"""The name behind a pseudonym: asked for by somebody to whom that was lent, with a reason.

Under `strict` another person must agree before. Nothing here lists people: one asks for one
pseudonym, which stands in a log or beside a number already. Each step has an entry in the
audit log, under the pseudonym, where the person it is about sees it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update

from codometer.access.account import read_accounts
from codometer.access.actions import Action, Outcome
from codometer.access.audit import check_reason
from codometer.access.vouching import check_person
from codometer.errors import BadRequest, CodometerError, Forbidden
from codometer.privacy.profile import Identity
from codometer.privacy.pseudonym import IdentityKind, is_pseudonym
from codometer.store.control_tables import REVEAL

if TYPE_CHECKING:
    from codometer.access.actor import Actor
    from codometer.access.audit import Change
    from codometer.people.people import People

LIFETIME: Final = timedelta(hours=24)
"""How long a request may be looked at, and waits to be agreed to."""
_ID_BYTES: Final = 5
_MAX_LENGTH: Final = 500


class NoSuchReveal(CodometerError):
    """Nobody asked for this, or its time is over."""

    code = "no_such_reveal"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """One request. `is_approved` is None while it waits for a second person."""

    id: str
    person: str
    account: str
    reason: str
    asked: datetime
    ends: datetime
    approver: str | None
    is_approved: bool | None


@dataclass(frozen=True, slots=True)
class Reveals:
    """Tells names, where that may be."""

    people: People

    def ask(self, pseudonym: str, reason: str, actor: Actor) -> Reveal:
        """Ask for a name. Under `strict` it waits for another person, else it can be opened.

        Raises:
            BadRequest: it is no pseudonym of a person, or there is no reason.
            Forbidden: nobody has signed in, or names are stored plainly here.
        """
        check_person(actor)
        _check_text(reason)
        self._refuse_plain()
        person = self._find_person(pseudonym.strip())
        waits = self._needs_approver
        with self.people.access.audit.change(actor) as change:
            _drop_old(change)
            made = Reveal(
                id=f"rev_{secrets.token_hex(_ID_BYTES)}",
                person=person,
                account=actor.id,
                reason=reason.strip(),
                asked=change.time,
                ends=change.time + LIFETIME,
                approver=None,
                is_approved=None if waits else True,
            )
            change.connection.execute(insert(REVEAL).values(**_row(made)))
            change.record(
                Action.REVEAL_ASK, object=person, reason=made.reason, after={"reveal": made.id}
            )
        return made

    def decide(self, reveal_id: str, reason: str, actor: Actor, *, agrees: bool) -> Reveal:
        """Agree that a name is told, or not, as the second person.

        Raises:
            NoSuchReveal: nobody waits for that.
            BadRequest: there is no reason.
            Forbidden: the one who asked cannot agree, nor can whoever has not signed in.
        """
        check_person(actor)
        _check_text(reason)
        with self.people.access.audit.change(actor) as change:
            found = _find(change, reveal_id)
            if found.is_approved is not None:
                raise NoSuchReveal("this was decided already")
            if found.account == actor.id:
                raise Forbidden("whoever asks cannot agree", hint="ask somebody else")
            decided: dict[str, Any] = {"approver": actor.id, "is_approved": agrees}
            mine = update(REVEAL).where(REVEAL.c.id == found.id)
            change.connection.execute(mine.values(**decided))
            change.record(
                Action.REVEAL_DECIDE,
                object=found.person,
                outcome=Outcome.DONE if agrees else Outcome.REFUSED,
                reason=reason.strip(),
                after={"reveal": found.id},
            )
            return _find(change, reveal_id)

    def open(self, reveal_id: str, actor: Actor) -> Sequence[str]:
        """Return the names behind a pseudonym; none where nothing is kept of them.

        Raises:
            NoSuchReveal: it is not the actor's, or its time is over.
            Forbidden: the second person has not agreed, or names are stored plainly by now.
        """
        check_person(actor)
        with self.people.pausing():
            self._refuse_plain()
            with self.people.access.audit.change(actor) as change:
                found = _find(change, reveal_id)
                if found.account != actor.id:
                    raise _NOBODYS
                # It may be of a time in which nobody had to agree.
                if not found.is_approved or (self._needs_approver and found.approver is None):
                    raise Forbidden(
                        "nobody has agreed to this",
                        hint="a second person does; what was asked under another profile, ask anew",
                    )
                after = {"reveal": found.id}
                change.record(
                    Action.REVEAL_OPEN, object=found.person, reason=found.reason, after=after
                )
            return self._find_names(found.person)

    def list_waiting(self) -> list[Reveal]:
        """Return what was asked and is not over, the newest first."""
        now = self.people.access.audit.now()
        statement = select(REVEAL).where(REVEAL.c.ends > now).order_by(REVEAL.c.asked.desc())
        with self.people.access.control.read() as connection:
            return [Reveal(**row) for row in connection.execute(statement).mappings()]

    @property
    def _needs_approver(self) -> bool:
        return self.people.policy.identity is Identity.PSEUDONYM

    def _refuse_plain(self) -> None:
        policy = self.people.policy
        if policy.identity is Identity.PLAIN:
            raise Forbidden(
                f"there is nothing to reveal under the profile {policy.profile}",
                hint="it stores what clients say",
            )

    def _find_person(self, pseudonym: str) -> str:
        known = self.people.vault.people.identities.get(pseudonym)
        if not is_pseudonym(pseudonym) or known is None or known.kind is IdentityKind.REPOSITORY:
            raise BadRequest(
                "this is no person's pseudonym",
                hint="it begins with p_, as in the audit log",
                field="pseudonym",
            )
        return self.people.vault.people.find_person(pseudonym) or pseudonym

    def _find_names(self, person: str) -> Sequence[str]:
        vault = self.people.vault
        pseudonyms = [known.pseudonym for known in vault.people.list_pseudonyms(person)]
        kept = [value for name in pseudonyms if (value := vault.find_value(name))]
        with self.people.access.control.read() as connection:
            told = [each.person for each in read_accounts(connection) if each.person]
        kept += [name for name in told if self._is_of(name, set(pseudonyms))]
        return list({name.casefold(): name for name in kept}.values())

    def _is_of(self, name: str, pseudonyms: set[str]) -> bool:
        made = self.people.identifier.list_pseudonyms
        return any(
            not pseudonyms.isdisjoint(made(kind, name))
            for kind in (IdentityKind.EMAIL, IdentityKind.ENDUSER)
        )


_NOBODYS: Final = NoSuchReveal("there is no such request that is not over", hint="ask anew")


def _find(change: Change, reveal_id: str) -> Reveal:
    mine = select(REVEAL).where(REVEAL.c.id == reveal_id, REVEAL.c.ends > change.time)
    row = change.connection.execute(mine).mappings().first()
    if row is None:
        raise _NOBODYS
    return Reveal(**row)


def _row(reveal: Reveal) -> dict[str, Any]:
    return {name: getattr(reveal, name) for name in Reveal.__dataclass_fields__}


def _drop_old(change: Change) -> None:
    change.connection.execute(delete(REVEAL).where(REVEAL.c.ends <= change.time))


def _check_text(reason: str) -> None:
    check_reason(reason)
    if len(reason) > _MAX_LENGTH:
        raise BadRequest(f"the reason is longer than {_MAX_LENGTH} characters", field="reason")
