"""Sends batches over the network, and tries again and gives up as OpenTelemetry's exporters do.

Over HTTP an export may take ten seconds in all; on 429, 502, 503, 504 and on
broken connections it is sent again, at most five times. Over gRPC nothing is
ever sent again. What is not acknowledged by then is lost, and the client goes
on with its next batch.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

import grpc
import grpc.aio
import httpx

from codometer.errors import BadSettings, CodometerError
from codometer.model.signal import SignalKind
from codometer.operate.simulator.client import Batch
from codometer.operate.simulator.encode import encode
from codometer.operate.simulator.encode_json import encode_json

# https://github.com/open-telemetry/opentelemetry-js, retrying-transport.ts (2026-11)
_EXPORT_SECONDS: Final = 10.0
_RETRIES: Final = 5
_RETRYABLE: Final = frozenset({429, 502, 503, 504})
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 5.0
_PAUSE_FACTOR: Final = 1.5

_CONNECTIONS: Final = 16
# Let an idle connection go before a server does, which gRPC would report on standard error.
_GRPC_OPTIONS: Final = [("grpc.client_idle_timeout_ms", 30_000)]
_METHODS: Final = {
    SignalKind.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    SignalKind.METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


class Protocol(StrEnum):
    """The protocols of OTLP, as `OTEL_EXPORTER_OTLP_PROTOCOL` names them."""

    GRPC = "grpc"
    HTTP_PROTOBUF = "http/protobuf"
    HTTP_JSON = "http/json"


class ServerGone(CodometerError):
    """Nobody takes OTLP at the address."""

    code = "unreachable"
    status = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to send: `http` is the address before `/v1/…`, `grpc` is host:port or an https URL."""

    http: str
    grpc: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent along, such as credentials."""
    ca_file: str = ""
    """Certificates to trust over TLS, instead of those that every program trusts."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of exports."""

    sent: int = 0
    """Exports begun; not how often each was tried."""
    accepted: int = 0
    retried: int = 0
    """Attempts after the first."""
    lost: int = 0
    """Exports that were given up."""
    refused_signals: int = 0
    """Records and points that the server refused out of exports that it accepted."""
    answers: Counter[str] = field(default_factory=Counter)
    """What was answered to attempts that failed, and how often."""


class Exporter:
    """Sends each batch as the client that it comes from would. Use it with `async with`."""

    def __init__(self, endpoint: Endpoint, protocols: Sequence[Protocol]) -> None:
        """Take the protocols among which installations choose; each keeps to its own."""
        self.counts = Counts()
        self._endpoint = endpoint
        self._protocols = protocols
        # One client for each connection: a pool looks at all of its connections at every turn.
        trust = _load_trust(endpoint.ca_file)
        self._clients = [
            httpx.AsyncClient(headers=dict(endpoint.headers), trust_env=False, verify=trust)
            for _ in range(_CONNECTIONS)
        ]
        self._idle: asyncio.Queue[httpx.AsyncClient] = asyncio.Queue()
        for client in self._clients:
            self._idle.put_nowait(client)
        self._channel = _open_channel(endpoint)
        self._exports: dict[SignalKind, Any] = {
            kind: self._channel.unary_unary(method) for kind, method in _METHODS.items()
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()
        await self._channel.close()

    async def check(self) -> None:
        """Send an empty export to each port that will be used.

        Raises:
            ServerGone: nobody takes it.
        """
        for protocol in dict.fromkeys(self._protocols):
            try:
                answer = await self._try(
                    self._clients[0], protocol, SignalKind.LOGS, b"", _EXPORT_SECONDS
                )
            except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
                answer = _describe(error)
            if answer is not None:
                raise ServerGone(
                    f"nobody takes OTLP over {protocol} at {self._address(protocol)}: {answer}",
                    hint="start a server with `codometer serve`, or name another with"
                    " --endpoint and --grpc-endpoint",
                )

    async def send(self, batch: Batch) -> bool:
        """Send a batch, again if need be; return whether it was accepted."""
        protocol = self._choose(batch)
        is_json = protocol is Protocol.HTTP_JSON
        body = encode_json(batch) if is_json else encode(batch)
        self.counts.sent += 1
        client = await self._idle.get()
        try:
            accepted = await self._export(client, protocol, batch.kind, body)
        finally:
            self._idle.put_nowait(client)
        if accepted:
            self.counts.accepted += 1
        else:
            self.counts.lost += 1
        return accepted

    def _choose(self, batch: Batch) -> Protocol:
        return self._protocols[int(batch.process.installation.id[:8], 16) % len(self._protocols)]

    async def _export(
        self, client: httpx.AsyncClient, protocol: Protocol, kind: SignalKind, body: bytes
    ) -> bool:
        deadline = time.monotonic() + _EXPORT_SECONDS
        pause_seconds = _FIRST_PAUSE_SECONDS
        for attempt in range(_RETRIES + 1):
            try:
                answer = await self._try(client, protocol, kind, body, deadline - time.monotonic())
                is_final = protocol is Protocol.GRPC or not _is_worth_retrying(answer)
            except (OSError, httpx.HTTPError) as error:
                answer, is_final = _describe(error), False
            if answer is None:
                return True
            self.counts.answers[answer] += 1
            if is_final or attempt == _RETRIES:
                return False
            if pause_seconds > deadline - time.monotonic():
                return False
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * _PAUSE_FACTOR, _LONGEST_PAUSE_SECONDS)
            self.counts.retried += 1
        return False

    async def _try(
        self,
        client: httpx.AsyncClient,
        protocol: Protocol,
        kind: SignalKind,
        body: bytes,
        seconds: float,
    ) -> str | None:
        """Send once; return None when it was accepted, else what was answered."""
        if protocol is Protocol.GRPC:
            return await self._try_grpc(kind, body, seconds)
        is_json = protocol is Protocol.HTTP_JSON
        response = await client.post(
            f"{self._endpoint.http.rstrip('/')}/v1/{kind}",
            content=body or (b"{}" if is_json else b""),
            headers={"content-type": "application/json" if is_json else "application/x-protobuf"},
            timeout=max(0.1, seconds),
        )
        if not response.is_success:
            return str(response.status_code)
        if is_json:
            partial = response.json().get("partialSuccess", {})
            self.counts.refused_signals += sum(
                int(value) for name, value in partial.items() if name.startswith("rejected")
            )
        else:
            self.counts.refused_signals += _read_refused(response.content)
        return None

    async def _try_grpc(self, kind: SignalKind, body: bytes, seconds: float) -> str | None:
        metadata = [(name.lower(), value) for name, value in self._endpoint.headers.items()]
        try:
            answer = await self._exports[kind](body, timeout=max(0.1, seconds), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        self.counts.refused_signals += _read_refused(answer)
        return None

    def _address(self, protocol: Protocol) -> str:
        return self._endpoint.grpc if protocol is Protocol.GRPC else self._endpoint.http


def _load_trust(ca_file: str) -> ssl.SSLContext:
    if not ca_file:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # as ssl.SSLError is
        raise BadSettings(
            f"{ca_file} cannot be used: {error.strerror or error}",
            hint="it must hold certificates in PEM, and be readable to you",
        ) from error


def _open_channel(endpoint: Endpoint) -> grpc.aio.Channel:
    scheme, separator, address = endpoint.grpc.rpartition("://")
    if separator and scheme == "https":
        roots = Path(endpoint.ca_file).read_bytes() if endpoint.ca_file else None
        credentials = grpc.ssl_channel_credentials(roots)
        return grpc.aio.secure_channel(address, credentials, _GRPC_OPTIONS)
    return grpc.aio.insecure_channel(address, _GRPC_OPTIONS)


def _is_worth_retrying(answer: str | None) -> bool:
    return answer is not None and answer.isdecimal() and int(answer) in _RETRYABLE


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def _read_refused(answer: bytes) -> int:
    """Return how many signals a partial success refuses, of an Export…ServiceResponse.

    Its first field is a message, of which the first field is the number.
    """
    if len(answer) < len(_PARTIAL) or answer[0] != _PARTIAL[0] or answer[2] != _PARTIAL[2]:
        return 0
    number = shift = 0
    for byte in answer[3:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return number


_PARTIAL: Final = b"\x0a\x00\x08"
"""How a partial success begins; the second byte is its length, which is below 128."""
