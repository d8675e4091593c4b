"""The control plane's database: a SQLite file in the data folder, or a PostgreSQL server.

Statements are SQLAlchemy's, so that both are asked in the same words. What is
changed together is changed in one `write`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Engine,
    bindparam,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from codometer.errors import StoreUnusable
from codometer.store.control_tables import METADATA, Pseudonym
from codometer.store.migrate import SchemaTooNew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from alembic.config import Config
    from sqlalchemy import Connection, Table

FILE_NAME: Final = "control.sqlite"
NEWEST: Final = "0015"
"""The last migration; each is numbered one more than the one before."""

_ROWS_AT_ONCE: Final = 500
_BUSY_SECONDS: Final = 10
_CONNECT_SECONDS: Final = 10
_OLDEST_POSTGRESQL: Final = 14
_MIGRATION_LOCK: Final = 0x636F646F  # any number: two servers that start at once migrate in turn
_WRITES: Final = "codometer_writes"


class Control:
    """The database of the control plane, at this version's schema. Safe for several threads."""

    def __init__(self, folder: Path, database: str = "") -> None:
        """Open the database at an address such as `postgresql://host/name`, else the file.

        Raises:
            StoreUnusable: it cannot be reached, or is not one that we know.
            SchemaTooNew: a newer version wrote it; nothing was changed.
        """
        self._engine = _open_postgresql(database) if database else _open_file(folder / FILE_NAME)
        self._writing = self._engine.execution_options(**_writing_options(self._engine))
        try:
            with self.write() as connection:
                _check_version(connection)
                migrate(connection)
        except DBAPIError as error:
            self.close()
            raise _unusable(self._engine.url, error) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees the database as of one moment."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are durable together when the `with` ends, or undone."""
        with self._writing.begin() as connection:
            yield connection

    def purge(self) -> None:
        """Make gone from the files what was deleted. A PostgreSQL server does that by itself."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                driver: Any = connection.connection.dbapi_connection
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def check(self) -> None:
        """Raise if the database does not answer."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> set[str]:
    """Insert the rows whose key is not there, all at once; return the first column of those."""
    first, *_ = table.primary_key.columns
    keys = [column.name for column in table.primary_key.columns]
    known: set[tuple[Any, ...]] = set()
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        some = {row[first.name] for row in rows[at : at + _ROWS_AT_ONCE]}
        found = select(*table.primary_key.columns).where(first.in_(some))
        known.update(tuple(row) for row in connection.execute(found))
    new = [row for row in rows if tuple(row[key] for key in keys) not in known]
    if new:
        connection.execute(insert(table), new)
    return {row[first.name] for row in new}


def rename_pseudonyms(connection: Connection, newer: Mapping[str, str]) -> None:
    """Put newer pseudonyms in place of others in every column that has any and is no key."""
    rows = [{"was": was, "now": now} for was, now in newer.items()]
    for column in (each for table in METADATA.sorted_tables for each in table.columns):
        if rows and isinstance(column.type, Pseudonym) and not column.primary_key:
            renamed = update(column.table).where(column == bindparam("was"))
            connection.execute(renamed.values({column: bindparam("now")}), rows)


def migrate(connection: Connection, to: str = NEWEST) -> None:
    """Run the migrations that this database has not seen, in the connection's transaction.

    Raises:
        SchemaTooNew: a newer version wrote the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    current = find_revision(connection)
    if current == to:
        return
    if current > NEWEST:
        message = f"the control plane has schema {current}, this Codometer knows up to {NEWEST}"
        hint = "start the newer Codometer that wrote it, or restore a backup"
        raise SchemaTooNew(message, hint=hint)
    from alembic import command  # noqa: PLC0415 - half a second that few starts need

    config = migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def find_revision(connection: Connection) -> str:
    """Return which migration the database has seen last, "" if none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found or ""


def migrations() -> Config:
    """Return where Alembic finds the migrations; it needs no file of its own."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", "codometer.store:control_migrations")
    config.set_main_option("path_separator", "os")
    return config


def _open_file(path: Path) -> Engine:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite makes files for everybody to read, and those beside it as this one is.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        message = f"the database {path} cannot be opened: {reason}"
        raise StoreUnusable(message, hint="let this user write there") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _BUSY_SECONDS},
        hide_parameters=True,  # they name people, and an error is written to the log
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
    # The driver begins transactions late and commits before it changes a table; we begin them.
    # https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#pysqlite-serializable (2026-11)
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    # A transaction that reads first and writes then may find that another was quicker.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_postgresql(database: str) -> Engine:
    return create_engine(
        make_url(database).set(drivername="postgresql+psycopg"),
        isolation_level="REPEATABLE READ",
        pool_pre_ping=True,
        connect_args={"connect_timeout": _CONNECT_SECONDS},
        hide_parameters=True,
    )


def _writing_options(engine: Engine) -> dict[str, Any]:
    # Who waits for another's lock must see what that one did, and not a moment before it.
    levels = {"isolation_level": "READ COMMITTED"} if engine.dialect.name == "postgresql" else {}
    return {_WRITES: True, **levels}


def _check_version(connection: Connection) -> None:
    found = int((connection.dialect.server_version_info or (0,))[0])
    if connection.dialect.name == "postgresql" and found < _OLDEST_POSTGRESQL:
        message = f"the control plane's PostgreSQL is version {found}"
        raise StoreUnusable(message, hint=f"use version {_OLDEST_POSTGRESQL} or newer")


def _unusable(url: URL, error: DBAPIError) -> StoreUnusable:
    reason = str(error.orig).strip().partition("\n")[0]
    where = url.set(password=None, query={}).render_as_string().replace("+psycopg", "")
    return StoreUnusable(
        f"the control plane's database {where} cannot be used: {reason}",
        hint="look at `control.database` in the settings",
    )
