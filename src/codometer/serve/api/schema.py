"""JSON Schemas of dataclasses, so that the API's description follows its code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

_SCALARS: Final[Mapping[object, Mapping[str, str]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
}


def object_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def array_schema(items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def schema_of(annotation: Any) -> dict[str, Any]:  # noqa: ANN401 - an annotation is of any type
    """Return the schema of a dataclass, a tuple or dict of one type, a union or a scalar.

    Raises:
        TypeError: an annotation that none of our answers has needed yet.
    """
    if annotation in _SCALARS:
        return dict(_SCALARS[annotation])
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {"enum": [*annotation]}
    if dataclasses.is_dataclass(annotation):
        hints = get_type_hints(annotation)
        fields = dataclasses.fields(annotation)
        return object_schema(**{each.name: schema_of(hints[each.name]) for each in fields})
    if get_origin(annotation) is tuple:
        return array_schema(schema_of(get_args(annotation)[0]))
    if get_origin(annotation) is dict:
        return {"type": "object", "additionalProperties": schema_of(get_args(annotation)[1])}
    if get_origin(annotation) is UnionType:
        return {"anyOf": [schema_of(member) for member in get_args(annotation)]}
    raise TypeError(f"no schema for {annotation}")
