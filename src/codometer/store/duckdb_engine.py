"""The embedded engine. This process owns the file; nobody else may open it."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb

from codometer.errors import StoreBusy, StoreUnusable
from codometer.store.dialect import DUCKDB, Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from codometer.store.engine import Row

Connection = duckdb.DuckDBPyConnection
"""What a part that reads or writes is given."""

FILE_NAME: Final = "codometer.duckdb"
LOCK_NAME: Final = "codometer.lock"
"""Nothing is in it; who serves the folder holds a lock on it."""

LOST: Final = (duckdb.FatalException, duckdb.InternalException)
"""After one of these the engine answers nothing any more until it is opened anew."""

_MAX_LOG: Final = "8MB"
"""Once the engine's log has this size, it is written into the file. A server that was killed reads
it before it listens, at about 20 MB a second. With the engine's own 16 MB that took up to 0.9 s;
with 4 MB, the writing cost a fifth of what a commit costs under full load."""

_FRESH: Final = ".fresh"
_SPILL: Final = "spill"
_MODE: Final = 0o600
REWRITE_DUE: Final = "rewrite_due"
"""The row of `meta` that says that the file still holds what was deleted from it."""

_HEADER_BYTES: Final = 3 * 4096
"""The engine writes these when it makes a file; a shorter one was never finished."""


class DuckDBEngine:
    """One DuckDB database, used by many threads, each on a connection of its own."""

    dialect: Dialect = DUCKDB

    def __init__(self, folder: Path, *, memory_limit: str = "512MB", threads: int = 2) -> None:
        """Open or create the database in `folder`.

        Raises:
            StoreBusy: another process has it open.
            StoreUnusable: it cannot be used as it is; nothing was changed.
        """
        self.path = folder / FILE_NAME
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "checkpoint_threshold": _MAX_LOG,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(folder / _SPILL),
        }
        self._lock = _lock(folder)
        self._readers = 0
        self._is_rewriting = False
        self._no_readers = threading.Condition()
        try:
            self._root = self._open()
        except BaseException:
            os.close(self._lock)
            raise

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one SELECT and return its rows."""
        with self._reading(), self._root.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for a part of the store that writes; close it when done."""
        return self._root.cursor()

    def reopen(self) -> None:
        """Open the database anew after it was lost. All its connections must be closed.

        Raises:
            StoreUnusable: it cannot be opened now.
        """
        self._root.close()
        self._root = self._open()

    def rewrite(self) -> None:
        """Put what is stored into a new file in place of the old one; questions wait meanwhile.

        The engine leaves what was deleted or changed in its file until something else needs
        the room, so this is what makes it gone. All connections must be closed.
        """
        with self._no_readers:
            self._is_rewriting = True
            self._no_readers.wait_for(lambda: not self._readers)
            try:
                self._write_anew(self.path.with_name(self.path.name + _FRESH))
            finally:
                self._is_rewriting = False
                self._no_readers.notify_all()

    def _write_anew(self, fresh: Path) -> None:
        _remove(fresh)
        name = str(fresh).replace("'", "''")
        self._root.execute("CHECKPOINT")
        self._root.execute(f"ATTACH '{name}' AS fresh")
        self._root.execute(f'COPY FROM DATABASE "{self.path.stem}" TO fresh')
        self._root.execute(f"DELETE FROM fresh.meta WHERE name = '{REWRITE_DUE}'")
        self._root.execute("DETACH fresh")
        self._root.close()
        try:
            fresh.replace(self.path)
        finally:
            self._root = self._open()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._no_readers:
            self._no_readers.wait_for(lambda: not self._is_rewriting)
            self._readers += 1
        try:
            yield
        finally:
            with self._no_readers:
                self._readers -= 1
                self._no_readers.notify_all()

    def close(self) -> None:
        """Write everything into the one file and let it go."""
        self._root.close()
        os.close(self._lock)

    def _open(self) -> duckdb.DuckDBPyConnection:
        _remove_unfinished(self.path)
        _remove(self.path.with_name(self.path.name + _FRESH))
        # What a process that was killed had put aside holds rows too.
        shutil.rmtree(self.path.with_name(_SPILL), ignore_errors=True)
        if self.path.exists():  # from before it was made for its owner alone
            self.path.chmod(_MODE)
        try:
            return duckdb.connect(str(self.path), config=self._config)
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0].removeprefix("IO Error: ")
            if reason.startswith("Could not set lock"):
                raise _busy(self.path.parent) from error
            message = f"the database {self.path} cannot be opened: {reason}"
            hint = (
                "nothing was changed; mend what it says, restore a backup, or choose another folder"
            )
            raise StoreUnusable(message, hint=hint) from error


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what happens inside, durably, or none of it."""
    connection.begin()
    try:
        yield
    except LOST:
        raise  # there is nothing left to roll back
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _lock(folder: Path) -> int:
    """Make the folder if need be, and lock it for this process."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        message = f"the data folder {folder} cannot be used: {reason}"
        hint = "let this user write there, or choose another folder with --data"
        raise StoreUnusable(message, hint=hint) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise _busy(folder) from error
    return file


def _busy(folder: Path) -> StoreBusy:
    message = f"another process has the data folder {folder} open"
    hint = "stop the other server, or give this one a folder of its own with --data"
    return StoreBusy(message, hint=hint)


def _remove(path: Path) -> None:
    """Remove a database and its log."""
    for each in (path, path.with_name(path.name + ".wal")):
        each.unlink(missing_ok=True)


def _remove_unfinished(path: Path) -> None:
    """Remove a database whose making was cut short: it cannot be opened, and holds nothing."""
    try:
        with path.open("rb") as file:
            begun = file.read(_HEADER_BYTES)
    except OSError:
        return  # most often there is none; the engine explains the rest
    if len(begun) < _HEADER_BYTES and begun[8:12] == b"DUCK"[: len(begun)]:
        path.unlink()
