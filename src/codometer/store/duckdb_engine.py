"""The embedded engine. This process owns the file; nobody else may open it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from codometer.errors import StoreBusy
from codometer.store.dialect import DUCKDB, Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from codometer.store.engine import Row

FILE_NAME = "codometer.duckdb"


class DuckDBEngine:
    """One DuckDB database, read by many threads, each on a cursor of its own."""

    dialect: Dialect = DUCKDB

    def __init__(self, folder: Path, *, memory_limit: str = "512MB", threads: int = 2) -> None:
        """Open or create the database in `folder`.

        Raises:
            StoreBusy: another process has it open.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE_NAME
        try:
            self._root = duckdb.connect(
                str(self.path),
                config={
                    "memory_limit": memory_limit,
                    "threads": threads,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "temp_directory": str(folder / "spill"),
                },
            )
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            message = f"another process has the data folder {folder} open"
            hint = "stop the other server, or give this one a folder of its own with --data"
            raise StoreBusy(message, hint=hint) from error
        self._local = threading.local()

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one SELECT and return its rows."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._root.cursor()
        return cursor.execute(sql, parameters).fetchall()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for a part of the store that writes; close it when done."""
        return self._root.cursor()

    def close(self) -> None:
        """Write everything into the one file and let it go."""
        self._root.close()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what happens inside, durably, or none of it."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
