"""What of an answer may be told: which groups, which only together, which not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.crowds import Crowds, find_crowds
from codometer.analysis.measures.dimensions import Dimension, Place
from codometer.analysis.measures.groups import OTHER, Level, find_withheld, project
from codometer.analysis.measures.measure import SumOf
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.rows import sql_keys
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
    if minimum <= 1:
        return Verdict(shown=keys, merged={}, withheld=())
    crowds = find_crowds(engine, query, minimum, organisation_zone)
    if not (query.where or any(crowds.by_level.values())):  # nothing came, of anybody
        return Verdict(shown=keys, merged={}, withheld=())
    facts = [fact for measure in query.measures for fact in measure.facts()]
    withheld = find_withheld(
        crowds.lattice,
        crowds.by_level,
        minimum,
        owned=_owned(query, crowds),
        adds_up=any(isinstance(fact, SumOf) for fact in facts),
    )
    by = sql_keys(query)
    shown = _find_shown(crowds, withheld, query, by) & set(keys)
    times = tuple(each for each in by if each.place is Place.TIME)
    slots = _find_shown(crowds, withheld, query, times)
    merged: dict[Key, list[Key]] = {}
    # A filter that leaves nobody is told like one that leaves too few.
    everything = not _find_shown(crowds, withheld, query, ())
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
    return Verdict(shown=shown, merged=merged, withheld=hidden, everything=everything)


def owns_all(query: Query) -> bool:
    """Say whether all is asked for by somebody who may see what all cost."""
    return query.owns_totals and not query.conditions


def _owned(query: Query, crowds: Crowds) -> frozenset[Level]:
    """Return the levels of totals, from the day on, that are shown however few people they are."""
    facts = [fact for measure in query.measures for fact in measure.facts()]
    are_amounts = all(isinstance(fact, SumOf) and fact.column in _OWNED_SUMS for fact in facts)
    if not are_amounts or not owns_all(query):
        return frozenset()
    totals = {
        at
        for at, each in enumerate(crowds.dimensions)
        if each.place is Place.TIME and each.name != "hour"
    }
    return frozenset(level for level in crowds.lattice.parents if totals.issuperset(level))


def _find_shown(
    crowds: Crowds,
    withheld: Mapping[Level, Collection[Key]],
    query: Query,
    by: tuple[Dimension, ...],
) -> set[Key]:
    """Return the keys by some dimensions of which what the query's filters leave may be told.

    A filter leaves cells of the answer that has its dimension too. Each must be one that is
    shown there; or they have all that is not, which is told there as one.
    """
    wanted = {
        condition.dimension: condition.values
        for condition in query.where
        if condition.dimension.place is not Place.TOKEN_TYPE
    }
    fine, coarse = crowds.level_of((*by, *wanted)), crowds.level_of(by)
    at = {crowds.dimensions[place].name: number for number, place in enumerate(fine)}
    left: dict[Key, list[Key]] = {}
    hidden: dict[Key, int] = {}
    for cell in crowds.by_level[fine]:
        key = tuple(cell[at[each.name]] for each in by)
        hidden[key] = hidden.get(key, 0) + (cell in withheld[fine])
        if all(cell[at[each.name]] in values for each, values in wanted.items()):
            left.setdefault(key, []).append(cell)
    return {
        key
        for key, cells in left.items()
        if not (lacking := sum(cell in withheld[fine] for cell in cells))
        or (lacking == hidden[key] and project(cells[0], fine, coarse) not in withheld[coarse])
    }
