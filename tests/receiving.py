"""Both receivers on free ports, a store that does as it is told, and clients without manners."""

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Self

import grpc
import grpc.aio
import pytest

from codometer.intake.limits import ByteBudget, Limits
from codometer.intake.receivers.export import Accepted, Authenticate, ExportRequest
from codometer.intake.receivers.http_server import HttpServer
from codometer.intake.receivers.otlp_grpc import OtlpGrpc
from codometer.intake.receivers.otlp_http import OtlpHttp
from codometer.intake.receivers.tls import ClientCertificates, Tls
from codometer.model.signal import AttributeDefault
from codometer.networks import Network

# The event loop that the server runs in.
ON_UVLOOP: Final = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": True})], ids=["uvloop"]),
]

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
EXPORT_LOGS: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
EXPORT_METRICS: Final = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
EXPORT_TRACES: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Store:
    """Takes every export, unless told to fail first, to refuse a part, or to wait."""

    requests: list[ExportRequest] = field(default_factory=list)
    keep: bool = True
    failures: list[Exception] = field(default_factory=list)
    accepted: Accepted = field(default_factory=Accepted)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    may_finish: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_finish.set()

    async def accept(self, request: ExportRequest) -> Accepted:
        self.started.set()
        await self.may_finish.wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.keep:
            self.requests.append(request)
        return self.accepted


def admit_all(*_: object) -> tuple[AttributeDefault, ...]:
    """Let everybody send, as on a machine of one's own."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    http: HttpServer
    rpc: OtlpGrpc
    budget: ByteBudget
    store: Store

    async def stop(self, grace_seconds: float = 5) -> None:
        await asyncio.gather(self.http.stop(grace_seconds), self.rpc.stop(grace_seconds))

    def channel(self, compression: grpc.Compression | None = None) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(
            f"127.0.0.1:{self.rpc.port}",
            compression=compression,
            options=[("grpc.max_send_message_length", -1)],
        )


@asynccontextmanager
async def receive(
    limits: Limits | None = None,
    authenticate: Authenticate = admit_all,
    *,
    tls: Tls | None = None,
    clients: ClientCertificates | None = None,
    proxies: Sequence[Network] = (),
) -> AsyncIterator[Receivers]:
    limits = limits or Limits()
    store = Store()
    budget = ByteBudget(limits.budget_bytes)
    app = OtlpHttp(store.accept, authenticate=authenticate, limits=limits, budget=budget)
    receivers = Receivers(
        http=HttpServer(
            app,
            host="127.0.0.1",
            port=0,
            limits=limits,
            tls=tls.make_context(clients) if tls else None,
            proxies=proxies,
        ),
        rpc=OtlpGrpc(
            store.accept,
            authenticate=authenticate,
            host="127.0.0.1",
            port=0,
            limits=limits,
            budget=budget,
            credentials=tls.make_credentials(clients) if tls else None,
            proxies=proxies,
        ),
        budget=budget,
        store=store,
    )
    await receivers.http.start()
    await receivers.rpc.start()
    try:
        yield receivers
    finally:
        store.may_finish.set()
        await receivers.stop(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """An HTTP client that sends what it is told, however wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext | None = None) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        await self._writer.drain()

    async def read(self, count: int) -> bytes:
        async with asyncio.timeout(20):
            return await self._reader.readexactly(count)

    async def read_answer(self, *, method: str = "POST", timeout_seconds: float = 20) -> Answer:
        """Read one answer; its framing has to be right to the byte."""
        async with asyncio.timeout(timeout_seconds):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin1")
            line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
            version, status, _ = line.split(" ", 2)
            assert version == "HTTP/1.1"
            headers = dict(one.split(": ", 1) for one in fields)
            length = 0 if method == "HEAD" else int(headers["content-length"])
            body = await self._reader.readexactly(length)
        return Answer(status=int(status), headers=headers, body=body)

    async def wait_until_closed(self, *, timeout_seconds: float = 20) -> bytes:
        """Return what still came before the server closed, also when it reset the connection."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._reader.read()
        except ConnectionResetError:
            return b""

    async def close(self) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def make_post(
    path: str = "/v1/logs",
    body: bytes = b"",
    *,
    length: int | None = None,
    headers: Iterable[tuple[str, str]] = (("content-type", PROTOBUF),),
) -> bytes:
    """Return a request as bytes; `length` may differ from the body's."""
    lines = [f"POST {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin1") + body


async def wait_until(condition: Callable[[], object]) -> None:
    """Return when the condition holds; fail when it does not for 20 seconds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


def tighten(**changes: float) -> Limits:
    """Return the usual limits with some of them changed."""
    return dataclasses.replace(Limits(), **changes)  # type: ignore[arg-type] # some are whole


def open_call(path: str = EXPORT_LOGS) -> bytes:
    """Return the HTTP/2 frames that begin a gRPC call, up to its headers."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    block = b"".join(_literal(name) + _literal(value, b"") for name, value in fields.items())
    settings, headers = 4, 1
    return (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + _frame(settings, 0, 0, b"")
        + _frame(headers, 4, 1, block)
    )


def begin_message(length: int, begun: bytes) -> bytes:
    """Return a frame with the beginning of a message that would be `length` bytes."""
    data = 0
    return _frame(data, 0, 1, b"\0" + length.to_bytes(4) + begun)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _literal(text: str, before: bytes = b"\0") -> bytes:
    # A literal header field that is not indexed (RFC 7541, 6.2.2).
    return before + bytes([len(text)]) + text.encode()
