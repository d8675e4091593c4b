"""A value axis: round ticks, and where a value lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_LINES: Final = 4
"""How many steps an axis has at most; at least half of them are used."""

_SLACK: Final = 1e-9
"""What floating point may add to a value that is exactly a tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis from `low` to `high`, both ticks."""

    ticks: tuple[float, ...]

    @property
    def low(self) -> float:
        """The lowest tick."""
        return self.ticks[0]

    @property
    def high(self) -> float:
        """The highest tick."""
        return self.ticks[-1]

    @property
    def step(self) -> float:
        """The distance between two ticks."""
        return self.ticks[1] - self.ticks[0]

    def share(self, value: float) -> float:
        """Return how far up a value lies: 0 at the lowest tick, 1 at the highest."""
        return (value - self.low) / (self.high - self.low)


def make_scale(
    highest: float, *, lowest: float = 0.0, whole: bool = False, lines: int = _LINES
) -> Scale:
    """Return the scale with steps of 1, 2, 2.5 or 5 times a power of ten that holds both values.

    It starts at zero unless `lowest` lies above; nothing at all is drawn between 0 and 1.
    With `whole`, for counts, no step is smaller than one.
    """
    if highest <= lowest:
        highest = lowest + (abs(lowest) or 1.0)
    step = _step((highest - lowest) / lines, whole=whole)
    first = floor(lowest / step + _SLACK)
    last = ceil(highest / step - _SLACK)
    return Scale(ticks=tuple(_plain(number * step) for number in range(first, last + 1)))


def _plain(tick: float) -> float:
    """Take away what multiplying added to a round number."""
    return float(f"{tick:.12g}")


def _step(least: float, *, whole: bool) -> float:
    size = 10.0 ** floor(log10(least))
    step = next(size * each for each in _STEPS if size * each >= least * (1 - _SLACK))
    return max(1.0, float(ceil(step))) if whole else step
