"""The store: all that survives a restart, behind a handful of operations."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from codometer.store.duckdb_engine import DuckDBEngine
from codometer.store.migrate import migrate
from codometer.store.rollups import Rollups
from codometer.store.status import read_status
from codometer.store.writer import Batch, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from codometer.model.status import Status
    from codometer.store.dialect import Dialect
    from codometer.store.engine import Row

_log = logging.getLogger(__name__)

_REFRESH_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 0.5
"""How long a question waits for the rollups to catch up; beyond it, it is answered as of before."""


class Store:
    """The embedded database with its writer and its rollups. Safe to use from several threads.

    It is an `Engine` for the measures, and what the intake writes to.
    """

    def __init__(
        self, folder: Path, organisation_zone: ZoneInfo, *, memory_limit: str, threads: int
    ) -> None:
        """Open or create the store in `folder` and bring it to this version's schema.

        Raises:
            StoreBusy: another process has it open.
            SchemaTooNew: a newer version wrote it.
        """
        self._engine = DuckDBEngine(folder, memory_limit=memory_limit, threads=threads)
        connection = self._engine.connect()
        migrate(connection)
        connection.close()
        self._writer = Writer(self._engine)
        self._rollups = Rollups(self._engine, organisation_zone)
        self._commits = 1  # marks that an earlier process left count as one
        self._rolled_up = 0
        self._changed = threading.Event()
        self._changed.set()
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._last_refresh_seconds = 0.0
        self._thread = threading.Thread(target=self._keep_current, name="rollups", daemon=True)

    @property
    def dialect(self) -> Dialect:
        """The words that the engine uses."""
        return self._engine.dialect

    def start(self) -> None:
        """Begin to keep the rollups current."""
        self._thread.start()

    def close(self) -> None:
        """Roll up what is marked, write everything into the one file, and let it go."""
        self._stopping.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._rollups.close()
        self._writer.close()
        self._engine.close()

    def set_prices(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Replace the table of list prices that what only metrics told is priced with."""
        connection = self._engine.connect()
        connection.execute("DELETE FROM unit_price")
        connection.executemany("INSERT INTO unit_price VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(rows))
        connection.close()

    def write(self, batch: Batch) -> None:
        """Commit the batch durably; rows that are stored already add nothing."""
        self._writer.write(batch)
        self._commits += 1
        self._changed.set()

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one SELECT on whatever is rolled up now."""
        return self._engine.fetch(sql, parameters)

    def roll_up(self) -> None:
        """Make the rollups hold all that is committed, however long it takes."""
        wanted = self._commits
        while self._rolled_up < wanted:
            self._refresh(wanted)

    def catch_up(self) -> None:
        """Make the rollups hold all that is committed, if that takes no longer than a moment.

        Under so much load that it would, they are at most a few seconds behind.
        """
        wanted = self._commits
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (
            self._rolled_up < wanted
            and self._last_refresh_seconds < _PATIENCE_SECONDS
            and time.monotonic() < deadline
        ):
            self._refresh(wanted)

    def check(self) -> None:
        """Raise if the database does not answer."""
        self._engine.fetch("SELECT 1")

    def read_status(self) -> Status:
        """Tell what arrived and what is stored."""
        return read_status(self._engine, self._engine.path, self._rollups.as_of)

    def _refresh(self, wanted: int) -> None:
        """Roll up the commits so far, unless somebody else has meanwhile rolled up those wanted."""
        with self._refreshing:
            if self._rolled_up >= wanted:
                return
            self._changed.clear()
            commits = self._commits
            started = time.monotonic()
            if self._rollups.refresh().pending:
                self._changed.set()
            else:
                self._rolled_up = commits
            self._last_refresh_seconds = time.monotonic() - started

    def _keep_current(self) -> None:
        while not self._stopping.is_set():
            self._changed.wait()
            try:
                self._refresh(self._commits)
            except Exception:  # an outer edge: the job
                _log.exception("the rollups could not be refreshed")
            self._stopping.wait(max(_REFRESH_SECONDS, 2 * self._last_refresh_seconds))
