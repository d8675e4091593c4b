"""What an account, a link and a session are, and as rows of the control plane."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from codometer.access.actor import Actor
from codometer.access.permissions import REVEALING, Permission, Role, granted_to
from codometer.errors import BadRequest, CodometerError
from codometer.store.control_tables import ACCOUNT, ACCOUNT_IDENTITY, SECOND_FACTOR, SESSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MAX_LENGTH: Final = 100


class NoSuchAccount(CodometerError):
    """There is no account with this id that can be used."""

    code = "no_such_account"
    status = 404


class LinkNotGood(CodometerError):
    """The link was used, or its time is over."""

    code = "link_not_good"
    status = 410


class NoSuchInvitation(CodometerError):
    """There is no link with this id whose time is not over."""

    code = "no_such_invitation"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody at a provider of identities, who signs in to an account with it since `since`."""

    issuer: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who can sign in; `teams` None are all.

    `role` is None while the provider that gives the roles gives none. `email` is an address
    that a provider vouched for, else empty; a login is whatever its owner liked, unless
    somebody vouched for it (since `linked`). Until `reveals` they may ask for names.
    """

    id: str
    login: str
    role: Role | None
    teams: frozenset[str] | None
    created: datetime
    disabled: datetime | None
    email: str = ""
    has_password: bool = True
    has_second_factor: bool = False
    linked: datetime | None = None
    reveals: datetime | None = None
    identities: tuple[Identity, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether anybody may be signed in to it."""
        return self.disabled is None and self.role is not None

    @property
    def person(self) -> str:
        """What clients call its owner, as far as somebody vouched for that; else empty."""
        return self.email or (self.login if self.linked else "")

    def granted(self, now: datetime) -> frozenset[Permission]:
        """Return what they may do now: what their role may, and what was lent to them."""
        is_lent = self.reveals is not None and now < self.reveals
        return self.usual | REVEALING if is_lent and self.is_usable else self.usual

    @property
    def usual(self) -> frozenset[Permission]:
        """What their role may, for their teams."""
        return granted_to(self.role, self.teams) if self.role else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that makes one account, or gives `account` a new password.

    `secret` stands in it when it is made, and nowhere else. It is good as long as its `maker`
    may grant what it does.
    """

    id: str = ""
    secret: str = field(default="", repr=False)
    role: Role
    teams: frozenset[str] | None = None
    created: datetime
    expires: datetime
    maker: Actor
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is signed in. `proved` is when they last showed who they are.

    `issuer` is of the provider that they came by, "" where they gave a password.
    """

    digest: str = field(repr=False)
    id: str
    account: Account
    created: datetime
    used: datetime
    proved: datetime | None
    address: str
    issuer: str = ""

    def is_good(self, now: datetime) -> bool:
        """Tell whether it has neither rested too long nor lasted too long."""
        role = self.account.role
        rest, whole = _LIFETIMES.get(role, _USUAL) if role else _USUAL
        return self.account.is_usable and now - self.used < rest and now - self.created < whole

    def is_proved(self, now: datetime) -> bool:
        """Tell whether they showed who they are a few minutes ago."""
        return self.proved is not None and now - self.proved < PROOF_LIFETIME


_USUAL: Final = (timedelta(hours=8), timedelta(days=7))
_LIFETIMES: Final = {Role.ADMINISTRATOR: (timedelta(hours=1), timedelta(hours=24))}
LONGEST_SESSION: Final = timedelta(days=7)
PROOF_LIFETIME: Final = timedelta(minutes=10)


def clean_login(login: str) -> str:
    """Return a login in its one spelling.

    Raises:
        BadRequest: it is none.
    """
    spelt = login.strip().casefold()
    if not (0 < len(spelt) <= _MAX_LENGTH and spelt.isprintable() and " " not in spelt):
        raise BadRequest("this is no name to sign in with", hint="use an e-mail address or a word")
    return spelt


def check_teams(teams: frozenset[str] | None) -> None:
    """Refuse what can be no team.

    Raises:
        BadRequest: names it.
    """
    for team in teams or ():
        if not (0 < len(team) <= _MAX_LENGTH and team.isprintable()):
            raise BadRequest(
                f"{team[:_MAX_LENGTH]!r} is no team", hint="one printable line", field="teams"
            )


def teams_text(teams: frozenset[str] | None) -> str:
    """Write teams as they are stored."""
    return json.dumps(None if teams is None else sorted(teams))


def parse_teams(text: str) -> frozenset[str] | None:
    """Read teams as they are stored."""
    teams: list[str] | None = json.loads(text)
    return None if teams is None else frozenset(teams)


def read_accounts(connection: Connection) -> list[Account]:
    """Return all accounts, the oldest first, disabled ones included."""
    rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.created)).mappings()
    factors = set(connection.execute(select(SECOND_FACTOR.c.account)).scalars())
    identities = _read_identities(connection)
    return [_account_of(dict(row), factors, identities[row["id"]]) for row in rows]


def find_account(connection: Connection, account_id: str) -> Account | None:
    """Return an account, also a disabled one."""
    return next((each for each in read_accounts(connection) if each.id == account_id), None)


def get_account(connection: Connection, account_id: str) -> Account:
    """Return an account, also a disabled one.

    Raises:
        NoSuchAccount: there is none.
    """
    account = find_account(connection, account_id)
    if account is None:
        raise NoSuchAccount(f"there is no account {account_id!r}")
    return account


def read_sessions(connection: Connection) -> list[Session]:
    """Return all sessions that are stored, those that are over included."""
    accounts = {account.id: account for account in read_accounts(connection)}
    return [
        Session(
            digest=row.digest,
            id=row.id,
            account=accounts[row.account],
            created=row.created,
            used=row.used,
            proved=row.proved,
            address=row.address,
            issuer=row.issuer,
        )
        for row in connection.execute(select(SESSION).order_by(SESSION.c.created))
    ]


def _read_identities(connection: Connection) -> Mapping[str, Sequence[Identity]]:
    """Return who signs in with which provider, by account."""
    found: defaultdict[str, list[Identity]] = defaultdict(list)
    table = ACCOUNT_IDENTITY.c
    for row in connection.execute(select(ACCOUNT_IDENTITY).order_by(table.created, table.issuer)):
        found[row.account].append(Identity(issuer=row.issuer, since=row.created))
    return found


def _account_of(row: dict[str, Any], factors: set[str], identities: Sequence[Identity]) -> Account:
    return Account(
        id=row["id"],
        login=row["login"],
        role=Role(row["role"]) if row["role"] else None,
        teams=parse_teams(row["teams"]),
        created=row["created"],
        disabled=row["disabled"],
        email=row["email"],
        has_password=bool(row["password"]),
        has_second_factor=row["id"] in factors,
        linked=row["linked"],
        reveals=row["reveals"],
        identities=tuple(identities),
    )
