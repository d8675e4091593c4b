"""Connections with TLS, taken one by one.

An event loop that takes connections by itself counts none before its handshake
is over, and lets each take a minute. Whoever only connects could have all the
files that this process may open, and the store would have none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

from codometer.intake.limits import Limits

_log: Final = logging.getLogger(__name__)

_CLOSING_SECONDS: Final = 5.0
"""For a client to say goodbye too."""
_PAUSE_SECONDS: Final = 0.5


class SecuredListener:
    """Takes connections and agrees on TLS with each, within the limits.

    Until it is told who they are, clients share the places of `limits.connections` with
    those that `count_open` counts; one too many is let go without a word, for there is no
    way to say one.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        make_protocol: Callable[[], asyncio.Protocol],
        *,
        count_open: Callable[[], int],
        limits: Limits,
    ) -> None:
        self._listener = listener
        self._context = context
        self._make_protocol = make_protocol
        self._count_open = count_open
        self._limits = limits
        self._greeting: set[asyncio.Task[None]] = set()
        self._taking = asyncio.get_running_loop().create_task(self._take())

    def close(self) -> None:
        """Take no more. Those whose handshake is not over are let go."""
        for task in (self._taking, *self._greeting):
            task.cancel()

    async def wait_closed(self) -> None:
        """Return when that is done."""
        await asyncio.wait({self._taking, *self._greeting})

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                # No more files, say. The client waits in the queue of the system.
                _log.warning("a connection could not be taken: %s", error.strerror)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if len(self._greeting) + self._count_open() > self._limits.connections:
                client.close()
                continue
            task = loop.create_task(self._greet(client))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):  # what others send us; ssl.SSLError is one
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make_protocol,
                client,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.header_seconds,
                ssl_shutdown_timeout=_CLOSING_SECONDS,
            )
