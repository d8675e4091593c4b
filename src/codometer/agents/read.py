"""Attribute values as they ought to be, from whatever type a client version sends.

Clients send the same number as an integer, a double or a string, depending on
version and event. What cannot be read is None: unknown, never zero.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from codometer.model.money import PicoUSD, pico_from_usd

if TYPE_CHECKING:
    from codometer.model.signal import AttributeValue

MAX_LABEL_LENGTH: Final = 200
_MAX_WHOLE: Final = 2**53
_TRUE, _FALSE = ("true", "1"), ("false", "0")


def whole(value: AttributeValue) -> int | None:
    """Read a count: a whole number of at least 0."""
    if type(value) is int:
        return value if 0 <= value <= _MAX_WHOLE else None
    number = real(value)
    return None if number is None else round(number)


def real(value: AttributeValue) -> float | None:
    """Read a finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MAX_WHOLE else None


def truth(value: AttributeValue) -> bool | None:
    """Read a yes or no."""
    if isinstance(value, bool):
        return value
    if value in _TRUE:
        return True
    return False if value in _FALSE else None


@lru_cache(maxsize=16_384)
def _label(value: str) -> str | None:
    text = value.strip()
    return text if 0 < len(text) <= MAX_LABEL_LENGTH and text.isprintable() else None


def label(value: AttributeValue) -> str | None:
    """Read a name of a thing: one printable line of at most 200 characters.

    Longer or multi-line text is content that strayed into a label; it is unknown.
    """
    if type(value) is str:
        return _label(value)
    return None if value is None or not isinstance(value, int) else str(value).lower()


def usd(dollars: AttributeValue, micros: AttributeValue = None) -> PicoUSD | None:
    """Read a cost in dollars, else one in rounded micro-dollars."""
    amount = real(dollars)
    if amount is not None:
        return pico_from_usd(amount)
    amount = real(micros)
    return None if amount is None or math.isnan(amount) else PicoUSD(round(amount) * 1_000_000)
