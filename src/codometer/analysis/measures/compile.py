"""From a query to the statements that answer it.

A statement groups the rows of a query by its keys and returns facts: sums,
distinct counts, and durations by bin. Values are bound, never written into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from codometer.analysis.measures.dimensions import TOKEN_COLUMNS, TOKEN_TYPE, Dimension
from codometer.analysis.measures.measure import (
    BinsOf,
    DistinctOf,
    Fact,
    Measure,
    Only,
    Sum,
    SumOf,
)
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.rows import Column, Sql, join, rows, sql_keys, weave
from codometer.store.dialect import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The statements of a query; each row starts with the values of `keys`.

    After them a row of `numbers` has one value for each of `number_facts`; one of `bins`
    has what was measured, the bin and the count. A statement is None when nothing asks for it.
    """

    keys: tuple[Dimension, ...]
    number_facts: tuple[SumOf | DistinctOf, ...]
    numbers: Sql | None
    bins: Sql | None


def compile_query(query: Query, dialect: Dialect, *, organisation_zone: ZoneInfo) -> Compiled:
    """Return the statements for a query, in the words of an engine."""
    facts = _facts(query)
    numbers = tuple(fact for fact in facts if not isinstance(fact, BinsOf))
    whats = tuple(fact.what for fact in facts if isinstance(fact, BinsOf))
    return Compiled(
        keys=sql_keys(query),
        number_facts=numbers,
        numbers=_numbers(query, numbers, dialect, organisation_zone) if numbers else None,
        bins=_bins(query, whats, dialect, organisation_zone) if whats else None,
    )


def narrow(measure: Measure, token_types: tuple[str | None, ...]) -> Measure:
    """Return the measure for these token types alone, if it has token types."""
    if TOKEN_TYPE.name not in measure.dimensions or not isinstance(measure, Sum):
        return measure
    columns = tuple(column for name, column in TOKEN_COLUMNS.items() if name in token_types)
    return replace(measure, columns=columns)


def _facts(query: Query) -> tuple[Fact, ...]:
    return tuple(dict.fromkeys(fact for measure in query.measures for fact in measure.facts()))


def _numbers(
    query: Query, facts: tuple[SumOf | DistinctOf, ...], dialect: Dialect, zone: ZoneInfo
) -> Sql:
    columns = dict.fromkeys(column for fact in facts for column in _columns(fact))
    return weave(
        "SELECT {} FROM ({}) AS rows{}",
        join(", ", (*_key_names(query), *(_aggregate(fact) for fact in facts))),
        rows(query, dialect, zone, table="rollup", columns=tuple(columns)),
        _grouping(_key_names(query)),
    )


def _bins(query: Query, whats: tuple[str, ...], dialect: Dialect, zone: ZoneInfo) -> Sql:
    columns = tuple(Column("r", name) for name in ("what", "bin", "count"))
    keys = (*_key_names(query), Sql("what"), Sql("bin"))
    marks = ", ".join("?" for _ in whats)
    return weave(
        "SELECT {}, sum(count) FROM ({}) AS rows WHERE what IN {}{}",
        join(", ", keys),
        rows(query, dialect, zone, table="latency", columns=columns),
        Sql(f"({marks})", whats),
        _grouping(keys),
    )


def _key_names(query: Query) -> tuple[Sql, ...]:
    return tuple(Sql(f"k{number}") for number, _ in enumerate(sql_keys(query)))


def _grouping(keys: tuple[Sql, ...]) -> Sql:
    return weave(" GROUP BY {}", join(", ", keys)) if keys else Sql("")


def _columns(fact: SumOf | DistinctOf) -> tuple[Column, ...]:
    if isinstance(fact, SumOf):
        only = () if fact.only is None else (Column("r", fact.only.column),)
        return (Column("r", fact.column), *only)
    return (Column("o", fact.column), *(Column("r", name) for name in fact.evidence))


def _aggregate(fact: SumOf | DistinctOf) -> Sql:
    if isinstance(fact, SumOf):
        return Sql(f"sum({fact.column})") if fact.only is None else _sum_only(fact, fact.only)
    # Rows that cannot tell must not turn into "nobody": NULL unless one row can.
    proof = " OR ".join(f"{name} > 0" for name in fact.evidence)
    told = f"{fact.column} IS NOT NULL AND coalesce({', '.join(fact.evidence)}) IS NOT NULL"
    return Sql(
        f"CASE WHEN count(CASE WHEN {told} THEN 1 END) > 0"
        f" THEN count(DISTINCT CASE WHEN {proof} THEN {fact.column} END) END"
    )


def _sum_only(fact: SumOf, only: Only) -> Sql:
    marks = ", ".join("?" for _ in only.values)
    return Sql(f"sum(CASE WHEN {only.column} IN ({marks}) THEN {fact.column} END)", only.values)
