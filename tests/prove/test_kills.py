"""A hundred kills under load lose nothing and double nothing; with figures, by `make prove`."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.exporters import kill_under_load, load
from tests.ledger import check_ledger

if TYPE_CHECKING:
    from tests.running import RunningServer

KILLS = 100
READY_SECONDS = 2.0


@pytest.mark.prove
def test_a_hundred_kills_lose_nothing_and_double_nothing(server: RunningServer) -> None:
    with load(server) as clients:
        seconds = kill_under_load(server, clients, kills=KILLS, seed=2)
    within = sum(one <= READY_SECONDS for one in seconds)
    print(  # noqa: T201
        f"\n  {len(seconds)} kills; ready after {median(seconds):.2f} s (median), "
        f"{max(seconds):.2f} s (worst), {within} of them within {READY_SECONDS:.0f} s\n"
        f"  {clients.ledger.acknowledged} records acknowledged; answers {clients.ledger.answers}"
    )
    check_ledger(server, clients.ledger)
    assert median(seconds) < READY_SECONDS
    server.start()
