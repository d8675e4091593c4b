"""Long lists, cut into parts of which one is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from codometer.serve.web.visitor import Visitor

T = TypeVar("T")

SHOWN: Final = 25
_PARAMETER: Final = "part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[T]):
    """Some rows of a list, which ones of how many, and the addresses of those around them."""

    rows: Sequence[T]
    first: int
    total: int
    before: str | None
    after: str | None

    @property
    def last(self) -> int:
        """The number of the last row, counted from one as `first` is."""
        return self.first + len(self.rows) - 1


def find_part(rows: Sequence[T], visitor: Visitor) -> Part[T]:
    """Return the part that the address names; of a number that is none, the nearest one."""
    last = max(0, (len(rows) - 1) // SHOWN)
    asked = visitor.given.get(_PARAMETER, "")
    number = int(asked) - 1 if asked.isascii() and asked.isdigit() and len(asked) < SHOWN else 0
    number = min(max(number, 0), last)

    def address(number: int) -> str | None:
        if not 0 <= number <= last:
            return None
        return visitor.href(**{_PARAMETER: str(number + 1) if number else None})

    start = number * SHOWN
    return Part(
        rows=rows[start : start + SHOWN],
        first=start + 1,
        total=len(rows),
        before=address(number - 1),
        after=address(number + 1),
    )
