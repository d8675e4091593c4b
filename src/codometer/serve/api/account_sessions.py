"""`/api/v1/account-sessions`: who is signed in, for an administrator to end it.

When a session was last used tells when somebody works: that is for its owner alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from codometer.access.account import Session
from codometer.access.accounts import Accounts
from codometer.access.permissions import Permission
from codometer.serve.api.resource import Action, Call, Given, Parameter, Resource
from codometer.serve.api.schema import array_schema, object_schema

_PATH: Final = "/api/v1/account-sessions"
_TEXT: Final = {"type": "string"}
_SCHEMA: Final = object_schema(
    id=_TEXT,
    account=_TEXT,
    created={"type": "string", "format": "date-time"},
    address={**_TEXT, "description": "the network it began in"},
)
_ENDED: Final = object_schema(ended={"type": "integer", "description": "how many"})
_NOTHING: Final = {"type": "object", "properties": {}}


def account_sessions_resource(accounts: Accounts, now: Callable[[], datetime]) -> Resource:
    """Return the resource that lists those that are good now."""

    def answer(given: Given) -> object:
        found = accounts.known.list_sessions(now(), account_id=given.get("account"))
        return {"sessions": [_document(each) for each in found]}

    return Resource(
        path=_PATH,
        name="account_sessions",
        summary="Who is signed in, the oldest session first",
        permission=Permission.READ_ACCOUNTS,
        answer=answer,
        schema=object_schema(sessions=array_schema(_SCHEMA)),
        example={"sessions": [_EXAMPLE]},
        parameters=(
            Parameter(name="account", text="only of this account", schema=_TEXT, example="acc_…"),
        ),
        blocks=False,
    )


def account_session_actions(accounts: Accounts) -> Sequence[Action]:
    """Return what ends them."""

    def end(call: Call) -> object:
        accounts.end_session(call.path["id"], call.actor)
        return {"ended": 1}

    def end_all(call: Call) -> object:
        return {"ended": accounts.end_sessions(call.path["id"], call.actor)}

    return (
        Action(
            path=f"{_PATH}/{{id}}/end",
            name="end_account_session",
            summary="End a session: whoever has it is signed out within a second",
            permission=Permission.WRITE_ACCOUNTS,
            act=end,
            body=_NOTHING,
            body_example={},
            schema=_ENDED,
            example={"ended": 1},
            errors={404: "there is no such session"},
        ),
        Action(
            path="/api/v1/accounts/{id}/sign-out",
            name="sign_account_out",
            summary="End all sessions of an account",
            permission=Permission.WRITE_ACCOUNTS,
            act=end_all,
            body=_NOTHING,
            body_example={},
            schema=_ENDED,
            example={"ended": 2},
            errors={404: "there is no such account"},
        ),
    )


def _document(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "account": session.account.id,
        "created": session.created,
        "address": session.address,
    }


_EXAMPLE: Final = {
    "id": "ses_8c1e5f0a7b",
    "account": "acc_5f0c9a1e7b",
    "created": datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC),
    "address": "203.0.113.0/24",
}
