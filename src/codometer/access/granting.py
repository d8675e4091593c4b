"""Nobody grants what they do not have, and nobody changes what may do more than they.

Else `write:accounts` or `write:credentials` alone would be worth an administrator's
role. What an actor has is read in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from codometer.access.account import find_account
from codometer.access.actions import Action
from codometer.access.actor import ActorKind
from codometer.access.credential_rows import read_credentials
from codometer.access.permissions import EVERYTHING, GIVEN_FREELY, Permission, Role, granted_to
from codometer.errors import Forbidden

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from codometer.access.account import Account
    from codometer.access.actor import Actor
    from codometer.access.audit import Change


def check_grant(change: Change, wanted: AbstractSet[Permission], *, to: str) -> None:
    """Refuse to whoever acts what they do not have themselves; that is recorded.

    `to` is who would have it: the id of an account or a credential, or what would be made.

    Raises:
        Forbidden: it names what they lack.
    """
    if lacking := wanted - GIVEN_FREELY - find_held(change.connection, change.actor):
        listed = ", ".join(sorted(lacking))
        error = Forbidden(
            f"nobody grants what they do not have: {listed}",
            hint="have somebody do it who may do all of that",
        )
        change.refuse(error, Action.GRANT, object=to, reason=f"lacks {listed}")


def check_change(change: Change, account: Account) -> None:
    """Refuse to whoever acts to change an account that may do what they may not.

    Raises:
        Forbidden: it names what they lack.
    """
    check_grant(change, find_worth(account), to=account.id)


def find_worth(account: Account) -> AbstractSet[Permission]:
    """Return what whoever has an account may come to do.

    One whose provider gives it no role now may have any again tomorrow.
    """
    return account.usual if account.role else granted_to(Role.ADMINISTRATOR, None)


def find_held(connection: Connection, actor: Actor) -> AbstractSet[Permission]:
    """Return what an actor has now; of a credential that is revoked, nothing."""
    match actor.kind:
        case ActorKind.LOCAL | ActorKind.SYSTEM:
            return EVERYTHING
        case ActorKind.CREDENTIAL:
            found = read_credentials(connection, (actor.id,))
            return found[0].granted if found and found[0].revoked is None else frozenset()
        case ActorKind.ACCOUNT:
            account = find_account(connection, actor.id)
            return account.usual if account and account.is_usable else frozenset()
        case ActorKind.UNKNOWN:
            return frozenset()
