"""What a credential is, and what it must be to be made."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from codometer.access.permissions import SCOPES, USUAL_SCOPES, Permission
from codometer.access.secret import Kind, digest, hint
from codometer.errors import BadRequest, CodometerError
from codometer.networks import Network, is_network, parse_network

LONGEST: Final = timedelta(days=365)
USUAL_LIFETIMES: Final = {
    Kind.INGEST: LONGEST,
    Kind.PERSONAL: timedelta(days=90),
    Kind.SERVICE: timedelta(days=90),
    Kind.SCRAPE: LONGEST,
}
USUAL_OVERLAP: Final = timedelta(days=7)
_ID_BYTES: Final = 5
_MAX_NAME_LENGTH: Final = 100
_NAMED: Final = {
    "name": "name",
    "team": "team",
    "person": "person",
    "cost_center": "cost centre",
}
_MOST_NETWORKS: Final = 50
NOTICES: Final = (1, 7, 14)
"""Days before the end at which whoever looks is told of it."""


class NoSuchCredential(CodometerError):
    """There is no credential with this id."""

    code = "no_such_credential"
    status = 404


class CredentialRevoked(CodometerError):
    """The credential was revoked, which is for good."""

    code = "credential_revoked"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A credential to be made. `lifetime` and `scopes` None: what is usual for the kind.

    `team`, `cost_center` and `person` are for clients that do not say; with
    `binds_team` the team holds whatever the client says. It is good from the networks of
    `addresses` alone, or (none) from everywhere.
    """

    kind: Kind
    name: str
    scopes: frozenset[Permission] | None = None
    lifetime: timedelta | None = None
    team: str | None = None
    binds_team: bool = False
    cost_center: str | None = None
    person: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What is known of one secret. `last_used` is coarse: to five minutes."""

    digest: str = field(repr=False)
    hint: str
    created: datetime
    expires: datetime
    last_used: datetime | None
    last_address: str


class State(StrEnum):
    """Whether a credential is good."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One credential, with its secrets from the oldest to the newest.

    A personal one ends with the account of its `owner`, if it comes of an account.
    """

    id: str
    kind: Kind
    name: str
    scopes: frozenset[Permission]
    team: str | None
    binds_team: bool
    cost_center: str | None
    person: str | None
    addresses: tuple[Network, ...] = ()
    owner: str | None = None
    created: datetime
    revoked: datetime | None
    secrets: tuple[Secret, ...]

    @property
    def granted(self) -> frozenset[Permission]:
        """What it may do: its scopes, as far as its kind can have them."""
        return self.scopes & SCOPES[self.kind]

    @property
    def lifetime(self) -> timedelta:
        """For how long its newest secret was made, which is usual for the next."""
        return self.secrets[-1].expires - self.secrets[-1].created

    def state(self, now: datetime) -> State:
        """Tell whether it is good now; while it is rotated, one good secret is enough."""
        if self.revoked is not None:
            return State.REVOKED
        is_good = any(secret.expires > now for secret in self.secrets)
        return State.ACTIVE if is_good else State.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A credential with a new secret in clear, which nobody can read again."""

    credential: Credential
    secret: str = field(repr=False)


def check_wanted(wanted: Wanted) -> None:
    """Refuse what cannot be made.

    Raises:
        BadRequest: says what is wrong and what is allowed.
    """
    for each, what in _NAMED.items():
        text = getattr(wanted, each)
        if text is not None and not (
            0 < len(text.strip()) <= _MAX_NAME_LENGTH
            and text.isprintable()
            and text == text.strip()
        ):
            raise BadRequest(
                f"the {what} {text[:_MAX_NAME_LENGTH]!r} is not one",
                hint=f"one printable line of at most {_MAX_NAME_LENGTH} characters",
                field=each,
            )
    if wanted.kind is not Kind.INGEST and (wanted.team or wanted.person or wanted.cost_center):
        raise BadRequest(
            "only a credential for ingest has a team, a cost centre or a person",
            hint="leave them out, or make it of the kind ingest",
        )
    if wanted.binds_team and not wanted.team:
        raise BadRequest("there is no team to bind to", hint="name one", field="team")
    if wanted.scopes is not None and not (wanted.scopes and wanted.scopes <= SCOPES[wanted.kind]):
        raise BadRequest(
            f"a credential for {wanted.kind} cannot have these scopes",
            hint=f"choose from {', '.join(sorted(SCOPES[wanted.kind]))}",
        )
    if unknown := [each for each in wanted.addresses if not is_network(each)]:
        raise BadRequest(
            f"{unknown[0][:_MAX_NAME_LENGTH]!r} is no network",
            hint="such as 10.1.0.0/16, or one address",
            field="addresses",
        )
    if len(wanted.addresses) > _MOST_NETWORKS:
        raise BadRequest(
            f"more than {_MOST_NETWORKS} networks",
            hint="join some into larger ones",
            field="addresses",
        )
    check_lifetime(_lifetime(wanted))


def _lifetime(wanted: Wanted) -> timedelta:
    return USUAL_LIFETIMES[wanted.kind] if wanted.lifetime is None else wanted.lifetime


def check_lifetime(lifetime: timedelta) -> None:
    """Refuse a lifetime that is none, or too long.

    Raises:
        BadRequest: it is.
    """
    if not timedelta(0) < lifetime <= LONGEST:
        raise BadRequest(
            "a credential lives from 1 to 365 days", hint="and can be rotated", field="days"
        )


def find_notice(credential: Credential, now: datetime) -> int | None:
    """Return within how many days a credential ends, one of NOTICES; None when it is not near.

    Its newest secret counts: the one before is meant to end.
    """
    left = credential.secrets[-1].expires - now
    if credential.revoked is not None or left <= timedelta(0):
        return None
    return next((days for days in NOTICES if left <= timedelta(days=days)), None)


def make_credential(
    wanted: Wanted, secret: str, now: datetime, owner: str | None = None
) -> Credential:
    """Return the credential that was wanted, with a secret of its own."""
    lifetime = _lifetime(wanted)
    return Credential(
        id=f"crd_{secrets.token_hex(_ID_BYTES)}",
        kind=wanted.kind,
        name=wanted.name,
        scopes=wanted.scopes or USUAL_SCOPES[wanted.kind],
        team=wanted.team,
        binds_team=wanted.binds_team,
        cost_center=wanted.cost_center,
        person=wanted.person,
        addresses=tuple(map(parse_network, wanted.addresses)),
        owner=owner if wanted.kind is Kind.PERSONAL else None,
        created=now,
        revoked=None,
        secrets=(new_secret(secret, now, lifetime),),
    )


def new_secret(secret: str, now: datetime, lifetime: timedelta) -> Secret:
    """Return what is kept of a secret."""
    return Secret(
        digest=digest(secret),
        hint=hint(secret),
        created=now,
        expires=now + lifetime,
        last_used=None,
        last_address="",
    )
