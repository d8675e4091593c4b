"""The shape of every resource of the API: a path, what it takes, what it answers.

The routes and the OpenAPI document come from the same list of resources, so
that neither can know one that the other does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

from codometer.errors import BadRequest

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One path that answers to GET.

    `answer` returns what `exact_json` can write; it runs in a thread unless `blocks` is False.
    """

    path: str
    name: str
    summary: str
    answer: Callable[[QueryParams], object]
    schema: Schema
    example: object
    parameters: tuple[Parameter, ...] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    blocks: bool = True


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
