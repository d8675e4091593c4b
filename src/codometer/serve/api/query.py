"""`/api/v1/query`: any measures, by any dimensions, over any period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams

from codometer.access.permissions import Permission
from codometer.analysis.measures.dimensions import RESOURCE
from codometer.analysis.measures.query import Query, find_dimension, parse_query
from codometer.analysis.measures.run import Answer
from codometer.errors import BadRequest, TooFewPeople
from codometer.model.period import parse_period, parse_zone
from codometer.serve.api.answer import ANSWER_EXAMPLE, ANSWER_SCHEMA, answer_document
from codometer.serve.api.resource import Given, Parameter, Resource, Schema
from codometer.serve.scope import limited
from codometer.settings import Settings

Ask = Callable[[Query], Answer]
"""Finds the numbers. May block."""


def query_resource(
    ask: Ask,
    *,
    settings: Settings,
    now: Callable[[], datetime],
    measures: Sequence[str],
    dimensions: Sequence[str],
) -> Resource:
    """Return the resource that answers queries. The names are those of the whole catalogue."""

    def answer(given: Given) -> dict[str, Any]:
        query = read_query(given, settings, now())
        found = limited(ask, given.subject)(query)
        if found.withheld and query.where:
            raise TooFewPeople(found.minimum_people)
        return answer_document(found)

    return Resource(
        path="/api/v1/query",
        name="query",
        summary="Numbers: measures over a period, by dimensions",
        permission=Permission.READ_NUMBERS,
        answer=answer,
        parameters=_parameters(measures, dimensions),
        schema=ANSWER_SCHEMA,
        example=ANSWER_EXAMPLE,
        errors={
            400: "an unknown name, a period that ends before it starts, or something finer in time"
            " than the privacy profile tells of a team (`too_fine`)",
            403: "the credential lacks the permission, or the filters leave fewer people than"
            " may be told of (`too_few_people`)",
        },
    )


def read_query(given: QueryParams, settings: Settings, now: datetime) -> Query:
    """Read the parameters of a query.

    Raises:
        BadRequest: an unknown name, a period that is none, a filter without a colon.
    """
    zone = parse_zone(given.get("timezone") or settings.organisation.time_zone)
    since, until = _one_of(given, "from", "since"), _one_of(given, "to", "until")
    query = parse_query(
        _names(given, "measures"),
        period=parse_period(since, until, now=now, zone=zone),
        by=_names(given, "by"),
        where=[_filter(text) for text in given.getlist("where")],
        compare=given.get("compare") or None,
    )
    used = (*query.by, *(condition.dimension for condition in query.where))
    _check_allowed([dimension.name for dimension in used], settings)
    return query


def _names(given: QueryParams, parameter: str) -> list[str]:
    parts = (part.strip() for part in given.get(parameter, "").split(","))
    return [part for part in parts if part]


def _one_of(given: QueryParams, name: str, alias: str) -> str | None:
    if given.get(name) and given.get(alias):
        raise BadRequest(f"{name} and {alias} mean the same", hint="give one of them")
    return given.get(name) or given.get(alias) or None


def _filter(text: str) -> tuple[str, str]:
    dimension, colon, value = text.partition(":")
    if not colon or not dimension:
        raise BadRequest(
            f"the filter {text!r} is not understood",
            hint="write dimension:value, such as model:claude-opus-4-5",
        )
    return find_dimension(dimension).name, value


def _check_allowed(names: Sequence[str], settings: Settings) -> None:
    """Refuse resource attributes that are not kept: an answer would be unknown throughout."""
    allowed = [RESOURCE + key for key in settings.dimensions.resource_attributes]
    for name in names:
        if name.startswith(RESOURCE) and name not in allowed:
            raise BadRequest(
                f"{name} is not among the resource attributes that are kept",
                hint=f"kept are {', '.join(allowed) or 'none'};"
                " the setting dimensions.resource_attributes names them",
            )


def _parameters(measures: Sequence[str], dimensions: Sequence[str]) -> tuple[Parameter, ...]:
    text: Schema = {"type": "string"}
    when = "`30d`, `12h`, `2w`, a date or an instant"
    return (
        Parameter(
            name="measures",
            text="Names of measures, separated by commas",
            schema=_list_of({"type": "string", "enum": list(measures)}, minItems=1),
            example=["tokens", "cost"],
            required=True,
        ),
        Parameter(
            name="by",
            text="Names of dimensions, separated by commas",
            schema=_list_of({"type": "string", "enum": list(dimensions)}),
            example=["model"],
        ),
        Parameter(name="from", text=f"The start, included: {when}", schema=text, example="30d"),
        Parameter(name="to", text=f"The end, not included: {when}; else now", schema=text),
        Parameter(name="since", text="Another word for `from`", schema=text),
        Parameter(name="until", text="Another word for `to`", schema=text),
        Parameter(
            name="where",
            text="A filter, `dimension:value`; an empty value asks for what is not known."
            " Filters on one dimension are alternatives, on several they hold together",
            schema=_list_of({"type": "string", "pattern": "^[^:]+:"}),
            example=["agent:claude_code"],
            repeats=True,
        ),
        Parameter(
            name="compare",
            text="`previous` adds the same measures over the period before",
            schema={"type": "string", "enum": ["previous"]},
        ),
        Parameter(
            name="timezone",
            text="The IANA zone in which days are cut; else the organisation's",
            schema=text,
            example="Europe/Berlin",
        ),
    )


def _list_of(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items, **more}
