"""`/api/v1/audit`: what was done, by whom, and whether the record of it is whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from starlette.datastructures import QueryParams

from codometer.access.actions import Action, Outcome
from codometer.access.audit import MOST_LISTED, AuditLog, Filter, Recorded
from codometer.access.permissions import Permission
from codometer.access.verification import Verification, verify
from codometer.errors import BadRequest
from codometer.model.period import parse_period, parse_zone
from codometer.serve.api.resource import Parameter, Resource
from codometer.serve.api.schema import array_schema, object_schema, schema_of

_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer"}
_USUAL_LIMIT: Final = 100
_ENTRY_SCHEMA: Final = object_schema(
    seq=_WHOLE,
    time={**_TEXT, "format": "date-time"},
    actor_kind=_TEXT,
    actor=_TEXT,
    address={**_TEXT, "description": "a network, without the host"},
    request=_TEXT,
    action=_TEXT,
    object=_TEXT,
    outcome=_TEXT,
    reason=_TEXT,
    before={"type": "object"},
    after={"type": "object"},
    hash=_TEXT,
)
_PARAMETERS: Final = (
    Parameter(name="action", text="Only this.", schema={"enum": [*Action]}),
    Parameter(name="actor", text="Only what this id did.", schema=_TEXT),
    Parameter(name="object", text="Only what was done to this.", schema=_TEXT),
    Parameter(name="outcome", text="Only what ended like this.", schema={"enum": [*Outcome]}),
    Parameter(name="since", text="From when on: 30d, a date or an instant.", schema=_TEXT),
    Parameter(name="until", text="Up to when, not included.", schema=_TEXT),
    Parameter(name="before", text="Only entries before this number, for paging.", schema=_WHOLE),
    Parameter(
        name="limit",
        text=f"At most so many; {_USUAL_LIMIT} unless given.",
        schema={**_WHOLE, "minimum": 1, "maximum": MOST_LISTED},
    ),
)
_EXAMPLE: Final = {
    "seq": 2,
    "time": "2026-11-23T14:03:20.120Z",
    "actor_kind": "local",
    "actor": "",
    "address": "127.0.0.0/24",
    "request": "1f3bd6f0a8c2e957",
    "action": "credential.create",
    "object": "crd_5f0c9a1e7b",
    "outcome": "done",
    "reason": "",
    "before": {},
    "after": {"kind": "ingest", "team": "checkout"},
    "hash": "5b0f…",
}


def audit_resource(log: AuditLog, *, zone: str, now: Callable[[], datetime]) -> Resource:
    """Return the resource that lists entries, the newest first."""

    def answer(given: QueryParams) -> dict[str, Any]:
        wanted = read_filter(given, zone, now())
        found = log.list_entries(wanted)
        more = len(found) == wanted.limit
        return {
            "entries": [describe_entry(each) for each in found],
            "next": found[-1].entry.seq if more else None,
        }

    return Resource(
        path="/api/v1/audit",
        name="audit",
        summary="What was done, by whom: the newest first",
        permission=Permission.READ_AUDIT,
        answer=answer,
        parameters=_PARAMETERS,
        schema=object_schema(
            entries=array_schema(_ENTRY_SCHEMA),
            next={"type": ["integer", "null"], "description": "for `before`; null at the end"},
        ),
        example={"entries": [_EXAMPLE], "next": None},
    )


def verification_resource(log: AuditLog) -> Resource:
    """Return the resource that checks the whole log, which takes a while."""
    example = Verification(entries=2, first=1, last=2, sealed=0, anchors=2, unanchored=0, faults=())
    schema = schema_of(Verification)
    schema["properties"] = {"whole": {"type": "boolean"}, **schema["properties"]}

    def answer(_: object) -> dict[str, Any]:
        return _verification(verify(log))

    return Resource(
        path="/api/v1/audit/verification",
        name="audit_verification",
        summary="Is the audit log whole? Every hash is computed again",
        permission=Permission.READ_AUDIT,
        answer=answer,
        schema=schema,
        example=_verification(example),
    )


def _verification(found: Verification) -> dict[str, Any]:
    return {"whole": not found.faults, **asdict(found)}


def read_filter(given: Mapping[str, str], zone: str, now: datetime) -> Filter:
    """Return the filter that parameters ask for; those that are empty ask for nothing.

    Raises:
        BadRequest: one of them is none.
    """
    since, until = given.get("since"), given.get("until")
    period = None
    if since or until:
        period = parse_period(since or "2000-01-02", until, now=now, zone=parse_zone(zone))
    action, named = _one_of(Action, given, "action"), given.get("object")
    return Filter(
        actions=(action,) if action else (),
        actor=given.get("actor") or None,
        objects=(named,) if named else (),
        outcome=_one_of(Outcome, given, "outcome"),
        since=period.start if period else None,
        until=period.end if period and until else None,
        before=_read_whole(given, "before", None),
        limit=_read_whole(given, "limit", MOST_LISTED) or _USUAL_LIMIT,
    )


def _one_of(known: type[StrEnum], given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value and value not in [*known]:
        raise BadRequest(f"{value[:40]!r} is no {name}", hint=f"one of {', '.join(known)}")
    return value or None


def _read_whole(given: Mapping[str, str], name: str, most: int | None) -> int | None:
    text = given.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= (most or 2**53)):
        expected = f"a whole number from 1 to {most}" if most else "the number of an entry"
        raise BadRequest(f"{name} is {text[:20]!r}", hint=f"expected {expected}")
    return int(text)


def describe_entry(each: Recorded) -> dict[str, Any]:
    """Return an entry as JSON has it."""
    fields = asdict(each.entry)
    differences = {side: _parse(fields[side]) for side in ("before", "after")}
    return {**fields, **differences, "hash": each.hash}


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:  # somebody was at the database; a verification tells
        return {"unreadable": text}
