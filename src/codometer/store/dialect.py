"""Every difference in SQL between the two engines, in one place.

Statements elsewhere are written once, with `?` for each value, and take the few
words that differ from a `Dialect`. Both engines read the same tables (`tables.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from codometer.store.tables import Column, ColumnType

Bound = tuple[str, Sequence[object] | Mapping[str, object]]
"""A statement and its values, as the engine's client takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The words that one engine uses for what both can do. `{}` stands for what goes in."""

    name: str
    required_types: Mapping[ColumnType, str] = field(repr=False)
    """How a column that is never NULL is typed."""
    nullable_types: Mapping[ColumnType, str] = field(repr=False)
    """How a column that may be NULL is typed."""
    table_suffix: str
    """What follows the columns of CREATE TABLE; takes the ordering columns."""
    bind: Callable[[str, Sequence[object]], Bound] = field(repr=False)
    """Turns a statement with `?` into what the engine's client takes."""
    lookup_join: str
    """Joins a table that has one answer for each row, without multiplying rows."""
    date_of: str
    """The date of a time to which seconds are added: takes time and seconds."""
    week_of: str
    """The Monday of a date."""
    month_of: str
    """The first day of a date's month."""
    hour_of: str
    """The start (UTC) of the local hour of a time on a quarter hour.

    Takes the time twice and how many seconds past the hour the zone's offset is.
    """
    first_values: str
    """The least values of a group as a list, none of them NULL: takes a column and how many."""
    arg_max: str
    """The value of a group where another is highest, not NULL: takes both."""

    def create_table(self, name: str, columns: Sequence[Column]) -> str:
        """Return the statement that makes the table, if it is not there."""
        body = ", ".join(f"{column.name} {self._type_of(column)}" for column in columns)
        order = ", ".join(column.name for column in columns if column.required)
        return f"CREATE TABLE IF NOT EXISTS {name} ({body}){self.table_suffix.format(order)}"

    def _type_of(self, column: Column) -> str:
        return (self.required_types if column.required else self.nullable_types)[column.type]


def _bind_by_place(statement: str, values: Sequence[object]) -> Bound:
    return statement, values


_DUCKDB_TYPES: Final[Mapping[ColumnType, str]] = {
    "u64": "UBIGINT",
    "i64": "BIGINT",
    "i32": "INTEGER",
    "f64": "DOUBLE",
    "bool": "BOOLEAN",
    "text": "VARCHAR",
    "label": "VARCHAR",
    "time": "TIMESTAMP",
    "date": "DATE",
    "usd": "DECIMAL(18,12)",
    "usd_sum": "DECIMAL(38,12)",
}

DUCKDB: Final = Dialect(
    name="duckdb",
    required_types={name: f"{type_} NOT NULL" for name, type_ in _DUCKDB_TYPES.items()},
    nullable_types=_DUCKDB_TYPES,
    table_suffix="",
    bind=_bind_by_place,
    lookup_join="JOIN",
    date_of="CAST({} + to_seconds({}) AS DATE)",
    week_of="CAST(date_trunc('week', {}) AS DATE)",
    month_of="CAST(date_trunc('month', {}) AS DATE)",
    hour_of="({} - to_seconds((minute({}) * 60 + {}) % 3600))",
    first_values="min({}, {})",
    arg_max="arg_max({}, {})",
)


_CLICKHOUSE_TYPES: Final[Mapping[ColumnType, str]] = {
    "u64": "UInt64",
    "i64": "Int64",
    "i32": "Int32",
    "f64": "Float64",
    "bool": "Bool",
    "text": "String",
    "label": "String",
    "time": "DateTime64(6, 'UTC')",
    "date": "Date",
    "usd": "Decimal(18, 12)",
    "usd_sum": "Decimal(38, 12)",
}
_CLICKHOUSE_VALUES: Final[Mapping[type, str]] = {
    str: "String",
    int: "Int64",
    datetime: "DateTime64(6, 'UTC')",  # before date, of which it is a kind
    date: "Date",
}


def _bind_by_name(statement: str, values: Sequence[object]) -> Bound:
    first, *others = statement.split("?")
    names = [f"p{number}" for number in range(len(values))]
    text = first + "".join(
        f"{{{name}:{_clickhouse_type(value)}}}{part}"
        for name, value, part in zip(names, values, others, strict=True)
    )
    return text, dict(zip(names, values, strict=True))


def _clickhouse_type(value: object) -> str:
    return next(name for type_, name in _CLICKHOUSE_VALUES.items() if isinstance(value, type_))


CLICKHOUSE: Final = Dialect(
    name="clickhouse",
    required_types={**_CLICKHOUSE_TYPES, "label": "LowCardinality(String)"},
    nullable_types={
        **{name: f"Nullable({type_})" for name, type_ in _CLICKHOUSE_TYPES.items()},
        "label": "LowCardinality(Nullable(String))",
    },
    table_suffix=" ENGINE = MergeTree ORDER BY ({})",
    bind=_bind_by_name,
    lookup_join="LEFT ANY JOIN",
    date_of="toDate(addSeconds({}, {}))",
    week_of="toMonday({})",
    month_of="toStartOfMonth({})",
    hour_of="subtractSeconds({}, (toMinute({}) * 60 + {}) % 3600)",
    first_values="groupArraySorted({1})({0})",
    arg_max="argMax({}, {})",
)
