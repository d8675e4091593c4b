"""Whatever is sent, it is soon answered in good form, or the connection closes."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest
import uvloop
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import check_answers
from tests.receiving import JSON, PROTOBUF, make_post, receive, tighten

PATIENCE_SECONDS: Final = 5.0
# Short enough to find out about requests that never end.
LIMITS: Final = tighten(
    body_bytes=100_000, header_seconds=0.1, body_seconds=0.1, keep_alive_seconds=1
)

WRITERS: Final[list[Callable[[bytes], bytes]]] = [
    bytes,
    gzip.compress,
    zlib.compress,
    zstandard.compress,
]
METHODS: Final = st.sampled_from(
    ["POST", "GET", "HEAD", "PUT", "CONNECT", "post", "PRI", "M-SEARCH"]
)
PATHS: Final = st.sampled_from(["/v1/logs", "/v1/metrics", "/v1/traces"]) | st.text(
    st.characters(codec="latin1", exclude_characters=" \r\n"), max_size=30
)
CONTENT_TYPES: Final = st.sampled_from([PROTOBUF, JSON, f"{JSON}; charset=utf-8"]) | st.text(
    st.characters(codec="latin1", exclude_characters="\r\n"), max_size=30
)
CONTENT_ENCODINGS: Final = st.sampled_from(
    ["gzip", "deflate", "zstd", "identity", "br", "gzip,gzip"]
)
HEADERS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("content-type"), CONTENT_TYPES),
        st.tuples(st.just("content-encoding"), CONTENT_ENCODINGS),
        st.tuples(
            st.sampled_from(["connection", "upgrade", "expect", "transfer-encoding", "x"]),
            st.sampled_from(
                ["close", "upgrade", "h2c", "100-continue", "chunked", "keep-alive", ""]
            ),
        ),
    ),
    max_size=5,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    body = draw(st.binary(max_size=200)) * draw(st.sampled_from([1, 1, 1, 1000]))
    write = draw(st.sampled_from(WRITERS))
    written = bytearray(write(body))
    if written and draw(st.booleans()):
        written[draw(st.integers(0, len(written) - 1))] ^= draw(st.integers(1, 255))
    end = draw(st.integers(0, len(written))) if draw(st.booleans()) else len(written)
    return bytes(written[:end])


@dataclass(frozen=True, slots=True)
class Target:
    port: int

    def send(self, data: bytes) -> bytes:
        """Return all that the server answers before it closes."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as client:
            client.settimeout(PATIENCE_SECONDS)
            answered = bytearray()
            try:
                client.sendall(data)
                while piece := client.recv(65536):
                    answered += piece
            except ConnectionError:
                pass
            return bytes(answered)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """Serve in another thread, because the tests of hypothesis are no coroutines."""
    port: Future[int] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        async with receive(LIMITS) as receivers:
            port.set_result(receivers.http.port)
            await stop.wait()
            assert receivers.budget.used_bytes == 0

    with (
        pytest.MonkeyPatch.context() as patch,
        ThreadPoolExecutor(1) as thread,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        patch.setattr("codometer.intake.receivers.otlp_http._LINGER_SECONDS", 0.05)
        serving = thread.submit(runner.run, serve())
        yield Target(port.result(PATIENCE_SECONDS))
        runner.get_loop().call_soon_threadsafe(stop.set)
        serving.result(PATIENCE_SECONDS)


@given(
    method=METHODS,
    path=PATHS,
    headers=HEADERS,
    body=bodies(),
    missing=st.sampled_from([0, 0, 0, 1, 1000]),
)
def test_any_request_is_answered_or_its_connection_closed(
    *,
    target: Target,
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    body: bytes,
    missing: int,
) -> None:
    closing = [*headers, ("connection", "close")]
    request = make_post(path, body, length=len(body) + missing, headers=closing)
    if method != "HEAD":  # whose answers have no body, which check_answers expects
        request = request.replace(b"POST", method.encode(), 1)
    statuses = check_answers(target.send(request))
    assert set(statuses) <= {200, 400, 404, 405, 408, 413, 415}


@given(kind=st.sampled_from(["/v1/logs", "/v1/traces"]), body=bodies(), name=CONTENT_ENCODINGS)
def test_any_body_is_taken_or_refused(target: Target, kind: str, body: bytes, name: str) -> None:
    headers = [("content-type", PROTOBUF), ("content-encoding", name), ("connection", "close")]
    (status,) = check_answers(target.send(make_post(kind, body, headers=headers)))
    assert status in {200, 400, 413, 415}


@given(data=st.binary(max_size=300))
def test_any_bytes_are_survived(target: Target, data: bytes) -> None:
    assert set(check_answers(target.send(data))) <= {400, 404, 405}


@given(head=st.binary(max_size=100), data=st.data())
def test_a_damaged_request_is_survived(target: Target, head: bytes, data: st.DataObject) -> None:
    headers = [("content-type", PROTOBUF), ("connection", "close")]
    request = bytearray(make_post(body=head, headers=headers))
    for _ in range(data.draw(st.integers(1, 3))):
        request[data.draw(st.integers(0, len(request) - 1))] = data.draw(st.integers(0, 255))
    statuses = check_answers(target.send(bytes(request)))
    assert set(statuses) <= {200, 400, 404, 405, 408, 413, 415}


def test_after_all_that_it_still_serves(target: Target) -> None:
    headers = [("content-type", PROTOBUF), ("connection", "close")]
    assert check_answers(target.send(make_post(body=b"\x0a\x00", headers=headers))) == [200]
