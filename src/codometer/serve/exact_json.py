"""JSON that keeps every digit of a decimal.

The standard encoder knows floats only, and 0.1 + 0.2 is no amount of money.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any


def encode(value: object, *, indent: int | None = None) -> str:
    """Write a value as JSON: decimals exactly, instants in UTC as ISO 8601, not-a-number as null.

    A dataclass becomes an object of its fields.

    Raises:
        TypeError: a value of a type that has no JSON.
    """
    return "".join(_parts(value, "\n" if indent is not None else "", indent or 0))


def decode(text: str | bytes) -> Any:  # noqa: ANN401 - JSON is of any type
    """Read JSON; numbers with a point become decimals."""
    return json.loads(text, parse_float=Decimal)


def instant_text(value: datetime) -> str:
    """Write an aware instant in UTC, `2026-11-23T10:00:00Z`, with a fraction only if it has one."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decimal_text(value: Decimal) -> str:
    """Write a finite decimal with all its digits, without an exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parts(value: object, line: str, indent: int) -> Iterator[str]:
    """Yield the pieces; `line` is the line break with the indentation in force, or nothing."""
    inner = line + " " * indent if line else ""
    if isinstance(value, Mapping):
        yield from _members(
            [(f"{json.dumps(str(key))}: ", member) for key, member in value.items()],
            "{}",
            (line, inner),
            indent,
        )
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield from _members([("", member) for member in value], "[]", (line, inner), indent)
    elif dataclasses.is_dataclass(value):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        yield from _parts(fields, line, indent)
    else:
        yield _scalar(value)


def _members(
    members: list[tuple[str, object]], brackets: str, lines: tuple[str, str], indent: int
) -> Iterator[str]:
    outer, inner = lines
    yield brackets[0]
    for number, (head, member) in enumerate(members):
        if number:
            yield "," if inner else ", "
        yield inner + head
        yield from _parts(member, inner, indent)
    yield (outer if members else "") + brackets[1]


def _scalar(value: object) -> str:
    match value:
        case Decimal():
            return decimal_text(value) if value.is_finite() else "null"
        case float():
            return repr(value) if math.isfinite(value) else "null"
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            return json.dumps(instant_text(value))
        case date():
            return json.dumps(value.isoformat())
        case Path():
            return json.dumps(str(value), ensure_ascii=False)
    raise TypeError(f"{type(value).__name__} has no JSON")
