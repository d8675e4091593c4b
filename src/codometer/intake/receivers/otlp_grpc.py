"""OTLP over gRPC: the Export call of the logs, metrics and trace services.

An exporter that speaks gRPC never tries again: every error loses its batch. So
a call that finds no room is held for most of the ten seconds that its client
waits, and only then told to come back.

Messages are taken as raw bytes, for speed, and still compressed: gRPC would
inflate a message in full before it looks at the size. And the calls are
declared as streams of one message, which is the same on the wire, so that a
message is read when we ask for it and not before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

import grpc
import grpc.aio

from codometer.errors import CodometerError, Overloaded, TooManyRequests
from codometer.intake.limits import ByteBudget, Limits
from codometer.intake.receivers import answer
from codometer.intake.receivers.decompress import Compression, inflate
from codometer.intake.receivers.export import (
    Accept,
    Accepted,
    Authenticate,
    Encoding,
    ExportRequest,
)
from codometer.intake.receivers.forwarded import find_client
from codometer.intake.receivers.grpc_reading import Reading
from codometer.intake.receivers.listen import bind, port_in_use
from codometer.model.signal import AttributeDefault, SignalKind
from codometer.networks import Network

_LOG: Final = logging.getLogger(__name__)

_SERVICES: Final = {
    SignalKind.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    SignalKind.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
    SignalKind.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
}
_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
}

_TURN_SECONDS: Final = 0.25
"""After which a call asks again that was held because its credential sends too much."""

_Context = grpc.aio.ServicerContext[bytes, bytes]
_Handler = Callable[[AsyncIterator[bytes], _Context], Awaitable[bytes]]


class OtlpGrpc:
    """The gRPC server of the three OTLP services, in the running event loop."""

    def __init__(
        self,
        accept: Accept,
        *,
        authenticate: Authenticate,
        host: str,
        port: int,
        limits: Limits,
        budget: ByteBudget,
        credentials: grpc.ServerCredentials | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:
        """`credentials` are for TLS; `proxies` are believed when they say whom they speak for."""
        self._accept = accept
        self._authenticate = authenticate
        self._host = host
        self._port = port
        self._limits = limits
        self._budget = budget
        self._credentials = credentials
        self._proxies = proxies
        self._reading = Reading(limits.body_seconds)
        self._exports: set[asyncio.Task[bytes | _Refusal]] = set()
        self._server: grpc.aio.Server | None = None

    @property
    def port(self) -> int:
        """The port listened on; after the start never 0."""
        return self._port

    async def start(self) -> None:
        """Listen, and return when clients can be served.

        Raises:
            PortInUse: somebody listens there already.
            BadSettings: the address is not ours, or the port not allowed.
        """
        bind(self._host, self._port).close()  # for the errors, which gRPC does not tell apart
        server = grpc.aio.server(options=_options(self._limits))
        for kind, service in _SERVICES.items():
            export: grpc.RpcMethodHandler[bytes, bytes]
            export = grpc.stream_unary_rpc_method_handler(self._handler(kind))
            handler = grpc.method_handlers_generic_handler(service, {"Export": export})
            server.add_generic_rpc_handlers((handler,))
        host = f"[{self._host}]" if ":" in self._host else self._host
        address = f"{host}:{self._port}"
        try:
            self._port = (
                server.add_secure_port(address, self._credentials)
                if self._credentials
                else server.add_insecure_port(address)
            )
        except RuntimeError as error:
            raise port_in_use(self._host, self._port) from error
        await server.start()
        self._server = server

    async def stop(self, grace_seconds: float) -> None:
        """Take no more, finish what is in flight for up to `grace_seconds`, then close."""
        if self._server is None:
            return
        until = asyncio.get_running_loop().time() + grace_seconds
        await self._server.stop(grace_seconds)
        if self._exports:  # of clients who are gone
            rest_seconds = max(0, until - asyncio.get_running_loop().time())
            await asyncio.wait(self._exports, timeout=rest_seconds)
        for export in self._exports:
            export.cancel()

    def _handler(self, kind: SignalKind) -> _Handler:
        async def handle(messages: AsyncIterator[bytes], context: _Context) -> bytes:
            # A client that goes away cancels this handler, never a commit half done.
            export = asyncio.create_task(
                self._export(kind, messages, _Caller.of(context, self._proxies))
            )
            self._exports.add(export)
            export.add_done_callback(self._exports.discard)
            outcome = await asyncio.shield(export)
            if isinstance(outcome, bytes):
                return outcome
            return await context.abort(outcome.code, outcome.message, outcome.metadata)

        return handle

    async def _export(
        self, kind: SignalKind, messages: AsyncIterator[bytes], caller: _Caller
    ) -> bytes | _Refusal:
        # Errors end here: as long as one is kept, its traceback holds on to the
        # message, of which the budget knows no more.
        try:
            until = asyncio.get_running_loop().time() + self._limits.hold_seconds
            defaults = await self._admit(kind, caller, until)
            accepted = await self._take(kind, messages, defaults, until)
        except CodometerError as error:
            code = _CODES.get(error.status)
            if code is not None:
                return _Refusal(code, answer.explain(error))
            if not isinstance(error, (Overloaded, TooManyRequests)):
                _LOG.exception("an export failed")
            return _refuse_for_now(answer.explain(error))
        except Exception:  # noqa: BLE001 - the outer edge
            _LOG.exception("an export failed")
            return _refuse_for_now("the server failed")
        return answer.export_response(kind, Encoding.PROTOBUF, accepted)

    async def _admit(
        self, kind: SignalKind, caller: _Caller, until: float
    ) -> tuple[AttributeDefault, ...]:
        while True:
            try:
                return self._authenticate(caller.authorization, kind, caller.address)
            except TooManyRequests:
                if asyncio.get_running_loop().time() + _TURN_SECONDS > until:
                    raise
            await asyncio.sleep(_TURN_SECONDS)

    async def _take(
        self,
        kind: SignalKind,
        messages: AsyncIterator[bytes],
        defaults: tuple[AttributeDefault, ...],
        until: float,
    ) -> Accepted:
        hold_seconds = max(0, until - asyncio.get_running_loop().time())
        with self._budget.share(hold_seconds=hold_seconds) as share:
            body = await self._reading.read(messages, share, until)
            compression = _find_compression(body)
            if compression:
                limit = self._limits.body_bytes
                body = await inflate(body, compression, share=share, limit_bytes=limit)
            encoding = Encoding.PROTOBUF
            request = ExportRequest(kind=kind, encoding=encoding, body=body, defaults=defaults)
            return await self._accept_when_possible(request, until)

    async def _accept_when_possible(self, request: ExportRequest, until: float) -> Accepted:
        pause_seconds = 0.1
        while True:
            try:
                return await self._accept(request)
            except Overloaded:
                if asyncio.get_running_loop().time() + pause_seconds > until:
                    raise
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, 1.0)


class _Caller(NamedTuple):
    """What a call says of whoever makes it."""

    authorization: str | None
    address: str

    @classmethod
    def of(cls, context: _Context, proxies: Sequence[Network]) -> _Caller:
        metadata = context.invocation_metadata() or ()
        found = next((value for key, value in metadata if key == "authorization"), None)
        address = _find_address(context.peer())
        if proxies:
            hops = [str(value) for key, value in metadata if key == "x-forwarded-for"]
            address = find_client(address, hops, proxies)
        return cls(found if isinstance(found, str) else None, address)


class _Refusal(NamedTuple):
    code: grpc.StatusCode
    message: str
    metadata: tuple[tuple[str, bytes], ...] = ()


def _refuse_for_now(message: str) -> _Refusal:
    details = answer.retry_status(message, seconds=1)
    return _Refusal(grpc.StatusCode.UNAVAILABLE, message, (("grpc-status-details-bin", details),))


def _find_address(peer: str) -> str:
    """Return the IP address in gRPC's name of a client, such as `ipv6:%5B::1%5D:4317`."""
    _, _, rest = peer.partition(":")
    return unquote(rest).rpartition(":")[0].strip("[]")


def _find_compression(body: bytes) -> Compression | None:
    """Return how a message is compressed.

    gRPC keeps that to itself, but the three kinds begin differently: a request
    that holds anything with 0a, gzip with 1f 8b, which no protobuf message can
    begin with, and zlib with 78.
    """
    if body[:2] == b"\x1f\x8b":
        return Compression.GZIP
    return Compression.DEFLATE if body[:1] == b"\x78" else None


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.body_bytes),
        ("grpc.per_message_decompression", 0),
        ("grpc.max_metadata_size", limits.header_bytes),
        ("grpc.max_concurrent_streams", 100),  # of one connection; the rest wait at the client
        # Counted from the first byte of a handshake; one too many is let go without a word.
        ("grpc.max_allowed_incoming_connections", limits.connections),
        ("grpc.so_reuseport", 0),  # or two servers share a port and neither says so
        ("grpc.server_handshake_timeout_ms", round(limits.header_seconds * 1000)),
        ("grpc.max_connection_idle_ms", round(limits.idle_seconds * 1000)),
        # Ask a silent client whether it is there, and let clients ask us.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]
