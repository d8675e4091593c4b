"""Clients that load a server and cost little, so that what is measured is the server.

They live in a process of their own. Bodies are made before the clock runs, and the clock and
the processor time of the server are read right before the first request and right after the
last answer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import Any, Final, ParamSpec, TypeVar

import uvloop

from codometer.intake.limits import allow_connections
from tests.bench.bodies import Body, Session, Totals, total_by_session
from tests.bench.connections import (
    HttpConnection,
    Protocol,
    Send,
    Target,
    connect,
    connect_http,
)
from tests.bench.machine import Spent, Usage

_SESSIONS: Final = 1000
_PAUSE_MS: Final = 400.0
_ASK_EVERY_SECONDS: Final = 1.0

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """As much as the server takes: so many requests in flight, the next with each answer."""

    target: Target
    protocol: Protocol
    events: int
    warm_up_events: int
    records: int
    in_flight: int
    seed: int = 0
    """Bodies of another seed are other bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """How a flood went. What was sent to warm up is in `acknowledged` only."""

    events: int
    spent: Spent
    acknowledged: dict[str, Totals]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Clients that each send once in an interval, at a moment of their own.

    Beside them one asks for a path of the API each second, in turn.
    """

    target: Target
    clients: int
    records: int
    interval_seconds: float
    seconds: float
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """How it went: the seconds of every answer, and how late the clients themselves were."""

    answered: list[float]
    late: list[float]
    asked: list[float]
    spent: Spent
    acknowledged: dict[str, Totals]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Whole sessions, one after the other on each of a few connections, metrics too."""

    target: Target
    starts_ns: tuple[int, ...]
    first_number: int
    events: int
    records: int
    pause_ms: float
    in_flight: int = 32


def in_own_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a fresh process and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(function, *args, **kwargs).result()


def make_bodies(events: int, *, records: int, seed: int = 0) -> list[Body]:
    """Return exports of logs that many sessions send in turn, the last of them about now."""
    count = events // records
    sessions = min(_SESSIONS, count)
    span_ns = round(count / sessions * records * _PAUSE_MS * 1e6)
    at_work = [Session(n, time.time_ns() - span_ns, seed=seed) for n in range(sessions)]
    return [at_work[n % sessions].logs(records, pause_ms=_PAUSE_MS) for n in range(count)]


def flood(plan: Flood) -> Flooded:
    """Send as fast as the server answers."""
    events = plan.warm_up_events + plan.events
    bodies = make_bodies(events, records=plan.records, seed=plan.seed)
    first = plan.warm_up_events // plan.records
    return _run(_flood(plan, bodies[:first], bodies[first:]))


def pace(plan: Pace) -> Paced:
    """Send and ask at the pace of the plan."""
    allow_connections(2 * plan.clients)
    rounds = max(1, round(plan.seconds / plan.interval_seconds))
    pause_ms = plan.interval_seconds * 1000 / plan.records
    sessions = [Session(number, time.time_ns()) for number in range(plan.clients)]
    bodies = [
        [session.logs(plan.records, pause_ms=pause_ms) for _ in range(rounds)]
        for session in sessions
    ]
    return _run(_Pacing(plan).run(bodies))


def load(plan: Load) -> dict[str, Totals]:
    """Send the sessions and return what was acknowledged."""
    return _run(_load(plan))


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _flood(plan: Flood, warm_up: Sequence[Body], bodies: Sequence[Body]) -> Flooded:
    pids = (plan.target.pid, os.getpid())
    async with connect(plan.target, plan.protocol, plan.in_flight) as senders:
        await _send_all(senders, warm_up)
        before = Usage.read(pids)
        await _send_all(senders, bodies)
        after = Usage.read(pids)
    return Flooded(
        events=sum(body.events for body in bodies),
        spent=Spent.between(before, after),
        acknowledged=total_by_session([*warm_up, *bodies]),
    )


async def _send_all(senders: Sequence[Send], bodies: Iterable[Body]) -> None:
    waiting = iter(bodies)

    async def work(send: Send) -> None:
        for body in waiting:
            await send(body)

    async with asyncio.TaskGroup() as group:
        for send in senders:
            group.create_task(work(send))


async def _load(plan: Load) -> dict[str, Totals]:
    waiting = iter(enumerate(plan.starts_ns, plan.first_number))
    acknowledged: dict[str, Totals] = {}

    async def work(send: Send) -> None:
        for number, start_ns in waiting:
            session = Session(number, start_ns)
            found = acknowledged[session.id] = Totals()
            for body in session.work(plan.events, batch=plan.records, pause_ms=plan.pause_ms):
                await send(body)
                found.add(body)

    async with (
        connect(plan.target, Protocol.HTTP, plan.in_flight) as senders,
        asyncio.TaskGroup() as group,
    ):
        for send in senders:
            group.create_task(work(send))
    return acknowledged


class _Pacing:
    def __init__(self, plan: Pace) -> None:
        self._plan = plan
        self._random = Random(0)  # noqa: S311 - not a secret
        self._start = 0.0
        self._answered: list[float] = []
        self._late: list[float] = []
        self._asked: list[float] = []

    async def run(self, clients: Sequence[Sequence[Body]]) -> Paced:
        target = self._plan.target
        pids = (target.pid, os.getpid())
        async with AsyncExitStack() as stack:
            connections = [
                await stack.enter_async_context(connect_http(target.otlp_port)) for _ in clients
            ]
            asker = await stack.enter_async_context(connect_http(target.api_port))
            before = Usage.read(pids)
            self._start = time.perf_counter()
            asking = asyncio.create_task(self._ask(asker))
            async with asyncio.TaskGroup() as group:
                for connection, bodies in zip(connections, clients, strict=True):
                    group.create_task(self._send(connection, bodies))
            after = Usage.read(pids)
            await asking
        return Paced(
            answered=self._answered,
            late=self._late,
            asked=self._asked,
            spent=Spent.between(before, after),
            acknowledged=total_by_session(body for bodies in clients for body in bodies),
        )

    async def _send(self, connection: HttpConnection, bodies: Sequence[Body]) -> None:
        interval = self._plan.interval_seconds
        phase = self._start + self._random.random() * interval
        for number, body in enumerate(bodies):
            due = phase + number * interval
            await asyncio.sleep(due - time.perf_counter())
            sent = time.perf_counter()
            self._late.append(sent - due)
            await connection.send(body)
            self._answered.append(time.perf_counter() - sent)

    async def _ask(self, connection: HttpConnection) -> None:
        questions = self._plan.questions
        for number in range(int(self._plan.seconds / _ASK_EVERY_SECONDS) if questions else 0):
            due = self._start + number * _ASK_EVERY_SECONDS
            await asyncio.sleep(due - time.perf_counter())
            sent = time.perf_counter()
            await connection.get(questions[number % len(questions)])
            self._asked.append(time.perf_counter() - sent)
