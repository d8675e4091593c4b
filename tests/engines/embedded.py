"""Both engines inside the test's process, with empty tables and a way to fill them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import duckdb

from codometer.store.dialect import CLICKHOUSE, DUCKDB, Dialect
from codometer.store.engine import Engine, Row
from codometer.store.tables import TABLES

Values = Mapping[str, object]
"""A row by column; what is left out is NULL."""

READ_TABLES: Final = ("origin", "rollup_15m", "rollup_day", "latency_15m", "latency_day")
"""The tables that measures are read from."""


class FillableEngine(Engine, Protocol):
    """An engine whose tables a test fills as it likes."""

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        """Add rows to a table."""

    def empty(self) -> None:
        """Take all rows out of the tables that measures are read from."""


class DuckDBInMemory:
    """DuckDB without a file."""

    dialect: Dialect = DUCKDB

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        for name in READ_TABLES:
            self.execute(DUCKDB.create_table(name, TABLES[name]))

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(*DUCKDB.bind(sql, parameters)).fetchall()

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        # Hundreds of rows a statement: executemany takes two milliseconds for each.
        filled = [_in_order(table, row) for row in rows]
        for chunk in (filled[at : at + 200] for at in range(0, len(filled), 200)):
            marks = ", ".join(f"({', '.join('?' * len(row))})" for row in chunk)
            values = [value for row in chunk for value in row]
            self.execute(f"INSERT INTO {table} VALUES {marks}", values)

    def empty(self) -> None:
        for name in READ_TABLES:
            self.execute(f"DELETE FROM {name}")

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run any statement, for what `insert` would be slow at."""
        self._connection.execute(sql, values)


class ClickHouseInProcess:
    """The real ClickHouse engine, behind the client that talks to a server too."""

    dialect: Dialect = CLICKHOUSE

    def __init__(self) -> None:
        import clickhouse_connect  # noqa: PLC0415 - takes a second, and not every machine has it

        self._client: Any = clickhouse_connect.get_client(interface="chdb")
        for name in READ_TABLES:
            self._client.command(CLICKHOUSE.create_table(name, TABLES[name]))

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        text, named = CLICKHOUSE.bind(sql, parameters)
        return [tuple(row) for row in self._client.query(text, parameters=named).result_rows]

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        columns = [column.name for column in TABLES[table]]
        filled = [[_say_utc(value) for value in _in_order(table, row)] for row in rows]
        if filled:
            self._client.insert(table, filled, column_names=columns)

    def empty(self) -> None:
        for name in READ_TABLES:
            self._client.command(f"TRUNCATE TABLE {name}")


def _in_order(table: str, row: Values) -> list[object]:
    strange = set(row) - {column.name for column in TABLES[table]}
    assert not strange, f"{table} has no {strange}"
    return [row.get(column.name) for column in TABLES[table]]


def _say_utc(value: object) -> object:
    """The client takes an instant without an offset for local time."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def by_day(rows: Iterable[Values], zone: ZoneInfo) -> list[Values]:
    """Add up rows of quarter hours to rows of the daily tier, unknown staying unknown."""
    days: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        day = _local_date(row["bucket"], zone)
        keys = {name: value for name, value in row.items() if not _is_summed(name)}
        keys.pop("bucket")
        total = days.setdefault((day, *sorted(keys.items(), key=str)), {"day": day, **keys})
        for name, value in row.items():
            if _is_summed(name) and value is not None:
                total[name] = value if total.get(name) is None else total[name] + value  # type: ignore[operator] # numbers of one type
    return list(days.values())


def _local_date(bucket: object, zone: ZoneInfo) -> date:
    assert isinstance(bucket, datetime)
    return bucket.replace(tzinfo=UTC).astimezone(zone).date()


def _is_summed(name: str) -> bool:
    return _TYPES[name] in {"i64", "f64", "usd", "usd_sum"}


_TYPES: Final = {
    column.name: column.type for table in ("rollup_15m", "latency_15m") for column in TABLES[table]
}
