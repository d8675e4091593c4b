"""Credentials: made, listed, rotated and revoked.

A credential never changes but for being revoked. Its secrets come and go: while
it is rotated two are valid. The database has only their SHA-256.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import update

from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.credential import (
    LONGEST,
    USUAL_OVERLAP,
    Credential,
    Made,
    Wanted,
    check_lifetime,
    check_wanted,
    find_notice,
    make_credential,
    new_secret,
)
from codometer.access.credential_rows import (
    GENERATION,
    get_credential,
    insert_credential,
    insert_secret,
    read_credentials,
)
from codometer.access.generation import bump_generation
from codometer.access.granting import check_grant
from codometer.access.invitations import drop_links_by
from codometer.access.permissions import GIVEN_FREELY
from codometer.access.secret import make_secret
from codometer.errors import BadRequest, Forbidden
from codometer.networks import is_within
from codometer.store.control_tables import CREDENTIAL, CREDENTIAL_SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.access.known import KnownCredentials
    from codometer.networks import Network


class Credentials:
    """All credentials of an installation. Safe to use from several threads and servers."""

    def __init__(self, audit: AuditLog, known: KnownCredentials) -> None:
        self._audit = audit
        self._known = known

    def create(self, wanted: Wanted, actor: Actor) -> Made:
        """Make a credential.

        Raises:
            BadRequest: it cannot be as wanted.
            Forbidden: it would grant what the actor does not have.
        """
        check_wanted(wanted)
        secret = make_secret(wanted.kind)
        with self._audit.change(actor) as change:
            made = make_credential(wanted, secret, change.time, _find_owner(change))
            name = f"credential for {made.kind}"
            check_grant(change, made.scopes, to=name)
            made = _narrowed(change, made, is_usual=wanted.lifetime is None, to=name)
            insert_credential(change.connection, made)
            _changed(change, Action.CREDENTIAL_CREATE, made.id, after=_told(made))
        self._known.reload()
        return Made(credential=made, secret=secret)

    def rotate(
        self,
        credential_id: str,
        actor: Actor,
        *,
        overlap: timedelta = USUAL_OVERLAP,
        lifetime: timedelta | None = None,
    ) -> Made:
        """Give a credential a new secret; those before are good for no longer than `overlap`.

        Without a `lifetime` it lives for as long as the one before it was made to.

        Raises:
            NoSuchCredential: there is none.
            CredentialRevoked: it is revoked already.
            BadRequest: the lifetime or the overlap is not one.
            Forbidden: it may do what the actor may not, or would be good for longer, or from
                more networks, than the credential that acts.
        """
        if not timedelta(0) <= overlap <= LONGEST:
            raise BadRequest(
                "the overlap must be from 0 to 365 days", hint="7 days are usual", field="overlap"
            )
        with self._audit.change(actor) as change:
            found = get_credential(change.connection, credential_id)
            check_grant(change, found.scopes, to=found.id)
            wanted = found.lifetime if lifetime is None else lifetime
            check_lifetime(wanted)
            secret = make_secret(found.kind)
            rotated = replace(found, secrets=(new_secret(secret, change.time, wanted),))
            (new,) = _narrowed(change, rotated, is_usual=lifetime is None, to=found.id).secrets
            until = change.time + overlap
            table = CREDENTIAL_SECRET.c
            outlasting = (table.credential == found.id) & (table.expires > until)
            change.connection.execute(
                update(CREDENTIAL_SECRET).where(outlasting).values(expires=until)
            )
            insert_secret(change.connection, found.id, new)
            after: dict[str, Json] = {
                "hint": new.hint,
                "expires": _text(new.expires),
                "overlap_until": _text(until),
            }
            _changed(change, Action.CREDENTIAL_ROTATE, found.id, after=after)
            made = get_credential(change.connection, credential_id)
        self._known.reload()
        return Made(credential=made, secret=secret)

    def revoke(self, credential_id: str, actor: Actor) -> Credential:
        """End a credential, now and for good.

        Raises:
            NoSuchCredential: there is none.
            CredentialRevoked: it is revoked already.
            Forbidden: it may do what the actor may not.
        """
        with self._audit.change(actor) as change:
            found = get_credential(change.connection, credential_id)
            check_grant(change, found.scopes, to=found.id)
            _revoke(change, found)
        self._known.reload()
        return replace(found, revoked=change.time)

    def list_credentials(self) -> list[Credential]:
        """Return all of them, the newest first, those that are no longer good included."""
        with self._audit.control.read() as connection:
            return sorted(read_credentials(connection), key=lambda each: each.created, reverse=True)

    def list_ending(self, now: datetime) -> list[Credential]:
        """Return those of which `find_notice` tells, the first to end first; from memory."""
        ending = {
            known.credential.id: known.credential
            for known in self._known.list_known()
            if find_notice(known.credential, now) is not None
        }
        return sorted(ending.values(), key=lambda each: each.secrets[-1].expires)


def revoke_owned(change: Change, account_id: str) -> None:
    """Revoke the personal credentials of an account, which may do what it might."""
    for each in read_credentials(change.connection):
        if each.owner == account_id and each.revoked is None:
            _revoke(change, each)


def _revoke(change: Change, found: Credential) -> None:
    mine = CREDENTIAL.c.id == found.id
    change.connection.execute(update(CREDENTIAL).where(mine).values(revoked=change.time))
    drop_links_by(change, ActorKind.CREDENTIAL, found.id)
    _changed(change, Action.CREDENTIAL_REVOKE, found.id, before=_told(found))


def _find_owner(change: Change) -> str | None:
    """Return the account that a personal credential ends with: whose act its making is."""
    match change.actor.kind:
        case ActorKind.ACCOUNT:
            return change.actor.id
        case ActorKind.CREDENTIAL:
            return get_credential(change.connection, change.actor.id).owner
        case _:
            return None


def _narrowed(change: Change, made: Credential, *, is_usual: bool, to: str) -> Credential:
    """Have what a credential makes be good for no longer, and from no more networks, than it.

    `made` has one secret: its first, or the new one of a rotation. A lifetime that nobody asked
    for (`is_usual`) is cut. What only sends may live longer: it is made for a fleet.

    Raises:
        Forbidden: says what would be wider.
    """
    if change.actor.kind is not ActorKind.CREDENTIAL or made.scopes <= GIVEN_FREELY:
        return made
    maker = get_credential(change.connection, change.actor.id)
    (secret,), end = made.secrets, maker.secrets[-1].expires
    if secret.expires > end and not is_usual:
        _refuse_wider(change, to, "for longer")
    if not _are_within(made.addresses, maker.addresses):
        _refuse_wider(change, to, "from more networks")
    return replace(made, secrets=(replace(secret, expires=min(secret.expires, end)),))


def _refuse_wider(change: Change, to: str, wider: str) -> NoReturn:
    error = Forbidden(
        f"no credential makes a secret that is good {wider} than itself",
        hint="sign in to make it, or do it on the server's own machine",
    )
    change.refuse(error, Action.GRANT, object=to, reason=f"would be good {wider}")


def _are_within(networks: Sequence[Network], allowed: Sequence[Network]) -> bool:
    """Tell whether these are in those; none are all there are."""
    if not allowed:
        return True
    return bool(networks) and all(is_within(each, allowed) for each in networks)


def _changed(
    change: Change,
    action: Action,
    credential_id: str,
    *,
    before: dict[str, Json] | None = None,
    after: dict[str, Json] | None = None,
) -> None:
    change.record(action, object=credential_id, before=before, after=after)
    bump_generation(change.connection, GENERATION)


def _told(credential: Credential) -> dict[str, Json]:
    """Return what the audit log keeps of a credential: no name, which may be a person's."""
    return {
        "kind": credential.kind,
        "scopes": [*sorted(credential.scopes)],
        "hint": credential.secrets[-1].hint,
        "expires": _text(credential.secrets[-1].expires),
        "team": credential.team,
        "binds_team": credential.binds_team,
        "cost_center": credential.cost_center,
        "has_person": credential.person is not None,
        "addresses": [*map(str, credential.addresses)],
    }


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
