"""Links as rows of the control plane: each makes one account, or gives one a new password.

A link is worth what its maker may do on the day it is opened, not on the day it was made. It is
gone for good when its maker is disabled, revoked or gets another role.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select

from codometer.access.account import (
    Account,
    Invitation,
    LinkNotGood,
    NoSuchInvitation,
    parse_teams,
    read_accounts,
    teams_text,
)
from codometer.access.actor import Actor, ActorKind
from codometer.access.granting import find_held, find_worth
from codometer.access.permissions import GIVEN_FREELY, Role, granted_to
from codometer.access.secret import digest
from codometer.store.control_tables import INVITATION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from codometer.access.audit import Change

SECRET_BYTES: Final = 32
_ID_BYTES: Final = 5

LINK_NOT_GOOD: Final = LinkNotGood(
    "this link was used or withdrawn, or its time is over", hint="ask for another one"
)


def make_link(
    change: Change,
    role: Role,
    teams: frozenset[str] | None,
    lifetime: timedelta,
    account: Account | None = None,
) -> Invitation:
    """Write a link of whoever acts, with its secret; those whose time is over go."""
    made = Invitation(
        id=f"inv_{secrets.token_hex(_ID_BYTES)}",
        secret=secrets.token_urlsafe(SECRET_BYTES),
        role=role,
        teams=teams,
        created=change.time,
        expires=change.time + lifetime,
        maker=replace(change.actor, address="", request=""),
        account=account,
    )
    run = change.connection.execute
    run(delete(INVITATION).where(INVITATION.c.expires <= change.time))
    run(
        insert(INVITATION).values(
            digest=digest(made.secret),
            id=made.id,
            role=role,
            teams=teams_text(teams),
            created=made.created,
            expires=made.expires,
            maker_kind=made.maker.kind,
            maker=made.maker.id,
            account=account.id if account else None,
        )
    )
    return made


def find_link(connection: Connection, secret: str, now: datetime) -> Invitation:
    """Return the link that has a secret.

    Raises:
        LinkNotGood: there is none, or it is good no more.
    """
    for each in _read(connection, now, digest=digest(secret)):
        if _is_good(connection, each, now):
            return each
    raise LINK_NOT_GOOD


def read_links(connection: Connection, now: datetime) -> list[Invitation]:
    """Return the links whose time is not over, the oldest first, without their secrets."""
    return _read(connection, now)


def get_link(connection: Connection, id_: str, now: datetime) -> Invitation:
    """Return the link with an id.

    Raises:
        NoSuchInvitation: there is none whose time is not over.
    """
    for each in _read(connection, now, id=id_):
        return each
    raise NoSuchInvitation(
        "there is no such link that is good", hint="codometer account invitations lists them"
    )


def drop_link(change: Change, id_: str) -> None:
    """Forget a link."""
    change.connection.execute(delete(INVITATION).where(INVITATION.c.id == id_))


def drop_links_by(change: Change, kind: ActorKind, maker: str) -> None:
    """Forget the links that somebody made: what they may is another thing now."""
    mine = (INVITATION.c.maker_kind == kind) & (INVITATION.c.maker == maker)
    change.connection.execute(delete(INVITATION).where(mine))


def drop_all_links(change: Change) -> None:
    """Forget those that were made before there was anybody to make them."""
    change.connection.execute(delete(INVITATION))


def drop_links_to(change: Change, account_id: str) -> None:
    """Forget links to an account's password: they were made for what it was."""
    change.connection.execute(delete(INVITATION).where(INVITATION.c.account == account_id))


def _read(connection: Connection, now: datetime, **wanted: str) -> list[Invitation]:
    statement = select(INVITATION).where(INVITATION.c.expires > now).filter_by(**wanted)
    rows = connection.execute(statement.order_by(INVITATION.c.created)).mappings().all()
    accounts = {each.id: each for each in read_accounts(connection)} if rows else {}
    return [_link_of(row, accounts) for row in rows]


def _link_of(row: Mapping[Any, Any], accounts: Mapping[str, Account]) -> Invitation:
    return Invitation(
        id=row["id"],
        role=Role(row["role"]),
        teams=parse_teams(row["teams"]),
        created=row["created"],
        expires=row["expires"],
        maker=Actor(kind=ActorKind(row["maker_kind"]), id=row["maker"]),
        account=accounts.get(row["account"]),
    )


def _is_good(connection: Connection, link: Invitation, now: datetime) -> bool:
    if link.account is not None and link.account.disabled:
        return False
    worth = find_worth(link.account) if link.account else granted_to(link.role, link.teams)
    return worth - GIVEN_FREELY <= find_held(connection, link.maker, now)
