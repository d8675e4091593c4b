"""Bring a database to the schema that this version writes.

Each step runs once, in one transaction with the new version number. Steps are
only ever added at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codometer.errors import CodometerError
from codometer.store.dialect import DUCKDB
from codometer.store.duckdb_engine import transaction
from codometer.store.tables import TABLES, resource_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

Step = tuple[str, ...]

STEPS: Final[tuple[Step, ...]] = (
    tuple(DUCKDB.create_table(name, columns) for name, columns in TABLES.items()),
    ("ALTER TABLE origin ADD COLUMN IF NOT EXISTS policy_version BIGINT",),
    (
        "ALTER TABLE origin ADD COLUMN IF NOT EXISTS told_team VARCHAR",
        "ALTER TABLE origin ADD COLUMN IF NOT EXISTS told_cost_center VARCHAR",
        (
            "UPDATE origin o SET told_team = w.team, told_cost_center = w.cost_center "
            "FROM workplace w WHERE w.workplace = o.workplace"
        ),
    ),
    (DUCKDB.create_table("sent_content", TABLES["sent_content"]),),
)

_DRAFT: Final = 1
"""The schema before the first release. Its data is not carried over: nothing was published."""


class SchemaTooNew(CodometerError):
    """The data folder was written by a newer version of Codometer."""

    code = "schema_too_new"


class SchemaTooOld(CodometerError):
    """The data folder was written before the first release."""

    code = "schema_too_old"


def add_resource_columns(connection: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> None:
    """Give `workplace` a column for each resource attribute; those of other keys stay."""
    for key in keys:
        name, type_, _ = resource_column(key)
        connection.execute(
            f"ALTER TABLE workplace ADD COLUMN IF NOT EXISTS {name} {DUCKDB.nullable_types[type_]}"
        )


def migrate(connection: duckdb.DuckDBPyConnection, steps: tuple[Step, ...] = STEPS) -> int:
    """Run the steps that this database has not seen, and return how many those were.

    Raises:
        SchemaTooNew: a newer version wrote the database; nothing was changed.
        SchemaTooOld: it is older than the first release; nothing was changed.
    """
    connection.execute(DUCKDB.create_table("meta", TABLES["meta"]))
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    if row is not None and int(row[0]) == _DRAFT:
        message = "the data is from before the first release, and cannot be carried over"
        raise SchemaTooOld(message, hint="move the data folder away, or name another with --data")
    version = int(row[0]) if row else _DRAFT
    newest = _DRAFT + len(steps)
    if version > newest:
        message = f"the data has schema version {version}, this Codometer knows {newest}"
        hint = "start the newer Codometer that wrote it, or restore a backup"
        raise SchemaTooNew(message, hint=hint)
    for number in range(version, newest):
        with transaction(connection):
            for statement in steps[number - _DRAFT]:
                connection.execute(statement)
            connection.execute("DELETE FROM meta WHERE name = 'schema_version'")
            connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(number + 1)])
    return newest - version
