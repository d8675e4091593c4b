"""Exact money.

An amount is a whole number of picodollars (1e-12 USD). The smallest list
price, a cache read at 0.01 USD a million tokens, is 10,000 of them a token, so
every price times every token count is a whole number and sums are exact in any
order. The store keeps the same number as DECIMAL(18,12).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NewType

PicoUSD = NewType("PicoUSD", int)

PICO_PER_USD: Final = 10**12
MAX_PICO_USD: Final = 10**18 - 1
"""The largest amount that DECIMAL(18,12) holds: just under a million dollars."""

# A double has 53 bits: below this many dollars, dollars * 1e12 rounds to the nearest
# picodollar; above it the decimal digits that the client wrote are the better source.
_EXACT_FLOAT_USD: Final = 1000.0


def pico_from_usd(usd: float | Decimal) -> PicoUSD | None:
    """Round dollars to picodollars; None when negative, not finite, or too large to be a cost."""
    if isinstance(usd, float) and 0.0 <= usd < _EXACT_FLOAT_USD:
        return PicoUSD(round(usd * PICO_PER_USD))
    try:
        pico = round(Decimal(str(usd)) * PICO_PER_USD)
    except (ArithmeticError, ValueError, OverflowError):
        return None
    return PicoUSD(pico) if 0 <= pico <= MAX_PICO_USD else None


def usd_from_pico(pico: int) -> Decimal:
    """Return the amount in dollars, exactly."""
    return Decimal(pico).scaleb(-12)
