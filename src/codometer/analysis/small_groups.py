"""Groups of so few people that a number about the group is a number about a person.

No cell that is shown covers fewer than `MIN_PEOPLE` people, and neither does the
difference between a total and the cells that are shown of it. Small groups are
merged into one; if that is small itself, the next smallest group joins it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MIN_PEOPLE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Generic[T]):
    """Which groups may be shown by themselves, and which only as one; neither has an order."""

    shown: frozenset[T]
    merged: frozenset[T]


def split_groups(
    people: Mapping[T, int | None], *, count: Callable[[frozenset[T]], int | None]
) -> Split[T]:
    """Split groups by how many people each has; unknown is none.

    `count` returns how many people some groups have together: somebody may be in two.
    It is asked only about groups that are merged. If even all together are too few,
    nothing may be shown, and both parts are empty.
    """
    sizes = {group: number or 0 for group, number in people.items()}
    by_size = sorted(sizes, key=lambda group: sizes[group])
    merged = {group for group in by_size if sizes[group] < MIN_PEOPLE}
    rest = [group for group in by_size if group not in merged]
    while merged and (count(frozenset(merged)) or 0) < MIN_PEOPLE:
        if not rest:
            return Split(shown=frozenset(), merged=frozenset())
        merged.add(rest.pop(0))
    return Split(shown=frozenset(rest), merged=frozenset(merged))
