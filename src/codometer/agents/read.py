"""Attribute values as they ought to be, from whatever type a client version sends.

Clients send the same number as an integer, a double or a string, depending on
version and event. What cannot be read is None: unknown, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from codometer.model.money import MAX_PICO_USD, PicoUSD, pico_from_usd
from codometer.privacy.telling import is_telling

if TYPE_CHECKING:
    from codometer.model.signal import AttributeValue, Sheet

MAX_LABEL_LENGTH: Final = 200
_MAX_NUMBER: Final = 10**12
"""No count, cost or duration of one event comes near; the sums of many still fit 64 bits."""
_MAX_DIGITS: Final = 12
_MAX_WHOLE: Final = 2**53
_TRUE, _FALSE = ("true", "1"), ("false", "0")

_Value = TypeVar("_Value", int, str)

Reader = Callable[[Sequence["AttributeValue"]], Sequence[Any]]
"""Reads a column of an attribute, for a field whose type it is."""


def each(read: Callable[[AttributeValue], Any]) -> Reader:
    """Return what reads a column value by value."""
    return lambda column: list(map(read, column))


def whole(value: AttributeValue) -> int | None:
    """Read a count: a whole number of at least 0."""
    if type(value) is int:
        return value if 0 <= value <= _MAX_NUMBER else None
    if type(value) is str and len(value) <= _MAX_DIGITS and value.isdecimal():
        return int(value)
    number = real(value)
    return None if number is None else round(number)


def wholes(column: Sequence[AttributeValue]) -> Sequence[int | None]:
    """Read a column of counts."""
    if _are(column, int) and min(column) >= 0 and max(column) <= _MAX_NUMBER:
        return column
    return list(map(whole, column))


def real(value: AttributeValue) -> float | None:
    """Read a number of at least 0, unless it is too large to be one."""
    if type(value) is float:
        number = value
    elif isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    else:
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
    return number if 0 <= number <= _MAX_NUMBER else None


def truth(value: AttributeValue) -> bool | None:
    """Read a yes or no."""
    if isinstance(value, bool):
        return value
    if value in _TRUE:
        return True
    return False if value in _FALSE else None


def label(value: AttributeValue) -> str | None:
    """Read a name of a thing: a `line` without a credential and without an e-mail address.

    What has one strayed into a label; it is unknown.
    """
    text = line(value)
    return None if text is None or is_telling(text) else text


def line(value: AttributeValue) -> str | None:
    """Read one printable line of at most 200 characters, whatever it tells.

    Longer or multi-line text is content that strayed here; it is unknown.
    Values that are equal in Python (1, 1.0 and true) read the same, so that what
    was made of a value can be remembered by it.
    """
    if type(value) is str:
        text = value.strip()
        return text if 0 < len(text) <= MAX_LABEL_LENGTH and text.isprintable() else None
    if value is None:
        return None
    if isinstance(value, int | float) and abs(value) <= _MAX_WHOLE and value == int(value):
        return str(int(value))
    return None


def labels(column: Sequence[AttributeValue]) -> Sequence[str | None]:
    """Read a column of names, most often without looking at one after the other."""
    if _are(column, str):
        distinct = set(column)
        joined = ",".join(distinct)
        # All that `strip` takes away is a space or not printable.
        if joined.isprintable() and " " not in joined and not is_telling(joined):
            lengths = set(map(len, distinct))
            if min(lengths) > 0 and max(lengths) <= MAX_LABEL_LENGTH:
                return column
    return list(map(label, column))


def usd(value: AttributeValue) -> PicoUSD | None:
    """Read a cost in dollars."""
    amount = real(value)
    return None if amount is None else pico_from_usd(amount)


def usd_from_micros(value: AttributeValue) -> PicoUSD | None:
    """Read a cost in whole millionths of a dollar."""
    amount = whole(value)
    pico = None if amount is None else amount * 1_000_000
    return None if pico is None or pico > MAX_PICO_USD else PicoUSD(pico)


def json_objects(sheet: Sheet[Any], names: Sequence[str]) -> list[str | None]:
    """Write the attributes of these names, one or more, as a JSON object for each signal.

    Values are what may stand in a label, a number or a yes or no; others are left out, and
    None stands for an object without any.
    """
    columns = [_json_members(name, sheet.attributes[name]) for name in names]
    members = (filter(None, row) for row in zip(*columns, strict=True))
    return [f"{{{written}}}" if (written := ",".join(each)) else None for each in members]


def _json_members(name: str, column: Sequence[AttributeValue]) -> list[str | None]:
    key = f"{quote(name)}:"
    if _are(column, str):
        return [None if text is None else key + quote(text) for text in labels(column)]
    written = map(_json_value, column)
    return [None if value is None else key + value for value in written]


def _are(column: Sequence[AttributeValue], kind: type[_Value]) -> TypeGuard[Sequence[_Value]]:
    return set(map(type, column)) == {kind}


def _json_value(value: AttributeValue) -> str | None:
    if isinstance(value, str):
        text = label(value)
        return None if text is None else quote(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    return None
