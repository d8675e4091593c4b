"""Who the cells of an answer cover: one statement, over all levels at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.compile import MAX_GROUPS
from codometer.analysis.measures.dimensions import TIME, TOKEN_COLUMNS, Dimension, Place
from codometer.analysis.measures.groups import Crowd, Key, Lattice, Level, Top
from codometer.analysis.measures.measure import SumOf
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.rows import Sql, need_of, read_key, rows, stretches, weave
from codometer.errors import BadRequest
from codometer.store.dialect import Dialect
from codometer.store.engine import Engine
from codometer.store.tables import COST_SUMS, TOKEN_SUMS, epoch_of

_COARSER: Final = {
    "hour": frozenset({"day", "week", "month"}),
    "day": frozenset({"week", "month"}),
    "week": frozenset[str](),
    "month": frozenset[str](),
}
_AMOUNTS: Final = {
    frozenset(COST_SUMS): "cost",
    frozenset(TOKEN_SUMS): " + ".join(f"coalesce({name}, 0)" for name in TOKEN_COLUMNS.values()),
}
"""What is added up to see whether one person makes up most of it, by the sums it is about."""

_MOST_DIMENSIONS: Final = 4
_MAX_CELLS: Final = 4 * MAX_GROUPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowds:
    """Who the cells of a query's levels cover.

    The levels have the dimensions that the query is grouped and filtered by: a filter
    picks cells of the answer that is grouped by it.
    """

    dimensions: tuple[Dimension, ...]
    lattice: Lattice
    by_level: dict[Level, dict[Key, Crowd]]

    def level_of(self, dimensions: tuple[Dimension, ...]) -> Level:
        """Return the level that has some of the dimensions, and the coarser cuts of its times."""
        names = {dimension.name for dimension in dimensions}
        names |= {name for each in dimensions for name in _COARSER.get(each.name, ())}
        return tuple(at for at, each in enumerate(self.dimensions) if each.name in names)


def find_crowds(engine: Engine, query: Query, minimum: int, organisation_zone: ZoneInfo) -> Crowds:
    """Ask who is covered by what the query asks for, and by all that it is part of.

    Raises:
        BadRequest: that is too much to ask at once.
    """
    dimensions, lattice = _levels(query)
    asked = replace(query, by=dimensions, where=())
    statement = _compile(asked, lattice, minimum, engine.dialect, organisation_zone)
    found = engine.fetch(statement.text, statement.values)
    if len(found) > _MAX_CELLS:
        raise BadRequest(
            f"more than {_MAX_CELLS:,} groups would have to be looked at for their size",
            hint="ask for a shorter period, or with fewer dimensions and filters",
        )
    by_number = {_number(level, len(dimensions)): level for level in lattice.parents}
    by_level: dict[Level, dict[Key, Crowd]] = {level: {} for level in lattice.parents}
    width = len(dimensions)
    for number, _, *values in found:
        level, crowd = by_number[number], _crowd(values[width:])
        key = read_key([values[at] for at in level])
        other = by_level[level].get(key)
        by_level[level][key] = other.beside(crowd) if other else crowd
    return Crowds(dimensions=dimensions, lattice=lattice, by_level=by_level)


def list_amounts(query: Query) -> list[str]:
    """Return what is added up of cost and tokens, where the query asks for them."""
    sums = {
        fact.column
        for measure in query.measures
        for fact in measure.facts()
        if isinstance(fact, SumOf)
    }
    return [amount for columns, amount in _AMOUNTS.items() if columns & sums]


def _levels(query: Query) -> tuple[tuple[Dimension, ...], Lattice]:
    times = {dimension.name for dimension in query.by if dimension.place is Place.TIME}
    times = times.union(*(_COARSER[name] for name in times))
    others = {
        each.name: each
        for each in (*query.by, *(condition.dimension for condition in query.where))
        if each.place not in {Place.TIME, Place.TOKEN_TYPE}
    }
    if len(others) > _MOST_DIMENSIONS:
        raise BadRequest(
            f"it cannot be told how few people this covers: {', '.join(sorted(others))}",
            hint=f"group and filter by at most {_MOST_DIMENSIONS} dimensions besides time",
        )
    # In one order whatever is asked, so that every question about a level ends the same.
    dimensions = (
        *(each for each in TIME if each.name in times),
        *(others[name] for name in sorted(others)),
    )
    cuts = [
        frozenset(at for at, each in enumerate(dimensions) if each.name in cut)
        for cut in _cuts(times)
    ]
    return dimensions, Lattice.of(cuts, range(len(times), len(dimensions)))


def _cuts(times: set[str]) -> list[frozenset[str]]:
    """Return the sets of cuts that have all coarser ones that they decide."""
    found = [frozenset[str]()]
    for time in times:
        found += [each | {time} for each in found]
    return [each for each in found if all(_COARSER[time] <= each for time in each)]


def _number(level: Level, width: int) -> int:
    """Return how GROUPING tells a level: a bit for each key that it lacks, the first highest."""
    return sum(1 << (width - 1 - at) for at in range(width) if at not in level)


def _compile(query: Query, lattice: Lattice, minimum: int, dialect: Dialect, zone: ZoneInfo) -> Sql:
    parts = stretches(query, replace(need_of(query), sessions=True), zone)
    amounts = list_amounts(query)
    columns = ["person_id"]
    columns += ["cost"] if "cost" in amounts else []
    columns += TOKEN_COLUMNS.values() if set(amounts) - {"cost"} else []
    width = len(query.by)
    keys = "".join(f"k{at}, " for at in range(width))
    level = f"GROUPING({keys.removesuffix(', ')})" if keys else "0"
    sets = ", ".join(f"({''.join(f'k{at}, ' for at in each)}person_id)" for each in lattice.parents)
    numbers = range(len(amounts))
    sums = "".join(f", sum({amount}) AS s{at}" for at, amount in enumerate(amounts))
    of_people = "".join(
        f", CASE WHEN person_id IS NOT NULL THEN sum(s{at}) END AS t{at}" for at in numbers
    )
    most = dialect.arg_max
    tops = "".join(
        f", {most.format('person_id', f't{at}')}, max(t{at}), sum(t{at})" for at in numbers
    )
    return weave(
        f"SELECT level, epoch, {keys}count(person_id),"
        f" {dialect.first_values.format('person_id', minimum)}{tops} FROM ("
        f"SELECT {level} AS level, {epoch_of('person_id')} AS epoch, {keys}person_id{of_people}"
        " FROM ("
        f"SELECT {keys}person_id{sums} FROM ({{}}) AS rows GROUP BY {keys}person_id"
        f") AS seen GROUP BY GROUPING SETS ({sets})"
        f") AS told GROUP BY {keys}level, epoch LIMIT {_MAX_CELLS + 1}",
        rows(query, dialect, parts, columns),
    )


def _crowd(values: list[Any]) -> Crowd:
    people, few, *tops = values
    return Crowd(
        people=people,
        few=frozenset(few or ()),
        tops=tuple(
            Top(person, float(part or 0), float(total or 0))
            for person, part, total in zip(*[iter(tops)] * 3, strict=True)
        ),
    )
