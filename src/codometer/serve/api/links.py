"""`/api/v1/people/link`: which account is its owner's, so that it shows them their own data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from codometer.access.account import Account
from codometer.access.actor import Actor
from codometer.access.permissions import Permission
from codometer.access.vouching import Vouching
from codometer.errors import BadRequest
from codometer.serve.api.resource import Action, Call
from codometer.serve.api.schema import object_schema

_TEXT: Final = {"type": "string"}
_SCHEMA: Final = object_schema(
    account=_TEXT,
    login=_TEXT,
    linked={"type": ["string", "null"], "format": "date-time"},
)
_EXAMPLE: Final = {"account": "acc_5f0c9a1e7b", "login": "grace@example.com"}
_EXAMPLE_TIME: Final = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)


def link_actions(vouching: Vouching) -> Sequence[Action]:
    """Return what can be done."""
    return (
        _action(
            "link",
            "Confirm that an account is the person's whom clients call by its name",
            vouching.link,
            _EXAMPLE_TIME,
        ),
        _action("unlink", "Take that back", vouching.unlink, None),
    )


def _action(
    name: str,
    summary: str,
    act: Callable[[str, str, Actor], Account],
    linked: datetime | None,
) -> Action:
    def called(call: Call) -> dict[str, Any]:
        account, reason = call.body.get("account", ""), call.body.get("reason", "")
        if not (isinstance(account, str) and isinstance(reason, str)):
            raise BadRequest("account and reason are texts")
        done = act(account, reason, call.actor)
        return {"account": done.id, "login": done.login, "linked": done.linked}

    return Action(
        path=f"/api/v1/people/{name}",
        name=f"{name}_account",
        summary=summary,
        permission=Permission.WRITE_PEOPLE,
        act=called,
        body={
            "type": "object",
            "properties": {"account": _TEXT, "reason": _TEXT},
            "required": ["account", "reason"],
        },
        body_example={"account": _EXAMPLE["account"], "reason": "invited in person"},
        schema=_SCHEMA,
        example={**_EXAMPLE, "linked": linked},
        errors={404: "there is no such account in use"},
    )
