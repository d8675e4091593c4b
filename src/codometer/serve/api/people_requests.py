"""`/api/v1/people/requests`: what people asked for of their own data, by pseudonym."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.people.queue import Asked, Queue, Right
from codometer.serve.api.resource import Action, Call, Resource, Schema
from codometer.serve.api.schema import array_schema, object_schema

_PATH: Final = "/api/v1/people/requests"
_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_REQUESTS: Final = object_schema(
    requests=array_schema(
        object_schema(
            id=_TEXT,
            right={"enum": [*Right]},
            person=_TEXT,
            words=_TEXT,
            asked=_INSTANT,
            due=_INSTANT,
            age_days={"type": "integer"},
            is_overdue={"type": "boolean"},
        )
    )
)


def people_requests_resource(queue: Queue, now: Callable[[], datetime]) -> Resource:
    """Return the resource."""
    return Resource(
        path=_PATH,
        name="people_requests",
        summary="What people asked for of their own data and nobody decided yet, the oldest first",
        permission=Permission.READ_SETTINGS,
        answer=lambda _: _document(queue, now()),
        schema=_REQUESTS,
        example=_EXAMPLE,
    )


def people_requests_actions(queue: Queue, now: Callable[[], datetime]) -> Sequence[Action]:
    """Return the actions by which such a request is decided."""

    def do(call: Call) -> None:
        told = call.text("request"), call.text("reason"), call.actor
        queue.do(*told, confirmed=call.text("confirm"))

    def action(name: str, summary: str, act: Callable[[Call], None], **more: Schema) -> Action:
        def decide(call: Call) -> object:
            act(call)
            return _document(queue, now())

        example = {"request": _EXAMPLE["requests"][0]["id"], "reason": "it was looked at"}
        body = object_schema(**dict.fromkeys(example, _TEXT))
        body["properties"] |= more
        return Action(
            path=f"{_PATH}/{name}",
            name=f"{name}_request",
            summary=summary,
            permission=Permission.WRITE_PEOPLE,
            act=decide,
            body=body,
            body_example=example,
            schema=_REQUESTS,
            example={"requests": []},
            errors={404: "no such request waits", 409: "a legal hold keeps what is stored"},
        )

    return (
        action(
            "do",
            "Erase or exclude a person who asked for it, or say that a correction was made",
            do,
            confirm={**_TEXT, "description": "of an erasure, the pseudonym of the person"},
        ),
        action(
            "decline",
            "Decline a request; the person reads the reason",
            lambda call: queue.decline(call.text("request"), call.text("reason"), call.actor),
        ),
    )


def _document(queue: Queue, now: datetime) -> dict[str, Any]:
    return {"requests": [_describe(each, now) for each in queue.list_open()]}


def _describe(asked: Asked, now: datetime) -> dict[str, Any]:
    told = {name: getattr(asked, name) for name in ("id", "right", "person", "words", "asked")}
    age = {"age_days": asked.age_days(now), "is_overdue": asked.is_overdue(now)}
    return {**told, "due": asked.due, **age}


_TIME: Final = datetime(2026, 11, 2, 8, 15, tzinfo=UTC)
_EXAMPLE: Final[dict[str, Any]] = {
    "requests": [
        _describe(
            Asked(
                id="req_5f0c9a1e7b",
                right=Right.OBJECTION,
                person="p_aaaaaaaaaaaaaaaaaaaa",
                words="",
                asked=_TIME,
                decided=None,
                outcome=None,
                reason="",
            ),
            datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC),
        )
    ]
}
