"""What OTLP clients send over HTTP, and what they are told."""

import asyncio
import gzip
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import httpx
import pytest
import zstandard
from starlette.types import Receive, Scope, Send

from codometer.errors import Malformed, Overloaded, PortInUse, StoreBusy
from codometer.intake.limits import Limits
from codometer.intake.receivers.export import Accepted, Encoding, ExportRequest
from codometer.intake.receivers.http_server import HttpServer
from codometer.model.signal import SignalKind
from tests.receiving import (
    JSON,
    ON_UVLOOP,
    PROTOBUF,
    Raw,
    Receivers,
    make_post,
    receive,
    tighten,
    wait_until,
)

pytestmark = ON_UVLOOP

CAPTURES: Final = Path(__file__).parents[1] / "captures"
BODY: Final = (CAPTURES / "2.1.330-http-protobuf" / "001-logs.pb").read_bytes()
JSON_BODY: Final = (CAPTURES / "2.1.330-http-json" / "001-logs.json").read_bytes()


async def post(receivers: Receivers, path: str, content: bytes, **headers: str) -> httpx.Response:
    url = f"http://127.0.0.1:{receivers.http.port}{path}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient() as client:
        return await client.post(url, content=content, headers={"content-type": PROTOBUF, **named})


@pytest.mark.parametrize("kind", SignalKind)
async def test_an_export_is_handed_on_and_answered(kind: SignalKind) -> None:
    async with receive() as receivers:
        answer = await post(receivers, f"/v1/{kind}", BODY)
        (request,) = receivers.store.requests
    assert request == ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=BODY)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == PROTOBUF
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
async def test_json_is_answered_in_json(content_type: str) -> None:
    async with receive() as receivers:
        answer = await post(receivers, "/v1/logs", JSON_BODY, content_type=content_type)
        (request,) = receivers.store.requests
    assert (request.encoding, request.body) == (Encoding.JSON, JSON_BODY)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == JSON


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
    ],
)
@pytest.mark.parametrize("size", [len(BODY), 3_000_000])
async def test_a_compressed_export_is_inflated(
    name: str, write: Callable[[bytes], bytes], size: int
) -> None:
    body = (BODY * (size // len(BODY) + 1))[:size]
    async with receive() as receivers:
        answer = await post(receivers, "/v1/logs", write(body), content_encoding=name)
        assert receivers.budget.used_bytes == 0
        (request,) = receivers.store.requests
    assert answer.status_code == 200
    assert request.body == body


async def test_a_body_may_come_in_chunks_without_a_length() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(BODY), 100):
            yield BODY[at : at + 100]

    async with receive() as receivers, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{receivers.http.port}/v1/logs"
        answer = await client.post(url, content=chunks(), headers={"content-type": PROTOBUF})
        (request,) = receivers.store.requests
    assert answer.status_code == 200
    assert request.body == BODY


async def test_an_empty_body_succeeds() -> None:
    async with receive() as receivers:
        assert (await post(receivers, "/v1/logs", b"")).status_code == 200
        answer = await post(receivers, "/v1/logs", b"", content_encoding="gzip")
        assert answer.status_code == 200
        assert [request.body for request in receivers.store.requests] == [b"", b""]


async def test_a_connection_serves_one_export_after_the_other() -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        for _ in range(3):
            client.send(make_post(body=BODY))
            assert (await client.read_answer()).status == 200
        assert receivers.http.connections == 1


async def test_exports_sent_ahead_of_their_answers_are_served_in_order() -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post("/v1/logs") + make_post("/v1/traces") + make_post("/v1/metrics"))
        statuses = [(await client.read_answer()).status for _ in range(3)]
        assert statuses == [200, 200, 200]
        kinds = [request.kind for request in receivers.store.requests]
        assert kinds == [SignalKind.LOGS, SignalKind.TRACES, SignalKind.METRICS]


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on() -> None:
    expect = (("content-type", PROTOBUF), ("expect", "100-continue"))
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post(length=len(BODY), headers=expect))
        assert await client.read(len(b"HTTP/1.1 100 Continue\r\n\r\n")) == (
            b"HTTP/1.1 100 Continue\r\n\r\n"
        )
        client.send(BODY)
        assert (await client.read_answer()).status == 200


async def test_what_was_refused_is_said_in_the_answer() -> None:
    async with receive() as receivers:
        receivers.store.accepted = Accepted(rejected=3, message="too old")
        protobuf = await post(receivers, "/v1/metrics", BODY)
        text = await post(receivers, "/v1/metrics", b"{}", content_type=JSON)
    assert protobuf.status_code == text.status_code == 200
    assert protobuf.content == b"\x0a\x0b\x08\x03\x12\x07too old"
    assert text.json() == {"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "too old"}}


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Malformed("this is no protobuf"), 400, 3),
        (Overloaded("no room", hint="try again"), 503, 14),
        (StoreBusy("the folder is gone"), 503, 14),
        (RuntimeError("secret of the sender"), 503, 14),
    ],
)
async def test_only_what_is_wrong_for_good_is_refused_for_good(
    failure: Exception, status: int, code: int
) -> None:
    async with receive() as receivers:
        receivers.store.failures = [failure, failure]
        text = await post(receivers, "/v1/logs", b"{}", content_type=JSON)
        protobuf = await post(receivers, "/v1/logs", BODY)
        assert (await post(receivers, "/v1/logs", BODY)).status_code == 200
    assert text.status_code == protobuf.status_code == status
    assert text.json()["code"] == code
    assert protobuf.content[:2] == bytes([8, code])
    assert text.headers.get("retry-after") == ("1" if status == 503 else None)
    assert "secret" not in text.text


async def test_a_fault_of_ours_is_logged_with_its_traceback_and_no_body(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with receive() as receivers:
        receivers.store.failures = [RuntimeError("boom")]
        await post(receivers, "/v1/logs", b"prompt of a person")
        receivers.store.failures = [Overloaded("busy"), Malformed("garbled")]
        await post(receivers, "/v1/logs", b"")
        await post(receivers, "/v1/logs", b"")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "boom" in caplog.text
    assert "Traceback" in caplog.text
    assert "prompt of a person" not in caplog.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:4319"])
async def test_a_page_in_a_browser_sends_nothing(origin: str) -> None:
    async with receive() as receivers:
        answer = await post(receivers, "/v1/logs", BODY, origin=origin)
        assert answer.status_code == 403
        assert receivers.store.requests == []


async def test_headers_that_come_in_one_piece_are_bounded_too() -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post(headers=[("name", "a" * 30_000)] * 3))
        assert b"HTTP/1.1 400 " in await client.wait_until_closed()


async def test_an_unknown_path_says_where_to_send() -> None:
    async with receive() as receivers:
        for path in ("/", "/v1/logs/", "/v1/log", "/v1/logs%00", "//v1/logs"):
            answer = await post(receivers, path, BODY, content_type=JSON)
            assert answer.status_code == 404
            assert "/v1/metrics" in answer.json()["message"]
        assert receivers.store.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_refused_with_the_one_that_works(method: str) -> None:
    async with receive() as receivers, httpx.AsyncClient() as client:
        answer = await client.request(method, f"http://127.0.0.1:{receivers.http.port}/v1/logs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert method == "HEAD" or answer.json()["code"] == 12


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": ""},
        {"content_type": "application/x-protobuf, application/json"},
        {"content_encoding": "br"},
        {"content_encoding": "gzip, gzip"},
    ],
)
async def test_an_unknown_content_type_or_encoding_is_refused(headers: dict[str, str]) -> None:
    async with receive() as receivers:
        answer = await post(receivers, "/v1/logs", BODY, **headers)
        assert answer.status_code == 415
        assert receivers.store.requests == []


async def test_a_body_that_does_not_inflate_is_refused() -> None:
    async with receive() as receivers:
        answer = await post(receivers, "/v1/logs", BODY, content_encoding="gzip")
        assert answer.status_code == 400
        assert receivers.store.requests == []


async def test_a_body_of_exactly_the_limit_is_taken_and_one_more_byte_is_not() -> None:
    limit = 100_000
    async with receive(tighten(body_bytes=limit)) as receivers:
        for write, name in ((bytes, "identity"), (gzip.compress, "gzip")):
            just = await post(receivers, "/v1/logs", write(bytes(limit)), content_encoding=name)
            over = await post(receivers, "/v1/logs", write(bytes(limit + 1)), content_encoding=name)
            assert (just.status_code, over.status_code) == (200, 413)
            assert over.content[:2] == bytes([8, 8])
        assert receivers.budget.used_bytes == 0


async def test_an_announced_length_over_the_limit_is_refused_unread() -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post(length=2**31))
        answer = await client.read_answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert await client.wait_until_closed() == b""


async def test_when_the_budget_is_used_up_clients_are_asked_to_come_back() -> None:
    async with receive(tighten(budget_bytes=1000)) as receivers:
        answer = await post(receivers, "/v1/logs", bytes(1001))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await post(receivers, "/v1/logs", bytes(1000))).status_code == 200
        assert receivers.budget.used_bytes == 0


async def test_a_client_that_leaves_does_not_stop_its_export() -> None:
    async with receive() as receivers:
        receivers.store.may_finish.clear()
        async with await Raw.connect(receivers.http.port) as client:
            client.send(make_post(body=BODY))
            await receivers.store.started.wait()
        receivers.store.may_finish.set()
        await wait_until(lambda: not receivers.budget.used_bytes)
        assert len(receivers.store.requests) == 1


async def test_a_client_that_leaves_in_its_body_leaves_nothing_behind() -> None:
    async with receive() as receivers:
        async with await Raw.connect(receivers.http.port) as client:
            client.send(make_post(body=BODY, length=2 * len(BODY)))
            await wait_until(lambda: receivers.budget.used_bytes)
        await wait_until(lambda: not (receivers.budget.used_bytes or receivers.http.connections))
        assert receivers.store.requests == []


async def refuse(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotImplementedError


async def test_a_port_in_use_stops_the_start() -> None:
    async with receive() as receivers:
        second = HttpServer(refuse, host="127.0.0.1", port=receivers.http.port, limits=Limits())
        with pytest.raises(PortInUse, match=f"port {receivers.http.port} "):
            await second.start()
        await second.stop(1)


async def test_stopping_finishes_what_is_in_flight() -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as idle:
        idle.send(make_post(body=BODY))
        await idle.read_answer()
        receivers.store.may_finish.clear()
        receivers.store.started.clear()
        async with await Raw.connect(receivers.http.port) as client:
            client.send(make_post(body=BODY))
            await receivers.store.started.wait()
            stopping = asyncio.create_task(receivers.http.stop(30))
            assert await idle.wait_until_closed() == b""
            receivers.store.may_finish.set()
            assert (await client.read_answer()).status == 200
            await stopping
        with pytest.raises(ConnectionRefusedError):
            await Raw.connect(receivers.http.port)
        assert len(receivers.store.requests) == 2


async def test_when_the_grace_is_over_clients_are_asked_to_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with receive() as receivers:
        receivers.store.may_finish.clear()
        async with (
            await Raw.connect(receivers.http.port) as waiting,
            await Raw.connect(receivers.http.port) as sending,
        ):
            waiting.send(make_post(body=BODY))
            sending.send(make_post(body=BODY, length=2 * len(BODY)))
            await receivers.store.started.wait()
            await receivers.http.stop(0.2)
            for client in (waiting, sending):
                answer = await client.read_answer()
                assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert receivers.budget.used_bytes == 0
        assert receivers.http.connections == 0
    assert all(record.name == "uvicorn.error" for record in caplog.records)
