"""Both engines inside the test's process, with empty tables and a way to fill them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import duckdb

from codometer.model.identity import hash64, number_of_person
from codometer.store.dialect import CLICKHOUSE, DUCKDB, Dialect
from codometer.store.engine import Engine, Row
from codometer.store.origins import workplace_columns
from codometer.store.tables import ROLLUP_SUMS, TABLES, TIERS, Tier

Values = Mapping[str, object]
"""A row by column; what is left out is NULL."""

RESOURCE_KEYS: Final = ("deployment.pool/a~b", "x")
"""The resource attributes that are allowed as dimensions."""

COLUMNS: Final = {
    **{name: TABLES[name] for name in ("origin", "latency_15m")},
    **{tier.table: TABLES[tier.table] for tier in TIERS},
    "workplace": workplace_columns(RESOURCE_KEYS),
}
"""The tables that measures are read from, and their columns."""


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
        self.connection = duckdb.connect()
        for name, columns in COLUMNS.items():
            self.execute(DUCKDB.create_table(name, columns))

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self.connection.execute(*DUCKDB.bind(sql, parameters)).fetchall()

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        # Hundreds of rows a statement: executemany takes two milliseconds for each.
        filled = [_in_order(table, row) for row in rows]
        for chunk in (filled[at : at + 200] for at in range(0, len(filled), 200)):
            marks = ", ".join(f"({', '.join('?' * len(row))})" for row in chunk)
            values = [value for row in chunk for value in row]
            self.execute(f"INSERT INTO {table} VALUES {marks}", values)

    def empty(self) -> None:
        for name in COLUMNS:
            self.execute(f"DELETE FROM {name}")

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run any statement, for what `insert` would be slow at."""
        self.connection.execute(sql, values)


class ClickHouseInProcess:
    """The real ClickHouse engine, behind the client that talks to a server too."""

    dialect: Dialect = CLICKHOUSE

    def __init__(self) -> None:
        import clickhouse_connect  # noqa: PLC0415 - takes a second, and not every machine has it

        self._client: Any = clickhouse_connect.get_client(interface="chdb")
        for name, columns in COLUMNS.items():
            self._client.command(CLICKHOUSE.create_table(name, columns))

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        text, named = CLICKHOUSE.bind(sql, parameters)
        return [tuple(row) for row in self._client.query(text, parameters=named).result_rows]

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        columns = [column.name for column in COLUMNS[table]]
        filled = [[_say_utc(value) for value in _in_order(table, row)] for row in rows]
        if filled:
            self._client.insert(table, filled, column_names=columns)

    def empty(self) -> None:
        for name in COLUMNS:
            self._client.command(f"TRUNCATE TABLE {name}")


def _in_order(table: str, row: Values) -> list[object]:
    strange = set(row) - {column.name for column in COLUMNS[table]}
    assert not strange, f"{table} has no {strange}"
    return [row.get(column.name) for column in COLUMNS[table]]


def _say_utc(value: object) -> object:
    """The client takes an instant without an offset for local time."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def client(number: int, **known: object) -> dict[str, Values]:
    """Return the rows of `workplace` and `origin`, by table, of what is known of a client."""
    ids = {"workplace": number, **who(known)}
    origin = {name: value for name, value in known.items() if name in _ORIGIN}
    workplace = {name: value for name, value in known.items() if name not in _ORIGIN}
    return {
        "workplace": {"agent": "claude_code", **workplace, "workplace": number},
        "origin": {**origin, **ids, "origin": number},
    }


def who(known: Values) -> Values:
    """Return the numbers by which rows know a session and a person."""
    session, person, kind = (known.get(name) for name in ("session", "person", "person_kind"))
    return {
        "session_id": None if session is None else hash64(session),
        "person_id": None if person is None else number_of_person(str(person), str(kind)),
    }


def give_rollups(engine: FillableEngine, rows: Iterable[Values], zone: ZoneInfo) -> None:
    """Insert rows of `rollup_15m`, and what they add up to in the coarser tiers."""
    given = list(rows)
    for tier in TIERS:
        engine.insert(tier.table, _add_up(given, tier, zone))


def _add_up(rows: Iterable[Values], tier: Tier, zone: ZoneInfo) -> list[Values]:
    """Add up rows to those of a tier, unknown staying unknown."""
    keys = [c.name for c in COLUMNS[tier.table] if c.name not in ROLLUP_SUMS]
    totals: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        timed = {**row, "day": _local_date(row["bucket"], zone)}
        key = {name: timed.get(name) for name in keys}
        total = totals.setdefault(tuple(key.values()), dict(key))
        for name in ROLLUP_SUMS:
            value = row.get(name)
            if value is not None:
                total[name] = value if total.get(name) is None else total[name] + value  # type: ignore[operator] # numbers of one type
    return list(totals.values())


def _local_date(bucket: object, zone: ZoneInfo) -> date:
    assert isinstance(bucket, datetime)
    return bucket.replace(tzinfo=UTC).astimezone(zone).date()


_ORIGIN: Final = {column.name for column in TABLES["origin"]}
