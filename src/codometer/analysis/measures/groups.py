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

What is withheld of a coarser cell is told as one: it is what the others leave. So it is
such a coarser cell itself, of which nothing that is too few may follow. By team, teams
b and c are withheld, and both together told; by team and model, their part of a model is
told in the same way wherever nothing else is withheld of that model.

A level comes out the same whatever it is asked together with, since it rests on itself and
coarser levels alone. So answers to different questions about one period agree.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from itertools import product
from operator import itemgetter
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
    if sum(top.part for _, top in tops) <= MAX_SHARE * total:  # nobody has more than these
        return False
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
    return _projection(level, onto)(key)


@cache
def _projection(level: Level, onto: Level) -> Callable[[Key], Key]:
    places = [level.index(place) for place in onto]
    if len(places) > 1:
        return itemgetter(*places)
    first = places[0] if places else 0
    return itemgetter(slice(first, first + len(places)))


class _Part(NamedTuple):
    """Cells of which it is told what they come to, unless one beside them is withheld."""

    cells: list[Key]
    beside: list[Key]
    """For a cell that may be shown, itself. Without any, what the cells come to is not told."""


_Line = list[_Part]
"""What makes up a number that is told."""


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
        hidden = set[Key]()
        if level not in owned:
            hidden = {key for key, crowd in cells.items() if not is_enough([crowd], minimum)}
            for parent in parents:
                if withheld[parent]:
                    coarser = _projection(level, parent)
                    hidden |= {key for key in cells if coarser(key) in withheld[parent]}
        if hidden and adds_up:
            lines = [line for each in parents for line in _lines(cells, level, each, withheld)]
            for one, two in _find_ways(level, withheld):
                lines += _lines_across(cells, level, one, two, withheld)
            _complete(lines, cells, hidden, minimum)
        withheld[level] = hidden
    return withheld


_Withheld = Mapping[Level, AbstractSet[Key]]


def _lines(
    cells: Iterable[Key], level: Level, parent: Level, withheld: _Withheld
) -> Iterable[_Line]:
    """Return the cells of each coarser one that is shown."""
    coarser, leave_out = _projection(level, parent), withheld[parent]
    lines: dict[Key, _Line] = {}
    for key in cells:
        lines.setdefault(coarser(key), []).append(_Part([key], [key]))
    return (line for total, line in lines.items() if total not in leave_out)


def _find_ways(level: Level, withheld: _Withheld) -> Iterator[tuple[Level, Level]]:
    """Return coarser levels, one of which has something withheld, that make up a level."""
    coarser = [each for each in withheld if set(each) < set(level)]
    for one, two in product(coarser, coarser):
        if withheld[one] and {*one, *two} == {*level}:
            yield one, two


def _lines_across(
    cells: Iterable[Key], level: Level, one: Level, two: Level, withheld: _Withheld
) -> Iterator[_Line]:
    """Return what one level withholds of each coarser cell, as cells of another level cut it.

    All of it is told together. So is what one of those cells has of it, if that is
    all that this level withholds of the cell.
    """
    common = tuple(place for place in one if place in two)
    of_one, of_two = _projection(level, one), _projection(level, two)
    parts: dict[Key, _Part] = {}
    for key in cells:
        part = parts.setdefault(of_two(key), _Part([], []))
        (part.cells if of_one(key) in withheld[one] else part.beside).append(key)
    lines: dict[Key, _Line] = {}
    of_common = _projection(two, common)
    for cut, part in parts.items():
        if part.cells:
            told = part if cut not in withheld[two] else _Part(part.cells, [])
            lines.setdefault(of_common(cut), []).append(told)
    return (
        line for whole, line in lines.items() if len(line) > 1 and whole not in withheld[common]
    )


def _complete(
    lines: Sequence[_Line], cells: Mapping[Key, Crowd], withheld: set[Key], minimum: int
) -> None:
    """Add to what is withheld until no line tells of too few by what it lacks."""
    lines_of: dict[Key, list[_Line]] = {}
    for line in lines:
        for part in line:
            for key in part.beside:
                lines_of.setdefault(key, []).append(line)

    def rank(key: Key) -> tuple[bool, int, str]:
        # A cell that is all of another coarser one that is shown is known from there.
        is_known = any(len(line) == 1 for line in lines_of[key])
        return is_known, cells[key].people, repr(key)

    waiting = deque(lines)
    while waiting:
        line = waiting.popleft()
        while joining := _list_joining(line, cells, withheld, minimum):
            best = min(joining, key=rank)
            withheld.add(best)
            waiting.extend(lines_of[best])


def _list_joining(
    line: _Line, cells: Mapping[Key, Crowd], withheld: AbstractSet[Key], minimum: int
) -> list[Key]:
    """Return what could be withheld beside what is; nothing if that will do."""
    shown: _Line = []
    hidden: _Line = []
    for part in line:
        is_told = part.beside and withheld.isdisjoint(part.beside)
        (shown if is_told else hidden).append(part)
    if not (shown and hidden):
        return []
    crowds = [cells[key] for part in hidden for key in part.cells]
    if len(hidden) > 1 and is_enough(crowds, minimum):
        return []
    return [key for part in shown for key in part.beside]
