"""OTLP over HTTP: POST /v1/logs, /v1/metrics and /v1/traces, protobuf or JSON.

The clients are OpenTelemetry's exporters. They send a batch again on 503 (and
429, 502, 504) and drop it on every other error; a `Retry-After` beyond their
ten seconds makes them drop it too. So whatever may go better next time is
answered 503 with one second, faults of our own included.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final, NamedTuple

from starlette.types import Receive, Scope, Send

from codometer.errors import (
    CodometerError,
    Forbidden,
    Overloaded,
    TooLarge,
    TooSlow,
    UnsupportedEncoding,
)
from codometer.intake.limits import ByteBudget, Limits, Share
from codometer.intake.receivers import answer
from codometer.intake.receivers.decompress import Compression, inflate
from codometer.intake.receivers.export import Accept, Authenticate, Encoding, ExportRequest
from codometer.model.signal import SignalKind

_LOG: Final = logging.getLogger(__name__)

_KINDS: Final = {f"/v1/{kind}": kind for kind in SignalKind}
_ENCODINGS: Final = {
    b"application/x-protobuf": Encoding.PROTOBUF,
    b"application/json": Encoding.JSON,
}
_CONTENT_TYPES: Final = {encoding: name for name, encoding in _ENCODINGS.items()}
_COMPRESSIONS: Final = {
    b"": None,
    b"identity": None,
    b"gzip": Compression.GZIP,
    b"x-gzip": Compression.GZIP,
    b"deflate": Compression.DEFLATE,
    b"zstd": Compression.ZSTD,
}

Header = tuple[bytes, bytes]
_RETRY_SOON: Final[Header] = (b"retry-after", b"1")
_SECRET: Final = b"cdm_"  # how credentials begin; proxies write addresses down
_ALLOW: Final[Header] = (b"allow", b"POST")
_CHALLENGE: Final[Header] = (b"www-authenticate", b'Bearer realm="codometer"')
_ADDED: Final = {401: (_CHALLENGE,), 429: (_RETRY_SOON,)}

# When we answer before the body has arrived, closing at once would reset the
# connection, and the client might never see the answer. It gets a moment.
_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 1024 * 1024


class OtlpHttp:
    """The three OTLP paths, as a plain ASGI application."""

    def __init__(
        self, accept: Accept, *, authenticate: Authenticate, limits: Limits, budget: ByteBudget
    ) -> None:
        self._accept = accept
        self._authenticate = authenticate
        self._limits = limits
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = _Exchange(scope, receive, send)
        # The answer is sent when the errors are gone: as long as one is handled,
        # its traceback holds on to the body, of which the budget knows no more.
        with contextlib.suppress(_Disconnected):
            await exchange.answer(await self._find_answer(exchange, scope["method"], scope["path"]))

    async def _find_answer(self, exchange: _Exchange, method: str, path: str) -> _Answer:
        kind = _KINDS.get(path)
        if kind is None:
            paths = ", ".join(_KINDS)
            return exchange.refusal(404, f"there is nothing here; send to one of {paths}")
        if exchange.has_secret_in_address:
            return exchange.refusal(400, "a credential stands in the address; send it as a header")
        if method != "POST":
            return exchange.refusal(405, "exports are sent by POST", _ALLOW)
        try:
            return _Answer(200, await self._export(exchange, kind))
        except _Disconnected:
            raise
        except CodometerError as error:
            if error.status < 500:
                header = _ADDED.get(error.status, ())
                return exchange.refusal(error.status, answer.explain(error), *header)
            if not isinstance(error, Overloaded):
                _LOG.exception("an export failed")
            return exchange.refusal(503, answer.explain(error), _RETRY_SOON)
        except asyncio.CancelledError:
            # The server stops and its patience is over. This task ends here in
            # any case, and with another answer the batch would be lost.
            return exchange.refusal(503, "the server is stopping", _RETRY_SOON)
        except Exception:  # noqa: BLE001 - the outer edge
            _LOG.exception("an export failed")
            return exchange.refusal(503, "the server failed", _RETRY_SOON)

    async def _export(self, exchange: _Exchange, kind: SignalKind) -> bytes:
        # First of all: whoever may not send learns nothing else, and costs us nothing else.
        if exchange.is_of_a_page:
            raise Forbidden("a page in a browser cannot send telemetry")
        defaults = self._authenticate(exchange.authorization, kind, exchange.address)
        encoding = exchange.encoding
        if encoding is None:
            wanted = " or ".join(name.decode() for name in _ENCODINGS)
            raise UnsupportedEncoding("the content type is not OTLP's", hint=f"send {wanted}")
        compression = exchange.find_compression()
        with self._budget.share() as share:
            body = await self._read(exchange, share)
            if compression:
                limit = self._limits.body_bytes
                body = await inflate(body, compression, share=share, limit_bytes=limit)
            request = ExportRequest(kind=kind, encoding=encoding, body=body, defaults=defaults)
            accepted = await self._accept(request)
        return answer.export_response(kind, encoding, accepted)

    async def _read(self, exchange: _Exchange, share: Share) -> bytes:
        limit = self._limits.body_bytes
        too_large = TooLarge(f"the body is over {limit} bytes")
        if exchange.announced_bytes > limit:
            raise too_large
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while not exchange.complete:
                    piece = await exchange.receive()
                    size += len(piece)
                    if size > limit:
                        raise too_large
                    await share.grow(len(piece))
                    pieces.append(piece)
        except TimeoutError:
            seconds = self._limits.body_seconds
            raise TooSlow(f"the body did not arrive within {seconds:g} seconds") from None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _Answer(NamedTuple):
    status: int
    body: bytes
    headers: tuple[Header, ...] = ()


class _Disconnected(Exception):
    """The client is gone."""


class _Exchange:
    """One request and its answer, whose encoding it shares."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.complete = False
        self.encoding: Encoding | None = None
        self.announced_bytes = 0
        self.authorization: str | None = None
        self.is_of_a_page = False
        """Browsers say `Origin` with every POST, whatever name the page gave this machine;
        our clients never do. https://fetch.spec.whatwg.org/#origin-header (2026-11)"""
        self.address: str = scope["client"][0] if scope["client"] else ""
        self.has_secret_in_address = _SECRET in scope["query_string"]
        self._content_encodings: list[bytes] = []
        self._receive = receive
        self._send = send
        for name, value in scope["headers"]:
            if name == b"content-type":
                self.encoding = _ENCODINGS.get(value.partition(b";")[0].strip().lower())
            elif name == b"content-encoding":
                self._content_encodings.append(value.strip().lower())
            elif name == b"content-length":
                self.announced_bytes = int(value)
            elif name == b"authorization":
                self.authorization = value.decode("latin-1")
            elif name == b"origin":
                self.is_of_a_page = True

    def find_compression(self) -> Compression | None:
        """Return how the body is compressed, None if it is not."""
        name = b",".join(self._content_encodings)
        try:
            return _COMPRESSIONS[name]
        except KeyError:
            raise UnsupportedEncoding(
                "the content encoding is not one we know",
                hint="send gzip, deflate, zstd or no compression",
            ) from None

    async def receive(self) -> bytes:
        """Return what has arrived of the body; `complete` turns true with its last part."""
        message = await self._receive()
        if message["type"] != "http.request":
            raise _Disconnected
        self.complete = not message["more_body"]
        body: bytes = message["body"]
        return body

    def refusal(self, status: int, message: str, *headers: Header) -> _Answer:
        """Return an error in the request's encoding, or in JSON if that is unknown."""
        body = answer.status(status, self.encoding or Encoding.JSON, message)
        return _Answer(status, body, headers)

    async def answer(self, given: _Answer) -> None:
        """Answer; when the body has not all arrived, close the connection after a moment."""
        body = given.body
        headers = [
            (b"content-type", _CONTENT_TYPES[self.encoding or Encoding.JSON]),
            (b"content-length", str(len(body)).encode()),
            *given.headers,
        ]
        if not self.complete:
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": given.status, "headers": headers}
        await self._send(start)
        if not self.complete:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            await self._linger()
            body = b""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _linger(self) -> None:
        dropped = 0
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self.complete and dropped < _LINGER_BYTES:
                    dropped += len(await self.receive())
                if not self.complete:  # unread, it soon stops the sender
                    await asyncio.sleep(_LINGER_SECONDS)
        except (TimeoutError, _Disconnected):
            return
