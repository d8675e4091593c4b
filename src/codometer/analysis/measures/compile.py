"""From a query to the statements that answer it.

A statement groups the rows of a query by its keys and returns facts: sums,
distinct counts, and the bins of quantiles. Facts that are read from different tiers
come from statements of their own. Values are bound, never written into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.analysis.measures.dimensions import TOKEN_COLUMNS, TOKEN_TYPE
from codometer.analysis.measures.measure import (
    DistinctOf,
    Fact,
    Measure,
    QuantileOf,
    Sum,
    SumOf,
)
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.rows import (
    Sql,
    Stretch,
    join,
    need_of,
    rows,
    sql_keys,
    stretches,
    weave,
)
from codometer.store.dialect import Dialect
from codometer.store.tables import LATENCY_TIERS, epoch_of

MAX_GROUPS: Final = 50_000
"""How many groups a period's answer has at most; a statement returns one more, to say so."""


class Statement(NamedTuple):
    """A statement whose rows are of one of a query's periods and have the number of that.

    Behind it are the values of the query's keys, then one for each fact.
    """

    sql: Sql
    facts: tuple[Fact, ...]


def compile_query(
    query: Query, dialect: Dialect, *, organisation_zone: ZoneInfo
) -> tuple[Statement, ...]:
    """Return the statements for a query, in the words of an engine.

    Their keys are `sql_keys`. A group that one statement does not have, another may.
    """
    facts = tuple(dict.fromkeys(fact for measure in query.measures for fact in measure.facts()))
    read = {
        counts: _stretches(query, organisation_zone, counts=counts)
        for counts in {isinstance(fact, DistinctOf) for fact in facts}
    }
    by_reading: dict[tuple[Stretch, ...], list[SumOf | DistinctOf]] = {}
    quantiles = []
    for fact in facts:
        if isinstance(fact, QuantileOf):
            quantiles.append(fact)
        else:
            by_reading.setdefault(read[isinstance(fact, DistinctOf)], []).append(fact)
    statements = [
        Statement(_numbers(query, numbers, dialect, parts), tuple(numbers))
        for parts, numbers in by_reading.items()
    ]
    if quantiles:
        parts = stretches(query, need_of(query), organisation_zone, LATENCY_TIERS)
        statements.append(Statement(_quantiles(query, quantiles, dialect, parts), tuple(quantiles)))
    return tuple(statements)


def narrow(measure: Measure, token_types: tuple[str | None, ...]) -> Measure:
    """Return the measure for these token types alone, if it has token types."""
    if TOKEN_TYPE.name not in measure.dimensions or not isinstance(measure, Sum):
        return measure
    columns = tuple(column for name, column in TOKEN_COLUMNS.items() if name in token_types)
    return replace(measure, columns=columns)


def _stretches(query: Query, organisation_zone: ZoneInfo, *, counts: bool) -> tuple[Stretch, ...]:
    """Return what is read for sums, or to count: no more than it, the keys and conditions need."""
    need = need_of(query)
    if counts:
        need = replace(need, sessions=True)
    return stretches(query, need, organisation_zone)


def _numbers(
    query: Query,
    facts: Sequence[SumOf | DistinctOf],
    dialect: Dialect,
    parts: Sequence[Stretch],
) -> Sql:
    columns = dict.fromkeys(column for fact in facts for column in _columns(fact))
    return weave(
        "SELECT {} FROM ({}) AS rows{}",
        join(", ", (_number(query), *_key_names(query), *(_aggregate(fact) for fact in facts))),
        rows(query, dialect, parts, columns),
        _grouping(query),
    )


def _quantiles(
    query: Query, facts: Sequence[QuantileOf], dialect: Dialect, parts: Sequence[Stretch]
) -> Sql:
    keys = _grouped(query)
    kind = join(", ", (*keys, Sql("what")))
    counted = weave(
        "SELECT {}, bin, sum(count) AS counted FROM ({}) AS rows GROUP BY {}, bin",
        kind,
        rows(query, dialect, parts, ("what", "bin", "count")),
        kind,
    )
    passed = weave(
        "SELECT {}, bin, sum(counted) OVER (PARTITION BY {} ORDER BY bin) AS passed,"
        " sum(counted) OVER (PARTITION BY {}) AS total FROM ({}) AS counted",
        kind,
        kind,
        kind,
        counted,
    )
    reached = (
        Sql(
            f"min(CASE WHEN what = ? AND passed * 100 >= {fact.percent} * total THEN bin END)",
            (fact.what,),
        )
        for fact in facts
    )
    selected = join(", ", (_number(query), *_key_names(query), *reached))
    return weave("SELECT {} FROM ({}) AS passed{}", selected, passed, _grouping(query))


def _number(query: Query) -> Sql:
    return Sql("number" if query.compare_previous else "0")


def _key_names(query: Query) -> tuple[Sql, ...]:
    return tuple(Sql(f"k{number}") for number, _ in enumerate(sql_keys(query)))


def _grouped(query: Query) -> tuple[Sql, ...]:
    return (_number(query), *_key_names(query)) if query.compare_previous else _key_names(query)


def _grouping(query: Query) -> Sql:
    keys, most = _grouped(query), MAX_GROUPS * len(query.periods)
    grouped = weave(" GROUP BY {}", join(", ", keys)) if keys else Sql("")
    return weave(f"{{}} LIMIT {most + 1}", grouped)


def _columns(fact: SumOf | DistinctOf) -> tuple[str, ...]:
    return (fact.column,) if isinstance(fact, SumOf) else (fact.column, *fact.evidence)


def _aggregate(fact: SumOf | DistinctOf) -> Sql:
    if isinstance(fact, SumOf):
        return Sql(f"sum({fact.column})")
    # Rows that cannot tell must not turn into "nobody": NULL unless one row can.
    proof = " OR ".join(f"{name} > 0" for name in fact.evidence)
    told = f"coalesce({', '.join(fact.evidence)}) IS NOT NULL"
    if not fact.absence_tells:
        told = f"{fact.column} IS NOT NULL AND {told}"
    seen = f"CASE WHEN {proof} THEN {fact.column} END"
    # Who stands in for people in one month does not in another: together they cannot be counted.
    is_of_one_time = (
        f" AND {epoch_of(f'min({seen})')} = {epoch_of(f'max({seen})')}"
        if fact.column == "person_id"
        else ""
    )
    return Sql(
        f"CASE WHEN count(CASE WHEN {told} THEN 1 END) > 0{is_of_one_time}"
        f" THEN count(DISTINCT {seen}) END"
    )
