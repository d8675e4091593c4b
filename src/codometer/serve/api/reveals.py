"""`/api/v1/reveals`: who may ask for the names behind pseudonyms, and what was asked.

To ask, to agree and to be told is for people who have signed in, on the page; no
program does that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.access.vouching import Vouching
from codometer.people.reveals import LIFETIME, Reveal, Reveals
from codometer.serve.api.resource import Resource
from codometer.serve.api.schema import array_schema, object_schema

_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_REVEAL: Final = object_schema(
    id=_TEXT,
    person={**_TEXT, "description": "a pseudonym"},
    account=_TEXT,
    reason=_TEXT,
    asked=_INSTANT,
    ends=_INSTANT,
    approver={"type": ["string", "null"]},
    approved={"type": ["boolean", "null"], "description": "null while it waits"},
)
_LENT: Final = object_schema(account=_TEXT, until=_INSTANT)


def reveals_resource(reveals: Reveals, vouching: Vouching) -> Resource:
    """Return the resource."""

    def answer(_: object) -> dict[str, Any]:
        now = vouching.audit.now()
        return {
            "lent": [
                {"account": each.id, "until": each.reveals}
                for each in vouching.list_accounts()
                if each.reveals and each.reveals > now
            ],
            "asked": [_document(each) for each in reveals.list_waiting()],
        }

    return Resource(
        path="/api/v1/reveals",
        name="reveals",
        summary="Who may ask for the names behind pseudonyms, and what was asked in the last day",
        permission=Permission.READ_REVEALS,
        answer=answer,
        schema=object_schema(lent=array_schema(_LENT), asked=array_schema(_REVEAL)),
        example=_EXAMPLE,
    )


def _document(reveal: Reveal) -> dict[str, Any]:
    names = ("id", "person", "account", "reason", "asked", "ends", "approver")
    return {
        **{name: getattr(reveal, name) for name in names},
        "approved": reveal.is_approved,
    }


_TIME: Final = datetime(2026, 11, 23, 14, tzinfo=UTC)
_EXAMPLE: Final = {
    "lent": [{"account": "acc_5f0c9a1e7b", "until": _TIME + timedelta(hours=4)}],
    "asked": [
        _document(
            Reveal(
                id="rev_0c9a1e7b5f",
                person="p_aaaaaaaaaaaaaaaaaaaa",
                account="acc_5f0c9a1e7b",
                reason="a key of theirs was found in a public place",
                asked=_TIME,
                ends=_TIME + LIFETIME,
                approver=None,
                is_approved=True,
            )
        )
    ],
}
