"""A fleet to look at before there is one: its history, newest day first, and today as it happens.

Days are made in other processes, because making one takes as much of a core as
taking it does, and this process has the server in it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from typing import Final, NamedTuple

from codometer.intake.receivers.export import Accept, Encoding, ExportRequest
from codometer.model.signal import SignalKind
from codometer.operate.simulator import Scenario, simulate_day
from codometer.operate.simulator.encode import encode
from codometer.pricing import PriceCatalogue, load_catalogue

_AT_ONCE: Final = 500
_DAYS_AHEAD: Final = 3
"""How many days are made or wait to be sent, so that memory stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How many people work, and since how many days (at least 1: today)."""

    people: int
    days: int
    seed: int = 1


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
        making = [
            loop.run_in_executor(makers, make_day, fleet, day)
            for _, day in zip(range(_DAYS_AHEAD), days, strict=False)
        ]
        while making:
            bodies = await making.pop(0)
            if (day := next(days, None)) is not None:
                making.append(loop.run_in_executor(makers, make_day, fleet, day))
            yield bodies


@contextmanager
def _makers() -> Iterator[ProcessPoolExecutor]:
    makers = ProcessPoolExecutor(
        max(1, (os.cpu_count() or 2) - 1),
        mp_context=get_context("spawn"),  # a fork would copy the server's threads in any state
        initializer=_ignore_interrupts,
    )
    try:
        yield makers
    finally:
        makers.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which every process of a terminal gets, to the one that started this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def make_day(fleet: Fleet, day: date) -> list[Body]:
    """Return all that a fleet sends on a day, in the order of time."""
    work = (
        {"sessions_per_person": 1.6, "session_minutes": 9}
        if day.weekday() < 5
        else {"sessions_per_person": 0, "session_minutes": 1}
    )
    scenario = Scenario(seed=fleet.seed, day=day, people=fleet.people, **work)
    batches = simulate_day(scenario, _catalogue()).batches
    return [Body(batch.sent_ms, batch.kind, encode(batch)) for batch in batches]


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
