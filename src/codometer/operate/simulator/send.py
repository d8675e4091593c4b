"""A fleet over the network: at which pace it sends, and the truth of what was taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from codometer.operate.simulator.client import Batch
from codometer.operate.simulator.day import Day, simulate_day
from codometer.operate.simulator.live import live
from codometer.operate.simulator.network import Network, deliver
from codometer.operate.simulator.scenario import Scenario
from codometer.operate.simulator.tally import Tally
from codometer.pricing import PriceCatalogue

_AT_ONCE: Final = 256
_TOO_MANY_LOST: Final = 64
"""So many exports lost one after the other, and nobody is there any more."""


class SendBatch(Protocol):
    """Sends a batch and says whether it was accepted."""

    async def __call__(self, batch: Batch) -> bool: ...  # noqa: D102 - the class says it


class NobodyTakesIt(Exception):
    """One export after the other was lost."""


class Sending:
    """Sends what a fleet tells, many exports at the same time, and adds up what was accepted.

    Call one of its methods, once. However that ends, `tally` then has all that was
    accepted.
    """

    def __init__(
        self, scenario: Scenario, network: Network, catalogue: PriceCatalogue, send: SendBatch
    ) -> None:
        self.tally = Tally()
        self._scenario = scenario
        self._network = network
        self._catalogue = catalogue
        self._send_batch = send
        self._accepted: dict[Day, list[Batch]] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._lost_in_a_row = 0

    async def send_days(
        self, *, speed: float | None = None, progress: Callable[[float], object]
    ) -> None:
        """Send every day of the scenario, `speed` times as fast as it happened, or at once.

        What lies ahead is left out.

        `progress` is told how many days are done.

        Raises:
            NobodyTakesIt: the rest was not sent.
        """
        pace = _Pace(speed) if speed else None
        try:
            async for number, day in self._make_days():
                now_ms = datetime.now(UTC).timestamp() * 1000
                delivered = deliver(day, self._network).batches
                batches = [batch for batch in delivered if batch.sent_ms <= now_ms]
                for sent, batch in enumerate(batches):
                    if pace:
                        await pace.wait_for(batch)
                    await self._begin(day, batch)
                    progress(number + sent / len(batches))
                await self._settle()
                progress(number + 1)
        finally:
            await self._settle()

    async def send_live(self, since: datetime, *, progress: Callable[[datetime], object]) -> None:
        """Send what happens from an instant on, as it happens, until this is cancelled.

        `progress` is told the time of each export.

        Raises:
            NobodyTakesIt: there is no point in going on.
        """
        try:
            async for day, batch in live(self._scenario, self._catalogue, since):
                await self._begin(day, batch)
                progress(datetime.fromtimestamp(batch.sent_ms / 1000, UTC))
        finally:
            await self._settle()

    async def _make_days(self) -> AsyncIterator[tuple[int, Day]]:
        """Make each day while the one before it is sent."""
        making: asyncio.Future[Day] | None = None
        for number, date in enumerate(self._scenario.list_days()):
            made, making = (
                making,
                asyncio.ensure_future(
                    asyncio.to_thread(simulate_day, self._scenario, self._catalogue, date)
                ),
            )
            if made is not None:
                yield number - 1, await made
        if making is not None:
            yield self._scenario.days - 1, await making

    async def _begin(self, day: Day, batch: Batch) -> None:
        """Begin to send a batch, once fewer than the most are under way."""
        while len(self._under_way) >= _AT_ONCE:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        if self._lost_in_a_row >= _TOO_MANY_LOST:
            raise NobodyTakesIt
        task = asyncio.create_task(self._send(day, batch))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, day: Day, batch: Batch) -> None:
        if await self._send_batch(batch):
            self._accepted.setdefault(day, []).append(batch)
            self._lost_in_a_row = 0
        else:
            self._lost_in_a_row += 1

    async def _settle(self) -> None:
        """Wait for what is under way, and tally it."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        for day, accepted in self._accepted.items():
            self.tally.add(day, accepted)
        self._accepted.clear()


class _Pace:
    """Lets time pass so many times as fast as it did."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began: tuple[float, int] | None = None

    async def wait_for(self, batch: Batch) -> None:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now, batch.sent_ms
        began, first_ms = self._began
        due = began + (batch.sent_ms - first_ms) / 1000 / self._speed
        await asyncio.sleep(max(0.0, due - now))
