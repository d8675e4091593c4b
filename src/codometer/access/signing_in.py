"""Signing in: who shows that they are somebody gets a session, and shows it again for much.

    password ─▶ (code of an authenticator) ─▶ session
    a provider of identities ───────────────▶ session

Every failure counts, for the address that it came from and for the account, and
says no more than that it failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import select

from codometer.access.account import find_account
from codometer.access.accounts import replace_password
from codometer.access.actions import Action, Outcome
from codometer.access.actor import Actor, ActorKind
from codometer.access.password import LONGEST, check_password, hash_password, is_password
from codometer.access.permissions import Role
from codometer.access.rate_limit import RateLimit
from codometer.access.second_factor import count_codes
from codometer.access.sessions import begin_session, end_sessions, renew_session
from codometer.access.tickets import TICKET_NOT_GOOD, Errand, use_ticket
from codometer.errors import BadRequest, Forbidden, TooManyTries, Unauthenticated
from codometer.networks import find_neighbourhood
from codometer.store.control_tables import ACCOUNT, SESSION

if TYPE_CHECKING:
    from datetime import datetime

    from codometer.access.account import Session
    from codometer.access.accounts import Accounts
    from codometer.access.audit import AuditLog, Change
    from codometer.access.second_factor import SecondFactors
    from codometer.access.sessions import KnownSessions
    from codometer.access.tickets import Tickets

_SECOND_STEP_LIFETIME: Final = timedelta(minutes=5)
NEW_FACTOR_LIFETIME: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a right password leads to: a session, or the ticket to bring a code with."""

    session: str = field(default="", repr=False)
    ticket: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tried:
    """By what a try counts: where it came from, and for which account."""

    origin: str
    account: str

    @classmethod
    def with_password(cls, address: str, login: str) -> Self:
        """Anybody's, for a login that they typed."""
        return cls(find_neighbourhood(address), f"login {login}")

    @classmethod
    def with_code(cls, address: str, account_id: str) -> Self:
        """Of whoever gave the right password already."""
        return cls(find_neighbourhood(address), f"code {account_id}")

    @classmethod
    def with_session(cls, address: str, session: Session) -> Self:
        """Of whoever is signed in, whom the tries of others keep from nothing."""
        account_id = session.account.id
        return cls(f"{find_neighbourhood(address)} {account_id}", f"proof {account_id}")


class Tries:
    """Counts what failed, to slow down whoever guesses."""

    def __init__(self) -> None:
        self._by_origin = RateLimit(5, 60)
        self._by_account = RateLimit(10, 3600)

    def check(self, tried: Tried) -> None:
        """Refuse for a while what failed too often.

        Raises:
            TooManyTries: from there, or for this account.
        """
        if not (
            self._by_origin.has_room(tried.origin) and self._by_account.has_room(tried.account)
        ):
            raise TooManyTries("too many tries to sign in failed", hint="wait some minutes")

    def count(self, tried: Tried) -> None:
        """Count a failure."""
        self._by_origin.take(tried.origin)
        self._by_account.take(tried.account)


class Demand(StrEnum):
    """Whose password must have a second factor beside it."""

    OFFERED = "offered"
    ADMINISTRATORS = "administrators"
    EVERYONE = "everyone"


class SigningIn:
    """Begins, renews and ends sessions. Safe to use from several threads and servers."""

    def __init__(
        self,
        accounts: Accounts,
        tickets: Tickets,
        *,
        has_passwords: bool = True,
        demand: Demand = Demand.OFFERED,
    ) -> None:
        """Without `has_passwords` nobody signs in with one; links go on to do."""
        self.has_passwords = has_passwords
        self._audit: AuditLog = accounts.audit
        self._known: KnownSessions = accounts.known
        self._factors: SecondFactors = accounts.factors
        self._host = accounts.host
        self._tickets = tickets
        self._tries = Tries()
        self._demand = demand

    def lacks_factor(self, session: Session) -> bool:
        """Tell whether somebody must set up a second factor before anything else.

        Whoever came by a provider need not: how they sign in there is its part.
        """
        account = session.account
        is_asked = self._demand is Demand.EVERYONE or (
            self._demand is Demand.ADMINISTRATORS and account.role is Role.ADMINISTRATOR
        )
        return is_asked and not (session.issuer or account.has_second_factor)

    def with_password(self, login: str, password: str, actor: Actor, *, address: str) -> Step:
        """Take a password. `address` is whole, to count those that fail.

        Raises:
            Unauthenticated: no such name, a wrong password or a disabled account: which, is
                not said.
            Forbidden: passwords are switched off.
            TooManyTries: too many that failed came from there, or for this account.
        """
        if not self.has_passwords:
            raise Forbidden("nobody signs in with a password here", hint="use the provider's")
        login = login.strip().casefold()
        tried = Tried.with_password(address, login)
        self._tries.check(tried)
        row = self._find_row(ACCOUNT.c.login == login)
        is_right = _is_password(password, row["password"] if row else None)
        if row is None or not is_right or row["disabled"] is not None or not row["role"]:
            self._tries.count(tried)
            self._record_failure(Action.SIGN_IN, actor, row["id"] if row else "account")
            raise _WRONG
        return self._begin_or_ask(row["id"], actor)

    def with_link(self, account_id: str, actor: Actor) -> Step:
        """Go on for whoever has just chosen a password by a link."""
        return self._begin_or_ask(account_id, actor)

    def with_code(self, ticket: str, code: str, actor: Actor, *, address: str) -> str:
        """Take the code of an authenticator, or a recovery code; return a session's secret.

        Raises:
            TicketNotGood: the password was given too long ago.
            Unauthenticated: the code is wrong, or was used.
            TooManyTries: as for passwords.
        """
        found = self._tickets.read(Errand.SECOND_STEP, ticket)
        account_id = found.content["account"]
        tried = Tried.with_code(address, account_id)
        self._tries.check(tried)
        with self._known.changing(self._audit, _actor_of(account_id, actor)) as change:
            account = find_account(change.connection, account_id)
            if account is None or not account.is_usable:
                raise TICKET_NOT_GOOD
            if account.has_second_factor and self._take_code(change, account_id, code):
                use_ticket(change, found)
                return self._begin(change, account_id, proved=change.time)
        self._tries.count(tried)
        self._record_failure(Action.SIGN_IN, actor, account_id)
        raise _WRONG_CODE

    def confirm(
        self, session: Session, password: str, code: str, actor: Actor, *, address: str
    ) -> str:
        """Have whoever is signed in show again who they are; return their session's new secret.

        Raises:
            Unauthenticated: the password or the code is wrong, or the session has ended since.
            TooManyTries: as for signing in.
        """
        account = session.account
        row = self._prove(session, password, address, Action.CONFIRM, actor)
        with self._known.changing(self._audit, actor) as change:
            if not account.has_second_factor or self._take_code(change, row["id"], code):
                change.record(Action.CONFIRM, object=account.id)
                return renew_session(change, session, proved=change.time)
        self._tries.count(Tried.with_session(address, session))
        self._record_failure(Action.CONFIRM, actor, account.id)
        raise _WRONG_CODE

    def change_password(
        self, session: Session, password: str, new: str, actor: Actor, *, address: str
    ) -> str:
        """Replace the password and end the other sessions; return the secret of a new one.

        Raises:
            Unauthenticated: the old password is wrong, or the session has ended since.
            BadRequest: the new one will not do.
            TooManyTries: as for signing in.
        """
        self._prove(session, password, address, Action.PASSWORD_CHANGE, actor)
        if new == password:
            raise BadRequest("this is the password that you have", hint="choose another one")
        check_password(new, session.account.login, self._host)
        kept = hash_password(new)
        with self._known.changing(self._audit, actor) as change:
            # Whatever else changes a password ends all sessions: if this one is still there, the
            # password that was shown is still the one that is kept.
            secret = renew_session(change, session, proved=change.time)
            replace_password(change, session.account.id, kept, but=secret)
            return secret

    def propose_factor(self, session: Session, secret: str) -> str:
        """Return a ticket with which `add_factor` takes this secret for this account."""
        content = {"account": session.account.id, "secret": secret}
        return self._tickets.issue(Errand.NEW_FACTOR, NEW_FACTOR_LIFETIME, **content)

    def read_proposal(self, session: Session, ticket: str) -> str:
        """Return the secret that was proposed.

        Raises:
            TicketNotGood: it was too long ago, or to somebody else.
        """
        found = self._tickets.read(Errand.NEW_FACTOR, ticket)
        if found.content["account"] != session.account.id:
            raise TICKET_NOT_GOOD
        return found.content["secret"]

    def add_factor(self, session: Session, ticket: str, code: str, actor: Actor) -> list[str]:
        """Take an authenticator that shows this code; return the recovery codes, shown this once.

        Raises:
            TicketNotGood: the secret was proposed too long ago, or taken already.
            BadRequest: the code is none of it.
        """
        secret = self.read_proposal(session, ticket)
        account_id = session.account.id
        with self._known.changing(self._audit, actor) as change:
            use_ticket(change, self._tickets.read(Errand.NEW_FACTOR, ticket))
            if not self._factors.add(change, account_id, secret, code):
                raise BadRequest(
                    "this is no code of the authenticator now",
                    hint="look whether the clock of the telephone is right, and use the next code",
                )
            end_sessions(change, _others(session))
            change.record(Action.FACTOR_ADD, object=account_id)
            return self._factors.make_codes(change, account_id)

    def renew_codes(self, session: Session, actor: Actor) -> list[str]:
        """Return new recovery codes, shown this once; the older ones are good no more.

        Raises:
            BadRequest: there is no second factor to recover from the loss of.
        """
        if not session.account.has_second_factor:
            raise BadRequest("this account has no second factor", hint="set one up first")
        with self._audit.change(actor) as change:
            change.record(Action.FACTOR_CODES, object=session.account.id)
            return self._factors.make_codes(change, session.account.id)

    def remove_factor(self, session: Session, actor: Actor) -> None:
        """Take one's own second factor away, if there is one."""
        with self._known.changing(self._audit, actor) as change:
            if self._factors.remove(change, session.account.id):
                change.record(Action.FACTOR_REMOVE, object=session.account.id)

    def count_codes(self, session: Session) -> int:
        """Return how many recovery codes are left."""
        with self._audit.control.read() as connection:
            return count_codes(connection, session.account.id)

    def sign_out(self, session: Session, actor: Actor) -> None:
        """End a session."""
        with self._known.changing(self._audit, actor) as change:
            end_sessions(change, SESSION.c.digest == session.digest)
            change.record(Action.SIGN_OUT, object=session.account.id)

    def _begin_or_ask(self, account_id: str, actor: Actor) -> Step:
        with self._known.changing(self._audit, _actor_of(account_id, actor)) as change:
            account = find_account(change.connection, account_id)
            if account is None or not account.is_usable:
                raise _WRONG
            if not account.has_second_factor:
                return Step(session=self._begin(change, account_id, proved=change.time))
        ticket = self._tickets.issue(Errand.SECOND_STEP, _SECOND_STEP_LIFETIME, account=account_id)
        return Step(ticket=ticket)

    def _begin(self, change: Change, account_id: str, *, proved: datetime | None) -> str:
        change.record(Action.SIGN_IN, object=account_id)
        return begin_session(
            change, account_id, change.actor.address, proved=proved, created=change.time
        )

    def _prove(
        self, session: Session, password: str, address: str, action: Action, actor: Actor
    ) -> dict[str, Any]:
        """Return the row of whoever is signed in, if this is their password.

        Raises:
            Unauthenticated: it is not.
            TooManyTries: that was tried too often.
        """
        tried = Tried.with_session(address, session)
        self._tries.check(tried)
        row = self._find_row(ACCOUNT.c.id == session.account.id)
        if row is None or not _is_password(password, row["password"]):
            self._tries.count(tried)
            self._record_failure(action, actor, session.account.id)
            raise Unauthenticated("the password is wrong", hint="try it again")
        return row

    def _take_code(self, change: Change, account_id: str, code: str) -> bool:
        if self._factors.is_code(change, account_id, code):
            return True
        if self._factors.is_recovery_code(change, account_id, code):
            change.record(Action.FACTOR_CODES, object=account_id, reason="used")
            return True
        return False

    def _find_row(self, which: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a condition
        with self._audit.control.read() as connection:
            row = connection.execute(select(ACCOUNT).where(which)).mappings().first()
        return dict(row) if row else None

    def _record_failure(self, action: Action, actor: Actor, account_id: str) -> None:
        with self._audit.change(actor) as change:
            change.record(action, object=account_id, outcome=Outcome.REFUSED)


_WRONG: Final = Unauthenticated(
    "the name or the password is wrong", hint="an administrator can send a new link"
)
_WRONG_CODE: Final = Unauthenticated(
    "the code is wrong, or was used already", hint="wait for the next one, or use a recovery code"
)


def _others(session: Session) -> Any:  # noqa: ANN401 - a condition
    return (SESSION.c.account == session.account.id) & (SESSION.c.digest != session.digest)


def _is_password(password: str, kept: str | None) -> bool:
    return is_password("" if len(password) > LONGEST else password, kept or None)


def _actor_of(account_id: str, actor: Actor) -> Actor:
    return replace(actor, kind=ActorKind.ACCOUNT, id=account_id)
