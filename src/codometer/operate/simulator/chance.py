"""Chance that repeats: the same seed makes the same fleet on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Final, TypeVar
from uuid import UUID

T = TypeVar("T")

_LETTERS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Chance(Random):  # noqa: S311 - a fleet, not a secret
    """Random numbers, and the ids and lengths of time that clients are made of."""

    def __init__(self, *seed: object) -> None:
        super().__init__("/".join(map(str, seed)))

    def happens(self, share: float) -> bool:
        """Say yes in this share of cases."""
        return self.random() < share

    def one_of(self, shares: Mapping[T, int]) -> T:
        """Return one of the keys; each comes as often as its value says, beside the others."""
        return self.choices(list(shares), list(shares.values()))[0]

    def hex(self, digits: int) -> str:
        """Return so many hexadecimal digits."""
        return f"{self.getrandbits(4 * digits):0{digits}x}"

    def letters(self, count: int) -> str:
        """Return so many letters and digits, as ids of the API have them."""
        return "".join(self.choices(_LETTERS, k=count))

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(UUID(int=self.getrandbits(128), version=4))

    def around(self, middle: float, spread: float = 0.6) -> int:
        """Return a whole number, half of them below `middle`, with a long tail (log-normal)."""
        return max(1, round(middle * math.exp(self.gauss(0, spread))))
