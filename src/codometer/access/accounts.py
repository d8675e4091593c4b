"""Accounts: people join by a link, get a new one for a forgotten password, and can be disabled.

The first link makes the first administrator; it is printed to the terminal of
whoever starts the server, and nowhere else. `signing_in` has what comes after.
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
    NoSuchAccount,
    Session,
    check_teams,
    clean_login,
    get_account,
    read_accounts,
    teams_text,
)
from codometer.access.actions import Action
from codometer.access.actor import SYSTEM, ActorKind
from codometer.access.credentials import revoke_owned
from codometer.access.granting import check_change, check_grant
from codometer.access.invitations import (
    LINK_NOT_GOOD,
    SECRET_BYTES,
    drop_all_links,
    drop_link,
    drop_links_by,
    drop_links_to,
    find_link,
    get_link,
    make_link,
    read_links,
)
from codometer.access.password import check_password, hash_password
from codometer.access.permissions import Role, granted_to
from codometer.access.secret import digest
from codometer.access.sessions import end_sessions
from codometer.errors import BadRequest
from codometer.store.control_tables import ACCOUNT, ACCOUNT_IDENTITY, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from codometer.access.actor import Actor
    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.access.second_factor import SecondFactors
    from codometer.access.sessions import KnownSessions

SETUP_LIFETIME: Final = timedelta(minutes=30)
INVITATION_LIFETIME: Final = timedelta(days=3)
RESET_LIFETIME: Final = timedelta(hours=1)
_ID_BYTES: Final = 5


class NoSuchSession(NoSuchAccount):
    """There is no session with this id that is good."""

    code = "no_such_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Whom a provider of identities vouches for, by the key that it never gives to another."""

    issuer: str
    subject: str
    email: str = ""
    """An address that the provider has verified, else empty."""


@dataclass
class Accounts:
    """All accounts of an installation. Safe to use from several threads and servers."""

    audit: AuditLog
    known: KnownSessions
    factors: SecondFactors
    host: str = ""
    """The name in the address of the pages, which is in no password."""

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
            Forbidden: it would grant what the actor does not have.
        """
        check_teams(teams)
        if (role, teams) != (Role.ADMINISTRATOR, None) and not self.known.have_accounts:
            # With the first account local mode ends, and somebody must be able to go on.
            raise BadRequest(
                "the first account is an administrator's, of all teams", hint="invite one of those"
            )
        with self.audit.change(actor) as change:
            check_grant(change, granted_to(role, teams), to=role)
            made = make_link(change, role, teams, lifetime)
            after = {"invitation": made.id, **_told(role, teams)}
            change.record(Action.ACCOUNT_INVITE, object=role, after=after)
        return made

    def invite_first(self) -> Invitation | None:
        """Make the link for the first administrator; None when there are accounts already."""
        if self.known.have_accounts:
            return None
        now = self.audit.now()
        # It is in memory only: whoever has the database cannot make an administrator with it.
        self._setup = Invitation(
            secret=secrets.token_urlsafe(SECRET_BYTES),
            role=Role.ADMINISTRATOR,
            created=now,
            expires=now + SETUP_LIFETIME,
            maker=SYSTEM,
        )
        return self._setup

    def reset(self, account_id: str, actor: Actor) -> Invitation:
        """Make a link with which whoever has the account chooses a new password, and signs in.

        Raises:
            NoSuchAccount: there is none that is in use.
            Forbidden: the account may do what the actor may not.
        """
        with self.audit.change(actor) as change:
            account = _get_active(change, account_id)
            role = account.role or Role.VIEWER  # what it says is never looked at
            made = make_link(change, role, account.teams, RESET_LIFETIME, account)
            change.record(Action.ACCOUNT_RESET, object=account.id, after={"invitation": made.id})
        return made

    def list_invitations(self) -> list[Invitation]:
        """Return the links whose time is not over, the oldest first, without their secrets."""
        with self.audit.control.read() as connection:
            return read_links(connection, self.audit.now())

    def withdraw(self, invitation_id: str, actor: Actor) -> Invitation:
        """End a link before it is used.

        Raises:
            NoSuchInvitation: there is none whose time is not over.
            Forbidden: it grants what the actor does not have.
        """
        with self.audit.change(actor) as change:
            link = get_link(change.connection, invitation_id, change.time)
            if link.account is not None:
                check_change(change, link.account)
            else:
                check_grant(change, granted_to(link.role, link.teams), to=link.id)
            drop_link(change, link.id)
            change.record(
                Action.ACCOUNT_WITHDRAW,
                object=link.account.id if link.account else link.role,
                before={"invitation": link.id, **_told(link.role, link.teams)},
            )
        return link

    def find_link(self, secret: str) -> Invitation:
        """Return what a link is for.

        Raises:
            LinkNotGood: it was used, or its time is over.
        """
        with self.audit.control.read() as connection:
            return self._find_link(connection, secret)

    def join(
        self,
        secret: str,
        login: str,
        password: str,
        actor: Actor,
        *,
        together_with: Callable[[Change], object] | None = None,
    ) -> Account:
        """Make the account that a link is for, or give it a new password; `login` is new then.

        The link is good no more, and all sessions of the account end. What is done
        `together_with` it is done with the same change: both or neither.

        Raises:
            LinkNotGood: it was used, or its time is over.
            BadRequest: the login or the password will not do; the link stays good.
        """
        link = self.find_link(secret)
        login = link.account.login if link.account else clean_login(login)
        check_password(password, login, self.host)
        kept = hash_password(password)
        with self.known.changing(self.audit, actor) as change:
            link = self._take_link(change, secret)
            if together_with is not None:
                together_with(change)
            if link.account is None:
                return create_account(change, login, link.role, link.teams, password=kept)
            replace_password(change, link.account.id, kept)
            return replace(link.account, has_password=True)

    def join_vouched(self, secret: str, vouched: Vouched, login: str, actor: Actor) -> Account:
        """Make the account that a link is for, for somebody whom a provider vouches for.

        Raises:
            LinkNotGood: it was used, or its time is over.
            BadRequest: the link is for a password, or the name is taken; the link stays good.
        """
        with self.known.changing(self.audit, actor) as change:
            link = self._take_link(change, secret)
            if link.account is not None:
                raise BadRequest("this link is for a new password", hint="choose one there")
            account = create_account(change, login, link.role, link.teams, email=vouched.email)
            connect(change, account.id, vouched)
            return account

    def change(
        self, account_id: str, actor: Actor, *, role: Role, teams: frozenset[str] | None
    ) -> Account:
        """Give an account another role and other teams; its sessions end.

        Raises:
            NoSuchAccount: there is none that is in use.
            BadRequest: it is the last administrator, or something is no team.
            Forbidden: the account may do what the actor may not, or would.
        """
        check_teams(teams)
        with self.known.changing(self.audit, actor) as change:
            account = _get_active(change, account_id)
            check_grant(change, granted_to(role, teams), to=account.id)
            if (role, teams) != (Role.ADMINISTRATOR, None):
                _keep_an_administrator(change.connection, account)
            change_role(change, account, role, teams)
        return replace(account, role=role, teams=teams)

    def disable(self, account_id: str, actor: Actor) -> Account:
        """Disable an account and end its sessions.

        Raises:
            NoSuchAccount: there is none, or it is disabled already.
            BadRequest: it is the last administrator.
            Forbidden: the account may do what the actor may not.
        """
        with self.known.changing(self.audit, actor) as change:
            account = _get_active(change, account_id)
            _keep_an_administrator(change.connection, account)
            mine = update(ACCOUNT).where(ACCOUNT.c.id == account.id)
            change.connection.execute(mine.values(disabled=change.time))
            _end_rights(change, account.id)
            change.record(Action.ACCOUNT_DISABLE, object=account.id)
        return replace(account, disabled=change.time)

    def remove_factor(self, account_id: str, actor: Actor) -> Account:
        """Take the second factor of an account away, for whoever lost theirs; its sessions end.

        Raises:
            NoSuchAccount: there is none that is in use.
            BadRequest: it has none.
            Forbidden: the account may do what the actor may not.
        """
        with self.known.changing(self.audit, actor) as change:
            account = _get_active(change, account_id)
            if not self.factors.remove(change, account.id):
                raise BadRequest("this account has no second factor")
            end_sessions(change, SESSION.c.account == account.id)
            change.record(Action.FACTOR_REMOVE, object=account.id)
        return replace(account, has_second_factor=False)

    def end_session(self, session_id: str, actor: Actor, *, account_id: str | None = None) -> None:
        """End one session, if it is of this account or (None) of any.

        Raises:
            NoSuchSession: there is none.
            Forbidden: its account may do what the actor may not.
        """
        with self.known.changing(self.audit, actor) as change:
            which = SESSION.c.id == session_id
            found = change.connection.execute(select(SESSION.c.account).where(which)).scalar()
            if found is None or account_id not in {None, found}:
                raise NoSuchSession(f"there is no session {session_id!r}")
            check_change(change, get_account(change.connection, found))
            end_sessions(change, which)
            change.record(Action.SESSION_END, object=found, after={"session": session_id})

    def end_sessions(self, account_id: str, actor: Actor, *, but: Session | None = None) -> int:
        """End all sessions of an account but one; return how many.

        Raises:
            NoSuchAccount: there is no such account.
            Forbidden: it may do what the actor may not.
        """
        with self.known.changing(self.audit, actor) as change:
            check_change(change, get_account(change.connection, account_id))
            which = SESSION.c.account == account_id
            if but is not None:
                which = which & (SESSION.c.digest != but.digest)
            count = end_sessions(change, which)
            change.record(Action.SESSION_END, object=account_id, after={"sessions": count})
        return count

    def list_accounts(self) -> list[Account]:
        """Return all of them, the oldest first, disabled ones included."""
        with self.audit.control.read() as connection:
            return read_accounts(connection)

    def _find_link(self, connection: Connection, secret: str) -> Invitation:
        setup, now = self._setup, self.audit.now()
        if setup and hmac.compare_digest(setup.secret.encode(), secret.encode("utf-8", "replace")):
            if setup.expires > now and not read_accounts(connection):
                return setup
            raise LINK_NOT_GOOD
        return find_link(connection, secret, now)

    def _take_link(self, change: Change, secret: str) -> Invitation:
        link = self._find_link(change.connection, secret)
        drop_link(change, link.id)
        if not read_accounts(change.connection):  # whoever made others need not be anybody now
            drop_all_links(change)
        return link


def create_account(
    change: Change,
    login: str,
    role: Role,
    teams: frozenset[str] | None,
    *,
    password: str = "",
    email: str = "",
) -> Account:
    """Add an account. `password` is a hash; without one nobody signs in with a password.

    Raises:
        BadRequest: somebody has the login already.
    """
    run = change.connection.execute
    if run(select(ACCOUNT.c.id).where(ACCOUNT.c.login == login)).first():
        raise BadRequest("somebody has this name already", hint="choose another one")
    account = Account(
        id=f"acc_{secrets.token_hex(_ID_BYTES)}",
        login=login,
        role=role,
        teams=teams,
        created=change.time,
        disabled=None,
        email=email,
        has_password=bool(password),
    )
    run(
        insert(ACCOUNT).values(
            id=account.id,
            login=login,
            password=password,
            role=role,
            teams=teams_text(teams),
            created=change.time,
            email=email,
        )
    )
    change.record(Action.ACCOUNT_CREATE, object=account.id, after=_told(role, teams))
    return account


def replace_password(change: Change, account_id: str, kept: str, *, but: str = "") -> None:
    """Store another hash, and end all sessions but the one with this secret."""
    mine = update(ACCOUNT).where(ACCOUNT.c.id == account_id)
    change.connection.execute(mine.values(password=kept))
    drop_links_to(change, account_id)
    end_sessions(change, (SESSION.c.account == account_id) & (SESSION.c.digest != digest(but)))
    change.record(Action.PASSWORD_CHANGE, object=account_id)


def change_role(
    change: Change, account: Account, role: Role | None, teams: frozenset[str] | None
) -> None:
    """Give an account another role, or none, and other teams; its sessions end."""
    mine = update(ACCOUNT).where(ACCOUNT.c.id == account.id)
    change.connection.execute(mine.values(role=role or "", teams=teams_text(teams)))
    _end_rights(change, account.id)
    change.record(
        Action.ACCOUNT_CHANGE,
        object=account.id,
        before=_told(account.role, account.teams),
        after=_told(role, teams),
    )


def connect(change: Change, account_id: str, vouched: Vouched) -> None:
    """Let somebody whom a provider vouches for sign in to an account.

    Raises:
        BadRequest: they have another one.
    """
    run = change.connection.execute
    table = ACCOUNT_IDENTITY.c
    mine = (table.issuer == vouched.issuer) & (table.subject == vouched.subject)
    found = run(select(table.account).where(mine)).scalar()
    if found is not None and found != account_id:
        raise BadRequest(
            "whoever you are there has another account here", hint="sign in to that one"
        )
    if found is None:
        values = {"issuer": vouched.issuer, "subject": vouched.subject, "created": change.time}
        run(insert(ACCOUNT_IDENTITY).values(account=account_id, **values))
        change.record(Action.ACCOUNT_CONNECT, object=account_id, after={"issuer": vouched.issuer})
    if vouched.email:
        run(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(email=vouched.email))


def disconnect(change: Change, account_id: str, issuer: str) -> None:
    """Take away what `connect` gave, with the sessions that came by it.

    Nobody vouches for the account's address any more, until a provider does again.

    Raises:
        BadRequest: nobody signs in to this account with that provider.
    """
    run, table = change.connection.execute, ACCOUNT_IDENTITY.c
    mine = (table.account == account_id) & (table.issuer == issuer)
    if not run(delete(ACCOUNT_IDENTITY).where(mine)).rowcount:
        raise BadRequest("nobody signs in to this account with that provider")
    run(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(email=""))
    end_sessions(change, (SESSION.c.account == account_id) & (SESSION.c.issuer == issuer))
    change.record(Action.ACCOUNT_DISCONNECT, object=account_id, before={"issuer": issuer})


def _end_rights(change: Change, account_id: str) -> None:
    """End what an account could be used by for what it might do until now."""
    drop_links_to(change, account_id)
    drop_links_by(change, ActorKind.ACCOUNT, account_id)
    end_sessions(change, SESSION.c.account == account_id)
    revoke_owned(change, account_id)


def _get_active(change: Change, account_id: str) -> Account:
    """Return an account that is in use, for somebody to change who may do no less than it.

    Raises:
        NoSuchAccount: there is none that is in use.
        Forbidden: it may do what they may not.
    """
    account = get_account(change.connection, account_id)
    if account.disabled is not None:
        raise NoSuchAccount(f"there is no account {account_id!r} that is in use")
    check_change(change, account)
    return account


def _keep_an_administrator(connection: Connection, account: Account) -> None:
    """Refuse to lose the last one.

    Raises:
        BadRequest: this is it.
    """
    administrators = [
        each
        for each in read_accounts(connection)
        if each.is_usable and (each.role, each.teams) == (Role.ADMINISTRATOR, None)
    ]
    if administrators == [account]:
        raise BadRequest("this is the last administrator", hint="invite another one first")


def _told(role: Role | None, teams: frozenset[str] | None) -> dict[str, Json]:
    return {"role": role, "teams": None if teams is None else [*sorted(teams)]}
