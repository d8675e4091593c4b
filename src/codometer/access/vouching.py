"""What somebody vouches for of another's account: who it is, and what they need for a while.

Nobody vouches for themselves. That an account is a person's lets it see that person's
data as its own, so a name that somebody chose when they joined is not enough. What lets
them ask for names is lent by whoever has signed in, so that two people stand for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import update

from codometer.access.account import Account, NoSuchAccount, read_accounts
from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.audit import check_reason
from codometer.access.generation import bump_generation
from codometer.access.sessions import GENERATION
from codometer.errors import BadRequest, Forbidden
from codometer.model.words import counted
from codometer.store.control_tables import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.access.sessions import KnownSessions

MOST_HOURS: Final = 24
"""How long names can be asked for at most, before it is lent anew."""


@dataclass(frozen=True, slots=True)
class Vouching:
    """Vouches for accounts. Safe to use from several threads and servers."""

    audit: AuditLog
    known: KnownSessions

    def link(self, account_id: str, reason: str, actor: Actor) -> Account:
        """Confirm that whoever signs in is the person whom clients call by the same name.

        Raises:
            NoSuchAccount: there is none that is in use.
            BadRequest: there is no reason, or it is confirmed already.
            Forbidden: it is the actor's own account, or a credential asks.
        """
        with self.audit.change(actor) as change:
            account = _find(change, account_id)
            _refuse_own(account, actor)
            if actor.kind is ActorKind.CREDENTIAL:
                # It may be of the account's owner.
                raise Forbidden(
                    "no credential vouches for anybody",
                    hint="sign in, or run the command beside the server",
                )
            if account.linked:
                raise BadRequest("this account is its owner's already")
            self._set(change, account, Action.ACCOUNT_LINK, reason, linked=change.time)
        return self._reread(account_id)

    def unlink(self, account_id: str, reason: str, actor: Actor) -> Account:
        """Take that back.

        Raises:
            NoSuchAccount: there is none that is in use.
            BadRequest: there is no reason.
        """
        with self.audit.change(actor) as change:
            account = _find(change, account_id)
            self._set(change, account, Action.ACCOUNT_UNLINK, reason, linked=None)
        return self._reread(account_id)

    def lend_reveals(self, account_id: str, hours: int, reason: str, actor: Actor) -> Account:
        """Let an account ask for the names behind pseudonyms for some hours from now on.

        Raises:
            NoSuchAccount: there is none that is in use.
            BadRequest: there is no reason, or it is for too long.
            Forbidden: it is the actor's own account, or nobody has signed in.
        """
        if not 1 <= hours <= MOST_HOURS:
            raise BadRequest(
                f"{counted(hours, 'hour')} is not from 1 to {MOST_HOURS}", field="hours"
            )
        check_person(actor)
        with self.audit.change(actor) as change:
            account = _find(change, account_id)
            _refuse_own(account, actor)
            until = change.time + timedelta(hours=hours)
            self._set(change, account, Action.REVEAL_LEND, reason, reveals=until)
        return self._reread(account_id)

    def end_reveals(self, account_id: str, reason: str, actor: Actor) -> Account:
        """Take that back, before its time is over.

        Raises:
            NoSuchAccount: there is none that is in use.
            BadRequest: there is no reason.
        """
        with self.audit.change(actor) as change:
            account = _find(change, account_id)
            self._set(change, account, Action.REVEAL_END, reason, reveals=None)
        return self._reread(account_id)

    def list_accounts(self) -> list[Account]:
        """Return the accounts that are in use, the oldest first."""
        with self.audit.control.read() as connection:
            return [each for each in read_accounts(connection) if not each.disabled]

    def _set(
        self,
        change: Change,
        account: Account,
        action: Action,
        reason: str,
        **values: datetime | None,
    ) -> None:
        check_reason(reason)
        mine = update(ACCOUNT).where(ACCOUNT.c.id == account.id)
        change.connection.execute(mine.values(**values))
        until = values.get("reveals")
        after: dict[str, Json] | None = {"until": until.isoformat()} if until else None
        change.record(action, object=account.id, reason=reason.strip(), after=after)
        bump_generation(change.connection, GENERATION)

    def _reread(self, account_id: str) -> Account:
        self.known.reload()
        return next(each for each in self.list_accounts() if each.id == account_id)


def check_person(actor: Actor) -> None:
    """Refuse what only people may do, whoever holds a credential or the server's folder.

    Raises:
        Forbidden: nobody has signed in.
    """
    if actor.kind is not ActorKind.ACCOUNT:
        raise Forbidden("this needs a person who has signed in", hint="use the page in a browser")


def _find(change: Change, account_id: str) -> Account:
    active: Iterator[Account] = (each for each in read_accounts(change.connection))
    found = next((each for each in active if each.id == account_id and not each.disabled), None)
    if found is None:
        raise NoSuchAccount(f"there is no account {account_id[:20]!r} that is in use")
    return found


def _refuse_own(account: Account, actor: Actor) -> None:
    if actor.kind is ActorKind.ACCOUNT and actor.id == account.id:
        raise Forbidden("nobody vouches for themselves", hint="ask somebody else")
