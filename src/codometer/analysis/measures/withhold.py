"""What of an answer may be told: which groups, which only together, which not at all.

Whoever chooses a period freely could choose two that differ by a day on which few
worked. So a chosen period is a filter by day: it tells what the days, weeks and months in it
tell, and nothing that they do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.chosen import (
    DAY,
    calendar_around,
    days_of,
    find_days,
    find_told,
)
from codometer.analysis.measures.crowds import Crowds, find_crowds
from codometer.analysis.measures.dimensions import Dimension, Place
from codometer.analysis.measures.groups import OTHER, Level, find_withheld, is_enough, project
from codometer.analysis.measures.measure import SumOf
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.rows import sql_keys
from codometer.errors import BadRequest
from codometer.store.engine import Engine
from codometer.store.tables import COST_SUMS, TOKEN_SUMS

Key = tuple[Any, ...]

_OWNED_SUMS: Final = frozenset({*COST_SUMS, *TOKEN_SUMS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The keys of an answer, token types left out, and what may be told of them."""

    shown: Collection[Key]
    merged: Mapping[Key, Collection[Key]]
    """Keys that may be told together, by the key that they have then."""
    withheld: Collection[Key]
    """Keys of which nothing may be told; merged too, but for their times."""
    everything: bool = False
    """Whether nothing may be told, of nothing that is asked for."""


def withhold(
    engine: Engine, query: Query, keys: Collection[Key], minimum: int, organisation_zone: ZoneInfo
) -> Verdict:
    """Decide about the groups of an answer.

    Raises:
        BadRequest: it takes too much to decide.
    """
    if minimum <= 1 or _owns_answer(query):
        return Verdict(shown=keys, merged={}, withheld=())
    crowds = find_crowds(engine, _widened(query), minimum, organisation_zone)
    if not (query.where or any(crowds.by_level.values())):  # nothing came, of anybody
        return Verdict(shown=keys, merged={}, withheld=())
    decision = _decide(query, crowds, minimum)
    by = sql_keys(query)
    shown = decision.find_shown(by) & set(keys)
    times = tuple(each for each in by if each.place is Place.TIME)
    slots = decision.find_shown(times)
    merged: dict[Key, list[Key]] = {}
    # A filter that leaves nobody is told like one that leaves too few.
    everything = not decision.find_shown(())
    hidden: set[Key] = {(OTHER,) * len(by)} if everything and not times else set()
    for key in keys:
        if key in shown:
            continue
        values = tuple(zip(by, key, strict=True))
        place = tuple(value if each.place is Place.TIME else OTHER for each, value in values)
        slot = tuple(value for each, value in values if each.place is Place.TIME)
        if len(times) < len(by) and slot in slots:
            merged.setdefault(place, []).append(key)
        else:
            hidden.add(place)
    left = decision.find_left(by)
    for place, members in tuple(merged.items()):
        if not decision.may_join(by, [cell for key in members for cell in left.get(key, ())]):
            hidden.add(place)
            del merged[place]
    return Verdict(shown=shown, merged=merged, withheld=hidden, everything=everything)


def owns_all(query: Query) -> bool:
    """Say whether all is asked for by somebody who may see what all cost."""
    return query.owns_totals and not query.conditions


def _owns_amounts(query: Query) -> bool:
    facts = [fact for measure in query.measures for fact in measure.facts()]
    are_amounts = all(isinstance(fact, SumOf) and fact.column in _OWNED_SUMS for fact in facts)
    return are_amounts and owns_all(query)


def _is_of_days(dimension: Dimension) -> bool:
    return dimension.place is Place.TIME and dimension.name != "hour"


def _owns_answer(query: Query) -> bool:
    """Tell whether only totals are asked for, by somebody who may see those."""
    return _owns_amounts(query) and all(map(_is_of_days, sql_keys(query)))


def _owned(query: Query, crowds: Crowds) -> frozenset[Level]:
    """Return the levels of totals, from the day on, that are shown however few people they are."""
    if not _owns_amounts(query):
        return frozenset()
    totals = {at for at, each in enumerate(crowds.dimensions) if _is_of_days(each)}
    return frozenset(level for level in crowds.lattice.parents if totals.issuperset(level))


def _decide(query: Query, crowds: Crowds, minimum: int) -> _Decision:
    facts = [fact for measure in query.measures for fact in measure.facts()]
    adds_up = any(isinstance(fact, SumOf) for fact in facts)
    owned = _owned(query, crowds)
    withheld = find_withheld(crowds.lattice, crowds.by_level, minimum, owned=owned, adds_up=adds_up)
    return _Decision(
        query=query, crowds=crowds, withheld=withheld, together=0 if owned else minimum
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """Which cells of a query's levels are withheld, and what follows for its filters."""

    query: Query
    crowds: Crowds
    withheld: Mapping[Level, Collection[Key]]
    together: int
    """How many people what is withheld must cover to be told as one.

    0 for who owns the totals that it follows from.
    """

    def find_shown(self, by: tuple[Dimension, ...]) -> set[Key]:
        """Return the keys by some dimensions of which what the filters leave may be told.

        A filter leaves cells of the answer that has its dimension too. Each must be one that is
        shown there; or they have all of several that are not, which are told there as one. If
        nothing is shown there, it would be told that there is nothing else.
        """
        period, days = self.query.period, self._days
        fine, coarse = self._fine(by), self.crowds.level_of(by)
        withheld = self.withheld[fine]
        at = self._places(by)

        def count(cells: Iterable[Key]) -> Counter[Key]:
            return Counter(tuple(cell[at[each.name]] for each in by) for cell in cells)

        hidden, everything = count(withheld), count(self.crowds.by_level[fine])

        def find_lacking(key: Key, cells: Sequence[Key]) -> list[Key]:
            lacking = [cell for cell in cells if cell in withheld]
            if not lacking or days is None:
                return lacking
            within = days_of(days, by, key, period.zone)
            told = find_told(self.crowds, self.withheld, fine, within)
            return [cell for cell in lacking if not told(cell)]

        return {
            key
            for key, cells in self.find_left(by).items()
            if not (lacking := find_lacking(key, cells))
            or (
                1 < len(lacking) == hidden[key] < everything[key]
                and project(cells[0], fine, coarse) not in self.withheld[coarse]
                and self.may_join(by, lacking)
            )
        }

    def find_left(self, by: tuple[Dimension, ...]) -> dict[Key, list[Key]]:
        """Return the cells that the filters leave, by their keys by some dimensions."""
        wanted, days = self._wanted, self._days
        at = self._places(by)
        left: dict[Key, list[Key]] = {}
        for cell in self.crowds.by_level[self._fine(by)]:
            if all(cell[at[each.name]] in values for each, values in wanted.items()) and (
                days is None or cell[at[DAY.name]] in days
            ):
                left.setdefault(tuple(cell[at[each.name]] for each in by), []).append(cell)
        return left

    def may_join(self, by: tuple[Dimension, ...], cells: Collection[Key]) -> bool:
        """Tell whether cells that the filters leave may be told as one.

        Whose part of an amount is the most has been seen to when more was withheld.
        """
        if not self.together:
            return True
        crowds = self.crowds.by_level[self._fine(by)]
        people = [replace(crowds[cell], tops=()) for cell in cells]
        return bool(people) and is_enough(people, self.together)

    @property
    def _wanted(self) -> dict[Dimension, tuple[str | None, ...]]:
        return {
            condition.dimension: condition.values
            for condition in self.query.where
            if condition.dimension.place is not Place.TOKEN_TYPE
        }

    @property
    def _days(self) -> frozenset[date] | None:
        period = self.query.period
        return find_days(period) if period.is_chosen else None

    def _fine(self, by: tuple[Dimension, ...]) -> Level:
        """Return the level that has what the filters pick cells by, too."""
        cut = (*by, *self._wanted)
        return self.crowds.level_of(cut if self._days is None else (*cut, DAY))

    def _places(self, by: tuple[Dimension, ...]) -> dict[str, int]:
        fine = self._fine(by)
        return {self.crowds.dimensions[place].name: at for at, place in enumerate(fine)}


def _widened(query: Query) -> Query:
    """Return the query about which it is decided: of a chosen period, one by day around it."""
    if not query.period.is_chosen:
        return query
    if query.period.splits_days:
        raise BadRequest(
            "so few people could be told of by a period that begins or ends within a day",
            hint="give dates, whole weeks or months, or 24h, 7d, 30d, 90d up to now",
        )
    by = query.by if DAY in query.by else (*query.by, DAY)
    return replace(query, by=by, period=calendar_around(query.period))
