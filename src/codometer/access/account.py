"""What an account, an invitation and a session are, and as rows of the control plane."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from codometer.access.permissions import REVEALING, ROLES, Permission, Role
from codometer.errors import BadRequest, CodometerError
from codometer.store.control_tables import ACCOUNT, SESSION

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who can sign in; `teams` None are all.

    `linked` is since when somebody vouches that the person whom clients call by this login
    is the one who signs in with it; `reveals` until when they may ask for names.
    """

    id: str
    login: str
    role: Role
    teams: frozenset[str] | None
    created: datetime
    disabled: datetime | None
    linked: datetime | None = None
    reveals: datetime | None = None

    def granted(self, now: datetime) -> frozenset[Permission]:
        """Return what they may do now: what their role may, and what was lent to them."""
        is_lent = self.reveals is not None and now < self.reveals
        return ROLES[self.role] | REVEALING if is_lent else ROLES[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that makes one account; `secret` stands in it and nowhere else."""

    secret: str = field(repr=False)
    role: Role
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is signed in."""

    digest: str = field(repr=False)
    account: Account
    created: datetime
    used: datetime

    def is_good(self, now: datetime) -> bool:
        """Tell whether it has neither rested too long nor lasted too long."""
        rest, whole = _LIFETIMES.get(self.account.role, _USUAL)
        return (
            self.account.disabled is None and now - self.used < rest and now - self.created < whole
        )


_USUAL: Final = (timedelta(hours=8), timedelta(days=7))
_LIFETIMES: Final = {Role.ADMINISTRATOR: (timedelta(hours=1), timedelta(hours=24))}
LONGEST_SESSION: Final = timedelta(days=7)


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
            raise BadRequest(f"{team[:_MAX_LENGTH]!r} is no team", hint="one printable line")


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
    return [account_of(dict(row)) for row in rows]


def read_sessions(connection: Connection) -> list[Session]:
    """Return all sessions that are stored, those that are over included."""
    accounts = {account.id: account for account in read_accounts(connection)}
    return [
        Session(
            digest=row.digest,
            account=accounts[row.account],
            created=row.created,
            used=row.used,
        )
        for row in connection.execute(select(SESSION))
    ]


def account_of(row: dict[str, Any]) -> Account:
    """Return a row as an account, without its password."""
    return Account(
        id=row["id"],
        login=row["login"],
        role=Role(row["role"]),
        teams=parse_teams(row["teams"]),
        created=row["created"],
        disabled=row["disabled"],
        linked=row["linked"],
        reveals=row["reveals"],
    )
