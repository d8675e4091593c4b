"""Ask the store, and make the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from codometer.analysis.measures.catalogue import REQUESTS
from codometer.analysis.measures.compile import MAX_GROUPS, compile_query, narrow
from codometer.analysis.measures.coverage import NOT_ASKED, Coverage, find_coverage, without_amounts
from codometer.analysis.measures.dimensions import DIMENSIONS, TOKEN_COLUMNS, Dimension, Place
from codometer.analysis.measures.grain import FindGrain, any_grain, coarsen, find_grain_of, of_weeks
from codometer.analysis.measures.measure import Fact, Facts, Measure, Number, SumOf
from codometer.analysis.measures.query import Condition, Query
from codometer.analysis.measures.rows import read_key, sql_keys
from codometer.analysis.measures.withhold import Verdict, owns_all, withhold
from codometer.errors import BadRequest
from codometer.model.period import Period
from codometer.privacy.profile import Cut
from codometer.store.engine import Engine

_MODEL: Final = DIMENSIONS["model"]

KeyValue = str | date | datetime | None
"""What a group has for a dimension: text, a date, for hours an instant; None is not known."""

Key = tuple[KeyValue, ...]
Values = dict[str, Number | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row of an answer: `key` by dimension, the rest by measure; None is unknown.

    `previous` and `change` are there when the query compares. A change is the difference
    as a share of the earlier value, unknown when that is zero or unknown.
    """

    key: dict[str, KeyValue]
    values: Values
    merged: bool = False
    """Whether this is what several small groups come to, or one that may not be told apart.

    Its key is `OTHER`, but for times. What cannot be added up is None.
    """
    withheld: bool = False
    """Whether the values are None because too few people are covered: they may be known."""
    previous: Values | None = None
    change: dict[str, float | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query finds, and what that rests on.

    Groups of which nothing came are not there; without dimensions there is always one.
    They are ordered by time, then by the first measure, the largest first, unknown last,
    and behind them what is merged or withheld.
    """

    period: Period
    previous_period: Period | None
    measures: tuple[Measure, ...]
    dimensions: tuple[Dimension, ...]
    groups: tuple[Group, ...]
    coverage: Coverage
    minimum_people: int = 1
    """Nothing is told of fewer; 1 for those who may see people."""
    withheld: bool = False
    """Whether all that was asked for covers fewer than that, so that nothing is told."""


def run_query(
    engine: Engine,
    query: Query,
    *,
    organisation_zone: ZoneInfo,
    minimum_people: int = 1,
    find_grain: FindGrain = any_grain,
) -> Answer:
    """Answer a query from the rollups. `organisation_zone` is the one the daily tiers are cut in.

    Nothing is told of groups of fewer than `minimum_people`, and nothing from which that
    follows, but to those who may see people: see `groups`. No group is told of more finely in
    time than `find_grain` says: see `grain`.

    Raises:
        BadRequest: the answer has more than `MAX_GROUPS` groups.
        TooFine: it is finer in time than a group may be told of.
    """
    grain = find_grain_of(query, find_grain, organisation_zone)
    if grain.finest is Cut.WEEK:
        query = of_weeks(query)
    minimum = 1 if query.sees_people else minimum_people
    now, *before = (
        _answer(
            engine,
            replace(
                query,
                period=period,
                compare_previous=False,
                with_coverage=query.with_coverage and period is query.period,
            ),
            facts,
            organisation_zone,
            minimum,
        )
        for period, facts in zip(
            query.periods, _find_facts(engine, query, organisation_zone), strict=True
        )
    )
    now = replace(now, coverage=coarsen(now.coverage, query.period, grain.finest))
    return beside(now, *before) if before else now


def beside(now: Answer, before: Answer) -> Answer:
    """Put every group beside the one at the same place in an earlier period.

    Both answer the same question; it is what a query that compares would give.
    """
    # What is merged is not the same groups in both.
    by_place = {_place(before, group): group.values for group in before.groups if not group.merged}
    unknown: Values = {measure.name: None for measure in now.measures}
    groups = []
    for group in now.groups:
        earlier = by_place.get(_place(now, group), unknown)
        change = {name: _change(value, earlier[name]) for name, value in group.values.items()}
        groups.append(replace(group, previous=earlier, change=change))
    return replace(now, previous_period=before.period, groups=tuple(groups))


_Found = dict[Key, dict[Fact, Any]]
"""What is known of each group."""


def _answer(engine: Engine, query: Query, facts: _Found, zone: ZoneInfo, minimum: int) -> Answer:
    """Answer a query that does not compare from what was found."""
    verdict = withhold(engine, query, facts, minimum, zone)
    told = {key: facts[key] for key in verdict.shown}
    for merged, members in verdict.merged.items():
        told[merged] = _merge(engine, query, zone, {key: facts[key] for key in members})
    groups = [
        Group(
            key=_named(query, key),
            values=values,
            merged=place in verdict.merged,
            withheld=place in verdict.withheld,
        )
        for place, key, values in _find_values(
            query, {**told, **{key: {} for key in verdict.withheld}}
        )
    ]
    shown = [group for group in groups if not _is_beside_the_point(query, group)]
    return Answer(
        period=query.period,
        previous_period=None,
        measures=query.measures,
        dimensions=query.by,
        groups=tuple(sorted(shown, key=lambda group: _order(query, group))),
        coverage=_find_coverage(engine, query, zone, verdict, minimum),
        minimum_people=minimum,
        withheld=verdict.everything,
    )


def _find_coverage(
    engine: Engine, query: Query, zone: ZoneInfo, verdict: Verdict, minimum: int
) -> Coverage:
    if not query.with_coverage or verdict.everything:
        return NOT_ASKED
    coverage = find_coverage(engine, query, zone)
    if minimum == 1:
        return coverage
    if not owns_all(query):
        return without_amounts(coverage)
    if coverage.unpriced_models:
        told = _find_models_told(engine, query, zone, minimum)
        named = tuple(model for model in coverage.unpriced_models if model in told)
        coverage = replace(coverage, unpriced_models=named)
    return coverage


def _find_models_told(engine: Engine, query: Query, zone: ZoneInfo, minimum: int) -> set[KeyValue]:
    """Return the models that are told of when the same is asked by model."""
    by_model = replace(query, measures=(REQUESTS,), by=(_MODEL,), with_coverage=False)
    (facts,) = _find_facts(engine, by_model, zone)
    groups = _answer(engine, by_model, facts, zone, minimum).groups
    return {group.key[_MODEL.name] for group in groups if not (group.merged or group.withheld)}


def _merge(
    engine: Engine, query: Query, zone: ZoneInfo, members: Mapping[Key, Mapping[Fact, Any]]
) -> dict[Fact, Any]:
    """Return what is known of groups taken together.

    What does not add up is asked anew where one question can tell it, else it is unknown.
    """
    keys = sql_keys(query)
    if len(keys) == 1 and keys[0].place is not Place.TIME:
        values = tuple(cast("str | None", value) for (value,) in members)
        together = Condition(dimension=keys[0], values=values)
        asked = replace(query, by=(), where=(*query.where, together))
        (found,) = _find_facts(engine, asked, zone)
        return found[()]
    merged: dict[Fact, Any] = {}
    for facts in members.values():
        for fact, value in facts.items():
            if isinstance(fact, SumOf) and value is not None:
                merged[fact] = value if fact not in merged else merged[fact] + value
    return merged


def _find_values(
    query: Query, facts: Mapping[Key, Mapping[Fact, Any]]
) -> Iterator[tuple[Key, Key, Values]]:
    """Return the values of every group, by its place in the facts and by all of `query.by`."""
    token_types = _token_types(query)
    measures = tuple(narrow(measure, token_types) for measure in query.measures)
    places = [dimension.place for dimension in query.by]
    if Place.TOKEN_TYPE not in places:
        for key, found in facts.items():
            yield key, key, _values(measures, found)
        return
    at = places.index(Place.TOKEN_TYPE)
    for token_type in token_types:
        measures = tuple(narrow(measure, (token_type,)) for measure in query.measures)
        for key, found in facts.items():
            yield key, (*key[:at], token_type, *key[at:]), _values(measures, found)


def _token_types(query: Query) -> tuple[str | None, ...]:
    """Return the token types that the query leaves."""
    for condition in query.where:
        if condition.dimension.place is Place.TOKEN_TYPE:
            return condition.values
    return tuple(TOKEN_COLUMNS)


def _values(measures: tuple[Measure, ...], facts: Facts) -> Values:
    return {measure.name: measure.value(facts) for measure in measures}


def _find_facts(engine: Engine, query: Query, zone: ZoneInfo) -> list[_Found]:
    """Ask about all of the query's periods at once; of each without keys, something is known."""
    token_types = _token_types(query)
    query = replace(query, measures=tuple(narrow(m, token_types) for m in query.measures))
    width = len(sql_keys(query))
    found: list[_Found] = [{} if width else {(): {}} for _ in query.periods]
    for statement in compile_query(query, engine.dialect, organisation_zone=zone):
        for number, *row in engine.fetch(statement.sql.text, statement.sql.values):
            facts = zip(statement.facts, row[width:], strict=True)
            found[number].setdefault(read_key(row[:width]), {}).update(facts)
    if any(len(groups) > MAX_GROUPS for groups in found):
        raise BadRequest(
            f"the answer has more than {MAX_GROUPS:,} groups",
            hint="ask for a shorter period, fewer dimensions, or with a filter",
        )
    return found


def _named(query: Query, key: Key) -> dict[str, KeyValue]:
    return {dimension.name: value for dimension, value in zip(query.by, key, strict=True)}


def _is_beside_the_point(query: Query, group: Group) -> bool:
    """Tell whether a group is only there because other things have no such dimension.

    A tool call has no model: without this, requests by model had a group of no model and
    zero requests.
    """
    lacks = any(d.place is Place.ROLLUP and group.key[d.name] is None for d in query.by)
    return (lacks or group.merged) and not any(group.values.values())


def _change(now: Number | None, before: Number | None) -> float | None:
    if now is None or not before:
        return None
    return float(now) / float(before) - 1


def _place(answer: Answer, group: Group) -> tuple[object, ...]:
    """Return the key with times as numbers of hours, days, … since the period began."""
    return tuple(
        _steps(dimension.name, value, answer.period) if dimension.place is Place.TIME else value
        for dimension, value in zip(answer.dimensions, group.key.values(), strict=True)
    )


def _steps(unit: str, value: KeyValue, period: Period) -> int:
    if isinstance(value, datetime):
        return (value - period.start) // timedelta(hours=1)
    day, first = cast("date", value), period.first_day
    if unit == "month":
        return (day.year - first.year) * 12 + day.month - first.month
    if unit == "week":
        return (day - first + timedelta(days=first.weekday())).days // 7
    return (day - first).days


def _order(query: Query, group: Group) -> tuple[object, ...]:
    times = [group.key[d.name] for d in query.by if d.place is Place.TIME]
    others = [group.key[d.name] for d in query.by if d.place is not Place.TIME]
    first = group.values[query.measures[0].name]
    return (
        times,
        group.merged or group.withheld,
        (first is None, -first if first is not None else 0),
        [(value is None, str(value)) for value in others],
    )
