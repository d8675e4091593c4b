"""Servers of other people, on loopback: what our own requests meet outside."""

import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.certificates import Issued


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request. An `Answer` answers it."""

    protocol_version = "HTTP/1.1"
    server: "_HttpServer"
    body: bytes

    def _take(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.elsewhere.seen.append(Seen(self.command, self.path, headers, self.body))
        self.server.elsewhere.answer(self)

    do_GET = do_POST = _take  # noqa: N815 - http.server's names

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer with a status; underscores in a header's name become dashes."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Say nothing."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    elsewhere: "Elsewhere"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of the tests leave when they like."""


@dataclass
class Elsewhere:
    """A server, what it answers, and what it has seen. `names` are those that TLS asked for."""

    port: int
    answer: Answer
    seen: list[Seen] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)


def greet(handler: Handler) -> None:
    """Answer with a greeting."""
    handler.reply(200, b"hello")


def lead_to(url: str, status: int = 302) -> Answer:
    """Return an answer that leads to another address."""
    return lambda handler: handler.reply(status, location=url)


@contextmanager
def serve(
    answer: Answer = greet, *, host: str = "127.0.0.1", port: int = 0, tls: Issued | None = None
) -> Iterator[Elsewhere]:
    """Run a server of other people."""
    server = _HttpServer((host, port), Handler)
    elsewhere = server.elsewhere = Elsewhere(server.server_port, answer)
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls.certificate, tls.key)
        context.sni_callback = lambda _, name, __: elsewhere.names.append(name)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with _running(server):
        yield elsewhere


class _Tunnel(socketserver.StreamRequestHandler):
    server: "_ProxyServer"

    def handle(self) -> None:
        line = self.rfile.readline().decode()
        headers = {}
        while (field_line := self.rfile.readline().decode().strip()) != "":
            name, _, value = field_line.partition(":")
            headers[name.lower()] = value.strip()
        method, target, _ = line.split(" ")
        self.server.proxy.seen.append(Seen(method, target, headers, b""))
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy")
            return
        with socket.create_connection(("127.0.0.1", self.server.proxy.leads_to)) as other:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            self._pass_on(other)

    def _pass_on(self, other: socket.socket) -> None:
        ways = {self.connection: other, other: self.connection}
        while True:
            for each in select.select(list(ways), [], [])[0]:
                if not (piece := each.recv(65536)):
                    return
                ways[each].sendall(piece)


class _ProxyServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    proxy: "Proxy"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of the tests leave when they like."""


@dataclass
class Proxy:
    """An HTTP proxy that leads every CONNECT to one port, and remembers what it was asked."""

    port: int
    leads_to: int
    seen: list[Seen] = field(default_factory=list)


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Run a proxy that resolves every name to that port of this machine."""
    server = _ProxyServer(("127.0.0.1", 0), _Tunnel)
    server.proxy = Proxy(server.server_address[1], port)
    with _running(server):
        yield server.proxy


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
