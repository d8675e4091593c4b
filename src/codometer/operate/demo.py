"""A fleet to look at before there is one: some days of history, then today as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from codometer.intake.receivers.export import Accept, Encoding, ExportRequest
from codometer.operate.simulator import Batch, Scenario, simulate_day
from codometer.operate.simulator.encode import encode
from codometer.pricing import PriceCatalogue

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How many people work, and since how many days (at least 1: today)."""

    people: int
    days: int
    seed: int = 1


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
    today = datetime.now(UTC).date()
    live: list[Batch] = []
    for number in range(fleet.days):
        day = today - timedelta(days=fleet.days - 1 - number)
        scenario = Scenario(seed=fleet.seed, day=day, people=fleet.people)
        batches = (await asyncio.to_thread(simulate_day, scenario, catalogue)).batches
        past = [batch for batch in batches if _waits(batch) <= 0]
        live += batches[len(past) :]
        for part in _parts(past):
            await asyncio.gather(*(accept(_request(batch)) for batch in part))
        progress(number + 1)
    for batch in sorted(live, key=_waits):
        await asyncio.sleep(max(0.0, _waits(batch)))
        await accept(_request(batch))


def _waits(batch: Batch) -> float:
    """Return in how many seconds the batch is sent."""
    return batch.sent_ms / 1000 - datetime.now(UTC).timestamp()


def _parts(batches: Sequence[Batch]) -> Iterator[Sequence[Batch]]:
    return (batches[start : start + _AT_ONCE] for start in range(0, len(batches), _AT_ONCE))


def _request(batch: Batch) -> ExportRequest:
    return ExportRequest(kind=batch.kind, encoding=Encoding.PROTOBUF, body=encode(batch))
