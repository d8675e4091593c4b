"""Reading the messages of gRPC calls, so that neither memory nor patience runs out.

gRPC buffers what it reads of a message, up to the limit of 64 MiB each, where
no budget of ours can see it. So only a few messages are read at a time. Then
whoever sends slowly, or only begins, keeps all others waiting, and their
clients give up after ten seconds and lose what they sent. Hence, while others
wait, nobody has more than a few seconds, and less the longer the queue is.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from itertools import islice
from typing import Final

from codometer.errors import Malformed, Overloaded, TooSlow
from codometer.intake.limits import Share

_PLACES: Final = 16  # times 64 MiB is the most that gRPC can buffer
_MOST_SECONDS: Final = 3.0
_LEAST_SECONDS: Final = 0.2  # what has arrived is read in milliseconds
_QUEUE_SECONDS: Final = 4.0  # after which whoever waits should have had a place
_BUSY_SECONDS: Final = 0.05


class Reading:
    """The places at which messages are read.

    Who came last goes first: in a long queue the first have been given up by
    their clients already.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free_places = _PLACES
        self._waiting: dict[asyncio.Future[None], float] = {}  # since when, the longest first
        self._readers: dict[_Reader, None] = {}  # who began first stands first

    async def read(self, messages: AsyncIterator[bytes], share: Share, until: float) -> bytes:
        """Return the one message of a call, counted in its share.

        Raises:
            Malformed: the call has none.
            TooSlow: it did not arrive in time.
            Overloaded: others were being read `until` then, or there is no room for it.
        """
        await self._enter(until)
        try:
            body = await self._read(messages)
            await share.grow(len(body))
        finally:
            self._leave()
        return body

    async def _read(self, messages: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(None) as timeout:
                reader = _Reader(timeout)
                reader.hurry(self._find_patience_seconds())
                self._readers[reader] = None
                try:
                    return await anext(messages)
                finally:
                    del self._readers[reader]
                    reader.finish()
        except StopAsyncIteration:
            raise Malformed("the call carries no message") from None
        except TimeoutError:
            raise TooSlow("the message did not arrive in time") from None

    async def _enter(self, until: float) -> None:
        if self._free_places:
            self._free_places -= 1
            return
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting[place] = loop.time()
        patience_seconds = self._find_patience_seconds()
        for reader in islice(self._readers, len(self._waiting)):  # one for each that waits
            reader.hurry(patience_seconds)
        try:
            async with asyncio.timeout_at(until):
                await place
        except BaseException as error:
            if place in self._waiting:
                del self._waiting[place]
            elif not place.cancelled():  # it came as we stopped waiting
                self._leave()
            if isinstance(error, TimeoutError):
                raise Overloaded("too many messages are being read") from None
            raise

    def _leave(self) -> None:
        while self._waiting:
            place, _ = self._waiting.popitem()
            if not place.cancelled():
                place.set_result(None)
                return
        self._free_places += 1

    def _find_patience_seconds(self) -> float:
        if not self._waiting:
            return self._seconds
        longest_since = next(iter(self._waiting.values()))
        left_seconds = longest_since + _QUEUE_SECONDS - asyncio.get_running_loop().time()
        fair_seconds = left_seconds * _PLACES / len(self._waiting)
        return min(max(fair_seconds, _LEAST_SECONDS), _MOST_SECONDS, self._seconds)


class _Reader:
    """One reading, and when it is to be cut off."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._until = math.inf
        self._timeout = timeout
        self._timer: asyncio.TimerHandle | None = None

    def hurry(self, seconds: float) -> None:
        """Allow no more than so many seconds since the beginning."""
        until = self._began + seconds
        if until < self._until:
            self.finish()
            self._until = until
            self._timer = self._loop.call_at(until, self._cut_off)

    def finish(self) -> None:
        """Forget about cutting off."""
        if self._timer is not None:
            self._timer.cancel()

    def _cut_off(self) -> None:
        # When it was the loop that was busy, the message may lie there unseen.
        self._timeout.reschedule(self._loop.time() + _BUSY_SECONDS)
