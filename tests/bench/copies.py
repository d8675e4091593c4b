"""A history several times over: the same days with other people, teams and sessions.

Rows of detail and the sums over them are copied by the engine, which takes a fraction of the
time of writing and adding up as much, and gives what that would have given: a scope's sums
rest on its own rows alone, and those of a workplace and a day on the scopes that work there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from codometer.store.duckdb_engine import FILE_NAME, DuckDBEngine
from codometer.store.migrate import migrate
from codometer.store.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

_IDS: Final = (
    *("key_high", "key_low", "scope", "day_scope", "origin", "workplace", "series"),
    *("session_id", "person_id"),
)
_NAMES: Final = ("session", "person", "installation", "email", "team", "cost_center")
_LARGE_LOG: Final = "2GB"
"""The engine's log is written into the file once, at the end."""

_STEP: Final = 11_400_714_819_323_198_485
"""What the numbers of each copy differ by: odd, and with bits all over."""

_AT_ONCE: Final = 2
_SLOWEST: Final = frozenset({"event", "rollup_15m", "latency_15m"})
"""These are begun first."""


def copy_history(source: Path, folder: Path, *, times: int, memory_limit: str) -> None:
    """Fill a folder with what is in another so many times; the first keeps all its names."""
    engine = DuckDBEngine(folder, memory_limit=memory_limit, threads=_AT_ONCE)
    copies = ", ".join(
        f"({number * _STEP % 2**64}::UBIGINT, '{f'-{number}' if number else ''}')"
        for number in range(times)
    )

    def copy(table: str) -> None:
        with engine.connect() as connection:
            _copy(connection, table, f"(VALUES {copies}) c(salt, suffix)")

    try:
        with engine.connect() as connection:
            migrate(connection)
            connection.execute(f"SET checkpoint_threshold = '{_LARGE_LOG}'")
            connection.execute(f"ATTACH '{source / FILE_NAME}' AS source (READ_ONLY)")
            connection.execute("DELETE FROM meta")
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(copy, sorted(TABLES, key=_SLOWEST.__contains__, reverse=True)))
    finally:
        engine.close()


def _copy(connection: duckdb.DuckDBPyConnection, table: str, copies: str) -> None:
    """Copy a table, day by day as it would have been written where its rows have times."""
    names = [column.name for column in TABLES[table]]
    changed = [f"xor({name}, salt) AS {name}" for name in names if name in _IDS]
    changed += [f"{name} || suffix AS {name}" for name in names if name in _NAMES]
    if not changed:
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM source.{table}")
        return
    selected = (
        f"INSERT INTO {table} BY NAME SELECT t.* REPLACE ({', '.join(changed)}) "
        f"FROM source.{table} t, {copies}"
    )
    time = next((name for name in names if name in {"bucket", "day"}), None)
    if time is None:
        connection.execute(selected)
        return
    for day in _days(connection, table, time):
        connection.execute(
            f"{selected} WHERE {time} >= $day AND {time} < $next",
            {"day": day, "next": day + timedelta(days=1)},
        )


def _days(connection: duckdb.DuckDBPyConnection, table: str, time: str) -> list[date]:
    rows = connection.execute(
        f"SELECT DISTINCT CAST({time} AS DATE) AS day FROM source.{table} ORDER BY day"
    ).fetchall()
    return [day for (day,) in rows]
