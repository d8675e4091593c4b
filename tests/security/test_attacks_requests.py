"""Attacks by how a request is put: its framing, size, method, host and path, byte for byte.

Both HTTP ports are tried wherever both could fall for it. Each name of a test is
an attack that was tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.receiving import ON_UVLOOP, Raw
from tests.running import RunningServer, running
from tests.security.local import report

pytestmark = [pytest.mark.slow, *ON_UVLOOP]

SMUGGLED: Final = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
PORTS: Final = ("api", "otlp")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    hurried = {
        "CODOMETER_INGEST_HEADER_TIMEOUT_SECONDS": "1",
        "CODOMETER_INGEST_KEEP_ALIVE_SECONDS": "1",
        "CODOMETER_INGEST_IDLE_TIMEOUT_SECONDS": "1",
    }
    with running(tmp_path_factory.mktemp("local"), environment=hurried) as started:
        yield started


async def send(port: int, data: bytes) -> bytes:
    """Send bytes, then nothing more, and return all that comes back until the server closes."""
    async with await Raw.connect(port) as client:
        client.send(data)
        return await client.wait_until_closed()


def statuses(answered: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", answered)]


def frame(*headers: str, body: bytes = b"") -> bytes:
    lines = ["POST /v1/logs HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin1") + body


CHUNKED: Final = b"0\r\n\r\n" + SMUGGLED
FRAMINGS: Final = {
    "two lengths": frame("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED),
    "a list of lengths": frame(f"Content-Length: 0, {len(SMUGGLED)}", body=SMUGGLED),
    "a length and chunks": frame(
        f"Content-Length: {len(CHUNKED)}", "Transfer-Encoding: chunked", body=CHUNKED
    ),
    "chunks and a length": frame(
        "Transfer-Encoding: chunked", f"Content-Length: {len(CHUNKED)}", body=CHUNKED
    ),
    "an unknown coding": frame("Transfer-Encoding: xchunked", body=CHUNKED),
    "chunks that are not last": frame("Transfer-Encoding: chunked, identity", body=CHUNKED),
    "a space before the colon": frame("Transfer-Encoding : chunked", body=CHUNKED),
    "a space before the name": frame("X: y", " Transfer-Encoding: chunked", body=CHUNKED),
    "a signed length": frame("Content-Length: +0", body=SMUGGLED),
    "a negative length": frame("Content-Length: -1", body=SMUGGLED),
    "a length in hex": frame("Content-Length: 0x0", body=SMUGGLED),
    "a length with a blank": frame("Content-Length: 0 0", body=SMUGGLED),
    "a chunk of no size": frame("Transfer-Encoding: chunked", body=b"\r\n" + CHUNKED),
    "a chunk of a signed size": frame("Transfer-Encoding: chunked", body=b"-1\r\n" + CHUNKED),
    "a chunk of an endless size": frame(
        "Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\n" + CHUNKED
    ),
    "a chunk longer than it says": frame(
        "Transfer-Encoding: chunked", body=b"1\r\nabc\r\n" + CHUNKED
    ),
    "a null in a header": frame("X: a\0b", "Transfer-Encoding: chunked", body=CHUNKED),
    "a bare return in a header": frame("X: a\rTransfer-Encoding: chunked", body=SMUGGLED),
}


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_request_smuggling(server: RunningServer, port: str, framing: str) -> None:
    answered = await send(getattr(server.ports, port), FRAMINGS[framing])
    assert statuses(answered) == [400]
    assert b"smuggled" not in answered


@pytest.mark.parametrize("port", PORTS)
async def test_request_smuggling_by_a_body_that_is_not_read(
    server: RunningServer, port: str
) -> None:
    length = f"Content-Length: {len(SMUGGLED)}"
    refused = frame(length, body=SMUGGLED).replace(b"/v1/logs", b"/nowhere")
    answered = await send(getattr(server.ports, port), refused)
    assert statuses(answered) == [404]


async def test_request_smuggling_by_http_1_at_the_port_of_grpc(server: RunningServer) -> None:
    for framing in (SMUGGLED, *FRAMINGS.values()):
        answered = await send(server.ports.grpc, framing)
        assert b"HTTP/1.1 200" not in answered
        assert b"smuggled" not in answered


@pytest.mark.parametrize(
    "begun",
    [
        b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Secret: kept\r\n\r\n",
        b"TRACK / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Secret: kept\r\n\r\n",
        b"PROPFIND / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"G" * 5_000 + b" / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    ],
)
@pytest.mark.parametrize("port", PORTS)
async def test_odd_methods_and_protocols(server: RunningServer, port: str, begun: bytes) -> None:
    answered = await send(getattr(server.ports, port), begun)
    assert set(statuses(answered)) <= {400, 404, 405, 421}
    assert b"kept" not in answered


HOSTS: Final = (
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.0.0.1@evil.example",
    "evil.example#127.0.0.1",
    "evil.example/127.0.0.1",
    "[::1].evil.example",
    "2130706433",
    "0x7f.0.0.1",
    "0.0.0.0",  # noqa: S104 - a name to be refused
    "::ffff:8.8.8.8",
    "169.254.169.254",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
async def test_dns_rebinding_by_host(server: RunningServer, host: str) -> None:
    asked = f"GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: localhost\r\n"
    answered = await send(server.ports.api, f"{asked}Connection: close\r\n\r\n".encode())
    assert statuses(answered) == [421]
    assert b"storage" not in answered


@pytest.mark.parametrize(
    "asked",
    [
        "GET /api/v1/status HTTP/1.1\r\n\r\n",
        "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n",
        "GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET /api/v1/status HTTP/1.0\r\n\r\n",
    ],
)
async def test_dns_rebinding_by_a_host_that_is_missing_or_said_twice(
    server: RunningServer, asked: str
) -> None:
    answered = await send(server.ports.api, asked.encode())
    assert set(statuses(answered)) <= {400, 421}
    assert b"storage" not in answered


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8000"])
async def test_dns_rebinding_by_a_page_that_sends_telemetry(
    server: RunningServer, origin: str
) -> None:
    headers = {"origin": origin, "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=server.otlp_url, trust_env=False, timeout=60) as page:
        sent = await page.post("/v1/logs", content="{}", headers=headers)
        preflight = await page.options("/v1/logs", headers=headers)
    assert (sent.status_code, preflight.status_code) == (403, 405)
    assert not any(
        name.startswith("access-control") for name in (*sent.headers, *preflight.headers)
    )


TRAVERSALS: Final = (
    "/../../../../etc/passwd",
    "/assets/../../../../etc/passwd",
    "/assets/..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/server.py",
    "/assets/..%5c..%5cserver.py",
    "/assets/....//....//server.py",
    "/assets/%252e%252e%252fserver.py",
    "/assets/..%c0%af..%c0%afserver.py",
    "/assets//etc/passwd",
    "//etc/passwd",
    "//evil.example/",
    "/assets/file:///etc/passwd",
    "/./api/v1/status",
    "/assets/../api/v1/status",
    "/nowhere/../api/v1/status",
    "/api/v1/status;/healthz",
    "/healthz/../api/v1/status",
    "/API/V1/STATUS",
    "/api/v1/status%2f",
    "/api%2fv1%2f..%2fv1%2fstatus",
)


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize("port", PORTS)
async def test_path_traversal(server: RunningServer, port: str, path: str) -> None:
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    answered = await send(getattr(server.ports, port), asked)
    assert statuses(answered) == [404]
    for held in (b"root:", b"import ", b"storage"):
        assert held not in answered


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in?next=/%0d%0aX-Injected:%20yes",
        "/?team=%0d%0aX-Injected:%20yes",
        "/join?link=%0d%0aX-Injected:%20yes",
        "/%0d%0aX-Injected:%20yes",
        "/assets/%0d%0aX-Injected:%20yes",
        "/api/v1/query?measures=%0d%0aX-Injected:%20yes",
        "/v1/%0d%0aX-Injected:%20yes",
    ],
)
@pytest.mark.parametrize("port", PORTS)
async def test_header_injection_by_line_breaks_in_addresses(
    server: RunningServer, port: str, path: str
) -> None:
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n"
    whole = f"{asked}Connection: close\r\n\r\n".encode()
    answered = await send(getattr(server.ports, port), whole)
    head = answered.partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nx-injected" not in head
    assert statuses(answered)[0] < 500


def oversized() -> Iterator[tuple[str, bytes, int]]:
    """Return what is too large, and what it must be answered."""
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    json = b"Content-Type: application/json\r\n"
    many = b"&".join(b"f%d=1" % number for number in range(1_000))
    large = b"login=" + b"a" * 10_000
    document = b'{"subject": "' + b"a" * 70_000 + b'"}'
    deep = b'{"subject": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    digits = b'{"subject": ' + b"9" * 60_000 + b"}"
    for name, path, kind, body, status in (
        ("a form of many fields", "/sign-in", form, many, 413),
        ("a form of a large field", "/join", form, large, 413),
        ("a large document", "/api/v1/people/show", json, document, 413),
        ("a deep document", "/api/v1/people/show", json, deep, 400),
        ("a number of many digits", "/api/v1/people/show", json, digits, 400),
    ):
        head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %d\r\n\r\n"
        yield name, head % (path.encode(), kind, len(body)) + body, status
    ask = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"
    yield "a long address", ask % (b"/?team=" + b"a" * 100_000, b""), 400
    yield "a long header", ask % (b"/", b"X: " + b"a" * 100_000 + b"\r\n"), 400
    yield "many headers", ask % (b"/", b"X: y\r\n" * 20_000), 400
    yield "a long cookie", ask % (b"/", b"Cookie: codometer=" + b"a" * 70_000 + b"\r\n"), 400


OVERSIZED: Final = {name: (asked, status) for name, asked, status in oversized()}


@pytest.mark.parametrize("what", OVERSIZED)
async def test_oversized(server: RunningServer, what: str) -> None:
    asked, status = OVERSIZED[what]
    answered = await send(server.ports.api, asked)
    assert statuses(answered)[:1] in ([status], [])
    assert server.is_ready()


@pytest.mark.parametrize(
    "path",
    [
        "/?" + "panel=x&" * 800,
        "/api/v1/query?measures=cost&" + "where=team:x&" * 400,
        "/api/v1/query?measures=" + "cost," * 1_000,
    ],
)
async def test_oversized_lists_of_values(server: RunningServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
        assert (await client.get(path)).status_code < 500


async def test_nothing_of_all_this_is_a_fault_in_the_log(server: RunningServer) -> None:
    assert report(server.otlp_url, {}).is_success
    assert "ERROR" not in server.read_log()
    assert "Traceback" not in server.read_log()
