"""`/api/v1/retention`: how long what is kept, what went last, and what must stay."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.people.holds import Hold, HoldKind, Holds
from codometer.people.retention import Retention, Run, Stock
from codometer.privacy.profile import Kept
from codometer.serve.api.resource import Action, Call, Resource
from codometer.serve.api.schema import array_schema, object_schema

KINDS: Final = {
    "content": "Content",
    "detail": "Single events",
    "sessions": "Whose a session was",
    "persons": "What a person used on a day",
    "sums": "Sums of teams and of all",
    "audit": "Audit log",
}
"""The kinds of data that have a time, and what each is called."""
_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
RUN_SCHEMA: Final = object_schema(
    time=_INSTANT,
    version={**_COUNT, "description": "of the privacy policy"},
    detail={**_COUNT, "description": "rows of events and readings that went"},
    sessions={**_COUNT, "description": "sessions that lost their names"},
    persons={**_COUNT, "description": "rows that lost their person"},
    sums={**_COUNT, "description": "rows of sums that went"},
    pseudonyms={**_COUNT, "description": "pseudonyms that went from the vault"},
    memberships={**_COUNT, "description": "stays in a team that ended long ago"},
)
_STOCK: Final = object_schema(
    kind={"enum": [*KINDS]},
    days=_COUNT,
    decided_by={**_TEXT, "description": "a setting, or the privacy profile"},
    rows={**_COUNT, "description": "there now; of sessions, those that have names"},
    oldest={"anyOf": [_INSTANT, {"type": "null"}]},
    bytes={"type": ["integer", "null"], "description": "null where that is not known"},
    due={**_COUNT, "description": "of them, what the next run lets go or takes persons from"},
)
_HOLD: Final = object_schema(
    id=_TEXT, kind={"enum": [*HoldKind]}, subject=_TEXT, reason=_TEXT, created=_INSTANT
)
_HOLDS: Final = object_schema(holds=array_schema(_HOLD))


def describe_run(run: Run | None) -> dict[str, Any] | None:
    """Return what a run did, by name; None where none was."""
    return None if run is None else run._asdict()


def retention_resource(retention: Retention) -> Resource:
    """Return the resource."""

    def answer(_: object) -> dict[str, Any]:
        return {
            "kept": retention.kept._asdict(),
            "stocks": [stock._asdict() for stock in retention.list_stocks()],
            "next_run": retention.find_next(),
            "last_run": describe_run(retention.find_last()),
            **_document(retention.people.holds),
        }

    return Resource(
        path="/api/v1/retention",
        name="retention",
        summary="How long what is kept, what went last, and what legal holds keep",
        permission=Permission.READ_SETTINGS,
        answer=answer,
        schema=object_schema(
            kept=object_schema(**dict.fromkeys(Kept._fields, _COUNT)),
            stocks=array_schema(_STOCK),
            next_run=_INSTANT,
            last_run={"anyOf": [RUN_SCHEMA, {"type": "null"}]},
            holds=array_schema(_HOLD),
        ),
        example={
            "kept": Kept(30, 90, 400, 1127)._asdict(),
            "stocks": [_EXAMPLE_STOCK],
            "next_run": _TIME,
            "last_run": RUN_EXAMPLE,
            "holds": [_EXAMPLE],
        },
    )


def hold_actions(holds: Holds) -> tuple[Action, ...]:
    """Return the actions that set and lift legal holds."""

    def hold(call: Call) -> object:
        kind = call.text("kind")
        if kind not in [*HoldKind]:
            raise BadRequest(f"{kind!r} is no kind of hold", hint=", ".join(HoldKind))
        holds.set(HoldKind(kind), call.text("subject"), call.text("reason"), call.actor)
        return _document(holds)

    def lift(call: Call) -> object:
        holds.lift(call.text("hold"), call.text("reason"), call.actor)
        return _document(holds)

    example = {"kind": "team", "subject": "checkout", "reason": "a claim before a court"}
    return (
        Action(
            path="/api/v1/retention/hold",
            name="hold",
            summary="Keep everything, a team's data or a person's, whatever its age",
            permission=Permission.WRITE_PRIVACY,
            act=hold,
            body={
                "type": "object",
                "properties": {**dict.fromkeys(example, _TEXT), "kind": {"enum": [*HoldKind]}},
                "required": ["kind", "reason"],
            },
            body_example=example,
            schema=_HOLDS,
            example={"holds": [_EXAMPLE]},
        ),
        Action(
            path="/api/v1/retention/lift",
            name="lift_hold",
            summary="Lift a hold",
            permission=Permission.WRITE_PRIVACY,
            act=lift,
            body={
                "type": "object",
                "properties": {"hold": _TEXT, "reason": _TEXT},
                "required": ["hold", "reason"],
            },
            body_example={"hold": _EXAMPLE["id"], "reason": "the claim was settled"},
            schema=_HOLDS,
            example={"holds": []},
            errors={404: "there is no such hold"},
        ),
    )


def _document(holds: Holds) -> dict[str, Any]:
    return {"holds": [asdict(each) for each in holds.list_holds()]}


_TIME: Final = datetime(2026, 11, 23, 2, tzinfo=UTC)
_EXAMPLE_STOCK: Final = Stock(
    "detail", 30, "profile standard", 8_214, datetime(2026, 10, 24, 8, tzinfo=UTC), None, 214
)._asdict()
RUN_EXAMPLE: Final = Run(_TIME, 2, detail=8_214, sessions=41, persons=0, sums=0)._asdict()
_EXAMPLE: Final = asdict(
    Hold(
        id="hold_5f0c9a1e7b",
        kind=HoldKind.TEAM,
        subject="checkout",
        reason="a claim before a court",
        created=_TIME,
    )
)
