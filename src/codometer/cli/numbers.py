"""Numbers as people read them. Programs get all digits; here they are rounded, for the eye only."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

UNKNOWN: Final = "–"
_MINUS: Final = "−"

Value = int | float | Decimal | None

_MINUTE: Final = 60
_HOUR: Final = 3600
_SECONDS_IN_HOURS_ONLY: Final = 100 * _HOUR
_TENFOLD: Final = 9
_BYTE_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")


def format_column(values: Sequence[Value], display: str) -> list[str]:
    """Write the values of one column alike, so that they can be compared at a glance."""
    if display == "money":
        places = _money_places(values)
        return [_money(value, places) for value in values]
    return [format_value(value, display) for value in values]


def format_value(value: Value, display: str) -> str:
    """Write one value; `display` is a measure's."""
    if value is None:
        return UNKNOWN
    number = Decimal(str(value))
    match display:
        case "money":
            return _money(value, _money_places([value]))
        case "ratio":
            return f"{_rounded(number * 100, 1)}%"
        case "seconds":
            return _duration(number) if number else "0 s"
        case "milliseconds":
            return _duration(number / 1000)
        case "count":
            return _rounded(number, 0 if number == number.to_integral_value() else 1)
    return _rounded(number, 0 if number == number.to_integral_value() else 2)


def format_change(now: Value, before: Value, change: Value, display: str) -> str:
    """Write a signed change: in points for ratios, else as a share of the value before."""
    if display == "ratio":
        if now is None or before is None:
            return UNKNOWN
        return f"{_signed((Decimal(str(now)) - Decimal(str(before))) * 100, 1)} pt"
    if change is None:
        return UNKNOWN
    share = Decimal(str(change))
    if share >= _TENFOLD:
        return f"{_rounded(share + 1, 0)}×"
    return f"{_signed(share * 100, 1 if abs(share) < 1 else 0)}%"


def format_bytes(count: int) -> str:
    """Write a size with a binary unit."""
    size, unit = Decimal(count), 0
    while size >= 1024 and unit < len(_BYTE_UNITS) - 1:  # noqa: PLR2004 - what KiB means
        size, unit = size / 1024, unit + 1
    return f"{_rounded(size, 1 if unit else 0)} {_BYTE_UNITS[unit]}"


def _money_places(values: Sequence[Value]) -> int:
    """Return how many decimals a column of amounts needs: cents, more when all are tiny."""
    largest = max((abs(Decimal(str(value))) for value in values if value), default=Decimal(1))
    if largest >= Decimal("0.1"):
        return 2
    return 4 if largest >= Decimal("0.001") else 6


def _money(value: Value, places: int) -> str:
    if value is None:
        return UNKNOWN
    amount = Decimal(str(value))
    smallest = Decimal(1).scaleb(-places)
    if amount and abs(amount) < smallest / 2:
        return f"<${smallest}"
    sign = _MINUS if amount < 0 else ""
    return f"{sign}${_rounded(abs(amount), places)}"


def _duration(seconds: Decimal) -> str:
    if seconds < 1:
        return f"{_rounded(seconds * 1000, 0)} ms"
    if seconds < 10:  # noqa: PLR2004 - below ten seconds a tenth still matters
        return f"{_rounded(seconds, 1)} s"
    whole = int(seconds.to_integral_value(ROUND_HALF_EVEN))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    if whole < _SECONDS_IN_HOURS_ONLY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _HOUR:,} h"


def _rounded(number: Decimal, places: int) -> str:
    return f"{number:,.{places}f}".replace("-", _MINUS)


def _signed(number: Decimal, places: int) -> str:
    text = _rounded(number, places)
    if not text.strip("−0.,"):
        return text.removeprefix(_MINUS)
    return text if text.startswith(_MINUS) else f"+{text}"
