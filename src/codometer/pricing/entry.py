"""One object of a file that people edit, read field by field, with every mistake noted.

A reader takes a decoded value and returns it as we use it, or raises Unfit with
what it expected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

# What comes out is Any: the caller makes a typed row of it at once.
Reader = Callable[[object], Any]
Fields = Mapping[str, Reader]

_NONE: Final[Fields] = MappingProxyType({})


class Unfit(ValueError):
    """A value that its field cannot hold; the message says what the field expects."""


def read_entry(
    place: str, entry: object, required: Fields, mistakes: list[str], *, optional: Fields = _NONE
) -> dict[str, Any]:
    """Return the fields that are right; add what is wrong, missing or unknown to `mistakes`."""
    if not isinstance(entry, dict):
        mistakes.append(f"{place}: is {entry!r}, expected an object")
        return {}
    readers = {**required, **optional}
    mistakes += [f"{place}: {key} is missing" for key in required if key not in entry]
    fields = {}
    for key, value in entry.items():
        if key not in readers:
            mistakes.append(f"{place}: {key} is not a field")
            continue
        try:
            fields[key] = readers[key](value)
        except Unfit as unfit:
            mistakes.append(f"{place}: {key} is {value!r}, expected {unfit}")
    return fields


def text(value: object) -> str:
    """Read a text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise Unfit("a text")


def entries(value: object) -> list[Any]:
    """Read a list of anything."""
    if isinstance(value, list):
        return value
    raise Unfit("a list")


def explanations(value: object) -> dict[str, str]:
    """Read keys with a text each."""
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return value
    raise Unfit("keys with a text each")


def flag(value: object) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    raise Unfit("true or false")


def day(value: object) -> date | None:
    """Read a day; None is open."""
    try:
        return None if value is None else date.fromisoformat(text(value))
    except ValueError as error:
        raise Unfit("a day such as 2026-10-07, or null") from error


def count(value: object) -> int:
    """Read a whole number above 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise Unfit("a whole number above 0")


def number(value: object) -> Fraction:
    """Read a number above 0, exactly; JSON has to be decoded with `parse_float=Decimal`."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0:
        return Fraction(value)
    raise Unfit("a number above 0")


def one_of(choices: Collection[str]) -> Reader:
    """Make a reader of a text that must be one of these."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise Unfit(f"one of {', '.join(sorted(choices))}")

    return read


def some_of(choices: Collection[str]) -> Reader:
    """Make a reader of a list of which each must be one of these, and there must be one."""
    read_one = one_of(choices)

    def read(value: object) -> list[str]:
        chosen = [read_one(item) for item in entries(value)]
        if chosen:
            return chosen
        raise Unfit("at least one")

    return read
