"""`/api/v1/people/…`: what people may ask for of their own data, done for them by an administrator.

These are actions, also the ones that only look: each is on the record, and
whom they are about stands in no address and so in no proxy's log.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.model.identity import Counts
from codometer.people.census import Census
from codometer.people.requests import Found, Requests
from codometer.people.vault import Treatment
from codometer.privacy.pseudonym import IdentityKind
from codometer.privacy.resolution import Known
from codometer.serve.api.resource import Action, Call, Resource
from codometer.serve.api.schema import array_schema, object_schema, schema_of
from codometer.serve.api.teams import MEMBERSHIP_SCHEMA, describe_membership

_TEXT: Final = {"type": "string"}
_DAY: Final = {"type": ["string", "null"], "format": "date"}
_COUNT: Final = {"type": "integer"}
_PERSON: Final = object_schema(
    person=_TEXT,
    pseudonyms=array_schema(
        object_schema(
            pseudonym=_TEXT,
            kind={"enum": [*IdentityKind]},
            first_seen={"type": "string", "format": "date-time"},
        )
    ),
    sessions=_COUNT,
    events=_COUNT,
    readings=_COUNT,
    first=_DAY,
    last=_DAY,
    accounts=array_schema(_TEXT),
    credentials=array_schema(_TEXT),
    teams=array_schema(MEMBERSHIP_SCHEMA),
)
_FOUND: Final = object_schema(person=_PERSON)
_FORGOTTEN: Final = object_schema(person=_PERSON, erased={"type": "boolean"})
_ERRORS: Final = {404: "nothing is stored of such a person"}


def people_resource(
    take_census: Callable[[int], Census], minimum_people: Callable[[], int]
) -> Resource:
    """Return the resource that says how many people are known, and by what."""

    def answer(_: object) -> dict[str, Any]:
        minimum = minimum_people()
        return {"minimum_people": minimum, **asdict(take_census(minimum))}

    example = Census(
        people=120,
        installations=14,
        addresses=98,
        in_teams=0,
        excluded=None,
        shared=0,
        services=3,
    )
    return Resource(
        path="/api/v1/people",
        name="people",
        summary="How many people are known, and by what; null is fewer than may be told",
        permission=Permission.READ_TEAMS,
        answer=answer,
        schema=object_schema(minimum_people=_COUNT, **schema_of(Census)["properties"]),
        example={"minimum_people": 5, **asdict(example)},
    )


def people_actions(requests: Requests) -> Sequence[Action]:
    """Return what can be done."""

    def show(call: Call) -> object:
        return {"person": _document(requests.show(call.text("subject"), call.actor))}

    def export(call: Call) -> object:
        packed = requests.export(call.text("subject"), call.text("reason"), call.actor)
        return {"zip": base64.b64encode(packed).decode()}

    def forget(call: Call) -> object:
        confirmed = call.text("confirm")
        told = requests.forget(call.text("subject"), confirmed, call.text("reason"), call.actor)
        return {"person": _document(told), "erased": bool(confirmed)}

    def merge(call: Call) -> object:
        names = call.text("pseudonym"), call.text("with")
        return {"person": _document(requests.merge(*names, call.text("reason"), call.actor))}

    def split(call: Call) -> object:
        name, reason = call.text("pseudonym"), call.text("reason")
        return {"person": _document(requests.split(name, reason, call.actor))}

    reason = {"reason": "she asked for it"}
    subject = {"subject": "ada@example.com"}
    pseudonym = {"pseudonym": _EXAMPLE["pseudonyms"][0]["pseudonym"]}
    return (
        _action("show", "What is known of a person, without a name", show, subject),
        _action(
            "export",
            "All that is stored of a person, as a ZIP file in base64",
            export,
            {**subject, **reason},
            answer=(object_schema(zip=_TEXT), {"zip": "UEsFBg=="}),
            is_export=True,
        ),
        _action(
            "forget",
            "Erase a person; without `confirm` (their pseudonym), say what would be erased",
            forget,
            {**subject, **reason, "confirm": _EXAMPLE["person"]},
            answer=(_FORGOTTEN, {"person": _EXAMPLE, "erased": True}),
        ),
        _action(
            "merge",
            "Decide that two pseudonyms are one person's",
            merge,
            {**pseudonym, "with": "p_bbbbbbbbbbbbbbbbbbbb", **reason},
        ),
        _action("split", "Take a pseudonym out of its person", split, {**pseudonym, **reason}),
        _treat_action(requests),
    )


def _treat_action(requests: Requests) -> Action:
    def treat(call: Call) -> object:
        treatment = call.text("as")
        if treatment not in [*Treatment]:
            raise BadRequest(f"{treatment!r} is no treatment", hint=", ".join(Treatment))
        found = requests.treat(
            call.text("subject"), Treatment(treatment), call.text("reason"), call.actor
        )
        return {"sessions": found}

    return _action(
        "treat",
        "Treat somebody's records as a person's, a service's, or (excluded) as nobody's",
        treat,
        {"subject": "ada@example.com", "as": "excluded", "reason": "she objects"},
        answer=(object_schema(sessions=_COUNT), {"sessions": 0}),
    )


def _action(
    name: str,
    summary: str,
    act: Callable[[Call], object],
    example: Mapping[str, str],
    *,
    answer: tuple[Mapping[str, Any], object] | None = None,
    is_export: bool = False,
) -> Action:
    schema, answered = answer or (_FOUND, {"person": _EXAMPLE})
    return Action(
        path=f"/api/v1/people/{name}",
        name=f"{name}_person",
        summary=summary,
        permission=Permission.WRITE_PEOPLE,
        act=act,
        body={
            "type": "object",
            "properties": dict.fromkeys(example, _TEXT),
            "required": [field for field in example if field != "confirm"],
        },
        body_example=dict(example),
        schema=schema,
        example=answered,
        errors=_ERRORS,
        is_export=is_export,
    )


def _document(found: Found) -> dict[str, Any]:
    return {
        "person": found.person,
        "pseudonyms": [
            {"pseudonym": known.pseudonym, "kind": known.kind, "first_seen": known.created}
            for known in found.pseudonyms
        ],
        **found.rows._asdict(),
        "accounts": [*found.accounts],
        "credentials": [*found.credentials],
        "teams": [describe_membership(each) for each in found.teams],
    }


_EXAMPLE: Final = _document(
    Found(
        person="p_aaaaaaaaaaaaaaaaaaaa",
        pseudonyms=(
            Known(
                pseudonym="p_aaaaaaaaaaaaaaaaaaaa",
                kind=IdentityKind.ACCOUNT_UUID,
                created=datetime(2026, 11, 2, 8, 15, tzinfo=UTC),
            ),
        ),
        rows=Counts(41, 8_214, 2_790, date(2026, 11, 2), date(2026, 11, 23)),
        accounts=(),
        credentials=(),
    )
)
