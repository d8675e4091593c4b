"""A server whose disk is full says so, keeps what it acknowledged, and recovers by itself.

A limit on the size of files stands in for the disk: it can be set and lifted while a server runs.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb
import pytest

from codometer.store.duckdb_engine import FILE_NAME
from tests.exporters import Crowd, load
from tests.ledger import check_ledger

if sys.platform == "linux":
    import resource
else:
    pytest.skip("limits another process, as Linux alone can", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.running import RunningServer

CROWD: Final = Crowd(http_protobuf=6, http_json=1, grpc=1, records=60)
MIB: Final = 2**20
FULL_AT: Final = 20 * MIB
"""Above the 8 MB of its log at which the engine writes its file, below the file's size."""

PATIENCE_SECONDS: Final = 60.0


def fill(folder: Path) -> None:
    """Make the file larger than FULL_AT, and its log so long that it is soon written there.

    A fault in that writing is the one after which the engine answers nothing more.
    """
    rows = "SELECT i, md5(i::VARCHAR) FROM range({}) r(i)"
    with duckdb.connect(str(folder / FILE_NAME)) as connection:
        connection.execute(f"CREATE TABLE ballast AS {rows.format(2_500_000)}")
        connection.execute("CHECKPOINT")
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        for _ in range(32):
            connection.execute(f"INSERT INTO ballast {rows.format(5_000)}")
    assert (folder / FILE_NAME).stat().st_size > FULL_AT


@contextmanager
def full_disk(server: RunningServer, size: int) -> Iterator[None]:
    """Let no file of a running server grow beyond a size."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_server_that_lost_its_database_recovers_when_there_is_room(server: RunningServer) -> None:
    server.stop()
    fill(server.data)
    server.start()
    with load(server, CROWD) as clients:
        answers = clients.ledger.answers
        with full_disk(server, FULL_AT):
            wait_until(lambda: answers.get("503", 0) > 0)
            time.sleep(2)
            assert "FatalException" in server.read_log()
        acknowledged = answers.get("acknowledged", 0)
        wait_until(lambda: answers.get("acknowledged", 0) > acknowledged + 50)
    assert server.is_ready()
    assert "the database was lost, and is open again" in server.read_log()
    check_ledger(server, clients.ledger)
    server.start()


@pytest.mark.slow
def test_a_log_that_cannot_grow_refuses_and_recovers(server: RunningServer) -> None:
    with load(server, CROWD) as clients:
        answers = clients.ledger.answers
        with full_disk(server, MIB):
            wait_until(lambda: answers.get("503", 0) > 0)
            time.sleep(1)
        acknowledged = answers.get("acknowledged", 0)
        wait_until(lambda: answers.get("acknowledged", 0) > acknowledged + 50)
    check_ledger(server, clients.ledger)
    server.start()
