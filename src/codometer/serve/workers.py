"""A bounded pool of threads for blocking work, so that the event loop never waits for the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from codometer.errors import Overloaded

T = TypeVar("T")


class Workers:
    """Runs blocking functions; refuses more than `max_waiting` at one time."""

    def __init__(self, *, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="codometer-serve")
        self._max_waiting = max_waiting
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and return what it returns.

        Raises:
            Overloaded: too many are waiting already.
        """
        if self._waiting >= self._max_waiting:
            raise Overloaded(
                f"{self._waiting} questions are waiting", hint="ask again in a second or two"
            )
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._finished)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Start nothing more; what runs is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finished(self, _: object) -> None:
        self._waiting -= 1
