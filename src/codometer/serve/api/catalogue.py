"""`/api/v1/measures` and `/api/v1/dimensions`: what can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import Dimension
from codometer.analysis.measures.measure import Measure
from codometer.analysis.measures.query import applicable
from codometer.serve.api.resource import Resource
from codometer.serve.api.schema import array_schema, object_schema

_TEXT: Final = {"type": "string"}

MEASURE_SCHEMA: Final = object_schema(
    name=_TEXT,
    label=_TEXT,
    definition=_TEXT,
    unit=_TEXT,
    display=_TEXT,
    direction=_TEXT,
    provenance=_TEXT,
    additive={"type": "boolean"},
)
DIMENSION_SCHEMA: Final = object_schema(name=_TEXT, label=_TEXT, definition=_TEXT)


def measures_resource() -> Resource:
    """Return the resource that lists every measure, each with the dimensions that apply to it."""
    document = {
        "measures": [
            {
                **measure_document(measure),
                "dimensions": [dimension.name for dimension in applicable(measure)],
            }
            for measure in MEASURES.values()
        ]
    }
    schema = object_schema(
        **{**MEASURE_SCHEMA["properties"], "dimensions": array_schema({"type": "string"})}
    )
    return Resource(
        path="/api/v1/measures",
        name="measures",
        summary="Every measure: its definition, its unit, and the dimensions that apply to it",
        permission=Permission.READ_NUMBERS,
        answer=lambda _: document,
        blocks=False,
        schema=object_schema(measures=array_schema(schema)),
        example={"measures": document["measures"][:1]},
    )


def dimensions_resource(dimensions: Sequence[Dimension]) -> Resource:
    """Return the resource that lists every dimension."""
    document = {"dimensions": [dimension_document(dimension) for dimension in dimensions]}
    return Resource(
        path="/api/v1/dimensions",
        name="dimensions",
        summary="Every dimension, allowed resource attributes included",
        permission=Permission.READ_NUMBERS,
        answer=lambda _: document,
        blocks=False,
        schema=object_schema(dimensions=array_schema(DIMENSION_SCHEMA)),
        example={"dimensions": document["dimensions"][:1]},
    )


def measure_document(measure: Measure) -> dict[str, Any]:
    """Return a measure as the API tells it."""
    return {
        "name": measure.name,
        "label": measure.label,
        "definition": measure.definition,
        "unit": measure.unit,
        "display": measure.display,
        "direction": measure.direction,
        "provenance": measure.provenance,
        "additive": measure.additive,
    }


def dimension_document(dimension: Dimension) -> dict[str, str]:
    """Return a dimension as the API tells it."""
    return {
        "name": dimension.name,
        "label": dimension.label,
        "definition": dimension.definition,
    }
