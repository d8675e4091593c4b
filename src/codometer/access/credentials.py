"""Credentials: made, listed, rotated and revoked.

A credential never changes but for being revoked. Its secrets come and go: while
it is rotated two are valid. The database has only their SHA-256.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from codometer.access.actions import Action
from codometer.access.actor import Actor
from codometer.access.credential import (
    LONGEST,
    USUAL_LIFETIMES,
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
from codometer.access.secret import make_secret
from codometer.errors import BadRequest
from codometer.store.control_tables import CREDENTIAL, CREDENTIAL_SECRET

if TYPE_CHECKING:
    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.access.known import KnownCredentials


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
            made = make_credential(wanted, secret, change.time)
            check_grant(change, made.scopes)
            insert_credential(change.connection, made)
            self._changed(change, Action.CREDENTIAL_CREATE, made.id, after=_told(made))
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

        Raises:
            NoSuchCredential: there is none.
            CredentialRevoked: it is revoked already.
            BadRequest: the lifetime or the overlap is not one.
            Forbidden: it may do what the actor may not.
        """
        if not timedelta(0) <= overlap <= LONGEST:
            raise BadRequest("the overlap must be from 0 to 365 days", hint="7 days are usual")
        with self._audit.change(actor) as change:
            found = get_credential(change.connection, credential_id)
            check_grant(change, found.scopes)
            lifetime = USUAL_LIFETIMES[found.kind] if lifetime is None else lifetime
            check_lifetime(lifetime)
            secret = make_secret(found.kind)
            new = new_secret(secret, change.time, lifetime)
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
            self._changed(change, Action.CREDENTIAL_ROTATE, found.id, after=after)
            made = get_credential(change.connection, credential_id)
        self._known.reload()
        return Made(credential=made, secret=secret)

    def revoke(self, credential_id: str, actor: Actor) -> Credential:
        """End a credential, now and for good.

        Raises:
            NoSuchCredential: there is none.
            CredentialRevoked: it is revoked already.
        """
        with self._audit.change(actor) as change:
            found = get_credential(change.connection, credential_id)
            mine = CREDENTIAL.c.id == found.id
            change.connection.execute(update(CREDENTIAL).where(mine).values(revoked=change.time))
            self._changed(change, Action.CREDENTIAL_REVOKE, found.id, before=_told(found))
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

    def _changed(
        self,
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
