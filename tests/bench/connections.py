"""Connections to a server that cost their side as little as can be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Self, cast

import grpc.aio

from codometer.model.signal import SignalKind
from tests.bench.bodies import Body
from tests.receiving import EXPORT_LOGS, EXPORT_METRICS
from tests.running import HOST, RunningServer

PATIENCE_SECONDS: Final = 60.0
"""How long an answer may take before the measurement has failed."""

_GRPC_CONNECTIONS: Final = 8
_EXPORTS: Final = {SignalKind.LOGS: EXPORT_LOGS, SignalKind.METRICS: EXPORT_METRICS}
_OK: Final = f" {HTTPStatus.OK} ".encode()

Send = Callable[[Body], Awaitable[object]]
"""Sends a body and returns once it is acknowledged."""


class Protocol(StrEnum):
    """How exports travel."""

    HTTP = "HTTP"
    GRPC = "gRPC"


class Refused(Exception):
    """The server did not take what it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The server to send to, as another process can know it."""

    pid: int
    otlp_port: int
    grpc_port: int
    api_port: int
    secret: str = ""
    """Of the credential to send, if one is to be sent."""

    @classmethod
    def of(cls, server: RunningServer) -> Self:
        """Tell where a running server is."""
        ports = server.ports
        return cls(pid=server.pid, otlp_port=ports.otlp, grpc_port=ports.grpc, api_port=ports.api)


class HttpConnection(asyncio.Protocol):
    """One connection that is kept, with one request at a time on it."""

    def __init__(self, secret: str = "") -> None:
        self._authorization = f"authorization: Bearer {secret}\r\n" if secret else ""
        self._received = b""
        self._answer: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits."""
        self._settle(Refused(f"the server closed the connection ({exc})"))

    def data_received(self, data: bytes) -> None:
        """Settle the request once its answer is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head):
            return
        self._received = b""
        is_good = _OK in head.partition(b"\r\n")[0]
        self._settle(None if is_good else Refused((head + body).decode(errors="replace")))

    async def send(self, body: Body) -> None:
        """Export a body.

        Raises:
            Refused: it was not acknowledged.
        """
        await self.request(
            f"POST /v1/{body.kind} HTTP/1.1\r\nhost: {HOST}\r\n"
            f"user-agent: OTel-OTLP-Exporter-JavaScript/0.208.0\r\n{self._authorization}"
            f"content-type: application/x-protobuf\r\ncontent-length: {len(body.data)}\r\n\r\n",
            body.data,
        )

    async def get(self, path: str) -> None:
        """Ask for a path, and throw the answer away.

        Raises:
            Refused: there was no good answer.
        """
        await self.request(f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n")

    async def request(self, head: str, body: bytes = b"") -> None:
        """Send a request and wait for its answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.writelines((head.encode(), body))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._answer

    def close(self) -> None:
        """Let the connection go."""
        if self._transport is not None:
            self._transport.abort()

    def _settle(self, error: Exception | None) -> None:
        if self._answer is None or self._answer.done():
            return
        if error is None:
            self._answer.set_result(None)
        else:
            self._answer.set_exception(error)


@asynccontextmanager
async def connect_http(port: int, secret: str = "") -> AsyncIterator[HttpConnection]:
    """Connect for a `with` block."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: HttpConnection(secret), HOST, port)
    try:
        yield connection
    finally:
        connection.close()


@asynccontextmanager
async def connect(target: Target, protocol: Protocol, in_flight: int) -> AsyncIterator[list[Send]]:
    """Give so many senders, each for one request at a time."""
    async with AsyncExitStack() as stack:
        if protocol is Protocol.HTTP:
            connections = [
                await stack.enter_async_context(connect_http(target.otlp_port, target.secret))
                for _ in range(in_flight)
            ]
            yield [connection.send for connection in connections]
        else:
            channels = [
                await stack.enter_async_context(_open_channel(target.grpc_port))
                for _ in range(min(in_flight, _GRPC_CONNECTIONS))
            ]
            yield [
                _call_on(channels[number % len(channels)], target.secret)
                for number in range(in_flight)
            ]


def _open_channel(port: int) -> grpc.aio.Channel:
    # Without a pool of its own a channel shares the connection of the others.
    return grpc.aio.insecure_channel(
        f"{HOST}:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
    )


def _call_on(channel: grpc.aio.Channel, secret: str) -> Send:
    metadata = (("authorization", f"Bearer {secret}"),) if secret else ()
    calls: dict[SignalKind, Callable[..., Awaitable[object]]] = {
        kind: channel.unary_unary(path) for kind, path in _EXPORTS.items()
    }

    def send(body: Body) -> Awaitable[object]:
        return calls[body.kind](body.data, metadata=metadata, timeout=PATIENCE_SECONDS)

    return send


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
