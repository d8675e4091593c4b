"""`/api/v1/credentials`: what clients and programs prove themselves with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from codometer.access.credential import (
    LONGEST,
    NOTICES,
    USUAL_OVERLAP,
    Credential,
    Made,
    Secret,
    State,
    Wanted,
    find_notice,
)
from codometer.access.credentials import Credentials
from codometer.access.permissions import INGEST, SCOPES, Permission
from codometer.access.secret import Kind
from codometer.errors import BadRequest
from codometer.serve.api.resource import Action, Call, Resource
from codometer.serve.api.schema import array_schema, object_schema

_TEXT: Final = {"type": "string"}
_MAYBE_TEXT: Final = {"type": ["string", "null"]}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_MAYBE_INSTANT: Final = {"type": ["string", "null"], "format": "date-time"}
_DAYS: Final = {"type": "integer", "minimum": 1, "maximum": LONGEST.days}

_SECRET_SCHEMA: Final = object_schema(
    hint=_TEXT,
    created=_INSTANT,
    expires=_INSTANT,
    last_used={**_MAYBE_INSTANT, "description": "to five minutes; null: never"},
    last_address={**_TEXT, "description": "the network it came from, without the host"},
)
_SCHEMA: Final = object_schema(
    id=_TEXT,
    kind={"enum": [*Kind]},
    name=_TEXT,
    state={"enum": [*State]},
    scopes=array_schema({"enum": sorted(SCOPES[Kind.SERVICE] | INGEST)}),
    team=_MAYBE_TEXT,
    binds_team={"type": "boolean"},
    cost_center=_MAYBE_TEXT,
    person=_MAYBE_TEXT,
    addresses={**array_schema(_TEXT), "description": "networks it is good from; none: all"},
    ends_within_days={"enum": [*NOTICES, None], "description": "null: not soon"},
    created=_INSTANT,
    revoked=_MAYBE_INSTANT,
    secrets=array_schema(_SECRET_SCHEMA),
)
_MADE_SCHEMA: Final = object_schema(
    credential=_SCHEMA, secret={**_TEXT, "description": "shown this once"}
)
_WANTED_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "kind": {"enum": [*Kind]},
        "name": {**_TEXT, "maxLength": 100},
        "scopes": array_schema(_TEXT),
        "expires_in_days": _DAYS,
        "team": _TEXT,
        "binds_team": {"type": "boolean"},
        "cost_center": _TEXT,
        "person": _TEXT,
        "addresses": array_schema(_TEXT),
    },
    "required": ["kind", "name"],
}
_ROTATION_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "overlap_days": {"type": "integer", "minimum": 0, "maximum": LONGEST.days},
        "expires_in_days": _DAYS,
    },
}
_ERRORS: Final = {
    404: "there is no such credential",
    409: "the credential is revoked already",
}


def credentials_resource(credentials: Credentials, now: Callable[[], datetime]) -> Resource:
    """Return the resource that lists them."""
    return Resource(
        path="/api/v1/credentials",
        name="credentials",
        summary="Every credential, the newest first; never a secret",
        permission=Permission.READ_CREDENTIALS,
        answer=lambda _: {
            "credentials": [_document(each, now()) for each in credentials.list_credentials()]
        },
        schema=object_schema(credentials=array_schema(_SCHEMA)),
        example={"credentials": [_EXAMPLE]},
    )


def credential_actions(credentials: Credentials, now: Callable[[], datetime]) -> Sequence[Action]:
    """Return what can be done with credentials."""

    def create(call: Call) -> object:
        return _made(credentials.create(_read_wanted(call.body), call.actor), now())

    def rotate(call: Call) -> object:
        overlap = _read_days(call.body, "overlap_days")
        made = credentials.rotate(
            call.path["id"],
            call.actor,
            overlap=USUAL_OVERLAP if overlap is None else overlap,
            lifetime=_read_days(call.body, "expires_in_days"),
        )
        return _made(made, now())

    def revoke(call: Call) -> object:
        return {"credential": _document(credentials.revoke(call.path["id"], call.actor), now())}

    return (
        Action(
            path="/api/v1/credentials",
            name="create_credential",
            summary="Make a credential; the answer shows its secret, this once",
            permission=Permission.WRITE_CREDENTIALS,
            act=create,
            body=_WANTED_SCHEMA,
            body_example={"kind": "ingest", "name": "laptops", "team": "checkout"},
            schema=_MADE_SCHEMA,
            example=_MADE_EXAMPLE,
            status=201,
        ),
        Action(
            path="/api/v1/credentials/{id}/rotate",
            name="rotate_credential",
            summary="Give it a new secret; the old one stays good for a while",
            permission=Permission.WRITE_CREDENTIALS,
            act=rotate,
            body=_ROTATION_SCHEMA,
            body_example={"overlap_days": 7},
            schema=_MADE_SCHEMA,
            example=_MADE_EXAMPLE,
            errors=_ERRORS,
        ),
        Action(
            path="/api/v1/credentials/{id}/revoke",
            name="revoke_credential",
            summary="End it, now and for good",
            permission=Permission.WRITE_CREDENTIALS,
            act=revoke,
            body={"type": "object", "properties": {}},
            body_example={},
            schema=object_schema(credential=_SCHEMA),
            example={"credential": {**_EXAMPLE, "state": "revoked", "revoked": _EXAMPLE_TIME}},
            errors=_ERRORS,
        ),
    )


def _read_wanted(body: Mapping[str, Any]) -> Wanted:
    return Wanted(
        kind=_read_kind(body),
        name=_read_text(body, "name") or "",
        scopes=_read_scopes(body),
        lifetime=_read_days(body, "expires_in_days"),
        team=_read_text(body, "team"),
        binds_team=_read(body, "binds_team", bool) or False,
        cost_center=_read_text(body, "cost_center"),
        person=_read_text(body, "person"),
        addresses=_read_addresses(body),
    )


def _read_addresses(body: Mapping[str, Any]) -> tuple[str, ...]:
    addresses = _read(body, "addresses", list) or []
    if not all(isinstance(each, str) for each in addresses):
        raise BadRequest(f"addresses is {addresses!r}", hint="a list of networks")
    return tuple(addresses)


def _read_kind(body: Mapping[str, Any]) -> Kind:
    kind = _read_text(body, "kind") or ""
    if kind not in [*Kind]:
        raise BadRequest(f"{kind!r} is no kind of credential", hint=f"one of {', '.join(Kind)}")
    return Kind(kind)


def _read_scopes(body: Mapping[str, Any]) -> frozenset[Permission] | None:
    scopes = _read(body, "scopes", list)
    if scopes is None:
        return None
    if unknown := [scope for scope in scopes if scope not in [*Permission]]:
        raise BadRequest(f"{unknown[0]!r} is no scope", hint=f"such as {Permission.READ_NUMBERS}")
    return frozenset(map(Permission, scopes))


def _read_text(body: Mapping[str, Any], name: str) -> str | None:
    text: str | None = _read(body, name, str)
    return text


def _read_days(body: Mapping[str, Any], name: str) -> timedelta | None:
    days = _read(body, name, int)
    if days is None:
        return None
    if isinstance(days, bool) or not 0 <= days <= LONGEST.days:
        raise BadRequest(f"{name} is {days!r}", hint=f"at most {LONGEST.days} days")
    return timedelta(days=days)


def _read(body: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - of that kind
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"{name} is {value!r}", hint=f"{name} must be {_NAMES[kind]}")
    return value


_NAMES: Final = {str: "a text", bool: "true or false", list: "a list", int: "a whole number"}


def _made(made: Made, now: datetime) -> dict[str, Any]:
    return {"credential": _document(made.credential, now), "secret": made.secret}


def _document(credential: Credential, now: datetime) -> dict[str, Any]:
    return {
        "id": credential.id,
        "kind": credential.kind,
        "name": credential.name,
        "state": credential.state(now),
        "scopes": sorted(credential.scopes),
        "team": credential.team,
        "binds_team": credential.binds_team,
        "cost_center": credential.cost_center,
        "person": credential.person,
        "addresses": [*map(str, credential.addresses)],
        "ends_within_days": find_notice(credential, now),
        "created": credential.created,
        "revoked": credential.revoked,
        "secrets": [
            {
                "hint": secret.hint,
                "created": secret.created,
                "expires": secret.expires,
                "last_used": secret.last_used,
                "last_address": secret.last_address,
            }
            for secret in credential.secrets
        ],
    }


_EXAMPLE_TIME: Final = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)
_EXAMPLE: Final = _document(
    Credential(
        id="crd_5f0c9a1e7b",
        kind=Kind.INGEST,
        name="laptops",
        scopes=INGEST,
        team="checkout",
        binds_team=False,
        cost_center=None,
        person=None,
        created=_EXAMPLE_TIME,
        revoked=None,
        secrets=(
            Secret(
                digest="",
                hint="cdm_ing_…x7Qa",
                created=_EXAMPLE_TIME,
                expires=_EXAMPLE_TIME + LONGEST,
                last_used=None,
                last_address="",
            ),
        ),
    ),
    _EXAMPLE_TIME,
)
_MADE_EXAMPLE: Final = {"credential": _EXAMPLE, "secret": "cdm_ing_…"}
