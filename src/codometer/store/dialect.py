"""Every difference in SQL between the two engines, in one place.

Statements elsewhere are written once and take the few words that differ from
a `Dialect`. Both engines read the same tables (`tables.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from codometer.store.tables import Column, ColumnType


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The words that one engine uses for what both can do."""

    name: str
    types: dict[ColumnType, str] = field(repr=False)
    nullable: str
    """How a column that may be NULL is typed; `{}` stands for the type."""

    table_suffix: str
    """What follows the columns of CREATE TABLE; `{}` stands for the ordering columns."""

    def create_table(self, name: str, columns: tuple[Column, ...]) -> str:
        """Return the statement that makes the table, if it is not there."""
        body = ", ".join(
            f"{column.name} {self.types[column.type]}{' NOT NULL' if column.required else ''}"
            if not self.nullable
            else f"{column.name} "
            + (self.types[column.type] if column.required else self.nullable.format(self.types[column.type]))
            for column in columns
        )
        order = ", ".join(column.name for column in columns if column.required)
        return f"CREATE TABLE IF NOT EXISTS {name} ({body}){self.table_suffix.format(order)}"


DUCKDB: Final = Dialect(
    name="duckdb",
    types={
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
    },
    nullable="",
    table_suffix="",
)
