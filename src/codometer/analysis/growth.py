"""What grew: sentences that say which part of a whole gained or lost, when one clearly did.

No sentence is better than a vague one: each has its number, and small moves have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codometer.analysis.numbers import format_change_cell, format_rate

_CLEAR_SHIFT: Final = 0.03
_CLEAR_GROWTH: Final = 0.1
_LEAST_SHARE: Final = 0.05
"""Parts that are smaller grow by leaps that mean nothing."""

_NAMED: Final = 2

Amounts = Mapping[str, float]


def describe_shift(now: Amounts, before: Amounts, *, of: str) -> str | None:
    """Say which part's share moved most: `Opus 4.8 went from 48% to 58% of spend`."""
    shares, earlier = _shares(now), _shares(before)
    if not shares or not earlier:
        return None
    moves = {name: shares.get(name, 0.0) - earlier.get(name, 0.0) for name in {**shares, **earlier}}
    name = max(sorted(moves), key=lambda each: abs(moves[each]))
    if abs(moves[name]) < _CLEAR_SHIFT:
        return None
    if name not in earlier:
        return f"{name} is new, with {format_rate(shares[name])} of {of}."
    if name not in shares:
        return f"{name} is no longer used; it was {format_rate(earlier[name])} of {of}."
    return f"{name} went from {format_rate(earlier[name])} to {format_rate(shares[name])} of {of}."


def describe_growth(now: Amounts, before: Amounts) -> str | None:
    """Say which parts grew fastest: `Data and Platform grew fastest, by 42% and 31%`."""
    shares, earlier = _shares(now), _shares(before)
    growth = {
        name: now[name] / before[name] - 1
        for name in shares.keys() & earlier.keys()
        if max(shares[name], earlier[name]) >= _LEAST_SHARE
    }
    fastest = [
        name
        for name in sorted(growth, key=lambda each: (-growth[each], each))
        if growth[name] >= _CLEAR_GROWTH
    ][:_NAMED]
    if not fastest:
        return None
    names = " and ".join(fastest)
    shown = " and ".join(format_change_cell(growth[name]).removeprefix("+") for name in fastest)
    return f"{names} grew fastest, by {shown}."


def _shares(amounts: Amounts) -> dict[str, float]:
    total = sum(amounts.values())
    return {name: amount / total for name, amount in amounts.items() if amount} if total else {}
