"""Which cells of an answer may be shown, so that no number about a group is one about a person.

The problem. A cell that covers few people tells of them. So does what is left when cells
that are shown are taken from a total that is shown: hide one small team, and all
teams less the others are that team. The total is itself a cell of another answer, the
one with one way to group less, or by week where this one is by day.

The answer. Cells stand in *levels*, one for each set of keys: by day and team, by day,
by team, by week, and the whole. Each level is decided after the coarser ones, and a
cell is withheld when

1. it covers fewer than the minimum, or one person makes up most of its amount, or
2. a coarser cell that it is part of is withheld, or
3. without it the withheld cells of a coarser one could be told as a difference that
   covers too few. The smallest that helps joins them, until what is withheld is as large
   as a cell that may be shown, and more than one; or until nothing is left to show.

A level comes out the same whatever it is asked together with, since it rests on itself and
coarser levels alone. So answers to different questions about one period agree.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NamedTuple

from codometer.store.tables import STAND_IN_LIMIT, STAND_INS_OF_A_MONTH

MAX_SHARE: Final = 0.8
"""When one person makes up more of an amount, it tells what that person's is."""

OTHER: Final = "Other (k-anonymised)"
"""Stands in the key of a row that has what is withheld, taken together."""

Key = tuple[Hashable, ...]
Level = tuple[int, ...]
"""The places, in the key of the finest level, that a level has."""


class Top(NamedTuple):
    """The largest part of an amount that is one person's."""

    person: int | None
    part: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Who a cell covers. `few` has all of them where they are fewer than the minimum, else some."""

    people: int
    few: frozenset[int]
    tops: tuple[Top, ...] = ()
    """For each amount that is asked for."""
    is_mixed: bool = False
    """Whether they were counted in several times in which one person has several numbers.

    Then `people` are those of the time that has the most, and a part is what it can be at most."""

    def beside(self, other: Crowd) -> Crowd:
        """Return who is covered by both, of times in which the same people have other numbers."""
        return Crowd(
            people=max(self.people, other.people),
            few=self.few | other.few,
            tops=tuple(
                Top(None, one.part + two.part, one.total + two.total)
                for one, two in zip(self.tops, other.tops, strict=True)
            ),
            is_mixed=True,
        )

    def most_of(self, person: int | None, top: Top) -> float:
        """Return how much of an amount can be one person's at most."""
        if person == top.person or self.is_mixed:
            return top.part
        if len(self.few) == self.people and person not in self.few:
            return 0.0
        return min(top.part, top.total - top.part)


def is_enough(crowds: Sequence[Crowd], minimum: int) -> bool:
    """Say whether cells taken together may be shown.

    They may not where that cannot be told, because not everybody is known.
    """
    if max(crowd.people for crowd in crowds) < minimum:
        together = frozenset[int]().union(*(crowd.few for crowd in crowds))
        if max(Counter(map(_epoch, together)).values(), default=0) < minimum:
            return False
    amounts = range(len(crowds[0].tops))
    return not any(_is_of_one(crowds, amount) for amount in amounts)


def _epoch(person: int) -> int:
    return person // STAND_INS_OF_A_MONTH if person < STAND_IN_LIMIT else 0


def _is_of_one(crowds: Sequence[Crowd], amount: int) -> bool:
    tops = [(crowd, crowd.tops[amount]) for crowd in crowds]
    total = sum(top.total for _, top in tops)
    largest = {top.person for _, top in tops}
    most = max(sum(crowd.most_of(person, top) for crowd, top in tops) for person in largest)
    return total > 0 and most > MAX_SHARE * total


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """All levels of an answer, and which are one step coarser than each."""

    parents: Mapping[Level, tuple[Level, ...]]

    @classmethod
    def of(cls, times: Sequence[AbstractSet[int]], others: Sequence[int]) -> Lattice:
        """Make one from the ways to cut time, each a set of places, and the other places.

        A cut has the places of all coarser cuts that it decides, and none is the empty one.
        """
        levels: dict[Level, tuple[Level, ...]] = {}
        for kept in _subsets(others):
            for cut in times:
                coarser = [time for time in times if time < cut]
                steps = [time for time in coarser if not any(time < each for each in coarser)]
                parents = [_level(time, kept) for time in steps]
                parents += [_level(cut, kept - {place}) for place in sorted(kept)]
                levels[_level(cut, kept)] = tuple(parents)
        ordered = sorted(levels, key=lambda level: (len(level), level))
        return cls(parents={level: levels[level] for level in ordered})


def _subsets(places: Sequence[int]) -> list[frozenset[int]]:
    found = [frozenset[int]()]
    for place in places:
        found += [each | {place} for each in found]
    return found


def _level(*parts: AbstractSet[int]) -> Level:
    return tuple(sorted(frozenset[int]().union(*parts)))


def project(key: Key, level: Level, onto: Level) -> Key:
    """Return the coarser cell that a cell of a level is part of."""
    return tuple(value for place, value in zip(level, key, strict=True) if place in onto)


def find_withheld(
    lattice: Lattice,
    crowds: Mapping[Level, Mapping[Key, Crowd]],
    minimum: int,
    *,
    owned: AbstractSet[Level] = frozenset(),
    adds_up: bool = True,
) -> dict[Level, set[Key]]:
    """Return the cells of each level that may not be shown.

    Those of `owned` levels always may. Of numbers that do not add up no difference tells
    anything, so nothing joins what is withheld.
    """
    withheld: dict[Level, set[Key]] = {}
    for level, parents in lattice.parents.items():
        cells = crowds.get(level, {})
        withheld[level] = set()
        if level in owned:
            continue
        withheld[level] = {
            key
            for key, crowd in cells.items()
            if not is_enough([crowd], minimum)
            or any(project(key, level, each) in withheld[each] for each in parents)
        }
        if adds_up:
            lines = [
                line
                for parent in parents
                for line in _lines(cells, level, parent, leave_out=withheld[parent])
            ]
            _complete(lines, cells, withheld[level], minimum)
    return withheld


def _lines(
    cells: Iterable[Key], level: Level, parent: Level, *, leave_out: AbstractSet[Key]
) -> list[list[Key]]:
    """Return the cells of each coarser one that is shown."""
    lines: dict[Key, list[Key]] = {}
    for key in cells:
        lines.setdefault(project(key, level, parent), []).append(key)
    return [line for coarser, line in lines.items() if coarser not in leave_out]


def _complete(
    lines: Sequence[list[Key]], cells: Mapping[Key, Crowd], withheld: set[Key], minimum: int
) -> None:
    """Add to what is withheld until no line tells of too few by what it lacks."""
    lines_of: dict[Key, list[int]] = {}
    for number, line in enumerate(lines):
        line.sort(key=lambda key: (cells[key].people, repr(key)))
        for key in line:
            lines_of.setdefault(key, []).append(number)
    waiting = deque(number for number, line in enumerate(lines) if not withheld.isdisjoint(line))
    while waiting:
        line = lines[waiting.popleft()]
        while joining := _find_joining(line, lines, lines_of, cells, withheld, minimum):
            withheld.add(joining[0])
            waiting.extend(lines_of[joining[0]])


def _find_joining(  # noqa: PLR0917 - the state of one loop
    line: Sequence[Key],
    lines: Sequence[Sequence[Key]],
    lines_of: Mapping[Key, Sequence[int]],
    cells: Mapping[Key, Crowd],
    withheld: AbstractSet[Key],
    minimum: int,
) -> list[Key]:
    """Return what should be withheld beside what is, the best first; nothing if that will do."""
    hidden = [key for key in line if key in withheld]
    shown = [key for key in line if key not in withheld]
    if not shown or (len(hidden) > 1 and is_enough([cells[key] for key in hidden], minimum)):
        return []
    # A cell that is all of another coarser one that is shown is known from there.
    useful = [key for key in shown if all(len(lines[at]) > 1 for at in lines_of[key])]
    return useful or shown
