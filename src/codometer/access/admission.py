"""Who may send telemetry: the check that receivers make for every request.

It costs a SHA-256 of 44 bytes and a look into a table in memory. A credential
that is presented is checked also where none is needed, so that a mistake shows
at once; what is not ours, such as a proxy's own, is passed over there.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from codometer.access.permissions import Permission
from codometer.access.secret import Kind, digest, find_kind
from codometer.errors import Forbidden, TooManyRequests, Unauthenticated
from codometer.model.signal import AttributeDefault, SignalKind
from codometer.networks import find_address, is_in

if TYPE_CHECKING:
    from codometer.access.credential import Credential
    from codometer.access.known import Known, KnownCredentials
    from codometer.access.rate_limit import RateLimit

# Some exporters pass the value of their variable on as it was written, percent-encoded.
_BEARER: Final = re.compile(r"\s*bearer(?:\s|%20)+(\S+)\s*", re.IGNORECASE)
_OURS: Final = "cdm_"
_MAX_LENGTH: Final = 200

_PERMISSIONS: Final = {
    SignalKind.LOGS: Permission.INGEST_LOGS,
    SignalKind.METRICS: Permission.INGEST_METRICS,
    SignalKind.TRACES: Permission.INGEST_TRACES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultNames:
    """The attributes that say who a client is: the first of each is set where none is sent."""

    team: tuple[str, ...]
    cost_center: tuple[str, ...]
    person: tuple[str, ...]


def find_bearer(authorization: str | None) -> str | None:
    """Return the secret in an Authorization header; None when there is none."""
    shape = _BEARER.fullmatch(authorization[:_MAX_LENGTH]) if authorization else None
    return shape[1] if shape else None


def check_secret(
    known: KnownCredentials, secret: str, now: datetime, *, address: str = ""
) -> Known:
    """Return what is known of a secret that is good now, and note its use.

    Raises:
        Unauthenticated: it is not; the message says what to do.
        Forbidden: it is not good from this address.
    """
    found = known.find(secret_digest := digest(secret))
    if found is None or not hmac.compare_digest(found.secret.digest, secret_digest):
        reason = "unknown" if find_kind(secret) else "mistyped"
    elif found.credential.revoked is not None:
        reason = "revoked"
    elif found.secret.expires <= now:
        reason = "expired"
    else:
        _check_address(known, found.credential, address)
        known.note_use(found, address, now)
        return found
    credential_id = found.credential.id if found else ""
    known.note_refusal(reason, credential_id, address)
    raise Unauthenticated(_MESSAGES[reason], hint=_HINT)


def _check_address(known: KnownCredentials, credential: Credential, address: str) -> None:
    if credential.addresses and not is_in(find_address(address), credential.addresses):
        known.note_refusal("address", credential.id, address)
        raise Forbidden(
            "this credential is not good from this address",
            hint="use it in the network that it was made for, or behind a trusted proxy",
        )


_HINT: Final = "ask whoever runs Codometer for a new one (`codometer credential create`)"
# Unknown and revoked read the same: who tries secrets learns nothing from the difference.
_MESSAGES: Final = {
    "missing": "a credential is needed and none was sent",
    "mistyped": "the credential is not spelt like one of Codometer's",
    "unknown": "the credential is not known, or was revoked",
    "revoked": "the credential is not known, or was revoked",
    "expired": "the credential has expired",
}


class Admission:
    """Checks the Authorization of exports, and says what a credential fills in for its client."""

    def __init__(
        self,
        known: KnownCredentials,
        *,
        required: bool,
        names: DefaultNames,
        limit: RateLimit | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._known = known
        self._required = required
        self._names = names
        self._limit = limit
        self._now = now
        self._defaults: dict[str, tuple[AttributeDefault, ...]] = {}

    def __call__(
        self, authorization: str | None, kind: SignalKind, address: str
    ) -> tuple[AttributeDefault, ...]:
        """Return the attributes that a request gets where it does not say them.

        Raises:
            Unauthenticated: no credential, or none that is good.
            Forbidden: one that is good for something else, or from elsewhere.
            TooManyRequests: more than one credential may send in a second.
        """
        secret = find_bearer(authorization)
        if not self._required and (secret is None or not secret.startswith(_OURS)):
            return ()
        if secret is None:
            self._known.note_refusal("missing", "", address)
            hint = "send `Authorization: Bearer cdm_ing_…` (OTEL_EXPORTER_OTLP_HEADERS)"
            raise Unauthenticated(_MESSAGES["missing"], hint=hint)
        credential = check_secret(self._known, secret, self._now(), address=address).credential
        if _PERMISSIONS[kind] not in credential.scopes:
            self._known.note_refusal("scope", credential.id, address)
            hint = "use one of the kind ingest" if credential.kind is not Kind.INGEST else ""
            raise Forbidden(f"this credential may not send {kind}", hint=hint)
        if self._limit and not self._limit.take(credential.id):
            self._known.note_refusal("rate", credential.id, address)
            raise TooManyRequests(
                "too many requests with one credential", hint="send it again in a second"
            )
        return self._find_defaults(credential)

    def _find_defaults(self, credential: Credential) -> tuple[AttributeDefault, ...]:
        found = self._defaults.get(credential.id)
        if found is None:  # a credential never changes, so this never does
            found = self._defaults[credential.id] = _defaults(credential, self._names)
        return found


def _defaults(credential: Credential, names: DefaultNames) -> tuple[AttributeDefault, ...]:
    values: Mapping[tuple[str, ...], str | None] = {
        names.team: credential.team,
        names.cost_center: credential.cost_center,
        names.person: credential.person,
    }
    return tuple(
        AttributeDefault(
            keys[0],
            value,
            () if credential.binds_team and keys is names.team else keys,
        )
        for keys, value in values.items()
        if value is not None and keys
    )
