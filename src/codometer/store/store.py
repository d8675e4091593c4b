"""The store: all that survives a restart, behind a handful of operations."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.store.duckdb_engine import LOST, REWRITE_DUE, DuckDBEngine, transaction
from codometer.store.due import Amounts, count_amounts
from codometer.store.migrate import add_resource_columns, migrate
from codometer.store.retention import (
    NOBODY,
    Cuts,
    Held,
    cut_days,
    cut_quarters,
    drop_sums,
    fold_sessions,
)
from codometer.store.rollups import Rollups
from codometer.store.status import read_rejects, read_sent_content, read_status
from codometer.store.writer import Batch, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import duckdb

    from codometer.model.status import ContentStatus, RejectStatus, Status
    from codometer.store.dialect import Dialect
    from codometer.store.engine import Row

_log = logging.getLogger(__name__)

_REFRESH_SECONDS: Final = 1.0
_REST: Final = 9
"""How many times as long as a refresh took nobody refreshes again, unless a question comes."""

_PATIENCE_SECONDS: Final = 1.0
"""How long a question waits for the rollups to catch up; beyond it, it is answered as of before."""


_IS_REWRITE_DUE: Final = f"SELECT 1 FROM meta WHERE name = '{REWRITE_DUE}'"
_MARK_REWRITE: Final = (
    f"INSERT INTO meta SELECT '{REWRITE_DUE}', '' WHERE NOT EXISTS ({_IS_REWRITE_DUE})"
)


class Removed(NamedTuple):
    """How many sessions lost their names, and rows their persons; how many rows of sums went."""

    sessions: int = 0
    persons: int = 0
    sums: int = 0


class Store:
    """The embedded database with its writer and its rollups. Safe to use from several threads.

    It is an `Engine` for the measures, and what the intake writes to.
    """

    def __init__(
        self,
        folder: Path,
        organisation_zone: ZoneInfo,
        *,
        memory_limit: str,
        threads: int,
        resource_keys: Sequence[str] = (),
    ) -> None:
        """Open or create the store in `folder` and bring it to this version's schema.

        `resource_keys` are the resource attributes that may be asked for as dimensions.

        Raises:
            StoreBusy: another process has it open.
            SchemaTooNew: a newer version wrote it.
        """
        self._engine = DuckDBEngine(folder, memory_limit=memory_limit, threads=threads)
        connection = self._engine.connect()
        migrate(connection)
        add_resource_columns(connection, resource_keys)
        connection.close()
        self._zone = organisation_zone
        self.resource_keys = resource_keys
        self._open_parts()
        self._commits = 1  # marks that an earlier process left count as one
        self._rolled_up = 0
        self._version = 0
        self._progress = threading.Condition()
        self._writing = threading.Lock()
        self._refreshing = threading.Lock()
        self._is_lost = False
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_current, name="rollups", daemon=True)
        self.rewrite()

    @property
    def dialect(self) -> Dialect:
        """The words that the engine uses."""
        return self._engine.dialect

    @property
    def version(self) -> int:
        """A number that grows whenever the sums changed, and with them what a question finds."""
        return self._version

    def start(self) -> None:
        """Begin to keep the rollups current."""
        self._thread.start()

    def close(self) -> None:
        """Roll up what is marked, write everything into the one file, and let it go."""
        self._stopping.set()
        self._hurry.set()
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
        """Commit the batch durably; rows that are stored already add nothing.

        Raises:
            StoreUnusable: the database was lost and cannot be opened again yet.
        """
        self._mend()
        with self._using(self._writing):
            self._writer.write(batch)
        self._commits += 1

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone, in which days are cut."""
        return self._zone

    @contextmanager
    def changing(self, *, for_good: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection to change what is stored, in one transaction, while nobody writes.

        All that was committed is rolled up. Where what was replaced must be gone `for_good`,
        it stays in the file until `rewrite`, which the next start does if this process does not.
        """
        self._mend()
        self.roll_up()
        with self._using(self._writing), self._using(self._refreshing):
            self._writer.look_anew()
            connection = self._engine.connect()
            try:
                with transaction(connection):
                    if for_good:
                        connection.execute(_MARK_REWRITE)
                    yield connection
                self._version += 1
            finally:
                connection.close()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection to read with, while nobody puts another file in place."""
        with self._writing:
            connection = self._engine.connect()
            try:
                yield connection
            finally:
                connection.close()

    def rewrite(self) -> None:
        """Make gone from the file what was deleted or replaced, if anything was."""
        if not self._engine.fetch(_IS_REWRITE_DUE):
            return
        with self._writing, self._refreshing:
            self._writer.close()
            self._rollups.close()
            self._engine.rewrite()
            self._open_parts()

    def _open_parts(self) -> None:
        self._writer = Writer(self._engine, resource_keys=self.resource_keys)
        self._rollups = Rollups(self._engine, self._zone)

    def seal(self, before: datetime, held: Held = NOBODY) -> int:
        """Let the detail of sessions go that ended before an instant (UTC).

        Return how many rows of events and readings those had.
        """
        self.roll_up()
        midnight = before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        with self._using(self._refreshing):
            return self._rollups.seal(midnight.replace(tzinfo=None), held).rows

    def let_go(
        self,
        cuts: Cuts,
        held: Held = NOBODY,
        pausing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Removed:
        """Take sessions and persons out of what is old, and let the oldest sums go.

        No sum of what stays changes. Clients wait for some moments, never for all of it. What
        was taken out stays in the file until `rewrite`. Origins get other numbers: `pausing`
        keeps out, for each step, whoever works with those that they listed.
        """

        def cut(step: Callable[[duckdb.DuckDBPyConnection], int]) -> int:
            self.roll_up()
            with pausing():
                return self._cut(step)

        quarters = cut(lambda connection: cut_quarters(connection, cuts.quarters, held))
        sessions = 0
        while folded := cut(lambda c: fold_sessions(c, cuts.sessions, held)):
            sessions += folded
        days = cut(lambda connection: cut_days(connection, cuts.persons, held))
        sums = cut(lambda connection: drop_sums(connection, cuts, held))
        return Removed(sessions=sessions, persons=quarters + days, sums=sums)

    def count_amounts(self, before: datetime, cuts: Cuts, held: Held | None) -> Amounts:
        """Count how much there is, and how much `seal` and `let_go` would take of it."""
        return count_amounts(self._engine, before, cuts, held)

    def _cut(self, cut: Callable[[duckdb.DuckDBPyConnection], int]) -> int:
        with self.changing(for_good=False) as connection:
            rows = cut(connection)
            if rows:
                connection.execute(_MARK_REWRITE)
            return rows

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one SELECT on whatever is rolled up now."""
        return self._engine.fetch(sql, parameters)

    def roll_up(self) -> None:
        """Make the rollups hold all that is committed, however long it takes."""
        while self._rolled_up < self._commits:
            self._refresh()

    def catch_up(self) -> None:
        """Wait a moment for the rollups to hold all that is committed by now.

        Under so much load that they take longer, they are a few seconds behind.
        """
        wanted = self._commits
        self._hurry.set()
        with self._progress:
            self._progress.wait_for(lambda: self._rolled_up >= wanted, _PATIENCE_SECONDS)

    def check(self) -> None:
        """Raise if the database does not answer."""
        self._engine.fetch("SELECT 1")

    def read_status(self) -> Status:
        """Tell what arrived and what is stored."""
        return read_status(self._engine, self._engine.path, self._rollups.as_of)

    def read_rejects(self) -> Sequence[RejectStatus]:
        """Tell which signals were refused, at once."""
        return read_rejects(self._engine)

    def read_sent_content(self) -> Sequence[ContentStatus]:
        """Tell which clients send content, at once."""
        return read_sent_content(self._engine)

    def _refresh(self) -> None:
        with self._using(self._refreshing):
            commits = self._commits
            refreshed = self._rollups.refresh()
            self._version += refreshed.scopes > 0
        if not refreshed.pending:
            with self._progress:
                self._rolled_up = max(self._rolled_up, commits)
                self._progress.notify_all()

    def _keep_current(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._mend()
                if self._rolled_up < self._commits:
                    self._refresh()
            except Exception:  # noqa: BLE001 - an outer edge: the job
                _log.exception("the rollups could not be refreshed")
            took = time.monotonic() - started
            self._hurry.wait(max(_REFRESH_SECONDS, _REST * took))
            self._hurry.clear()

    @contextmanager
    def _using(self, lock: threading.Lock) -> Iterator[None]:
        """Have the connection that the lock is for, and notice when the database is lost."""
        with lock:
            try:
                yield
            except LOST:
                self._is_lost = True
                raise

    def _mend(self) -> None:
        """Open the database again if it was lost, as it is when a disk is full."""
        if not self._is_lost:
            return
        with self._writing, self._refreshing:
            if not self._is_lost:
                return  # another thread was first
            self._writer.close()
            self._rollups.close()
            self._engine.reopen()
            self._open_parts()
            self._is_lost = False
        _log.warning("the database was lost, and is open again")
