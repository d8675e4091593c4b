"""The rollup rows that a query rests on, as the inner SELECT of its statements.

Two tiers hold the same sums: by quarter hour (UTC) and by day of the
organisation's zone. Whole days come from the daily tier when their days are the
ones asked for; what is left at both ends, and everything else, comes from
quarter hours. The two never overlap, so a period gives the same totals whatever
it is cut into. Days, weeks and months of a zone are cut by adding the zone's
offset to the instant, which needs no time zones in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from codometer.analysis.measures.dimensions import Dimension, Place
from codometer.analysis.measures.query import Condition, Query
from codometer.model.period import Period, local_date, start_of_day
from codometer.store.dialect import Dialect

_HOUR_SECONDS: Final = 3600


class Sql(NamedTuple):
    """A piece of a statement, with the values of its `?` in their order."""

    text: str
    values: tuple[object, ...] = ()


class Column(NamedTuple):
    """A column that the statement around needs: of the rollup (`r`) or of the origin (`o`)."""

    table: Literal["r", "o"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarters:
    """A stretch to be read from the tier of quarter hours."""

    tier: ClassVar = "15m"
    column: ClassVar = "bucket"

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A stretch of whole days to be read from the daily tier; `end` is not included."""

    tier: ClassVar = "day"
    column: ClassVar = "day"

    start: date
    end: date


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


def stretches(query: Query, organisation_zone: ZoneInfo) -> tuple[Quarters | Days, ...]:
    """Cut the query's period into what each tier is read for."""
    period = query.period
    whole = Quarters(start=period.start, end=period.end)
    if not _days_serve(query, organisation_zone):
        return (whole,)
    first, last = _whole_days(period, organisation_zone)
    if first >= last:
        return (whole,)
    from_, to = start_of_day(first, organisation_zone), start_of_day(last, organisation_zone)
    found: list[Quarters | Days] = [Days(start=first, end=last)]
    if period.start < from_:
        found.append(Quarters(start=period.start, end=from_))
    if to < period.end:
        found.append(Quarters(start=to, end=period.end))
    return tuple(found)


def rows(
    query: Query,
    dialect: Dialect,
    organisation_zone: ZoneInfo,
    *,
    table: Literal["rollup", "latency"],
    columns: Sequence[Column] = (),
) -> Sql:
    """Return a SELECT of the query's keys, as `k0`, `k1`, …, and of columns under their names."""
    return join(
        " UNION ALL ",
        (
            select_rows(query, dialect, stretch, table=table, columns=columns, keys=sql_keys(query))
            for stretch in stretches(query, organisation_zone)
        ),
    )


def sql_keys(query: Query) -> tuple[Dimension, ...]:
    """Return the dimensions that a row has a value for: all but the token type."""
    return tuple(dimension for dimension in query.by if dimension.place is not Place.TOKEN_TYPE)


def _days_serve(query: Query, organisation_zone: ZoneInfo) -> bool:
    times = {dimension.name for dimension in query.by if dimension.place is Place.TIME}
    return not times or ("hour" not in times and query.period.zone.key == organisation_zone.key)


def _whole_days(period: Period, zone: ZoneInfo) -> tuple[date, date]:
    first, last = local_date(period.start, zone), local_date(period.end, zone)
    if start_of_day(first, zone) < period.start:
        first += timedelta(days=1)
    return first, last


def select_rows(
    query: Query,
    dialect: Dialect,
    stretch: Quarters | Days,
    *,
    table: str,
    columns: Sequence[Column],
    keys: Sequence[Dimension],
) -> Sql:
    """Return the SELECT of one stretch; its rows are those of `rows`."""
    selected = [
        weave(f"{{}} AS k{number}", _key(dimension, query.period, dialect, stretch))
        for number, dimension in enumerate(keys)
    ]
    selected += [Sql(f"{column.table}.{column.name} AS {column.name}") for column in columns]
    bounds = Sql(
        f"r.{stretch.column} >= ? AND r.{stretch.column} < ?",
        (_plain(stretch.start), _plain(stretch.end)),
    )
    conditions = (
        _condition(condition, dialect)
        for condition in query.where
        if condition.dimension.place is not Place.TOKEN_TYPE
    )
    origin = f" {dialect.lookup_join} origin AS o ON o.origin = r.origin"
    return weave(
        f"SELECT {{}} FROM {table}_{stretch.tier} AS r"
        f"{origin if _needs_origin(query, keys, columns) else ''} WHERE {{}}",
        join(", ", selected),
        join(" AND ", (bounds, *conditions)),
    )


def _needs_origin(query: Query, keys: Sequence[Dimension], columns: Sequence[Column]) -> bool:
    used = (*keys, *(condition.dimension for condition in query.where))
    return any(column.table == "o" for column in columns) or any(
        dimension.place in {Place.ORIGIN, Place.RESOURCE} for dimension in used
    )


def _key(dimension: Dimension, period: Period, dialect: Dialect, stretch: Quarters | Days) -> Sql:
    if dimension.place is not Place.TIME:
        return _column(dimension, dialect)
    if dimension.name == "hour":
        past = _offset_case(period, within=_HOUR_SECONDS)
        return weave(dialect.hour_of, Sql("r.bucket"), Sql("r.bucket"), past)
    day = Sql("r.day")
    if isinstance(stretch, Quarters):
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


def _column(dimension: Dimension, dialect: Dialect) -> Sql:
    if dimension.place is Place.RESOURCE:
        path = dialect.json_path(dimension.resource_key)
        return Sql(dialect.json_text.format("o.resource"), (path,))
    return Sql(f"{'o' if dimension.place is Place.ORIGIN else 'r'}.{dimension.name}")


def _condition(condition: Condition, dialect: Dialect) -> Sql:
    column = _column(condition.dimension, dialect)
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
