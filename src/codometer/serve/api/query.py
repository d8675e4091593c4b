"""`/api/v1/query`: any measures, by any dimensions, over any period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from codometer.errors import BadRequest
from codometer.serve.api.resource import Parameter, Resource, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query as it was written; names and periods are not checked yet."""

    measures: tuple[str, ...]
    by: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    compare: str | None = None
    time_zone: str | None = None


Ask = Callable[[Question], object]
"""Answers a question with what `exact_json` can write. May block; raises BadRequest."""


def query_resource(ask: Ask, *, measures: list[str], dimensions: list[str]) -> Resource:
    """Return the resource that answers questions."""
    return Resource(
        path="/api/v1/query",
        name="query",
        summary="Numbers: measures over a period, by dimensions",
        answer=lambda given: ask(read_question(given)),
        parameters=_parameters(measures, dimensions),
        schema=_SCHEMA,
        example=_EXAMPLE,
        errors={400: "an unknown name, or a period that ends before it starts"},
    )


def read_question(given: QueryParams) -> Question:
    """Read the parameters of a query.

    Raises:
        BadRequest: no measure, a filter without a colon, or one thing said twice.
    """
    measures = _names(given, "measures")
    if not measures:
        raise BadRequest(
            "no measure is named", hint="measures=tokens,cost; /api/v1/measures lists them"
        )
    return Question(
        measures=measures,
        by=_names(given, "by"),
        start=_one_of(given, "from", "since"),
        end=_one_of(given, "to", "until"),
        where=tuple(_filter(text) for text in given.getlist("where")),
        compare=given.get("compare") or None,
        time_zone=given.get("timezone") or None,
    )


def _names(given: QueryParams, parameter: str) -> tuple[str, ...]:
    parts = (part.strip() for part in given.get(parameter, "").split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _one_of(given: QueryParams, name: str, alias: str) -> str | None:
    if given.get(name) and given.get(alias):
        raise BadRequest(f"{name} and {alias} mean the same", hint="give one of them")
    return given.get(name) or given.get(alias) or None


def _filter(text: str) -> tuple[str, str]:
    dimension, colon, value = text.partition(":")
    if not colon or not dimension:
        raise BadRequest(
            f"the filter {text!r} is not understood", hint="where=dimension:value, such as model:x"
        )
    return dimension, value


_PERIOD_TEXT: Final = "`30d`, `12h`, a date or an instant"


def _parameters(measures: list[str], dimensions: list[str]) -> tuple[Parameter, ...]:
    text: Schema = {"type": "string"}
    return (
        Parameter(
            name="measures",
            text="Names of measures, separated by commas",
            schema={"type": "array", "items": {"type": "string", "enum": measures}, "minItems": 1},
            example=["tokens", "cost"],
            required=True,
        ),
        Parameter(
            name="by",
            text="Names of dimensions, separated by commas; `resource.<key>` are more",
            schema={
                "type": "array",
                "items": {
                    "anyOf": [
                        {"type": "string", "enum": dimensions},
                        {"type": "string", "pattern": "^resource\\."},
                    ]
                },
            },
            example=["model"],
        ),
        Parameter(name="from", text=f"The start, included: {_PERIOD_TEXT}", schema=text),
        Parameter(name="to", text=f"The end, excluded: {_PERIOD_TEXT}", schema=text),
        Parameter(name="since", text="The same as `from`", schema=text, example="30d"),
        Parameter(name="until", text="The same as `to`", schema=text),
        Parameter(
            name="where",
            text="A filter, `dimension:value`; several of one dimension are alternatives",
            schema={"type": "array", "items": {"type": "string", "pattern": "^[^:]+:"}},
            example=["agent:claude_code"],
            repeats=True,
        ),
        Parameter(
            name="compare",
            text="Adds the same measures over the period before",
            schema={"type": "string", "enum": ["previous"]},
        ),
        Parameter(name="timezone", text="In which days are cut; the organisation's", schema=text),
    )


_SCHEMA: Final[Schema] = {"type": "object"}
_EXAMPLE: Final[Schema] = {}
