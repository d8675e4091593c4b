"""How long the rollups take to hold what sessions at work have sent since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from codometer.intake.receivers.export import Encoding, ExportRequest
from tests.bench.bodies import Body, Session
from tests.bench.clients import in_own_process
from tests.bench.latency import RECORDS
from tests.bench.results import Results, quantile
from tests.site import Site

_SEED: Final = 1000
"""Sessions of no other measurement."""
_PAUSE_MS: Final = 12_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Sessions that have worked for a while, and then send once more before each refresh."""

    folder: Path
    """A data folder, empty or not; it is changed."""
    sessions: int
    history: int
    rounds: int


def time_refreshes(plan: Refresh) -> list[float]:
    """Return how many seconds each refresh took."""
    span_ns = round(2 * plan.history * _PAUSE_MS * 1e6)
    start_ns = time.time_ns() - span_ns
    sessions = [Session(number, start_ns, seed=_SEED) for number in range(plan.sessions)]
    site = Site.open(plan.folder, now=datetime.now(UTC))
    try:
        history = (
            body
            for session in sessions
            for body in session.work(plan.history, batch=2 * RECORDS, pause_ms=_PAUSE_MS)
        )
        asyncio.run(_accept(site, history))
        site.store.roll_up()
        seconds = []
        for _ in range(plan.rounds):
            more = [session.logs(RECORDS) for session in sessions]
            asyncio.run(_accept(site, more))
            began = time.perf_counter()
            site.store.roll_up()
            seconds.append(time.perf_counter() - began)
    finally:
        site.close()
    return seconds


def measure_refresh(results: Results, folder: Path) -> None:
    """Measure on a data folder that no server has open."""
    for sessions in results.scale.refreshed_sessions:
        results.tell(f"rollups: {sessions} active sessions")
        plan = Refresh(
            folder=folder,
            sessions=sessions,
            history=results.scale.session_events,
            rounds=results.scale.refresh_rounds,
        )
        seconds = in_own_process(time_refreshes, plan)
        results.add(
            "refresh",
            f"{sessions} sessions",
            p50_ms=quantile(seconds, 0.5) * 1000,
            max_ms=max(seconds) * 1000,
        )


async def _accept(site: Site, bodies: Iterable[Body]) -> None:
    waiting = iter(bodies)

    async def work() -> None:
        for body in waiting:
            request = ExportRequest(kind=body.kind, encoding=Encoding.PROTOBUF, body=body.data)
            await site.intake.accept(request)

    async with asyncio.TaskGroup() as group:
        for _ in range(256):
            group.create_task(work())
