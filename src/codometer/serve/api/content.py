"""`/api/v1/content/…`: which projects are open for content, what people agreed to, and reading it.

Whose own data it is, or what a project was opened to, decides what is read here;
no role or credential does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest, Forbidden
from codometer.people.consents import LONGEST, ConsentText, PersonalConsent, ProjectConsent
from codometer.people.content_views import ContentFact, Looked, ReadContent
from codometer.privacy.policy import Part
from codometer.serve.api.resource import Action, Call, Given, Resource, Schema
from codometer.serve.api.schema import array_schema, object_schema

if TYPE_CHECKING:
    from codometer.access.actor import Actor
    from codometer.people.people import People
    from codometer.people.requests import Requests

_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_MAYBE: Final = {"type": ["string", "null"]}
_PROJECT: Final = object_schema(
    project=_TEXT,
    purpose=_TEXT,
    reviewers=array_schema(_TEXT),
    days={"type": "integer", "description": "how long a text is kept at most"},
    granted=_INSTANT,
    expires=_INSTANT,
)
_PROJECTS: Final = object_schema(projects=array_schema(_PROJECT))
_CONSENT: Final = object_schema(
    project=_TEXT,
    purpose=_TEXT,
    text_hash=_TEXT,
    granted=_INSTANT,
    expires=_INSTANT,
    withdrawn={"type": ["string", "null"], "format": "date-time"},
    channel=_TEXT,
)
_OFFER: Final = object_schema(project=_TEXT, text=_TEXT, text_hash=_TEXT)
_FACT: Final[dict[str, Schema]] = {
    "id": _TEXT,
    "project": _TEXT,
    "person": _TEXT,
    "session": _MAYBE,
    "time": _INSTANT,
    "name": _TEXT,
    "part": {"enum": [*Part]},
}
_LOOK: Final = object_schema(time=_TEXT, action=_TEXT, actor=_TEXT, reason=_TEXT)
_OWN: Final = object_schema(
    person={**_MAYBE, "description": "null where nobody confirmed who this account is"},
    consents=array_schema(_CONSENT),
    offers=array_schema(_OFFER),
    content=array_schema(object_schema(**_FACT)),
    looks=array_schema(_LOOK),
)
_READ: Final = object_schema(texts=array_schema(object_schema(**_FACT, text=_TEXT)))
_DELETED: Final = object_schema(deleted={"type": "integer"})
_NOT_OPEN: Final = {404: "nothing of this project is open, or agreed to"}


def content_resources(people: People) -> Sequence[Resource]:
    """Return what can be asked."""

    def projects(_: Given) -> object:
        return _projects(people)

    def own(given: Given) -> object:
        return _own_document(people, people.content_views.find_own(given.subject.actor))

    return (
        Resource(
            path="/api/v1/content/projects",
            name="content_projects",
            summary="Which projects are open for content: what for, and who may read it",
            permission=Permission.READ_PRIVACY,
            answer=projects,
            schema=_PROJECTS,
            example={"projects": [_EXAMPLE_PROJECT]},
        ),
        Resource(
            path="/api/v1/content/own",
            name="own_content",
            summary="What one agreed to oneself or could, what is kept, and who looked",
            permission=Permission.READ_OWN,
            answer=own,
            schema=_OWN,
            example=_EXAMPLE_OWN,
        ),
    )


def content_actions(people: People, requests: Requests) -> Sequence[Action]:
    """Return what can be done."""
    return (
        *_project_actions(people),
        *_personal_actions(people, requests),
        _read_action(people),
    )


def _project_actions(people: People) -> Sequence[Action]:
    def open_(call: Call) -> object:
        with people.pausing():
            people.contents.open_project(
                call.text("project"),
                call.text("purpose"),
                _texts(call, "reviewers"),
                call.actor,
                days=_days(call),
            )
        return _projects(people)

    def close(call: Call) -> object:
        with people.pausing():
            people.contents.close_project(call.text("project"), call.text("reason"), call.actor)
        return _projects(people)

    project = {"project": "team:payments"}
    return (
        _action(
            "projects/open",
            "Open a project for content; nothing is kept before people agree, too",
            Permission.WRITE_PRIVACY,
            open_,
            example={
                **project,
                "purpose": "to write better instructions",
                "reviewers": [],
                "days": 90,
            },
            answer=(_PROJECTS, {"projects": [_EXAMPLE_PROJECT]}),
        ),
        _action(
            "projects/close",
            "Close a project, and delete what was kept of it",
            Permission.WRITE_PRIVACY,
            close,
            example={**project, "reason": "it is done"},
            answer=(_PROJECTS, {"projects": []}),
        ),
    )


def _personal_actions(people: People, requests: Requests) -> Sequence[Action]:
    def agree(call: Call) -> object:
        person = _own(people, call.actor)
        words = call.text("text_hash")
        with people.pausing():
            people.contents.agree(person, call.text("project"), words, "signed in")
        return _own_document(people, person)

    def withdraw(call: Call) -> object:
        person = _own(people, call.actor)
        with people.pausing():
            count = people.contents.withdraw(person, call.text("project"))
        return {"deleted": count}

    def withdraw_for(call: Call) -> object:
        told = call.text("subject"), call.text("project"), call.text("reason")
        return {"deleted": requests.withdraw_content(*told, call.actor)}

    project = {"project": "team:payments"}
    reason = {"reason": "she asked for it"}
    deleted = _DELETED, {"deleted": 12}
    return (
        _action(
            "agree",
            "Agree that content of one's own is kept, to the words that `text_hash` is of",
            Permission.READ_OWN,
            agree,
            example={**project, "text_hash": _EXAMPLE_TEXT.hash},
            answer=(_OWN, _EXAMPLE_OWN),
        ),
        _action(
            "withdraw",
            "Take that back, and delete what was kept",
            Permission.READ_OWN,
            withdraw,
            example=project,
            answer=deleted,
        ),
        _action(
            "withdraw_for",
            "Take back for a person what they agreed to",
            Permission.WRITE_PEOPLE,
            withdraw_for,
            example={"subject": "ada@example.com", **project, **reason},
            answer=deleted,
        ),
    )


def _read_action(people: People) -> Action:
    def read(call: Call) -> object:
        wanted = {name: call.text(name) or None for name in ("project", "person", "session")}
        reason = call.text("reason")
        found = people.content_views.read(call.actor, **wanted, reason=reason)
        return {"texts": [_read(each) for each in found]}

    example = {**_EXAMPLE_FACT._asdict(), "text": "Fix [REDACTED:email:1f0a77c2]"}
    return _action(
        "read",
        "Read content: one's own, or of a project that was opened to one; it is on the record",
        Permission.READ_OWN,
        read,
        example={
            "project": "team:payments",
            "person": "",
            "session": "",
            "reason": "to write better instructions",
        },
        answer=(_READ, {"texts": [example]}),
    )


def _action(
    name: str,
    summary: str,
    permission: Permission,
    act: Any,  # noqa: ANN401 - the field says what it is
    *,
    example: Mapping[str, object],
    answer: tuple[Mapping[str, Any], object],
) -> Action:
    return Action(
        path=f"/api/v1/content/{name}",
        name=f"{name.replace('/', '_')}_content",
        summary=summary,
        permission=permission,
        act=act,
        body={
            "type": "object",
            "properties": {name: _type(value) for name, value in example.items()},
        },
        body_example=dict(example),
        schema=answer[0],
        example=answer[1],
        errors=_NOT_OPEN,
    )


def _type(example: object) -> Mapping[str, Any]:
    if isinstance(example, list):
        return array_schema(_TEXT)
    return {"type": "integer"} if isinstance(example, int) else _TEXT


def _own(people: People, actor: Actor) -> str:
    person = people.content_views.find_own(actor)
    if person is None:
        raise Forbidden(
            "it is not known which person this account is",
            hint="an administrator confirms that",
        )
    return person


def _texts(call: Call, name: str) -> list[str]:
    value = call.body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequest(f"{name} is no list of texts")
    return value


def _days(call: Call) -> int:
    value = call.body.get("days", LONGEST.days)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest("days is no whole number")
    return value


def _projects(people: People) -> dict[str, Any]:
    consents = people.contents.consents
    return {
        "projects": [
            _project(each, consents.list_logins(each)) for each in consents.list_projects()
        ]
    }


def _project(offer: ProjectConsent, logins: Sequence[str]) -> dict[str, Any]:
    names = ("project", "purpose", "days", "granted", "expires")
    told = {name: getattr(offer, name) for name in names}
    return {**told, "reviewers": [*logins]}


def _own_document(people: People, person: str | None) -> dict[str, Any]:
    contents, views = people.contents, people.content_views
    offers = [(each, contents.consents.text_of(each)) for each in contents.consents.list_projects()]
    told: dict[str, Any] = {
        "person": person,
        "consents": [],
        "offers": [_offer(offer, text) for offer, text in offers],
        "content": [],
        "looks": [],
    }
    if person is not None:
        told["consents"] = [_consent(each) for each in contents.consents_of(person)]
        told["content"] = [each._asdict() for each in views.content_of(person)]
        told["looks"] = [_look(each) for each in views.access_log_of(person)]
    return told


def _offer(offer: ProjectConsent, text: ConsentText) -> dict[str, Any]:
    return {"project": offer.project, "text": text.text, "text_hash": text.hash}


def _consent(consent: PersonalConsent) -> dict[str, Any]:
    names = ("text_hash", "granted", "expires", "withdrawn", "channel")
    told = {name: getattr(consent, name) for name in names}
    return {"project": consent.offer.project, "purpose": consent.offer.purpose, **told}


def _look(look: Looked) -> dict[str, Any]:
    who = look.actor or look.actor_kind
    return {"time": look.time, "action": look.action, "actor": who, "reason": look.reason}


def _read(each: ReadContent) -> dict[str, Any]:
    return {**each.fact._asdict(), "text": each.text}


_EXAMPLE_TIME: Final = datetime(2026, 11, 23, 14, tzinfo=UTC)
_EXAMPLE_CONSENT: Final = ProjectConsent(
    id="pc_0123456789",
    project="team:payments",
    purpose="to write better instructions",
    reviewers=(),
    days=7,
    granted=_EXAMPLE_TIME,
    expires=datetime(2027, 2, 21, 14, tzinfo=UTC),
)
_EXAMPLE_TEXT: Final = ConsentText(version=1, text="I agree that …")
_EXAMPLE_PROJECT: Final = _project(_EXAMPLE_CONSENT, ["grace@example.com"])
_EXAMPLE_FACT: Final = ContentFact(
    id="00f1e2d3c4b5a69788796a5b4c3d2e1f",
    project="team:payments",
    person="p_aaaaaaaaaaaaaaaaaaaa",
    session="7eff716b-3620-4db1-aea3-1fa9060d8c24",
    time=_EXAMPLE_TIME,
    name="user_prompt",
    part=Part.PROMPT,
)
_EXAMPLE_OWN: Final = {
    "person": _EXAMPLE_FACT.person,
    "consents": [],
    "offers": [_offer(_EXAMPLE_CONSENT, _EXAMPLE_TEXT)],
    "content": [_EXAMPLE_FACT._asdict()],
    "looks": [],
}
