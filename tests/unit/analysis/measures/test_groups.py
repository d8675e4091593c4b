"""The choice of what is withheld, on cells that are counted by hand."""

from collections.abc import Mapping
from itertools import count

import pytest

from codometer.analysis.measures.groups import (
    Crowd,
    Key,
    Lattice,
    Level,
    Top,
    find_withheld,
    is_enough,
    project,
)

MINIMUM = 3
BOTH: Level = (0, 1)
BY_TWO = Lattice.of([frozenset()], BOTH)


def crowd(*people: int) -> Crowd:
    return Crowd(people=len(people), few=frozenset(sorted(people)[:MINIMUM]))


def withheld(sizes: Mapping[str, int], *, adds_up: bool = True) -> dict[Level, set[Key]]:
    """Ask about cells such as `am`: so many people, each in one cell, of team a with model m."""
    number = count()
    cells = {tuple(name): {next(number) for _ in range(size)} for name, size in sizes.items()}
    crowds: dict[Level, dict[Key, Crowd]] = {}
    for level in BY_TWO.parents:
        found: dict[Key, set[int]] = {}
        for key, people in cells.items():
            found.setdefault(project(key, BOTH, level), set()).update(people)
        crowds[level] = {key: crowd(*people) for key, people in found.items()}
    return find_withheld(BY_TWO, crowds, MINIMUM, adds_up=adds_up)


def names(cells: set[Key]) -> set[str]:
    return {"".join(map(str, key)) for key in cells}


def test_large_cells_are_shown() -> None:
    assert not any(withheld({"am": 3, "an": 4, "bm": 9, "bn": 5}).values())


def test_a_cell_that_could_be_told_by_going_round_is_not_left_alone() -> None:
    # am is too small; an and bm hide it, and bn those: n less bn is an, and a less an is am.
    found = withheld({"am": 1, "an": 5, "bm": 4, "bn": 6})
    assert names(found[BOTH]) == {"am", "an", "bm", "bn"}
    assert not found[0,]


def test_a_cell_that_is_all_of_another_total_hides_nothing() -> None:
    # am would be the next smallest beside bm, but it is all that a has.
    found = withheld({"am": 3, "bm": 1, "cm": 4, "bn": 5, "cn": 6})
    assert names(found[BOTH]) == {"bm", "cm", "bn", "cn"}


def test_what_is_part_of_a_withheld_total_is_withheld() -> None:
    found = withheld({"am": 1, "an": 1, "bm": 4, "bn": 5, "cm": 6, "cn": 7})
    assert names(found[0,]) == {"a", "b"}
    assert {"am", "an", "bm", "bn"} <= names(found[BOTH])


def test_numbers_that_do_not_add_up_hide_nothing_else() -> None:
    found = withheld({"am": 1, "an": 5, "bm": 4, "bn": 6}, adds_up=False)
    assert names(found[BOTH]) == {"am"}


@pytest.mark.parametrize(
    ("crowds", "enough"),
    [
        ([crowd(1, 2, 3)], True),
        ([crowd(1, 2)], False),
        ([crowd(1, 2), crowd(2)], False),
        ([crowd(1, 2), crowd(3)], True),
        ([crowd(1), crowd(1, 2, 3, 4)], True),
        ([crowd()], False),
    ],
)
def test_people_are_counted_once(crowds: list[Crowd], *, enough: bool) -> None:
    assert is_enough(crowds, MINIMUM) is enough


def told(people: int, person: int, part: float, total: float) -> Crowd:
    few = frozenset(range(min(people, MINIMUM)))
    return Crowd(people=people, few=few, tops=(Top(person, part, total),))


@pytest.mark.parametrize(
    ("crowds", "enough"),
    [
        ([told(5, 0, 80, 100)], True),
        ([told(5, 0, 81, 100)], False),
        ([told(5, 0, 0, 0)], True),
        # Somebody who is most of one cell may be in the other, as much as there is room for.
        ([told(5, 0, 90, 100), told(5, 1, 50, 100)], True),
        ([told(5, 0, 95, 100), told(5, 0, 70, 100)], False),
        ([told(5, 0, 95, 100), told(5, 9, 5, 10)], False),
        # Everybody in the smaller one is known, and it is not them.
        ([told(5, 9, 80, 100), told(2, 1, 10, 20)], True),
    ],
)
def test_what_is_mostly_one_persons_is_not_told(crowds: list[Crowd], *, enough: bool) -> None:
    assert is_enough(crowds, MINIMUM) is enough


def test_levels_are_one_step_apart() -> None:
    week, month, day = frozenset({1}), frozenset({2}), frozenset({0, 1, 2})
    lattice = Lattice.of([frozenset(), week, month, week | month, day], [3])
    assert lattice.parents[0, 1, 2, 3] == ((1, 2, 3), (0, 1, 2))
    assert set(lattice.parents[1, 2]) == {(1,), (2,)}
    assert lattice.parents[()] == ()
    assert next(iter(lattice.parents)) == ()
