"""Attribute values as they ought to be, from whatever type a client version sends.

Clients send the same number as an integer, a double or a string, depending on
version and event. What cannot be read is None: unknown, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any, Final

from codometer.model.money import MAX_PICO_USD, PicoUSD, pico_from_usd

if TYPE_CHECKING:
    from codometer.model.signal import Attributes, AttributeValue

MAX_LABEL_LENGTH: Final = 200
_MAX_NUMBER: Final = 10**12
"""No count, cost or duration of one event comes near; the sums of many still fit 64 bits."""
_MAX_DIGITS: Final = 12
_MAX_WHOLE: Final = 2**53
_TRUE, _FALSE = ("true", "1"), ("false", "0")

Reader = Callable[["AttributeValue"], Any]
"""Reads the value of one attribute, for a field whose type it is."""


def whole(value: AttributeValue) -> int | None:
    """Read a count: a whole number of at least 0."""
    if type(value) is int:
        return value if 0 <= value <= _MAX_NUMBER else None
    if type(value) is str and len(value) <= _MAX_DIGITS and value.isdecimal():
        return int(value)
    number = real(value)
    return None if number is None else round(number)


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
    """Read a name of a thing: one printable line of at most 200 characters.

    Longer or multi-line text is content that strayed into a label; it is unknown.
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


def usd(value: AttributeValue) -> PicoUSD | None:
    """Read a cost in dollars."""
    amount = real(value)
    return None if amount is None else pico_from_usd(amount)


def usd_from_micros(value: AttributeValue) -> PicoUSD | None:
    """Read a cost in whole millionths of a dollar."""
    amount = whole(value)
    pico = None if amount is None else amount * 1_000_000
    return None if pico is None or pico > MAX_PICO_USD else PicoUSD(pico)


def json_object(attributes: Attributes, names: Iterable[str]) -> str | None:
    """Write the attributes of these names as a JSON object; None when no value is left.

    Values are what may stand in a label, a number or a yes or no; others are left out.
    """
    members = [
        f"{quote(name)}:{written}"
        for name in names
        if (written := _json_value(attributes[name])) is not None
    ]
    return f"{{{','.join(members)}}}" if members else None


def _json_value(value: AttributeValue) -> str | None:
    if isinstance(value, str):
        text = label(value)
        return None if text is None else quote(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    return None
