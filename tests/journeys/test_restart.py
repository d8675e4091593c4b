"""A server that is killed has lost nothing that it acknowledged, and counts nothing twice."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.exporters import Crowd, kill_under_load, load
from tests.ledger import check_ledger

if TYPE_CHECKING:
    from tests.running import RunningServer

FEW = Crowd(http_protobuf=8, http_json=2, grpc=2)


@pytest.mark.slow
def test_kills_lose_nothing_and_double_nothing(server: RunningServer) -> None:
    with load(server, FEW) as clients:
        assert len(kill_under_load(server, clients, kills=3, seed=1)) == 3
    check_ledger(server, clients.ledger)
    server.start()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_stopped_under_load_keeps_what_it_acknowledged(
    server: RunningServer, number: signal.Signals
) -> None:
    with load(server, FEW) as clients:
        time.sleep(1)
        server.stop(number)
        server.start()
    check_ledger(server, clients.ledger)
    server.start()
