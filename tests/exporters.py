"""Clients that send without end, and try again and give up as OpenTelemetry's exporters do.

The exporters are those of OpenTelemetry for JavaScript, which Claude Code has inside. Over HTTP
an export may take 10 s in all; on 429, 502, 503, 504 and on broken connections it is sent again,
at most 5 times. Over gRPC a client sends nothing again, but a collector between it and the server
does, and half of the gRPC clients are collectors. Whatever is not acknowledged by then is lost,
and the client goes on with its next batch.

What a client sends cannot be told from what others send but by its ids, so a ledger of what was
acknowledged can be held against what the store has.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import grpc.aio
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from codometer.model.signal import SignalKind
from tests.receiving import (
    EXPORT_LOGS,
    EXPORT_METRICS,
    EXPORT_TRACES,
    JSON,
    PROTOBUF,
    Raw,
    make_post,
)
from tests.running import RunningServer

# https://github.com/open-telemetry/opentelemetry-js, retrying-transport.ts (2026-11)
EXPORT_SECONDS: Final = 10.0
RETRIES: Final = 5
RETRYABLE: Final = frozenset({429, 502, 503, 504})
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 5.0
PAUSE_FACTOR: Final = 1.5
JITTER: Final = 0.2

MODELS: Final = ("claude-sonnet-5-5", "claude-opus-4-8", "claude-3-5-haiku-20241022")
_BATCHES_A_SESSION: Final = 8
_PAST_SECONDS: Final = 3 * 3600
_PACE_SECONDS: Final = 0.03
# A proxy between a client and the server may send again what was acknowledged.
_SENT_TWICE: Final = 0.03

_METHODS: Final = {
    SignalKind.LOGS: EXPORT_LOGS,
    SignalKind.METRICS: EXPORT_METRICS,
    SignalKind.TRACES: EXPORT_TRACES,
}


@dataclass(slots=True)
class Sent:
    """One batch, and whether its client was told that it is kept."""

    kind: SignalKind
    records: int
    acknowledged: bool = False


@dataclass(slots=True)
class Ledger:
    """What all clients sent, by batch."""

    batches: dict[str, Sent] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    """How often each status, code or broken connection was the answer."""

    def count(self, answer: str) -> None:
        self.answers[answer] = self.answers.get(answer, 0) + 1

    @property
    def acknowledged(self) -> int:
        """How many records were."""
        return sum(sent.records for sent in self.batches.values() if sent.acknowledged)


class Transport(Protocol):
    """Sends a message once."""

    async def send(self, kind: SignalKind, message: Message, timeout_seconds: float) -> str | None:
        """Return None when it was acknowledged, else the answer.

        Raises:
            OSError, EOFError, TimeoutError: there was none.
        """

    def is_worth_retrying(self, answer: str) -> bool: ...

    async def close(self) -> None: ...


class HttpTransport:
    """One connection that is kept open, in protobuf or JSON."""

    def __init__(self, port: int, content_type: str) -> None:
        self._port = port
        self._content_type = content_type
        self._connection: Raw | None = None

    async def send(self, kind: SignalKind, message: Message, timeout_seconds: float) -> str | None:
        headers = [("content-type", self._content_type)]
        request = make_post(f"/v1/{kind}", self._encode(message), headers=headers)
        try:
            async with asyncio.timeout(timeout_seconds):
                if self._connection is None:
                    self._connection = await Raw.connect(self._port)
                self._connection.send(request)
                answer = await self._connection.read_answer()
        except BaseException:
            await self.close()
            raise
        if answer.headers.get("connection") == "close":
            await self.close()
        if answer.status == 200:
            assert answer.body in (b"", b"{}"), answer.body
            return None
        return str(answer.status)

    def is_worth_retrying(self, answer: str) -> bool:
        return not answer.isdecimal() or int(answer) in RETRYABLE

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def _encode(self, message: Message) -> bytes:
        if self._content_type == PROTOBUF:
            return message.SerializeToString()
        return MessageToJson(message, indent=None).encode()


class GrpcTransport:
    """One channel; of a client, or of a collector, which sends again."""

    def __init__(self, target: str, *, collector: bool) -> None:
        self._sends_again = collector
        options = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
        ]
        self._channel = grpc.aio.insecure_channel(target, options=options)

    async def send(self, kind: SignalKind, message: Message, timeout_seconds: float) -> str | None:
        call: Any = self._channel.unary_unary(_METHODS[kind])
        try:
            answer = await call(message.SerializeToString(), timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            if not self._sends_again:
                await asyncio.sleep(0.2)  # its next batch is not there yet
            return error.code().name
        assert answer == b""
        return None

    def is_worth_retrying(self, answer: str) -> bool:
        return self._sends_again and answer in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}

    async def close(self) -> None:
        await self._channel.close()


class Client:
    """Sends batches of one kind, one after the other."""

    def __init__(
        self, name: str, transport: Transport, kind: SignalKind, ledger: Ledger, *, records: int
    ) -> None:
        self._name = name
        self._transport = transport
        self._kind = kind
        self._ledger = ledger
        self._most_records = records
        self._random = random.Random(name)  # noqa: S311 - the same every time
        self._batches = 0

    async def run(self, until: asyncio.Event) -> None:
        while not until.is_set():
            self._batches += 1
            batch = f"{self._name}-{self._batches}"
            count = self._random.randint(1, self._most_records)
            message = self._make(batch, count)
            sent = self._ledger.batches[batch] = Sent(self._kind, count)
            sent.acknowledged = await self._export(message)
            if sent.acknowledged and self._random.random() < _SENT_TWICE:
                await self._export(message)
            await asyncio.sleep(self._random.random() * 2 * _PACE_SECONDS)
        await self._transport.close()

    async def _export(self, message: Message) -> bool:
        deadline = time.monotonic() + EXPORT_SECONDS
        pause_seconds = FIRST_PAUSE_SECONDS
        for attempt in range(RETRIES + 1):
            answer = await self._send(message, deadline - time.monotonic())
            if answer is None:
                self._ledger.count("acknowledged")
                return True
            self._ledger.count(answer)
            if not self._transport.is_worth_retrying(answer) or attempt == RETRIES:
                break
            jitter = self._random.uniform(-JITTER, JITTER)
            wait_seconds = min(pause_seconds, LONGEST_PAUSE_SECONDS) + jitter
            pause_seconds *= PAUSE_FACTOR
            if wait_seconds > deadline - time.monotonic():
                break
            await asyncio.sleep(wait_seconds)
        self._ledger.count("given up")
        return False

    async def _send(self, message: Message, timeout_seconds: float) -> str | None:
        try:
            return await self._transport.send(self._kind, message, timeout_seconds)
        except (OSError, EOFError) as error:  # refused, reset, closed early, timed out
            return type(error).__name__

    def _make(self, batch: str, count: int) -> Message:
        session = f"{self._name}-session-{self._batches // _BATCHES_A_SESSION}"
        spent = self._random
        latest = time.time() - spent.random() ** 4 * _PAST_SECONDS
        times = sorted(round((latest - spent.random() * 5) * 10**9) for _ in range(count))
        match self._kind:
            case SignalKind.LOGS:
                return _make_requests(batch, session, times, spent)
            case SignalKind.METRICS:
                return _make_lines(batch, times, spent)
            case SignalKind.TRACES:
                return _make_tool_spans(batch, session, times, spent)


def _make_requests(
    batch: str, session: str, times: Sequence[int], spent: random.Random
) -> ExportLogsServiceRequest:
    """One request to a model a record; its id is `<batch>-<number>`."""
    message = ExportLogsServiceRequest()
    group = message.resource_logs.add()
    _describe(group.resource, "service.name", "claude-code")
    records = group.scope_logs.add().log_records
    for number, time_ns in enumerate(times):
        record = records.add(time_unix_nano=time_ns)
        record.body.string_value = "claude_code.api_request"
        _describe(record, "event.name", "api_request")
        _describe(record, "session.id", session)
        _describe(record, "user.id", session.partition("-")[0])
        _describe(record, "request_id", f"{batch}-{number}")
        _describe(record, "model", spent.choice(MODELS))
        _describe(record, "input_tokens", spent.randrange(10_000))
        _describe(record, "output_tokens", spent.randrange(2_000))
        _describe(record, "cache_read_tokens", spent.randrange(200_000))
        _describe(record, "cache_creation_tokens", spent.randrange(5_000))
        _describe(record, "cost_usd", spent.randrange(10**6) / 10**6)
        _describe(record, "duration_ms", spent.randrange(60_000))
    return message


def _make_lines(
    batch: str, times: Sequence[int], spent: random.Random
) -> ExportMetricsServiceRequest:
    """Added lines; the session is the batch."""
    message = ExportMetricsServiceRequest()
    group = message.resource_metrics.add()
    _describe(group.resource, "service.name", "claude-code")
    metric = group.scope_metrics.add().metrics.add(name="claude_code.lines_of_code.count")
    metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    for time_ns in times:
        point = metric.sum.data_points.add(
            start_time_unix_nano=time_ns - 10**9, time_unix_nano=time_ns
        )
        point.as_double = float(spent.randrange(1, 500))
        _describe(point, "session.id", batch)
        _describe(point, "user.id", batch.partition("-")[0])
        _describe(point, "type", "added")
    return message


def _make_tool_spans(
    batch: str, session: str, times: Sequence[int], spent: random.Random
) -> ExportTraceServiceRequest:
    """One tool call a span, which no event tells of; its id is `<batch>-<number>`."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    _describe(group.resource, "service.name", "claude-code")
    spans = group.scope_spans.add().spans
    for number, time_ns in enumerate(times):
        span = spans.add(
            name="claude_code.tool",
            trace_id=spent.randbytes(16),
            span_id=spent.randbytes(8),
            start_time_unix_nano=time_ns - 10**8,
            end_time_unix_nano=time_ns,
        )
        _describe(span, "session.id", session)
        _describe(span, "user.id", session.partition("-")[0])
        _describe(span, "tool_name", spent.choice(("Bash", "Read", "Grep")))
        _describe(span, "tool_use_id", f"{batch}-{number}")
        _describe(span, "duration_ms", 100)
    return message


def _describe(holder: Any, key: str, value: str | float) -> None:  # noqa: ANN401 - any message
    attribute = holder.attributes.add(key=key)
    match value:
        case str():
            attribute.value.string_value = value
        case int():
            attribute.value.int_value = value
        case float():
            attribute.value.double_value = value


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many clients there are of each sort, and the most records in a batch of theirs."""

    http_protobuf: int = 24
    http_json: int = 4
    grpc: int = 8
    records: int = 12


class Load:
    """A crowd at work in a thread of its own."""

    def __init__(self, server: RunningServer, crowd: Crowd) -> None:
        self.ledger = Ledger()
        self._server = server
        self._crowd = crowd
        self._loop = asyncio.new_event_loop()
        self._until = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="load")
        self._fault: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let each client finish the batch it is at; raise what went wrong."""
        self._loop.call_soon_threadsafe(self._until.set)
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._work())
        except BaseException as fault:  # noqa: BLE001 - raised again by `stop`
            self._fault = fault

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            for client in self._clients():
                group.create_task(client.run(self._until))

    def _clients(self) -> Iterator[Client]:
        port, target = self._server.ports.otlp, self._server.grpc_target
        clients = self._crowd.grpc // 2
        sorts: list[tuple[str, int, Callable[[], Transport]]] = [
            ("protobuf", self._crowd.http_protobuf, lambda: HttpTransport(port, PROTOBUF)),
            ("json", self._crowd.http_json, lambda: HttpTransport(port, JSON)),
            ("grpc", clients, lambda: GrpcTransport(target, collector=False)),
            (
                "collector",
                self._crowd.grpc - clients,
                lambda: GrpcTransport(target, collector=True),
            ),
        ]
        for sort, count, connect in sorts:
            for number in range(count):
                # Requests above all; every fourth client sends metrics, every eighth spans.
                kind = SignalKind.LOGS
                if number % 4 == 1:
                    kind = SignalKind.METRICS
                elif number % 8 == 2 and sort != "json":  # whose ids would be base64
                    kind = SignalKind.TRACES
                name = f"{sort}{number}"
                yield Client(name, connect(), kind, self.ledger, records=self._crowd.records)


def kill_under_load(server: RunningServer, load: Load, *, kills: int, seed: int) -> list[float]:
    """Kill and start the server at random moments; return the seconds until it was ready again.

    Before each kill something new was acknowledged, so that there is something to lose.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    ready_seconds: list[float] = []
    for _ in range(kills):
        acknowledged = load.ledger.answers.get("acknowledged", 0)
        while load.ledger.answers.get("acknowledged", 0) == acknowledged:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.9))
        server.kill()
        server.spawn()
        ready_seconds.append(server.wait_until_ready())
    return ready_seconds


@contextmanager
def load(server: RunningServer, crowd: Crowd | None = None) -> Iterator[Load]:
    """Let a crowd send to a server for a `with` block."""
    at_work = Load(server, crowd or Crowd())
    at_work.start()
    try:
        yield at_work
    finally:
        at_work.stop()
