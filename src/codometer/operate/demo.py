"""A fleet to look at before there is one: its history, newest day first, and what it does now.

Days are made in other processes, because making one takes as much of a core as
taking it does, and this process has the server in it. The newest come first,
so that the pages are worth reading within seconds; in which order days come
makes no difference to what they add up to.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Final, NamedTuple

from codometer.intake.receivers.export import Accept, Encoding, ExportRequest
from codometer.model.signal import SignalKind
from codometer.operate.simulator import Scenario, simulate_day
from codometer.operate.simulator.encode import encode
from codometer.operate.simulator.exporter import Endpoint, Exporter, Protocol
from codometer.operate.simulator.live import EARLIEST, live
from codometer.pricing import PriceCatalogue, load_catalogue

Progress = Callable[[int, int], object]
"""Called with how many days of the history are there, out of how many."""

_DAYS_MADE_AHEAD: Final = 4
_DAYS_TAKEN_AT_ONCE: Final = 2
"""How many days wait to be sent, and to be taken; a day is some megabytes."""
_JOINED: Final = 8
"""How many exports a collector on the way makes one of."""


class Body(NamedTuple):
    """The body of an export request."""

    kind: SignalKind
    body: bytes


def demo_scenario(*, people: int, days: int, seed: int, today: date) -> Scenario:
    """Return what the demo simulates, up to a day.

    Sessions are short, if not few, and metrics come every five minutes, so that half a
    year of it can be taken within two minutes.
    """
    return Scenario(
        seed=seed,
        last_day=today,
        days=days,
        people=people,
        sessions_per_person=1.5,
        session_minutes=7,
        collect_seconds=300,
        keeps_calendar=True,
        cumulative_share=0.1,
    )


async def play(
    scenario: Scenario,
    catalogue: PriceCatalogue,
    accept: Accept,
    endpoint: Endpoint,
    *,
    progress: Progress,
) -> None:
    """Send the fleet's history and, meanwhile and from then on, what it does now.

    The history goes straight to `accept`, as fast as it is taken; what happens now goes
    to the server's own ports, as clients send it. It ends when it is cancelled.
    """
    now = datetime.now(UTC)
    async with asyncio.TaskGroup() as group:
        group.create_task(load_history(scenario, accept, now, progress=progress))
        group.create_task(_go_on(scenario, catalogue, endpoint, now))


async def load_history(
    scenario: Scenario, accept: Accept, now: datetime, *, progress: Progress
) -> None:
    """Send all that the fleet sent up to now, the newest day first."""
    last = (now + EARLIEST).astimezone(UTC).date()  # somewhere it may be tomorrow
    count = max(0, (last - scenario.first_day).days) + 1
    days = [last - timedelta(days=number) for number in range(count)]
    taking: deque[asyncio.Future[None]] = deque()
    done = 0
    async for bodies in _make_days(scenario, days, now):
        taking.append(asyncio.ensure_future(_take(bodies, accept)))
        if len(taking) == _DAYS_TAKEN_AT_ONCE:
            await taking.popleft()
            done += 1
            progress(done, count)
    await asyncio.gather(*taking)
    progress(count, count)


async def _take(bodies: Sequence[Body], accept: Accept) -> None:
    await asyncio.gather(
        *(
            accept(ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=body))
            for kind, body in bodies
        )
    )


async def _go_on(
    scenario: Scenario, catalogue: PriceCatalogue, endpoint: Endpoint, since: datetime
) -> None:
    async with Exporter(endpoint, list(Protocol)) as exporter, asyncio.TaskGroup() as group:
        async for _, batch in live(scenario, catalogue, since):
            group.create_task(exporter.send(batch))


async def _make_days(
    scenario: Scenario, days: Sequence[date], now: datetime
) -> AsyncIterator[list[Body]]:
    loop = asyncio.get_running_loop()
    waiting = iter(days)
    with _makers() as makers:

        def begin(count: int) -> list[asyncio.Future[list[Body]]]:
            return [
                loop.run_in_executor(makers, make_day, scenario, day, now)
                for day in islice(waiting, count)
            ]

        making = deque(begin(_DAYS_MADE_AHEAD))
        while making:
            bodies = await making.popleft()
            making.extend(begin(1))
            yield bodies


@contextmanager
def _makers() -> Iterator[ProcessPoolExecutor]:
    makers = ProcessPoolExecutor(
        max(1, (os.cpu_count() or 2) - 1),
        mp_context=get_context("spawn"),  # a fork would copy the server's threads in any state
        initializer=_stay_until_parent_ends,
    )
    try:
        yield makers
    finally:
        makers.shutdown(wait=False, cancel_futures=True)


def _stay_until_parent_ends() -> None:
    """Leave signals, which a terminal sends to all its processes, to the one that started this."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def make_day(scenario: Scenario, day: date, now: datetime) -> list[Body]:
    """Return what a fleet sent on a day, up to now, as a collector passes it on."""
    now_ms = now.timestamp() * 1000
    batches = simulate_day(scenario, _catalogue(), day).batches
    bodies = []
    for kind in (SignalKind.LOGS, SignalKind.METRICS):
        sent = iter([each for each in batches if each.kind is kind and each.sent_ms <= now_ms])
        while joined := list(islice(sent, _JOINED)):
            # Export requests, one after the other, are the bytes of one with all of them in it.
            bodies.append(Body(kind, b"".join(map(encode, joined))))
    return bodies


@cache
def _catalogue() -> PriceCatalogue:
    return load_catalogue()
