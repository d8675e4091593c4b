"""Credentials as rows of the control plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from codometer.access.credential import Credential, CredentialRevoked, NoSuchCredential, Secret
from codometer.access.permissions import Permission
from codometer.access.secret import Kind
from codometer.networks import parse_network
from codometer.store.control_tables import CREDENTIAL, CREDENTIAL_SECRET

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

GENERATION: Final = "credentials"


def insert_credential(connection: Connection, made: Credential) -> None:
    """Write a credential with its first secret."""
    connection.execute(
        insert(CREDENTIAL).values(
            id=made.id,
            kind=made.kind,
            name=made.name,
            scopes=" ".join(sorted(made.scopes)),
            team=made.team,
            binds_team=made.binds_team,
            cost_center=made.cost_center,
            person=made.person,
            addresses=" ".join(map(str, made.addresses)),
            owner=made.owner,
            created=made.created,
        )
    )
    insert_secret(connection, made.id, made.secrets[0])


def insert_secret(connection: Connection, credential_id: str, secret: Secret) -> None:
    """Write one more secret of a credential."""
    connection.execute(
        insert(CREDENTIAL_SECRET).values(
            digest=secret.digest,
            credential=credential_id,
            hint=secret.hint,
            created=secret.created,
            expires=secret.expires,
            last_address="",
        )
    )


def get_credential(connection: Connection, credential_id: str) -> Credential:
    """Return a credential that can be changed.

    Raises:
        NoSuchCredential: there is none.
        CredentialRevoked: it is revoked already.
    """
    found = read_credentials(connection, (credential_id,))
    if not found:
        raise NoSuchCredential(
            f"there is no credential {credential_id!r}", hint="`codometer credential list`"
        )
    if found[0].revoked is not None:
        raise CredentialRevoked(
            f"the credential {credential_id} is revoked", hint="make another one"
        )
    return found[0]


def read_credentials(connection: Connection, ids: Iterable[str] | None = None) -> list[Credential]:
    """Return the credentials with these ids, or all there are, revoked ones included."""
    statement = (
        select(CREDENTIAL, CREDENTIAL_SECRET)
        .join(CREDENTIAL_SECRET, CREDENTIAL_SECRET.c.credential == CREDENTIAL.c.id)
        .order_by(CREDENTIAL_SECRET.c.created)
    )
    if ids is not None:
        statement = statement.where(CREDENTIAL.c.id.in_(list(ids)))
    found: dict[str, Credential] = {}
    for row in connection.execute(statement):
        secret = _secret_of(row)
        earlier = found.get(row.id)
        found[row.id] = (
            replace(earlier, secrets=(*earlier.secrets, secret))
            if earlier
            else _credential_of(row, secret)
        )
    return list(found.values())


def _credential_of(row: Row[tuple[object, ...]], secret: Secret) -> Credential:
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    table = CREDENTIAL.c
    return Credential(
        id=fields[table.id],
        kind=Kind(fields[table.kind]),
        name=fields[table.name],
        scopes=frozenset(Permission(scope) for scope in fields[table.scopes].split()),
        team=fields[table.team],
        binds_team=fields[table.binds_team],
        cost_center=fields[table.cost_center],
        person=fields[table.person],
        addresses=tuple(map(parse_network, fields[table.addresses].split())),
        owner=fields[table.owner],
        created=fields[table.created],
        revoked=fields[table.revoked],
        secrets=(secret,),
    )


def _secret_of(row: Row[tuple[object, ...]]) -> Secret:
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    table = CREDENTIAL_SECRET.c
    return Secret(
        digest=fields[table.digest],
        hint=fields[table.hint],
        created=fields[table.created],
        expires=fields[table.expires],
        last_used=fields[table.last_used],
        last_address=fields[table.last_address],
    )
