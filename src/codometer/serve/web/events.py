"""Tells open pages that what they show may have changed, over one stream each.

The stream (server-sent events) carries no data of its own: `changed` names the
version of the sums and when it came to be, and the page then fetches what it
shows. The first mark comes at once, so that a page that was made before the
last change, or lost its connection, knows what it missed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from codometer.errors import Overloaded

_log: Final = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
MAX_STREAMS: Final = 200

_TYPE: Final = "text/event-stream"
_PULSE_SECONDS: Final = 15.0
_RETRY: Final = b"retry: 2000\n\n"
_PULSE: Final = b"event: pulse\ndata:\n\n"
"""Lets either side find out that the other has gone."""


def _now() -> datetime:
    return datetime.now(UTC)


class Changes:
    """Watches a version number that grows whenever the sums change.

    `freshen` brings the sums up to what has arrived; it may block for a second or so. It is
    called as long as somebody looks, for no more than a third of the time.
    """

    def __init__(
        self,
        version: Callable[[], int],
        *,
        freshen: Callable[[], object] = lambda: None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._read = version
        self._freshen = freshen
        self._now = now
        self._version = version()
        self._at: datetime | None = None
        self._streams = 0
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False
        self._turn = asyncio.Event()
        self.prepare: Callable[[], object] = lambda: None
        """Called when there is a change, before anybody hears of it; it may block."""

    @property
    def version(self) -> int:
        """The version that pages were last told of."""
        return self._version

    @property
    def changed_at(self) -> datetime | None:
        """When the last change was seen; None when there was none since the start."""
        return self._at

    @property
    def streams(self) -> int:
        """How many pages are being kept up to date."""
        return self._streams

    def start(self) -> None:
        """Begin to watch, in the running event loop."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End every stream, so that nobody waits for one, and watch no more."""
        self._stopping = True
        self._turn.set()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    async def answer(self, request: Request) -> Response:
        """Answer with a stream, which ends when whoever asked may not ask any more.

        Raises:
            Overloaded: as many as there may be are open.
        """
        if request.method == "HEAD":
            return Response(media_type=_TYPE)
        if self._streams >= MAX_STREAMS:
            raise Overloaded(
                f"{self._streams} pages are being kept up to date", hint="load the page again later"
            )
        return StreamingResponse(self._stream(request.state.is_still_allowed), media_type=_TYPE)

    async def _stream(self, is_still_allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            told = self._version
            yield _RETRY + self._mark()
            while not self._stopping:
                is_quiet = self._version == told and not await self._turns()
                if not is_still_allowed():
                    break
                if is_quiet:
                    yield _PULSE
                elif self._version != told:
                    told = self._version
                    yield self._mark()
        finally:
            self._streams -= 1

    async def _turns(self) -> bool:
        """Wait for a change or the end; say whether either came in time for the next pulse."""
        try:
            async with asyncio.timeout(_PULSE_SECONDS):
                return await self._turn.wait()
        except TimeoutError:
            return False

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            if self._streams:
                await asyncio.to_thread(_try, self._freshen)
            took = time.monotonic() - began
            if (version := self._read()) != self._version:
                await asyncio.to_thread(_try, self.prepare)
                self._version, self._at = version, self._now()
                ended, self._turn = self._turn, asyncio.Event()
                ended.set()
            await asyncio.sleep(max(POLL_SECONDS, 2 * took))

    def _mark(self) -> bytes:
        at = self._at.isoformat(timespec="seconds") if self._at else None
        data = json.dumps({"version": self._version, "at": at})
        return f"event: changed\ndata: {data}\n\n".encode()


def _try(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:  # noqa: BLE001 - an outer edge: the job, and the next turn comes
        _log.exception("pages could not be kept up to date")
