"""Numbers as people read them, on pages, in sentences and in the terminal.

Programs get all digits; here they are rounded, for the eye only. Unknown is a
dash and zero is `0`, everywhere. Three places ask for three precisions: a figure
stands alone, a cell stands in a table or sentence, an axis has round values only.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

UNKNOWN: Final = "–"
_MINUS: Final = "−"

Value = int | float | Decimal | None

_THOUSANDS: Final = (("B", Decimal(10**9)), ("M", Decimal(10**6)), ("k", Decimal(10**3)))
_THREE_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)
_CENT: Final = Decimal("0.01")
_MILL: Final = Decimal("0.001")
_WHOLE_FROM: Final = 100
_CENTS_FROM: Final = Decimal("0.1")
_NO_CHANGE: Final = Decimal("0.005")

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


def format_money(value: Value) -> str:
    """Write an amount as a figure: whole dollars from $100, cents below, mills below $0.10."""
    if value is None:
        return UNKNOWN
    amount = Decimal(str(value))
    if amount and abs(amount).quantize(_MILL) < _CENTS_FROM:
        return _money(amount, 3)
    return format_money_cell(amount)


def format_money_cell(value: Value) -> str:
    """Write an amount in a table or sentence: whole dollars from $100, cents below."""
    if value is None:
        return UNKNOWN
    amount = Decimal(str(value))
    if not amount:
        return "$0"
    return _money(amount, 0 if abs(amount).quantize(_CENT) >= _WHOLE_FROM else 2)


def format_money_exact(value: Value) -> str:
    """Write an amount to the cent, as beside a chart."""
    return _money(value, 2)


def format_short(value: Value) -> str:
    """Write a large count in three digits: `35.5B`, `902k`; below a thousand, as it is."""
    if value is None:
        return UNKNOWN
    number = _THREE_DIGITS.create_decimal(str(value))
    for suffix, size in _THOUSANDS:
        if abs(number) >= size:
            scaled = number / size
            return f"{_rounded(scaled, max(0, 2 - scaled.adjusted()))}{suffix}"
    return format_value(value, "count")


def format_axis(value: Value, display: str) -> str:
    """Write a tick: `$2k`, `15k`, `80%`, `1:30` for minutes and seconds."""
    if value is None:
        return UNKNOWN
    number = Decimal(str(value))
    match display:
        case "money":
            return f"{_MINUS if number < 0 else ''}${_tick(abs(number))}"
        case "ratio":
            return f"{_plain(number * 100)}%"
        case "seconds":
            return f"{number // _MINUTE:.0f}:{number % _MINUTE:02.0f}"
    return _tick(number)


def format_rate(value: Value) -> str:
    """Write a ratio in a table or sentence, in whole percent."""
    return UNKNOWN if value is None else f"{_rounded(Decimal(str(value)) * 100, 0)}%"


def format_step(now: Value, before: Value, display: str) -> str:
    """Write how far a figure moved, with an arrow: `↑ 18%`, `↓ 1.7 pt`, `→ 0%`, `↑ 12×`.

    Ratios move in points. Up to half a percent, or half a tenth of a point, is no move.
    """
    if now is None or before is None or (display != "ratio" and not before):
        return UNKNOWN
    difference = Decimal(str(now)) - Decimal(str(before))
    if display == "ratio":
        text = f"{_rounded(abs(difference) * 100, 1)} pt"
        return f"{_arrow(difference, smallest=_NO_CHANGE / 10)} {text}"
    share = difference / abs(Decimal(str(before)))
    times = share >= _TENFOLD
    text = f"{_rounded(share + 1, 0)}×" if times else f"{_rounded(abs(share) * 100, 0)}%"
    return f"{_arrow(share, smallest=_NO_CHANGE)} {text}"


def format_change_cell(change: Value) -> str:
    """Write a share by which something grew in a table: `+31%`, `−6%`, `12×`."""
    if change is None:
        return UNKNOWN
    share = Decimal(str(change))
    if share >= _TENFOLD:
        return f"{_rounded(share + 1, 0)}×"
    return f"{_signed(share * 100, 0)}%"


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


def _tick(number: Decimal) -> str:
    for suffix, size in _THOUSANDS:
        if abs(number) >= size:
            return f"{_plain(number / size)}{suffix}"
    return _plain(number)


def _plain(number: Decimal) -> str:
    """Write a round number with the digits that it has."""
    return f"{number.normalize():,f}".replace("-", _MINUS)  # codespell:ignore normalize


def _arrow(move: Decimal, *, smallest: Decimal) -> str:
    if abs(move) <= smallest:
        return "→"
    return "↑" if move > 0 else "↓"


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
