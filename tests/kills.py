"""Clients that send until all is acknowledged, to a server that is killed meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import duckdb
import httpx

from codometer.operate.simulator import Network, Scenario
from codometer.operate.simulator.encode import encode
from codometer.store.duckdb_engine import FILE_NAME
from tests.fleet import TOKENS, Told

if TYPE_CHECKING:
    from pathlib import Path

    from codometer.operate.simulator import Batch
    from tests.running import RunningServer

CLIENTS: Final = 24
RETRIED: Final = (429, 502, 503, 504)
_BETWEEN_TRIES_SECONDS: Final = 0.05

_EVENTS = """
SELECT scope, count(*), sum(output_tokens), sum(cache_read_tokens), sum(reported_cost)
FROM event WHERE source = 'event' AND kind = 'request' GROUP BY scope ORDER BY scope
"""
_ROLLED_UP = """
SELECT scope, sum(requests), sum(output_tokens), sum(cache_read_tokens), sum(reported_cost)
FROM {table} WHERE source = 'event' GROUP BY scope HAVING sum(requests) > 0 ORDER BY scope
"""


@dataclass
class Trial:
    """What a trial measured."""

    kills: int = 0
    ready_seconds: list[float] = field(default_factory=list)


def make_day(people: int, seed: int = 11) -> Told:
    """Return yesterday, of which everything arrives, every tenth batch twice."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    network = Network(seed=seed, lost_events=0, lost_metrics=0, repeated=0.1)
    return Told.make(Scenario(seed=seed, day=yesterday, people=people), network)


async def send_through_kills(server: RunningServer, told: Told, *, kills: int, seed: int) -> Trial:
    """Send a day while the server is killed at random moments; return when all is acknowledged.

    When everything is acknowledged before the last kill, it is sent again.
    """
    trial = Trial()
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    killed = asyncio.Event()
    rounds = itertools.count()

    async def kill_again_and_again() -> None:
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.05, 0.9))
            await asyncio.to_thread(server.kill)
            server.spawn()
            trial.kills += 1
            trial.ready_seconds.append(await asyncio.to_thread(server.wait_until_ready))
        killed.set()

    killing = asyncio.create_task(kill_again_and_again())
    while next(rounds) == 0 or not killed.is_set():
        await _send_all(server.otlp_url, told.delivery.batches)
        if killing.done():
            killing.result()
    await killing
    return trial


async def _send_all(url: str, batches: tuple[Batch, ...]) -> None:
    waiting = iter(batches)
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=10, trust_env=False) as http:

        async def client() -> None:
            for batch in waiting:
                await _send_until_acknowledged(http, batch)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _send_until_acknowledged(http: httpx.AsyncClient, batch: Batch) -> None:
    body = encode(batch)
    headers = {"content-type": "application/x-protobuf"}
    while True:
        try:
            answer = await http.post(f"/v1/{batch.kind}", content=body, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
            continue
        if answer.status_code == HTTPStatus.OK:
            return
        assert answer.status_code in RETRIED, answer.status_code
        await asyncio.sleep(_BETWEEN_TRIES_SECONDS)


def check_nothing_is_lost_or_doubled(server: RunningServer, told: Told) -> None:
    """Hold the server's answer against the truth, then its rollups against its detail."""
    truth = told.total()
    requests = sum(hasattr(fate.fact, "tokens") for fate in told.fates)
    (row,) = server.query(*TOKENS, "requests", "reported_cost")
    assert {name: row[name] for name in TOKENS} == {name: getattr(truth, name) for name in TOKENS}
    assert row["requests"] == requests
    assert row["reported_cost"] == truth.reported_cost
    server.stop()
    check_rollups_equal_detail(server.data)


def check_rollups_equal_detail(folder: Path) -> None:
    """Compare both tiers with the detail, scope by scope. Nobody may have the folder open."""
    with duckdb.connect(str(folder / FILE_NAME), read_only=True) as connection:
        detail = connection.execute(_EVENTS).fetchall()
        assert detail
        for table in ("rollup_15m", "rollup_day"):
            assert connection.execute(_ROLLED_UP.format(table=table)).fetchall() == detail
