"""What OTLP clients send over gRPC, and what they are told."""

import asyncio
import logging
import socket
from pathlib import Path
from typing import Final

import grpc
import grpc.aio
import pytest

from codometer.errors import BadSettings, Malformed, Overloaded, PortInUse, StoreBusy
from codometer.intake.limits import ByteBudget, Limits
from codometer.intake.receivers import answer, otlp_grpc
from codometer.intake.receivers.export import Accepted, Encoding, ExportRequest
from codometer.intake.receivers.otlp_grpc import OtlpGrpc
from codometer.model.signal import SignalKind
from tests.receiving import (
    EXPORT_LOGS,
    EXPORT_METRICS,
    EXPORT_TRACES,
    ON_UVLOOP,
    Raw,
    Receivers,
    Store,
    admit_all,
    begin_message,
    open_call,
    receive,
    tighten,
    wait_until,
)

pytestmark = ON_UVLOOP

CAPTURES: Final = Path(__file__).parents[1] / "captures"
BODY: Final = (CAPTURES / "2.1.330-grpc" / "001-logs.pb").read_bytes()


async def call(
    receivers: Receivers,
    body: bytes,
    *,
    path: str = EXPORT_LOGS,
    compression: grpc.Compression | None = None,
) -> bytes:
    async with receivers.channel(compression) as channel:
        export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
        return await export(body, timeout=20)


async def call_in_vain(
    receivers: Receivers, body: bytes, *, path: str = EXPORT_LOGS
) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(receivers, body, path=path)
    return caught.value


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (EXPORT_LOGS, SignalKind.LOGS),
        (EXPORT_METRICS, SignalKind.METRICS),
        (EXPORT_TRACES, SignalKind.TRACES),
    ],
)
async def test_an_export_is_handed_on_and_answered(path: str, kind: SignalKind) -> None:
    async with receive() as receivers:
        assert await call(receivers, BODY, path=path) == b""
        (request,) = receivers.store.requests
        assert receivers.budget.used_bytes == 0
    assert request == ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=BODY)


@pytest.mark.parametrize("compression", grpc.Compression)
@pytest.mark.parametrize("size", [len(BODY), 3_000_000])
async def test_a_compressed_export_is_inflated(compression: grpc.Compression, size: int) -> None:
    body = (BODY * (size // len(BODY) + 1))[:size]
    async with receive() as receivers:
        await call(receivers, body, compression=compression)
        (request,) = receivers.store.requests
        assert request.body == body


async def test_an_empty_request_succeeds() -> None:
    async with receive() as receivers:
        assert await call(receivers, b"") == b""
        assert [request.body for request in receivers.store.requests] == [b""]


async def test_what_was_refused_is_said_in_the_answer() -> None:
    async with receive() as receivers:
        receivers.store.accepted = Accepted(rejected=3, message="too old")
        assert await call(receivers, BODY) == b"\x0a\x0b\x08\x03\x12\x07too old"


@pytest.mark.parametrize("failure", [Malformed("this is no protobuf")])
async def test_a_malformed_export_is_refused_for_good(failure: Exception) -> None:
    async with receive() as receivers:
        receivers.store.failures = [failure]
        error = await call_in_vain(receivers, BODY)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "this is no protobuf"


async def test_a_message_that_does_not_inflate_is_refused_for_good() -> None:
    async with receive() as receivers:
        error = await call_in_vain(receivers, b"\x1f\x8b and nothing of gzip")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_without_a_message_is_refused_for_good() -> None:
    async with receive() as receivers, receivers.channel() as channel:
        export: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(EXPORT_LOGS)
        with pytest.raises(grpc.aio.AioRpcError, match="carries no message"):
            await export(iter(()))


async def test_only_a_message_over_the_limit_exhausts_a_resource() -> None:
    async with receive(tighten(body_bytes=100_000)) as receivers:
        await call(receivers, bytes(100_000))
        await call(receivers, bytes(100_000), compression=grpc.Compression.Gzip)
        assert (await call_in_vain(receivers, bytes(100_001))).code() is (
            grpc.StatusCode.RESOURCE_EXHAUSTED
        )
        with pytest.raises(grpc.aio.AioRpcError, match="when decompressed") as caught:
            await call(receivers, bytes(100_001), compression=grpc.Compression.Gzip)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert receivers.budget.used_bytes == 0


async def test_an_unknown_method_is_not_implemented() -> None:
    async with receive() as receivers:
        error = await call_in_vain(receivers, BODY, path="/opentelemetry.Nothing/Export")
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_under_pressure_a_call_is_held_until_there_is_room() -> None:
    async with receive() as receivers:
        receivers.store.failures = [Overloaded("busy"), Overloaded("busy")]
        assert await call(receivers, BODY) == b""
        assert len(receivers.store.requests) == 1


async def test_a_call_is_held_until_the_budget_has_room() -> None:
    async with receive(tighten(budget_bytes=len(BODY))) as receivers:
        receivers.store.may_finish.clear()
        first = asyncio.create_task(call(receivers, BODY))
        await receivers.store.started.wait()
        second = asyncio.create_task(call(receivers, BODY))
        await asyncio.sleep(0.1)
        assert not second.done()
        receivers.store.may_finish.set()
        assert (await first, await second) == (b"", b"")


async def test_a_call_held_too_long_is_told_to_come_back() -> None:
    async with receive(tighten(hold_seconds=0.3)) as receivers:
        receivers.store.failures = [Overloaded("busy", hint="try again") for _ in range(9)]
        error = await call_in_vain(receivers, BODY)
        assert receivers.budget.used_bytes == 0
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error.details() == "busy; try again"
    details = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    assert details == answer.retry_status("busy; try again", seconds=1)


@pytest.mark.parametrize("failure", [StoreBusy("the folder is gone"), RuntimeError("boom")])
async def test_a_fault_of_ours_may_be_tried_again_and_is_logged(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with receive() as receivers:
        receivers.store.failures = [failure]
        error = await call_in_vain(receivers, b"prompt of a person")
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "boom" not in (error.details() or "")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "Traceback" in caplog.text
    assert "prompt of a person" not in caplog.text


async def test_a_client_that_leaves_does_not_stop_its_export() -> None:
    async with receive() as receivers:
        receivers.store.may_finish.clear()
        leaving = asyncio.create_task(call(receivers, BODY))
        await receivers.store.started.wait()
        leaving.cancel()
        await asyncio.wait([leaving])
        receivers.store.may_finish.set()
        await wait_until(lambda: receivers.store.requests)
        await wait_until(lambda: not receivers.budget.used_bytes)


async def test_a_message_half_sent_is_given_up() -> None:
    async with receive(tighten(body_seconds=0.2)) as receivers:
        async with await Raw.connect(receivers.rpc.port) as client:
            client.send(open_call() + begin_message(1000, b"\x0a"))
            answered = b""
            while b"did not arrive in time" not in answered:
                answered += await client.read(1)
        assert await call(receivers, BODY) == b""
        assert receivers.budget.used_bytes == 0


async def test_messages_half_sent_do_not_keep_others_waiting_for_long() -> None:
    async with receive() as receivers:
        slow = [await Raw.connect(receivers.rpc.port) for _ in range(300)]
        for client in slow[:200]:
            client.send(open_call() + begin_message(1000, b"\x0a"))
        exporting = asyncio.create_task(call(receivers, BODY))
        for client in slow[200:]:
            client.send(open_call() + begin_message(1000, b"\x0a"))
        async with asyncio.timeout(8):
            assert await exporting == b""
        for client in slow:
            await client.close()


async def test_a_port_in_use_stops_the_start() -> None:
    async with receive() as receivers:
        for port in (receivers.rpc.port, receivers.http.port):
            with pytest.raises(PortInUse, match=f"port {port} "):
                await make_server(port).start()


async def test_a_port_taken_in_the_last_moment_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with receive() as receivers:
        monkeypatch.setattr(otlp_grpc, "bind", lambda *_: socket.socket())
        with pytest.raises(PortInUse):
            await make_server(receivers.rpc.port).start()


async def test_an_address_of_another_machine_stops_the_start() -> None:
    with pytest.raises(BadSettings):
        await make_server(0, host="192.0.2.1").start()  # reserved for documentation


def make_server(port: int, host: str = "127.0.0.1") -> OtlpGrpc:
    limits = Limits()
    budget = ByteBudget(limits.budget_bytes)
    return OtlpGrpc(
        Store().accept,
        authenticate=admit_all,
        host=host,
        port=port,
        limits=limits,
        budget=budget,
    )


async def test_stopping_finishes_what_is_in_flight() -> None:
    async with receive() as receivers:
        receivers.store.may_finish.clear()
        calling = asyncio.create_task(call(receivers, BODY))
        await receivers.store.started.wait()
        stopping = asyncio.create_task(receivers.rpc.stop(30))
        await asyncio.sleep(0.05)
        assert not stopping.done()
        receivers.store.may_finish.set()
        assert await calling == b""
        await stopping
        with pytest.raises(ConnectionRefusedError):
            await Raw.connect(receivers.rpc.port)


async def test_stopping_does_not_wait_longer_than_its_grace() -> None:
    async with receive() as receivers:
        receivers.store.may_finish.clear()
        calling = asyncio.create_task(call(receivers, BODY))
        await receivers.store.started.wait()
        async with asyncio.timeout(5):
            await receivers.rpc.stop(0.1)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calling
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_that_never_started_stops_at_once() -> None:
    await make_server(0).stop(1)
