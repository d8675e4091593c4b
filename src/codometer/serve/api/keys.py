"""`/api/v1/keys`: which keys there are, and replacing them. Never a key itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Protocol

from codometer.access.actor import Actor
from codometer.access.keys import KeyFact, Keys
from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.privacy.encryption import REPLACEABLE, Purpose
from codometer.serve.api.resource import Action, Call, Resource
from codometer.serve.api.schema import array_schema, object_schema

MAIN: Final = "main"
_CHOICES: Final = (MAIN, *REPLACEABLE)
_TEXT: Final = {"type": "string"}
_SCHEMA: Final = object_schema(
    main_key={**_TEXT, "description": "where the main key is"},
    keys=array_schema(
        object_schema(
            purpose={"enum": [*Purpose]},
            number={"type": "integer"},
            created={"type": "string", "format": "date-time"},
        )
    ),
)


class Rotate(Protocol):
    """Replaces the key of a purpose, and what is locked with it."""

    def __call__(self, purpose: Purpose, actor: Actor) -> object:
        """Do it."""


class Delete(Protocol):
    """Deletes a pseudonym key, and takes what it made out of what is stored."""

    def __call__(self, number: int, actor: Actor, *, confirmed: bool) -> object:
        """Do it."""


def keys_resource(keys: Keys) -> Resource:
    """Return the resource that lists them."""
    return Resource(
        path="/api/v1/keys",
        name="keys",
        summary="Which keys there are, for what, and where the main key is",
        permission=Permission.READ_SETTINGS,
        answer=lambda _: _document(keys.source, keys.list_keys()),
        schema=_SCHEMA,
        example=_EXAMPLE,
    )


def rotate_action(keys: Keys, rotate: Rotate) -> Action:
    """Return the action that replaces one."""

    def act(call: Call) -> object:
        which = call.body.get("key", MAIN)
        if which not in _CHOICES:
            raise BadRequest(f"{which!r} is no key to replace", hint=" or ".join(_CHOICES))
        if which == MAIN:
            keys.rotate_main(call.actor)
        else:
            rotate(Purpose(which), call.actor)
        return _document(keys.source, keys.list_keys())

    return Action(
        path="/api/v1/keys/rotate",
        name="rotate_key",
        summary="Replace the main key, or the key of a purpose",
        permission=Permission.WRITE_PRIVACY,
        act=act,
        body={"type": "object", "properties": {"key": {"enum": [*_CHOICES]}}},
        body_example={"key": MAIN},
        schema=_SCHEMA,
        example=_EXAMPLE,
    )


def delete_action(keys: Keys, delete: Delete) -> Action:
    """Return the action that deletes a pseudonym key that was replaced."""

    def act(call: Call) -> object:
        number, confirmed = call.body.get("number"), call.body.get("confirm", False)
        if type(number) is not int or not isinstance(confirmed, bool):
            raise BadRequest("the number of a key is a whole number, confirm is true or false")
        delete(number, call.actor, confirmed=confirmed)
        return _document(keys.source, keys.list_keys())

    return Action(
        path="/api/v1/keys/delete",
        name="delete_key",
        summary="Delete a pseudonym key that was replaced; what only it made is of nobody then",
        permission=Permission.WRITE_PRIVACY,
        act=act,
        body={
            "type": "object",
            "properties": {"number": {"type": "integer"}, "confirm": {"type": "boolean"}},
            "required": ["number"],
        },
        body_example={"number": 1, "confirm": True},
        schema=_SCHEMA,
        example=_EXAMPLE,
        errors={409: "pseudonyms that it made are stored, and that is not confirmed"},
    )


def _document(source: str, found: list[KeyFact]) -> dict[str, Any]:
    return {
        "main_key": source,
        "keys": [
            {"purpose": each.purpose, "number": each.number, "created": each.created}
            for each in found
        ],
    }


_EXAMPLE: Final = _document(
    "codometer-data/main.key",
    [KeyFact(purpose=Purpose.VAULT, number=1, created=datetime(2026, 11, 23, 14, tzinfo=UTC))],
)
