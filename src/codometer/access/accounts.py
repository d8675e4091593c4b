"""Accounts: people join by a link, sign in with a password, and can be disabled.

The first link makes the first administrator; it is printed to the terminal of
whoever starts the server, and nowhere else.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from codometer.access.account import (
    Account,
    Invitation,
    LinkNotGood,
    NoSuchAccount,
    Session,
    account_of,
    check_teams,
    clean_login,
    parse_teams,
    read_accounts,
    teams_text,
)
from codometer.access.actions import Action, Outcome
from codometer.access.actor import Actor, ActorKind
from codometer.access.generation import bump_generation
from codometer.access.password import LONGEST, check_password, hash_password, is_password
from codometer.access.permissions import Role
from codometer.access.rate_limit import RateLimit
from codometer.access.secret import digest
from codometer.access.sessions import GENERATION
from codometer.errors import BadRequest, TooManyTries, Unauthenticated
from codometer.store.control_tables import ACCOUNT, INVITATION, SESSION

if TYPE_CHECKING:
    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.access.sessions import KnownSessions

SETUP_LIFETIME: Final = timedelta(minutes=30)
INVITATION_LIFETIME: Final = timedelta(days=3)
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 5


def _tries_of_an_address() -> RateLimit:
    return RateLimit(5, 60)


def _tries_of_an_account() -> RateLimit:
    return RateLimit(10, 3600)


@dataclass
class Accounts:
    """All accounts of an installation. Safe to use from several threads and servers."""

    audit: AuditLog
    known: KnownSessions
    _by_address: RateLimit = field(default_factory=_tries_of_an_address, init=False)
    _by_login: RateLimit = field(default_factory=_tries_of_an_account, init=False)

    _setup: Invitation | None = field(default=None, init=False)

    def invite(
        self,
        role: Role,
        actor: Actor,
        *,
        teams: frozenset[str] | None = None,
        lifetime: timedelta = INVITATION_LIFETIME,
    ) -> Invitation:
        """Make a link for one person, of these teams or (None) of all.

        Raises:
            BadRequest: something is no team.
        """
        check_teams(teams)
        if role is not Role.ADMINISTRATOR and not self.known.have_accounts:
            # With the first account local mode ends, and somebody must be able to go on.
            raise BadRequest("the first account is an administrator's", hint="invite one of those")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self.audit.change(actor) as change:
            expires = change.time + lifetime
            run = change.connection.execute
            run(delete(INVITATION).where(INVITATION.c.expires <= change.time))
            values = {"digest": digest(secret), "role": role, "teams": teams_text(teams)}
            run(insert(INVITATION).values(**values, expires=expires))
            change.record(Action.ACCOUNT_INVITE, object=role, after=_told(role, teams))
        return Invitation(secret=secret, role=role, expires=expires)

    def invite_first(self) -> Invitation | None:
        """Make the link for the first administrator; None when there are accounts already."""
        if self.known.have_accounts:
            return None
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        # It is in memory only: whoever has the database cannot make an administrator with it.
        self._setup = Invitation(
            secret=secret,
            role=Role.ADMINISTRATOR,
            expires=self.audit.now() + SETUP_LIFETIME,
        )
        return self._setup

    def join(self, secret: str, login: str, password: str, actor: Actor) -> Account:
        """Make the account that a link is for; the link is good no more then.

        Raises:
            LinkNotGood: it was used, or its time is over.
            BadRequest: the login or the password will not do; the link stays good.
        """
        login = clean_login(login)
        check_password(password, login)
        kept = hash_password(password)
        with self.audit.change(actor) as change:
            run = change.connection.execute
            role, teams = self._take_link(change, secret)
            if run(select(ACCOUNT.c.id).where(ACCOUNT.c.login == login)).first():
                raise BadRequest("somebody has this name already", hint="choose another one")
            account = Account(
                id=f"acc_{secrets.token_hex(_ID_BYTES)}",
                login=login,
                role=role,
                teams=teams,
                created=change.time,
                disabled=None,
            )
            run(
                insert(ACCOUNT).values(
                    id=account.id,
                    login=login,
                    password=kept,
                    role=account.role,
                    teams=teams_text(teams),
                    created=change.time,
                )
            )
            told = _told(account.role, account.teams)
            change.record(Action.ACCOUNT_CREATE, object=account.id, after=told)
            bump_generation(change.connection, GENERATION)
        self.known.reload()
        return account

    def sign_in(self, login: str, password: str, actor: Actor, *, address: str) -> str:
        """Return the secret of a new session. `address` is whole, to count those that fail.

        Raises:
            Unauthenticated: no such name, a wrong password or a disabled account: which, is
                not said.
            TooManyTries: too many that failed came from there, or for this account.
        """
        login = login.strip().casefold()
        if len(password) > LONGEST:
            password = ""
        self._check_tries(login, address)
        with self.audit.control.read() as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.login == login)).mappings()
            found = row.first()
        is_right = is_password(password, found["password"] if found else None)
        if found is None or not is_right or found["disabled"] is not None:
            self._by_address.take(address)
            self._by_login.take(login)
            self._record_failure(actor, found["id"] if found else "account")
            raise Unauthenticated(
                "the name or the password is wrong", hint="an administrator can send a new link"
            )
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        account = account_of(dict(found))
        with self.audit.change(_actor_of(account, actor)) as change:
            change.connection.execute(
                insert(SESSION).values(
                    digest=digest(secret),
                    account=account.id,
                    created=change.time,
                    used=change.time,
                    address=actor.address,
                )
            )
            change.record(Action.SIGN_IN, object=account.id)
            bump_generation(change.connection, GENERATION)
        self.known.reload()
        return secret

    def sign_out(self, session: Session, actor: Actor) -> None:
        """End a session."""
        with self.audit.change(actor) as change:
            mine = SESSION.c.digest == session.digest
            change.connection.execute(delete(SESSION).where(mine))
            change.record(Action.SIGN_OUT, object=session.account.id)
            bump_generation(change.connection, GENERATION)
        self.known.reload()

    def disable(self, account_id: str, actor: Actor) -> Account:
        """Disable an account and end its sessions.

        Raises:
            NoSuchAccount: there is none, or it is disabled already.
            BadRequest: it is the last administrator.
        """
        with self.audit.change(actor) as change:
            active = [each for each in read_accounts(change.connection) if not each.disabled]
            account = next((each for each in active if each.id == account_id), None)
            if account is None:
                raise NoSuchAccount(f"there is no account {account_id!r} that is in use")
            administrators = [each for each in active if each.role is Role.ADMINISTRATOR]
            if administrators == [account]:
                raise BadRequest("this is the last administrator", hint="invite another one first")
            self._disable(change, account)
        self.known.reload()
        return replace(account, disabled=change.time)

    def list_accounts(self) -> list[Account]:
        """Return all of them, the oldest first, disabled ones included."""
        with self.audit.control.read() as connection:
            return read_accounts(connection)

    def _take_link(self, change: Change, secret: str) -> tuple[Role, frozenset[str] | None]:
        run = change.connection.execute
        setup = self._setup
        if setup and hmac.compare_digest(setup.secret.encode(), secret.encode("utf-8", "replace")):
            if setup.expires > change.time and not read_accounts(change.connection):
                return setup.role, None
            raise _LINK_NOT_GOOD
        mine = INVITATION.c.digest == digest(secret)
        found = run(select(INVITATION).where(mine, INVITATION.c.expires > change.time)).first()
        if found is None:
            raise _LINK_NOT_GOOD
        run(delete(INVITATION).where(mine))
        return Role(found.role), parse_teams(found.teams)

    def _disable(self, change: Change, account: Account) -> None:
        run = change.connection.execute
        run(update(ACCOUNT).where(ACCOUNT.c.id == account.id).values(disabled=change.time))
        run(delete(SESSION).where(SESSION.c.account == account.id))
        change.record(Action.ACCOUNT_DISABLE, object=account.id)
        bump_generation(change.connection, GENERATION)

    def _check_tries(self, login: str, address: str) -> None:
        if not (self._by_address.has_room(address) and self._by_login.has_room(login)):
            raise TooManyTries("too many tries to sign in failed", hint="wait some minutes")

    def _record_failure(self, actor: Actor, account_id: str) -> None:
        with self.audit.change(actor) as change:
            change.record(Action.SIGN_IN, object=account_id, outcome=Outcome.REFUSED)


_LINK_NOT_GOOD: Final = LinkNotGood(
    "this link was used already, or its time is over", hint="ask for another one"
)


def _actor_of(account: Account, actor: Actor) -> Actor:
    return replace(actor, kind=ActorKind.ACCOUNT, id=account.id)


def _told(role: Role, teams: frozenset[str] | None) -> dict[str, Json]:
    return {"role": role, "teams": None if teams is None else [*sorted(teams)]}
