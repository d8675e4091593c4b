"""A server that is killed has lost nothing that it acknowledged, and counts nothing twice."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.kills import check_nothing_is_lost_or_doubled, make_day, send_through_kills

if TYPE_CHECKING:
    from tests.running import RunningServer


@pytest.mark.slow
def test_kills_lose_nothing_and_double_nothing(server: RunningServer) -> None:
    told = make_day(people=4)
    trial = asyncio.run(send_through_kills(server, told, kills=3, seed=1))
    assert trial.kills == 3
    check_nothing_is_lost_or_doubled(server, told)
    server.start()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_has_everything_when_it_starts_again(
    server: RunningServer, number: signal.Signals
) -> None:
    told = make_day(people=2)
    asyncio.run(send_through_kills(server, told, kills=0, seed=1))
    server.stop(number)
    server.start()
    check_nothing_is_lost_or_doubled(server, told)
    server.start()


@pytest.mark.prove
def test_a_hundred_kills_lose_nothing_and_double_nothing(server: RunningServer) -> None:
    told = make_day(people=30)
    trial = asyncio.run(send_through_kills(server, told, kills=100, seed=2))
    times = sorted(trial.ready_seconds)
    print(f"{trial.kills} kills; ready after {times[50]:.2f} s (median), {times[-1]:.2f} s (worst)")  # noqa: T201
    check_nothing_is_lost_or_doubled(server, told)
    server.start()
