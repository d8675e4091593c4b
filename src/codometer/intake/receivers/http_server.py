"""uvicorn, made fit for a port that anyone may reach, in an event loop shared with others.

uvicorn bounds neither the time nor the size of what comes before a request's
body: headers may take for ever, and may be of any length. Its one limit on
connections answers in plain text. It takes over the process's signals and
leaves the process when a port is taken. All of that is put right here, in
subclasses, and the application sees none of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
from collections.abc import Generator, Sequence
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from codometer.intake.limits import Limits
from codometer.intake.receivers.forwarded import Forwarded
from codometer.intake.receivers.listen import bind
from codometer.intake.receivers.secured import SecuredListener
from codometer.networks import Network

# OTLP clients wait for each answer. Every request sent ahead of that costs us
# some kilobytes, and its sender 20 bytes.
_MOST_PIPELINED: Final = 8

_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"retry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class HttpServer:
    """An ASGI application at a port, served in the running event loop."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        limits: Limits,
        tls: ssl.SSLContext | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:
        """`proxies` are believed when they say whom they speak for."""
        self._host = host
        self._port = port
        app = Forwarded(app, proxies) if proxies else app
        self._server = _Server(configure(app, limits), tls, limits)
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port listened on; after the start never 0."""
        return self._port

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._server.server_state.connections)

    async def start(self) -> None:
        """Listen, and return when clients can be served.

        Raises:
            PortInUse: somebody listens there already.
            BadSettings: the address is not ours, or the port not allowed.
        """
        listener = bind(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            ready.cancel()
            listener.close()
            self._serving.result()

    async def stop(self, grace_seconds: float) -> None:
        """Take no more, finish what is in flight for up to `grace_seconds`, then close."""
        if self._serving is None:
            return
        self._server.config.timeout_graceful_shutdown = math.ceil(grace_seconds)
        self._server.should_exit = True
        await self._serving
        state = self._server.server_state
        if state.tasks:  # cancelled, and about to say so to their clients
            await asyncio.wait(state.tasks, timeout=1)
        for connection in list(state.connections):
            connection.transport.abort()


def configure(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    """Return how uvicorn serves the app: within the limits, quietly, in the running loop."""

    class Connection(_Connection):
        """One client's connection, under these limits."""

    Connection.limits = limits
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level="error",  # its warnings are about what others send us
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=math.ceil(limits.keep_alive_seconds),
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None, limits: Limits) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._tls = tls
        self._limits = limits

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._tls is None:
            await super().startup(sockets)
        else:
            self.servers = [self._take(each, self._tls) for each in sockets or ()]  # type: ignore[misc] # they are closed, no more
            self.started = True
        self.ready.set()

    def _take(self, listener: socket.socket, tls: ssl.SSLContext) -> SecuredListener:
        return SecuredListener(
            listener,
            tls,
            lambda: self.config.http_protocol_class(  # type: ignore[call-arg] # as uvicorn does
                config=self.config, server_state=self.server_state, app_state={}
            ),
            count_open=lambda: len(self.server_state.connections),
            limits=self._limits,
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # signals belong to whoever started us


class _Connection(HttpToolsProtocol):
    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own business
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        # Bytes since the request began that are not its body. Headers, chunk
        # sizes and trailers all count, whichever of them is being abused.
        self._overhead = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.write(_FULL)
            transport.close()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_are_complete()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._overhead += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._overhead > self.limits.header_bytes:
            self.send_400_response("Too many bytes around the body.")
        elif self._deadline is None and not self._is_serving():
            self._expect_headers()

    def on_message_begin(self) -> None:
        self._overhead = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._headers_are_complete()
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise ValueError("too many requests sent ahead")  # the parser's caller answers 400
        # Those that came in one piece were not counted: they begin with the message.
        if (
            sum(len(name) + len(value) + 4 for name, value in self.headers)
            > self.limits.header_bytes
        ):
            raise ValueError("too many bytes of headers")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        # Twice, so that chunks may carry as much framing as content.
        self._overhead -= 2 * len(body)
        super().on_body(body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.idle_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _is_serving(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request
        return cycle is not None and not cycle.response_complete

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(self.limits.header_seconds, self.transport.close)

    def _headers_are_complete(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
