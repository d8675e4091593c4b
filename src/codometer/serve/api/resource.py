"""The shape of every resource of the API: a path, what it takes, what it answers.

The routes and the OpenAPI document come from the same list of resources, so
that neither can know one that the other does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

from codometer.access.actor import Actor
from codometer.access.permissions import Permission, Subject
from codometer.errors import BadRequest, UnsupportedEncoding
from codometer.serve.http import check_texts

Schema = Mapping[str, Any]
"""A JSON Schema, as OpenAPI 3.1 uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter."""

    name: str
    text: str
    schema: Schema
    example: object = None
    required: bool = False
    repeats: bool = False


class Given(QueryParams):
    """The parameters of a question, and who asks it."""

    def __init__(self, parameters: QueryParams, subject: Subject) -> None:
        super().__init__(parameters)
        self.subject = subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One path that answers to GET, for whoever has the permission.

    `answer` returns what `exact_json` can write; it runs in a thread unless `blocks` is False.
    `is_export` is for a whole copy of something, which few need often.
    """

    path: str
    name: str
    summary: str
    permission: Permission
    answer: Callable[[Given], object]
    schema: Schema
    example: object
    parameters: tuple[Parameter, ...] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    blocks: bool = True
    is_export: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an action is asked to do, and by whom. `path` has the parts that the path names."""

    actor: Actor
    path: Mapping[str, str]
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a text of the body, "" where there is none.

        Raises:
            BadRequest: it is no text.
        """
        value = self.body.get(name, "")
        if not isinstance(value, str):
            raise BadRequest(f"{name} is no text")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One path that changes something, by POST with a JSON object.

    `act` returns what `exact_json` can write; it runs in a thread. `body` is the schema
    of what it takes: fields that are not in it are refused before.
    """

    path: str
    name: str
    summary: str
    permission: Permission
    act: Callable[[Call], object]
    body: Schema
    body_example: object
    schema: Schema
    example: object
    errors: Mapping[int, str] = field(default_factory=dict)
    status: int = 200
    is_export: bool = False


def read_body(action: Action, content_type: str, content: bytes) -> Mapping[str, Any]:
    """Return the body of a call.

    Raises:
        UnsupportedEncoding: it is not JSON.
        BadRequest: it is no object, has fields that the action does not know, or texts that
            are none.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        # A page elsewhere can have a browser send a form here, and not this.
        raise UnsupportedEncoding("the body is not JSON", hint="send application/json")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object", hint=f"such as {action.body_example}")
    known = action.body["properties"]
    if unknown := sorted(set(body) - set(known)):
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise BadRequest(f"{action.path} knows no field {', '.join(unknown)}", hint=takes)
    check_texts(*_list_texts(body))
    return body


def _list_texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | list():
            for each in value.values() if isinstance(value, dict) else value:
                yield from _list_texts(each)


def check_parameters(resource: Resource, given: QueryParams) -> None:
    """Refuse parameters that the resource does not know: a typing mistake must not go unseen.

    Raises:
        BadRequest: names the unknown parameters and the known ones.
    """
    known = {parameter.name: parameter for parameter in resource.parameters}
    unknown = sorted(set(given) - set(known))
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise BadRequest(f"{resource.path} knows no parameter {', '.join(unknown)}", hint=takes)
    for name, parameter in known.items():
        if not parameter.repeats and len(given.getlist(name)) > 1:
            raise BadRequest(f"the parameter {name} is given more than once", hint="give it once")
