"""What a fleet does now, at the time at which it does it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, time, timedelta
from typing import Final

from codometer.operate.simulator.client import Batch
from codometer.operate.simulator.day import Day, simulate_day
from codometer.operate.simulator.scenario import Scenario
from codometer.pricing import PriceCatalogue

EARLIEST: Final = timedelta(hours=14)
"""How long before it does in UTC a day begins where it begins first."""


async def live(
    scenario: Scenario, catalogue: PriceCatalogue, since: datetime
) -> AsyncGenerator[tuple[Day, Batch], None]:
    """Give what is sent from an instant on, each batch when it is due, without end."""
    waiting: list[tuple[int, int, Day, Batch]] = []
    since_ms = since.timestamp() * 1000
    date = since.astimezone(UTC).date() - timedelta(days=1)
    while True:
        day = await asyncio.to_thread(simulate_day, scenario, catalogue, date)
        for number, batch in enumerate(day.batches):
            if batch.sent_ms > since_ms:
                heapq.heappush(waiting, (batch.sent_ms, number, day, batch))
        date += timedelta(days=1)
        # Before this, nothing of the next day is sent anywhere.
        complete_ms = (datetime.combine(date, time(), UTC) - EARLIEST).timestamp() * 1000
        while waiting and waiting[0][0] < complete_ms:
            due_ms, _, of_day, batch = heapq.heappop(waiting)
            await asyncio.sleep(max(0.0, due_ms / 1000 - datetime.now(UTC).timestamp()))
            yield of_day, batch
