"""The rows of sums that a query rests on, as the inner SELECT of its statements.

Several tiers hold the same sums (`codometer.store.tables`): by quarter hour
(UTC) and by day of the organisation's zone, with and without sessions and
dimensions. Each statement reads the smallest that can tell what it needs. Whole
days come from a daily tier when their days are the ones asked for; what is left
at both ends, and everything else, comes from quarter hours. The two never
overlap, so a period gives the same totals whatever it is cut into. Days, weeks
and months of a zone are cut by adding the zone's offset to the instant, which
needs no time zones in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.analysis.measures.dimensions import Dimension, Place
from codometer.analysis.measures.query import Condition, Query
from codometer.model.identity import SERVICE
from codometer.model.period import Period, local_date, start_of_day
from codometer.store.dialect import Dialect
from codometer.store.tables import TIERS, Tier

_HOUR_SECONDS: Final = 3600


class Sql(NamedTuple):
    """A piece of a statement, with the values of its `?` in their order."""

    text: str
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a statement must be able to tell, besides the sums."""

    dimensions: frozenset[str] = frozenset()
    """Those that sums are kept by."""
    sessions: bool = False
    """Sessions or persons."""

    def is_met_by(self, tier: Tier) -> bool:
        """Say whether a tier holds it."""
        return self.dimensions <= tier.dimensions and self.sessions <= tier.has_sessions


class Stretch(NamedTuple):
    """A part of a period, and the tier that it is read from; the end is not included.

    Both ends are dates of the organisation's zone in a daily tier, else instants. `number`
    says of which of the query's periods it is a part.
    """

    tier: Tier
    start: date
    end: date
    number: int = 0

    @property
    def has_days(self) -> bool:
        """Whether it consists of whole days."""
        return self.tier.time == "day"


def weave(template: str, *pieces: Sql) -> Sql:
    """Put pieces into the `{}` of a template, and their values in the same order."""
    return Sql(
        template.format(*(piece.text for piece in pieces)),
        tuple(value for piece in pieces for value in piece.values),
    )


def join(separator: str, pieces: Iterable[Sql]) -> Sql:
    """Join pieces, and their values in the same order."""
    given = tuple(pieces)
    return Sql(
        separator.join(piece.text for piece in given),
        tuple(value for piece in given for value in piece.values),
    )


def need_of(query: Query) -> Need:
    """Return what a query's keys and conditions need to be told."""
    used = _dimensions(query, query.by)
    return Need(
        dimensions=frozenset(d.column for d in used if d.place is Place.ROLLUP),
        sessions=any(dimension.place is Place.ORIGIN for dimension in used),
    )


def stretches(
    query: Query, need: Need, organisation_zone: ZoneInfo, tiers: Sequence[Tier] = TIERS
) -> tuple[Stretch, ...]:
    """Cut the query's periods into what each tier is read for."""
    serving = [tier for tier in tiers if need.is_met_by(tier)]
    quarters = next(tier for tier in serving if tier.time == "bucket")
    daily = next((tier for tier in serving if tier.time == "day"), None)
    if not _days_serve(query, organisation_zone):
        daily = None
    return tuple(
        Stretch(tier, start, end, number)
        for number, period in enumerate(query.periods)
        for tier, start, end in _cut(period, quarters, daily, organisation_zone)
    )


def _cut(
    period: Period, quarters: Tier, daily: Tier | None, zone: ZoneInfo
) -> list[tuple[Tier, date, date]]:
    """Cut a period into whole days, if there are any and a tier has them, and the rest."""
    first, last = _whole_days(period, zone)
    if daily is None or first >= last:
        return [(quarters, period.start, period.end)]
    from_, to = start_of_day(first, zone), start_of_day(last, zone)
    rest = ((quarters, period.start, from_), (quarters, to, period.end))
    return [(daily, first, last), *(part for part in rest if part[1] < part[2])]


def rows(
    query: Query, dialect: Dialect, parts: Sequence[Stretch], columns: Iterable[str] = ()
) -> Sql:
    """Return a SELECT of the query's keys, as `k0`, `k1`, …, and of columns under their names.

    A query of several periods has `number` too, which says of which of them a row is.
    """
    keys = sql_keys(query)
    selected = (select_rows(query, dialect, part, columns=columns, keys=keys) for part in parts)
    return join(" UNION ALL ", selected)


def sql_keys(query: Query) -> tuple[Dimension, ...]:
    """Return the dimensions that a row has a value for: all but the token type."""
    return tuple(dimension for dimension in query.by if dimension.place is not Place.TOKEN_TYPE)


def read_key(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return a group's key; an instant comes from an engine as UTC, without saying so."""
    return tuple(
        value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in values
    )


def select_rows(
    query: Query,
    dialect: Dialect,
    stretch: Stretch,
    *,
    columns: Iterable[str],
    keys: Sequence[Dimension],
) -> Sql:
    """Return the SELECT of one stretch; its rows are those of `rows`."""
    selected = [Sql(f"{stretch.number} AS number")] if query.compare_previous else []
    selected += [
        weave(f"{{}} AS k{number}", _key(dimension, _span(query), dialect, stretch))
        for number, dimension in enumerate(keys)
    ]
    wanted = tuple(columns)
    selected += [Sql(f"{_OF_CLIENTS.get(name, f'r.{name}')} AS {name}") for name in wanted]
    time = stretch.tier.time
    bounds = Sql(f"r.{time} >= ? AND r.{time} < ?", (_plain(stretch.start), _plain(stretch.end)))
    conditions = (
        _condition(condition)
        for condition in query.conditions
        if condition.dimension.place is not Place.TOKEN_TYPE
    )
    places = {dimension.place for dimension in _dimensions(query, keys)}
    places |= {Place.ORIGIN} if _OF_CLIENTS.keys() & wanted else set()
    joins = "".join(
        f" {dialect.lookup_join} {table} AS {alias} ON {alias}.{table} = r.{table}"
        for place, (table, alias) in _LOOKUPS.items()
        if place in places
    )
    return weave(
        f"SELECT {{}} FROM {stretch.tier.table} AS r{joins} WHERE {{}}",
        join(", ", selected),
        join(" AND ", (bounds, *conditions)),
    )


_OF_CLIENTS: Final = {"service": f"CASE WHEN o.person_kind = '{SERVICE}' THEN o.person END"}
"""Columns that rows do not have but their clients."""
_LOOKUPS: Final = {Place.WORKPLACE: ("workplace", "w"), Place.ORIGIN: ("origin", "o")}
"""The table, and its short name, that has the values of dimensions which rows only number."""


def _span(query: Query) -> Period:
    """Return the time that all of the query's periods lie in."""
    return replace(query.period, start=query.periods[-1].start)


def _dimensions(query: Query, keys: Sequence[Dimension]) -> tuple[Dimension, ...]:
    return (*keys, *(condition.dimension for condition in query.conditions))


def _days_serve(query: Query, organisation_zone: ZoneInfo) -> bool:
    times = {dimension.name for dimension in query.by if dimension.place is Place.TIME}
    return not times or ("hour" not in times and query.period.zone.key == organisation_zone.key)


def _whole_days(period: Period, zone: ZoneInfo) -> tuple[date, date]:
    first, last = local_date(period.start, zone), local_date(period.end, zone)
    if start_of_day(first, zone) < period.start:
        first += timedelta(days=1)
    return first, last


def _key(dimension: Dimension, period: Period, dialect: Dialect, stretch: Stretch) -> Sql:
    if dimension.place is not Place.TIME:
        return _column(dimension)
    if dimension.name == "hour":
        past = _offset_case(period, within=_HOUR_SECONDS)
        return weave(dialect.hour_of, Sql("r.bucket"), Sql("r.bucket"), past)
    day = Sql("r.day")
    if not stretch.has_days:
        day = weave(dialect.date_of, Sql("r.bucket"), _offset_case(period))
    cut = {"day": "{}", "week": dialect.week_of, "month": dialect.month_of}[dimension.name]
    return weave(cut, day)


def _offset_case(period: Period, *, within: int | None = None) -> Sql:
    """Return the zone's offset at `r.bucket` in seconds, or what it leaves over `within`."""
    *changes, last = (
        (until, seconds % within if within else seconds) for until, seconds in period.offsets()
    )
    if not changes:
        return Sql(str(last[1]))
    whens = " ".join(f"WHEN r.bucket < ? THEN {seconds}" for _, seconds in changes)
    return Sql(
        f"CASE {whens} ELSE {last[1]} END",
        tuple(_plain(until) for until, _ in changes if until is not None),
    )


def _column(dimension: Dimension) -> Sql:
    _, alias = _LOOKUPS.get(dimension.place, ("", "r"))
    return Sql(f"{alias}.{dimension.column}")


def _condition(condition: Condition) -> Sql:
    column = _column(condition.dimension)
    values = tuple(value for value in condition.values if value is not None)
    alternatives = []
    if values:
        marks = ", ".join("?" for _ in values)
        alternatives.append(weave("{} IN {}", column, Sql(f"({marks})", values)))
    if None in condition.values:
        alternatives.append(weave("{} IS NULL", column))
    return weave("({})", join(" OR ", alternatives))


def _plain(moment: date) -> date:
    """Instants are stored and bound in UTC without saying so; dates stay as they are."""
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment
