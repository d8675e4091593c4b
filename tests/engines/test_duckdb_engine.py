"""One process owns the file; whoever cannot have it is told why, and nothing is harmed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from codometer.errors import StoreBusy, StoreUnusable
from codometer.store.duckdb_engine import FILE_NAME, DuckDBEngine, transaction

if TYPE_CHECKING:
    from pathlib import Path

HEADER: Final = bytes(8) + b"DUCK"


def test_a_second_owner_is_told_to_take_another_folder(tmp_path: Path) -> None:
    first = DuckDBEngine(tmp_path)
    with pytest.raises(StoreBusy, match="another process has the data folder") as busy:
        DuckDBEngine(tmp_path)
    assert "--data" in busy.value.hint
    first.close()
    DuckDBEngine(tmp_path).close()


def test_a_file_that_another_program_has_open_is_busy_too(tmp_path: Path) -> None:
    DuckDBEngine(tmp_path).close()
    path = str(tmp_path / FILE_NAME)
    program = f"import duckdb; held = duckdb.connect({path!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(StoreBusy, match="another process has the data folder"):
            DuckDBEngine(tmp_path)
        other.communicate(b"\n")


def test_a_place_that_is_no_folder_cannot_be_used(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(StoreUnusable, match="cannot be used: file exists"):
        DuckDBEngine(place)
    assert place.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("content", [b"not a database", HEADER + b"\xff" * 20_000])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    for _ in range(2):  # and the folder is free again
        with pytest.raises(StoreUnusable, match="cannot be opened") as unusable:
            DuckDBEngine(tmp_path)
    assert "nothing was changed" in unusable.value.hint
    assert (tmp_path / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize("length", [0, 12, 4096])
def test_a_file_whose_making_was_cut_short_is_made_anew(tmp_path: Path, length: int) -> None:
    begun = (HEADER + bytes(4096))[:length]
    (tmp_path / FILE_NAME).write_bytes(begun)
    engine = DuckDBEngine(tmp_path)
    assert engine.fetch("SELECT 1") == [(1,)]
    engine.close()


def test_a_transaction_keeps_all_of_it_or_nothing(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    connection = engine.connect()
    connection.execute("CREATE TABLE number (value INTEGER)")
    with transaction(connection):
        connection.execute("INSERT INTO number VALUES (1)")
    with pytest.raises(ValueError, match="half way"), transaction(connection):  # noqa: PT012 - the point
        connection.execute("INSERT INTO number VALUES (2)")
        message = "half way"
        raise ValueError(message)
    connection.close()
    assert engine.fetch("SELECT value FROM number") == [(1,)]
    engine.close()


def test_an_engine_that_was_opened_anew_has_all_that_was_committed(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    connection = engine.connect()
    connection.execute("CREATE TABLE number (value INTEGER); INSERT INTO number VALUES (7)")
    connection.close()
    engine.reopen()
    assert engine.fetch("SELECT value FROM number WHERE value = ?", [7]) == [(7,)]
    engine.close()
