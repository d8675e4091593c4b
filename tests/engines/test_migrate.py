"""A data folder is brought to the schema of the version that opens it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import pytest

from codometer.errors import StoreBusy
from codometer.store.duckdb_engine import DuckDBEngine
from codometer.store.migrate import STEPS, SchemaTooNew, SchemaTooOld, migrate
from codometer.store.store import Store
from codometer.store.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

ADD_COLUMN = ("ALTER TABLE origin ADD COLUMN mood VARCHAR", "UPDATE origin SET mood = 'calm'")


def test_an_empty_folder_gets_every_table(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    assert migrate(engine.connect()) == len(STEPS)
    found = {row[0] for row in engine.fetch("SELECT table_name FROM duckdb_tables()")}
    assert set(TABLES) <= found
    engine.close()


def test_the_second_start_changes_nothing(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    migrate(engine.connect())
    assert migrate(engine.connect()) == 0
    engine.close()


def test_a_newer_version_runs_only_its_own_steps(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    migrate(engine.connect())
    assert migrate(engine.connect(), (*STEPS, ADD_COLUMN)) == 1
    assert engine.fetch("SELECT mood FROM origin") == []
    engine.close()


def test_a_step_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    migrate(engine.connect())
    broken = (ADD_COLUMN[0], "SELECT nothing FROM nowhere")
    with pytest.raises(duckdb.CatalogException):
        migrate(engine.connect(), (*STEPS, broken))
    columns = engine.fetch("SELECT column_name FROM duckdb_columns() WHERE table_name = 'origin'")
    assert ("mood",) not in columns
    engine.close()


def test_an_older_version_refuses_newer_data(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    migrate(engine.connect(), (*STEPS, ADD_COLUMN))
    with pytest.raises(SchemaTooNew, match=f"schema version {len(STEPS) + 2}, this"):
        migrate(engine.connect())
    engine.close()


def test_data_from_before_the_first_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    connection = engine.connect()
    connection.execute("CREATE TABLE meta (name VARCHAR NOT NULL, value VARCHAR NOT NULL)")
    connection.execute("INSERT INTO meta VALUES ('schema_version', '1')")
    with pytest.raises(SchemaTooOld, match="before the first release"):
        migrate(connection)
    assert engine.fetch("SELECT table_name FROM duckdb_tables()") == [("meta",)]
    engine.close()


def test_a_second_owner_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    # A connection of this process would be shared; another process is refused by the file's lock.
    with pytest.raises(StoreBusy, match="data folder"):
        raise_as_another_process(tmp_path)
    engine.close()


def raise_as_another_process(folder: Path) -> None:
    """Open the folder in a child process, and raise here what it met there."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from codometer.errors import StoreBusy\n"
        "from codometer.store.duckdb_engine import DuckDBEngine\n"
        "try:\n    DuckDBEngine(Path(sys.argv[1]))\n"
        "except StoreBusy as error:\n    print(error.message)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    if child.stdout:
        raise StoreBusy(child.stdout)


def test_a_new_time_zone_cuts_the_days_anew(tmp_path: Path) -> None:
    store = Store(tmp_path, ZoneInfo("UTC"), memory_limit="256MB", threads=1)
    connection = store._engine.connect()  # noqa: SLF001 - rows without a whole session around them
    connection.execute(
        "INSERT INTO rollup_15m BY NAME SELECT TIMESTAMP '2026-11-22 20:00' AS bucket, 1 AS scope,"
        " 1 AS origin, 1 AS workplace, 'sealed' AS part, 'event' AS source, 5 AS requests"
    )
    connection.close()
    store.close()
    store = Store(tmp_path, ZoneInfo("Asia/Kathmandu"), memory_limit="256MB", threads=1)
    assert store.fetch("SELECT CAST(day AS VARCHAR), requests FROM workplace_day") == [
        ("2026-11-23", 5)
    ]
    store.close()
