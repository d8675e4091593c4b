"""What anyone may do to a port, at full size, with figures; run by `make prove`.

The receivers run in a process of their own, before a store that takes
everything, and once more in the whole server.
"""

import asyncio
import contextlib
import gzip
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Final, Self

import grpc
import grpc.aio
import pytest

from codometer.intake.limits import Limits, allow_connections
from tests.receiving import (
    EXPORT_LOGS,
    ON_UVLOOP,
    PROTOBUF,
    Answer,
    Raw,
    begin_message,
    make_post,
    open_call,
)

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc"),
    *ON_UVLOOP,
]

ROOT: Final = Path(__file__).parents[2]
BODY: Final = (ROOT / "tests" / "captures" / "2.1.330-http-protobuf" / "001-logs.pb").read_bytes()
MIB: Final = 2**20
LIMITS: Final = Limits()
CHUNKED: Final = make_post(
    headers=[("content-type", PROTOBUF), ("transfer-encoding", "chunked")]
).replace(b"content-length: 0\r\n", b"")
GZIPPED: Final = [("content-type", PROTOBUF), ("content-encoding", "gzip")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A process that serves, and its memory."""

    http_port: int
    grpc_port: int
    process_id: int

    def forget_peak(self) -> float:
        """Begin a new peak; return what is resident now, in MiB."""
        Path(f"/proc/{self.process_id}/clear_refs").write_text("5", encoding="ascii")
        return self._memory_mib("VmRSS")

    def peak_mib(self) -> float:
        return self._memory_mib("VmHWM")

    def _memory_mib(self, name: str) -> float:
        status = Path(f"/proc/{self.process_id}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith(name))
        return int(line.split()[1]) / 1024


@pytest.fixture(params=["store", "server"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    allow_connections(8192)
    command = [sys.executable, "-m", "tests.prove.served", request.param, str(tmp_path / "data")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        http_port, grpc_port = map(int, process.stdout.readline().split())
        yield Target(http_port=http_port, grpc_port=grpc_port, process_id=process.pid)
        process.stdin.close()
        assert process.wait(60) == 0


class Others:
    """Well-behaved clients beside the abuse, by HTTP and by gRPC, ten exports a second each."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stop = asyncio.Event()
        self._seconds: dict[str, list[float]] = {"HTTP": [], "gRPC": []}

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._use_http()), asyncio.create_task(self._use_grpc())]
        await asyncio.sleep(0.5)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.5)
        self._stop.set()
        await asyncio.gather(*self._tasks)
        for name, seconds in self._seconds.items():
            print(f"  {name} beside it, {len(seconds)} exports: {describe(seconds)}")  # noqa: T201

    def worst_seconds(self) -> float:
        return max(max(seconds) for seconds in self._seconds.values())

    async def _use_http(self) -> None:
        async with await Raw.connect(self._target.http_port) as client:
            await self._repeat("HTTP", lambda: export(client))

    async def _use_grpc(self) -> None:
        async with open_channel(self._target) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)

            async def export_once() -> None:
                await call(BODY, timeout=10)

            await self._repeat("gRPC", export_once)

    async def _repeat(self, name: str, once: Callable[[], Awaitable[None]]) -> None:
        while not self._stop.is_set():
            began = time.perf_counter()
            await once()
            self._seconds[name].append(time.perf_counter() - began)
            await asyncio.sleep(0.1)


async def export(client: Raw) -> None:
    client.send(make_post(body=BODY))
    answer = await client.read_answer()
    assert answer.status == 200


def open_channel(target: Target, compression: grpc.Compression | None = None) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(
        f"127.0.0.1:{target.grpc_port}",
        compression=compression,
        options=[("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)],
    )


def describe(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100)
    return (
        f"median {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
        f"worst {max(seconds) * 1000:.1f} ms"
    )


def report(target: Target, what: str, before_mib: float) -> float:
    """Print the memory figures; return by how much the peak exceeds what there was before."""
    peak_mib = target.peak_mib()
    print(f"\n  {what}: {before_mib:.0f} MiB before, {peak_mib:.0f} MiB at the most")  # noqa: T201
    return peak_mib - before_mib


def report_refusals(answers: list[Answer], codes: list[grpc.StatusCode]) -> None:
    statuses = Counter(answer.status for answer in answers)
    names = Counter(code.name for code in codes)
    print(f"  HTTP {dict(statuses)}, gRPC {dict(names)}")  # noqa: T201


async def read_late_answer(client: Raw) -> Answer:
    return await client.read_answer(timeout_seconds=60)


@asynccontextmanager
async def connect_many(port: int, count: int) -> AsyncIterator[list[Raw]]:
    clients: list[Raw] = []
    try:
        for _ in range(count):
            clients.append(await Raw.connect(port))  # noqa: PERF401 - those made are closed
        yield clients
    finally:
        for client in clients:
            await client.close()


async def test_two_thousand_idle_and_one_thousand_sending(target: Target) -> None:
    before_mib = target.forget_peak()
    seconds: list[float] = []

    async def send_some(client: Raw) -> None:
        for _ in range(5):
            began = time.perf_counter()
            await export(client)
            seconds.append(time.perf_counter() - began)

    async with (
        connect_many(target.http_port, 2000) as idle,
        connect_many(target.http_port, 1000) as sending,
    ):
        await asyncio.gather(*(export(client) for client in idle))
        began = time.perf_counter()
        await asyncio.gather(*(send_some(client) for client in sending))
        rate = len(seconds) / (time.perf_counter() - began)
        await asyncio.gather(*(export(client) for client in idle))
    more_mib = report(target, "2,000 idle, 1,000 sending", before_mib)
    print(f"  {rate:.0f} exports a second, 1,000 at once: {describe(seconds)}")  # noqa: T201
    assert more_mib < 600


async def test_requests_that_are_only_begun(target: Target) -> None:
    before_mib = target.forget_peak()
    async with (
        connect_many(target.http_port, 1000) as heads,
        connect_many(target.http_port, 1000) as bodies,
        connect_many(target.grpc_port, 500) as calls,
        Others(target) as others,
    ):
        began = time.perf_counter()
        for client in heads:
            client.send(b"POST /v1/logs HTTP/1.1\r\nhost: x\r\n")
        for client in bodies:
            client.send(make_post(body=BODY, length=2 * len(BODY)))
        for client in calls:
            client.send(open_call() + begin_message(len(BODY), BODY[:100]))
        for client in heads:
            assert await client.wait_until_closed() == b""
        heads_seconds = time.perf_counter() - began
        for client in bodies:
            assert (await read_late_answer(client)).status == 408
        bodies_seconds = time.perf_counter() - began
        more_mib = report(target, "1,000 heads, 1,000 bodies, 500 calls half sent", before_mib)
        print(f"  closed after {heads_seconds:.1f} and {bodies_seconds:.1f} s")  # noqa: T201
    assert heads_seconds < LIMITS.header_seconds + 5
    assert bodies_seconds < LIMITS.body_seconds + 10
    assert others.worst_seconds() < LIMITS.hold_seconds
    assert more_mib < 256


async def test_forty_bombs_at_once(target: Target) -> None:
    bomb = gzip.compress(bytes(400 * MIB))
    before_mib = target.forget_peak()
    async with (
        connect_many(target.http_port, 20) as clients,
        open_channel(target) as channel,
        Others(target) as others,
    ):
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
        calls = [call(bomb) for _ in range(20)]
        for client in clients:
            client.send(make_post(body=bomb, headers=GZIPPED))
        answers = await asyncio.gather(*(read_late_answer(client) for client in clients))
        codes = [await one.code() for one in calls]
        more_mib = report(target, "40 bombs of 400 MiB, 20 by each protocol", before_mib)
        report_refusals(answers, codes)
    assert {answer.status for answer in answers} <= {413, 503}
    assert set(codes) <= {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
    assert others.worst_seconds() < LIMITS.hold_seconds
    assert more_mib < LIMITS.budget_bytes / MIB + 128


async def test_a_stream_of_two_gibibytes(target: Target) -> None:
    before_mib = target.forget_peak()
    piece = b"100000\r\n" + bytes(MIB) + b"\r\n"
    sent_mib = 0
    async with await Raw.connect(target.http_port) as client, Others(target) as others:
        client.send(CHUNKED)
        with contextlib.suppress(ConnectionError):
            while sent_mib < 2048:
                client.send(piece)
                await client.drain()
                sent_mib += 1
        more_mib = report(target, "a stream of 2 GiB", before_mib)
        print(f"  {sent_mib} MiB could be sent")  # noqa: T201
    assert sent_mib < 2 * LIMITS.body_bytes / MIB
    assert others.worst_seconds() < LIMITS.hold_seconds
    assert more_mib < 3 * LIMITS.body_bytes / MIB


async def test_more_large_bodies_than_the_budget_holds(target: Target) -> None:
    large = bytes(60 * MIB)
    before_mib = target.forget_peak()
    async with (
        connect_many(target.http_port, 16) as clients,
        open_channel(target) as channel,
        Others(target) as others,
    ):
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
        calls = [call(large[: 30 * MIB]) for _ in range(16)]
        for client in clients:
            client.send(make_post(body=large[:-1], length=len(large)))
        answers = await asyncio.gather(*(read_late_answer(client) for client in clients))
        codes = [await one.code() for one in calls]
        more_mib = report(target, "16 bodies of 60 MiB, 16 messages of 30 MiB", before_mib)
        report_refusals(answers, codes)
    assert {answer.status for answer in answers} <= {408, 503}
    assert others.worst_seconds() < LIMITS.hold_seconds
    assert more_mib < 1024


async def test_more_connections_than_are_allowed(target: Target) -> None:
    before_mib = target.forget_peak()
    async with Others(target) as others:
        async with connect_many(target.http_port, LIMITS.connections + 500) as clients:
            late = [await client.wait_until_closed() for client in clients[-100:]]
            more_mib = report(target, f"{len(clients)} connections", before_mib)
        assert all(answered.startswith(b"HTTP/1.1 503 ") for answered in late)
    async with await Raw.connect(target.http_port) as client:
        await export(client)
    assert others.worst_seconds() < LIMITS.hold_seconds
    assert more_mib < 256
