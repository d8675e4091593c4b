"""A fleet to look at before there is one: its history, newest day first, and today as it happens.

Days are made in other processes, because making one takes as much of a core as
taking it does, and this process has the server in it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Final, NamedTuple

from codometer.intake.receivers.export import Accept, Encoding, ExportRequest
from codometer.model.signal import SignalKind
from codometer.operate.simulator import Scenario, simulate_day
from codometer.operate.simulator.encode import encode
from codometer.pricing import PriceCatalogue, load_catalogue

_AT_ONCE: Final = 200
_DAYS_AHEAD: Final = 4
"""How many days are made or wait to be sent, so that memory stays small."""
_JOINED: Final = 8
"""How many exports a collector on the way makes one of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How many people work, and since how many days (at least 1: today)."""

    people: int
    days: int
    seed: int = 1

    def scenario(self, today: date) -> Scenario:
        """Return what is simulated up to a day.

        Everybody has some short sessions a day, and metrics every five minutes, so that
        half a year of it can be taken within two minutes.
        """
        return Scenario(
            seed=self.seed,
            last_day=today,
            days=self.days,
            people=self.people,
            sessions_per_person=1.5,
            session_minutes=8,
            collect_seconds=300,
            keeps_calendar=True,
            cumulative_share=0.1,
        )


class Body(NamedTuple):
    """What is sent at a time, in ms since 1970."""

    sent_ms: int
    kind: SignalKind
    body: bytes


async def play(
    fleet: Fleet,
    catalogue: PriceCatalogue,
    accept: Accept,
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Send the fleet's past, as fast as it is taken, then what it does now, until midnight (UTC).

    `progress` is called with the number of days that are done.
    """
    del catalogue
    today = datetime.now(UTC).date()
    live: list[Body] = []
    done = 0
    async for bodies in _make_days(fleet, today):
        past = [body for body in bodies if _waits(body) <= 0]
        live += bodies[len(past) :]
        for part in _parts(past):
            await asyncio.gather(*(accept(_request(body)) for body in part))
        done += 1
        progress(done)
    for body in sorted(live):
        await asyncio.sleep(max(0.0, _waits(body)))
        await accept(_request(body))


async def _make_days(fleet: Fleet, today: date) -> AsyncIterator[list[Body]]:
    days = iter([today - timedelta(days=number) for number in range(fleet.days)])
    with _makers() as makers:
        loop = asyncio.get_running_loop()
        scenario = fleet.scenario(today)
        making = [
            loop.run_in_executor(makers, make_day, scenario, day)
            for day in islice(days, _DAYS_AHEAD)
        ]
        while making:
            bodies = await making.pop(0)
            if (day := next(days, None)) is not None:
                making.append(loop.run_in_executor(makers, make_day, scenario, day))
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


def make_day(scenario: Scenario, day: date) -> list[Body]:
    """Return all that a fleet sends on a day, in the order of time, as a collector passes it on."""
    batches = simulate_day(scenario, _catalogue(), day).batches
    bodies = []
    for kind in (SignalKind.LOGS, SignalKind.METRICS):
        of_kind = iter([batch for batch in batches if batch.kind is kind])
        while joined := list(islice(of_kind, _JOINED)):
            # Export requests, one after the other, are the bytes of one with all of them in it.
            body = b"".join(map(encode, joined))
            bodies.append(Body(joined[-1].sent_ms, kind, body))
    return sorted(bodies)


@cache
def _catalogue() -> PriceCatalogue:
    return load_catalogue()


def _waits(body: Body) -> float:
    """Return in how many seconds the body is sent."""
    return body.sent_ms / 1000 - datetime.now(UTC).timestamp()


def _parts(bodies: Sequence[Body]) -> Iterator[Sequence[Body]]:
    return (bodies[start : start + _AT_ONCE] for start in range(0, len(bodies), _AT_ONCE))


def _request(body: Body) -> ExportRequest:
    return ExportRequest(kind=body.kind, encoding=Encoding.PROTOBUF, body=body.body)
