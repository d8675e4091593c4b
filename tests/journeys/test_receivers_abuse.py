"""What anyone may do to a port, in small; tests/prove/test_abuse.py does it at length."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.receiving import (
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

HURRIED = tighten(header_seconds=0.2, body_seconds=0.2, keep_alive_seconds=1)
CHUNKED = make_post(headers=[("content-type", PROTOBUF), ("transfer-encoding", "chunked")]).replace(
    b"content-length: 0\r\n", b""
)


@asynccontextmanager
async def keep_sending(
    client: Raw, piece: bytes, *, every_seconds: float = 0
) -> AsyncIterator[None]:
    async def send() -> None:
        while True:
            client.send(piece)
            await client.drain()
            await asyncio.sleep(every_seconds)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.wait([sending])


async def assert_others_are_served(receivers: Receivers) -> None:
    async with await Raw.connect(receivers.http.port) as client:
        client.send(make_post(body=b"\x0a\x00"))
        assert (await client.read_answer(timeout_seconds=2)).status == 200


@pytest.mark.parametrize("begun", [b"", b"POST", b"POST /v1/logs HTTP/1.1\r\nhost: x\r\n", b"\r\n"])
async def test_headers_that_never_end_are_given_up(begun: bytes) -> None:
    async with receive(HURRIED) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(begun)
        assert await client.wait_until_closed(timeout_seconds=2) == b""


@pytest.mark.parametrize("begun", [b"P", b"POST /v1/logs HTTP/1.1\r\nhost: x\r\n", b"\r\n"])
async def test_the_second_request_of_a_connection_has_no_more_time(begun: bytes) -> None:
    async with receive(HURRIED) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post())
        await client.read_answer()
        client.send(begun)
        assert await client.wait_until_closed(timeout_seconds=0.9) == b""


@pytest.mark.parametrize(("begun", "drop"), [(b"POST /", b"a"), (b"", b"\r\n")])
async def test_headers_that_come_in_drops_are_given_up(begun: bytes, drop: bytes) -> None:
    async with receive(HURRIED) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post())
        await client.read_answer()
        client.send(begun)
        async with keep_sending(client, drop, every_seconds=0.02):
            assert await client.wait_until_closed(timeout_seconds=0.9) == b""


async def test_an_idle_connection_is_closed_in_the_end() -> None:
    async with receive(HURRIED) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post())
        await client.read_answer()
        assert await client.wait_until_closed(timeout_seconds=2) == b""


@pytest.mark.parametrize("drop", [b"", b"\x0a"])
async def test_a_body_that_comes_too_slowly_is_refused(drop: bytes) -> None:
    async with receive(HURRIED) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post(length=10_000))
        async with keep_sending(client, drop, every_seconds=0.02):
            answer = await client.read_answer(timeout_seconds=2)
            assert (answer.status, answer.headers["connection"]) == (408, "close")
            await client.wait_until_closed(timeout_seconds=2)
        assert receivers.budget.used_bytes == 0


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"POST /v1/logs HTTP/1.1\r\nname: ", b"a" * 10_000),
        (b"POST /v1/logs HTTP/1.1\r\n", b"name: value\r\n" * 1000),
        (b"POST /", b"a" * 10_000),
        (CHUNKED + b"1;", b"a" * 10_000),
        (CHUNKED, b"1\r\na\r\n" * 1000),
        (CHUNKED + b"0\r\n", b"name: value\r\n" * 1000),
        (CHUNKED + b"0\r\nname: ", b"a" * 10_000),
    ],
    ids=["a header", "headers", "a path", "a chunk's size", "tiny chunks", "trailers", "a trailer"],
)
async def test_what_is_around_the_body_may_not_grow_for_ever(begun: bytes, more: bytes) -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(begun)
        async with keep_sending(client, more):
            answered = await client.wait_until_closed(timeout_seconds=5)
        assert answered == b"" or answered.startswith(b"HTTP/1.1 400 ")
        assert receivers.store.requests == []
        await wait_until(lambda: not receivers.budget.used_bytes)


async def test_a_stream_without_an_end_is_refused_at_the_limit() -> None:
    limits = tighten(body_bytes=1_000_000)
    async with receive(limits) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(CHUNKED)
        async with keep_sending(client, b"10000\r\n" + bytes(0x10000) + b"\r\n"):
            answer = await client.read_answer()
            assert (answer.status, answer.headers["connection"]) == (413, "close")
            await assert_others_are_served(receivers)
            await client.wait_until_closed(timeout_seconds=3)
        assert receivers.budget.used_bytes == 0


async def test_a_bomb_is_refused_while_others_are_served() -> None:
    bomb = gzip.compress(bytes(80_000_000), 1)
    gzipped = [("content-type", PROTOBUF), ("content-encoding", "gzip")]
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post(body=bomb, headers=gzipped))
        await wait_until(lambda: receivers.budget.used_bytes > 2 * len(bomb))
        await assert_others_are_served(receivers)
        assert receivers.budget.used_bytes
        assert (await client.read_answer()).status == 413
        assert receivers.budget.used_bytes == 0


async def test_too_many_requests_sent_ahead_are_refused() -> None:
    async with receive() as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post() * 100)
        assert b"HTTP/1.1 400 " in await client.wait_until_closed()
        await assert_others_are_served(receivers)


async def test_one_connection_too_many_is_asked_to_come_back() -> None:
    async with receive(tighten(connections=3)) as receivers:
        clients = [await Raw.connect(receivers.http.port) for _ in range(3)]
        await wait_until(lambda: receivers.http.connections == 3)
        async with await Raw.connect(receivers.http.port) as late:
            answer = await late.read_answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            await late.wait_until_closed()
        await clients.pop().close()
        await wait_until(lambda: receivers.http.connections == 2)
        await assert_others_are_served(receivers)
        for client in clients:
            await client.close()


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_no_other_protocol_is_spoken(protocol: str) -> None:
    upgrade = [("connection", "upgrade"), ("upgrade", protocol), ("content-type", PROTOBUF)]
    async with receive(HURRIED) as receivers, await Raw.connect(receivers.http.port) as client:
        client.send(make_post(headers=upgrade))
        assert (await client.read_answer()).status == 200
        client.send(b"\x81\x85 and frames")
        await client.wait_until_closed(timeout_seconds=2)
        await wait_until(lambda: not receivers.http.connections)


async def test_hundreds_of_clients_who_only_begin_do_not_disturb_the_others() -> None:
    async with receive() as receivers:
        begun = (b"", b"POST /v1/logs HTTP/1.1\r\n", make_post(length=1000), make_post())
        idle = [await Raw.connect(receivers.http.port) for _ in range(300)]
        for number, client in enumerate(idle):
            client.send(begun[number % len(begun)])
        await wait_until(lambda: receivers.http.connections == 300)
        await asyncio.gather(*(assert_others_are_served(receivers) for _ in range(100)))
        for client in idle:
            await client.close()
