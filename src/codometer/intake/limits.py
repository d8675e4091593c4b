"""How much the receivers take at once, and for how long they wait.

Clients drop what they cannot deliver within about ten seconds, and anyone who
reaches the port can send anything. So every request is bounded in size and
time, and all of them together share one budget of bytes.
"""

from __future__ import annotations

import asyncio
import resource
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from codometer.errors import Overloaded

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB
_OTHER_FILES: Final = 256  # the store's, and whatever libraries open


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client, and all of them together, may ask of the receivers.

    `keep_alive_seconds` is longer than the 60 s between two exports of
    metrics, so that clients need not connect anew for each. `hold_seconds` is
    how long a gRPC call waits for room: its client never tries again, and
    gives up by itself after 10 s. `budget_bytes` should be several times
    `body_bytes`.
    """

    body_bytes: int = 64 * _MIB
    budget_bytes: int = 256 * _MIB
    header_bytes: int = 64 * _KIB
    header_seconds: float = 10
    body_seconds: float = 30
    keep_alive_seconds: float = 75
    idle_seconds: float = 120
    hold_seconds: float = 8
    connections: int = 4096


def allow_connections(count: int) -> int:
    """Let this process open enough files for `count` connections; return how many fit.

    Many systems begin with 1,024 files a process, and allow far more to those who ask.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        count if soft == resource.RLIM_INFINITY else min(count, max(soft - _OTHER_FILES, soft // 2))
    )


class ByteBudget:
    """The bytes of all requests in flight, raw and inflated, counted on the event loop.

    A request draws on it through a `Share`. The last quarter is kept for
    requests that stay under 1 MiB, as nearly all do: a few huge uploads
    cannot lock everybody else out.
    """

    _SMALL: Final = _MIB

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.used_bytes = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def share(self, *, hold_seconds: float = 0) -> Share:
        """Return one request's part, to be used in a `with`.

        It may wait for room `hold_seconds` in all, counted from now.
        """
        return Share(self, hold_seconds)

    def _take(self, held: int, more: int) -> bool:
        small = held + more <= self._SMALL
        room = self.total_bytes if small else self.total_bytes * 3 // 4
        if self.used_bytes + more > room:
            return False
        self.used_bytes += more
        return True

    def _give_back(self, count: int) -> None:
        self.used_bytes -= count
        # All look again: the first in the queue may need more than there is.
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def _changed(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter


class Share:
    """What one request holds of a `ByteBudget`; all of it goes back when the `with` ends."""

    __slots__ = ("_budget", "_deadline", "_held", "_hold_seconds")

    def __init__(self, budget: ByteBudget, hold_seconds: float) -> None:
        self._budget = budget
        self._held = 0
        self._hold_seconds = hold_seconds
        self._deadline = asyncio.get_running_loop().time() + hold_seconds if hold_seconds else 0.0

    async def grow(self, more: int) -> None:
        """Take `more` bytes.

        Raises:
            Overloaded: there is no room, and there was none while we could wait.
        """
        if self._budget._take(self._held, more):  # noqa: SLF001 - the two are one thing
            self._held += more
            return
        await self._wait_to_grow(more)

    async def _wait_to_grow(self, more: int) -> None:
        try:
            if not self._hold_seconds:
                raise TimeoutError  # noqa: TRY301 - the same end as after waiting
            async with asyncio.timeout_at(self._deadline):
                while not self._budget._take(self._held, more):  # noqa: SLF001 - as above
                    await self._budget._changed()  # noqa: SLF001 - as above
        except TimeoutError:
            raise Overloaded(
                "too many bytes are in flight", hint="send it again in a second"
            ) from None
        self._held += more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._budget._give_back(self._held)  # noqa: SLF001 - as above
        self._held = 0
