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
from codometer.access.credential_rows import get_credential
from codometer.access.permissions import EVERYTHING, GIVEN_FREELY, Permission, Role, granted_to
from codometer.errors import Forbidden

if TYPE_CHECKING:
    from codometer.access.account import Account
    from codometer.access.audit import Change


def check_grant(change: Change, wanted: AbstractSet[Permission]) -> None:
    """Refuse to whoever acts what they do not have themselves; that is recorded.

    Raises:
        Forbidden: it names what they lack.
    """
    if lacking := wanted - GIVEN_FREELY - _find_held(change):
        listed = ", ".join(sorted(lacking))
        error = Forbidden(
            f"nobody grants what they do not have: {listed}",
            hint="have somebody do it who may do all of that",
        )
        change.refuse(error, Action.GRANT, object="grant", reason=f"lacks {listed}")


def check_change(change: Change, account: Account) -> None:
    """Refuse to whoever acts to change an account that may do what they may not.

    One whose provider gives it no role now may have any again tomorrow.

    Raises:
        Forbidden: it names what they lack.
    """
    check_grant(change, account.usual if account.role else granted_to(Role.ADMINISTRATOR, None))


def _find_held(change: Change) -> AbstractSet[Permission]:
    actor = change.actor
    match actor.kind:
        case ActorKind.LOCAL | ActorKind.SYSTEM:
            return EVERYTHING
        case ActorKind.CREDENTIAL:
            return get_credential(change.connection, actor.id).granted
        case ActorKind.ACCOUNT:
            account = find_account(change.connection, actor.id)
            return account.usual if account and account.is_usable else frozenset()
        case ActorKind.UNKNOWN:
            return frozenset()
