"""All that is told of a fleet by some dimensions, whatever it is filtered by, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Final

from codometer.analysis.measures.run import Answer
from tests.measures.uses import Use

Where = Mapping[str, frozenset[str]]
Pick = tuple[tuple[tuple[str, tuple[str, ...]], ...], tuple[tuple[str, object], ...]]
"""Values by dimension, and the times that they are picked for."""

Ask = Callable[[Sequence[str], Where], Answer]
"""Ask for tokens, by dimensions and with filters."""

TIMES: Final = frozenset({"day", "week", "month"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the rows of an answer cover: places in the world, whether anybody was there or not.

    Of a row that has what others leave, it is known what those are, and no more.
    """

    question: str
    rows: tuple[frozenset[int], ...]


class World:
    """All places that a use of a fleet could have: each value of a dimension with each other."""

    def __init__(self, fleet: Sequence[Use], ask: Ask) -> None:
        self._fleet = fleet
        self._ask = ask
        values = (
            sorted({each.value(name) for each in fleet})
            for name in ("team", "model", "agent", "day")
        )
        days = {use.value("day"): use.day for use in fleet}
        self._places = [
            Use(None, team, days[day], model=model, agent=agent)
            for team, model, agent, day in product(*values)
        ]

    def uses_in(self, rows: frozenset[int]) -> list[int]:
        """Return the numbers of the fleet's uses in places."""
        places = {self._place(self._places[at]) for at in rows}
        return [at for at, use in enumerate(self._fleet) if self._place(use) in places]

    def list_told(self, dimensions: Sequence[str]) -> list[Told]:
        """Ask by some of the dimensions in every way, of everything and with filters.

        Filters pick one value, or all that an answer does not show.
        """
        ways = list(_subsets(dimensions))
        answers = [(by, self._ask(by, {})) for by in ways]
        told = [self._told(by, {}, {}, answer) for by, answer in answers]
        picks = {pick for by, answer in answers for pick in self._list_picks(by, answer)}
        for pick in sorted(picks, key=repr):
            where, slot = {name: frozenset(values) for name, values in pick[0]}, dict(pick[1])
            told += [
                self._told(by, where, slot, self._ask(by, where))
                for by in ways
                if slot.keys() <= set(by)
            ]
        return told

    def _list_picks(self, by: Sequence[str], answer: Answer) -> Iterator[Pick]:
        """Return filters that pick the cells of an answer, or those it leaves out of a line."""
        names = [name for name in by if name not in TIMES]
        cells = {tuple(use.value(name) for name in by) for use in self._fleet}
        shown = {
            tuple(group.key.values())
            for group in answer.groups
            if not (group.merged or group.withheld)
        }
        for cell in cells:
            key = dict(zip(by, cell, strict=True))
            slot = tuple((name, key[name]) for name in by if name in TIMES)
            if cell in shown:
                yield tuple((name, (key[name],)) for name in names), slot
            for name in names:
                at = by.index(name)
                line = {each for each in cells if _without(each, at) == _without(cell, at)}
                left_out = tuple(sorted(each[at] for each in line - shown))
                if left_out:
                    kept = {**{other: (key[other],) for other in names}, name: left_out}
                    yield tuple(kept.items()), slot

    def _told(
        self, by: Sequence[str], where: Where, slot: Mapping[str, object], answer: Answer
    ) -> Told:
        left = self._within(lambda use: all(use.value(name) in where[name] for name in where))
        rows: list[frozenset[int]] = []
        for group in sorted(answer.groups, key=lambda group: group.merged):
            if not group.withheld and all(group.key[name] == slot[name] for name in slot):
                key = {
                    name: value
                    for name, value in group.key.items()
                    if name in TIMES or not group.merged
                }
                row = left & self._within(
                    lambda use, key=key: all(use.value(name) == key[name] for name in key)  # type: ignore[misc]
                )
                rows.append(row.difference(*rows))
        return Told(f"by {', '.join(by)} where {where}", tuple(rows))

    def _within(self, is_within: Callable[[Use], bool]) -> frozenset[int]:
        return frozenset(at for at, use in enumerate(self._places) if is_within(use))

    @staticmethod
    def _place(use: Use) -> tuple[object, ...]:
        return use.team, use.model, use.agent, use.day


def list_differences(told: Sequence[Told]) -> Iterator[tuple[str, frozenset[int]]]:
    """Return each row, less each other within it, and less all of an answer within it."""
    rows = {row: answer.question for answer in told for row in answer.rows}
    for row, question in rows.items():
        yield question, row
        for other, beside in rows.items():
            if other < row:
                yield f"{question}, less {beside}", row - other
        for answer in told:
            within = [each for each in answer.rows if each < row]
            if len(within) > 1:
                yield f"{question}, less all {answer.question}", row.difference(*within)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _without(cell: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    return cell[:at] + cell[at + 1 :]
