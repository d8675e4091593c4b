"""What every surface over HTTP shares: errors as answers, checked hosts, careful headers.

Faults of ours are logged with their traceback here and never shown to the client.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codometer.access.secret import holds_secret
from codometer.errors import BadRequest, CodometerError, TooLarge, TooSlow
from codometer.networks import is_loopback
from codometer.serve.exact_json import encode
from codometer.settings import Listen

_log: Final = logging.getLogger(__name__)

MAX_ACTION_BYTES: Final = 64 * 2**10
"""The most that a form or an action of the API takes."""
_BODY_SECONDS: Final = 30.0

_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d*)?")
_NO_CHARACTER: Final = re.compile("[\0\ud800-\udfff]")

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""On every answer that does not set them itself."""


_SECURE_HEADERS: Final = {"strict-transport-security": "max-age=31536000; includeSubDomains"}


class NotFound(CodometerError):
    """Nothing lives at this path."""

    code = "not_found"
    status = 404


class MethodNotAllowed(CodometerError):
    """The path exists and does not do this."""

    code = "method_not_allowed"
    status = 405


class WrongHost(CodometerError):
    """The Host header names another machine: a page elsewhere may have rebound its name to us."""

    code = "wrong_host"
    status = 421


class SecretInAddress(BadRequest):
    """A credential where it does not count and is written down: the client must move it."""

    code = "secret_in_address"


class CrossSite(CodometerError):
    """A page of another site asks, behind the back of the person in front of the browser."""

    code = "cross_site"
    status = 403


class NoText(BadRequest):
    """A text with a null character, or half of a character, which no database takes."""

    def __init__(self) -> None:
        super().__init__("a text has a character that is none", hint="leave it out")


class NotReady(CodometerError):
    """The server runs and cannot answer questions yet, or no more."""

    code = "not_ready"
    status = 503
    retry_seconds = 1


class Fault(CodometerError):
    """A fault of ours. The log has its traceback."""


FAULT: Final = Fault(
    "the server failed to answer this", hint="the server's log has the reason; please report it"
)


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON that keeps every digit."""
    # A lone surrogate, which JSON can carry and UTF-8 cannot, is written as its JSON escape.
    body = (encode(value) + "\n").encode("utf-8", "backslashreplace")
    return Response(body, status, headers, media_type="application/json")


def error_response(error: CodometerError, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with what went wrong and what to do next."""
    body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    extra = {"retry-after": str(error.retry_seconds)} if error.retry_seconds else {}
    return json_response(body, status=error.status, headers={**(headers or {}), **extra})


def fault_response(request: Request) -> Response:
    """Log the exception in hand and answer without its details."""
    _log.exception("%s %r failed", request.method, request.url.path)
    return error_response(FAULT)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Turn what the router refuses into our errors."""
    if not isinstance(error, HTTPException):
        raise error
    path, method = request.url.path, request.method
    if error.status_code == NotFound.status:
        hint = "GET /api/v1/openapi.json lists the API"
        return error_response(NotFound(f"there is nothing at {path}", hint=hint))
    if error.status_code != MethodNotAllowed.status:
        return error_response(Fault(error.detail), error.headers)
    methods = _list_methods(request)
    refused = MethodNotAllowed(
        f"{path} does not answer to {method}", hint=f"use {' or '.join(methods)}"
    )
    return error_response(refused, {"allow": ", ".join(methods)})


def _list_methods(request: Request) -> list[str]:
    """Return what a path answers to; the router names only the first route's."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = (each for each in routes if each.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for each in matching for method in each.methods or ()})


def check_texts(*texts: str) -> None:
    """Refuse what is no text.

    Raises:
        NoText: one of them has a null character, or half of a character.
    """
    if any(_NO_CHARACTER.search(text) for text in texts):
        raise NoText


async def read_content(
    request: Request, most_bytes: int, *, within_seconds: float = _BODY_SECONDS
) -> bytes:
    """Return the body of a request.

    Raises:
        TooLarge: it has more bytes.
        TooSlow: it did not arrive in time.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(within_seconds):
            async for piece in request.stream():
                content += piece
                if len(content) > most_bytes:
                    raise TooLarge(f"the body is over {most_bytes} bytes")
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {within_seconds:g} seconds") from None
    return bytes(content)


def guarded(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Wrap an endpoint so that whatever it raises becomes an answer."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handle(request)
        except CodometerError as error:
            return error_response(error)
        except Exception:  # noqa: BLE001 - the outer edge of a request
            return fault_response(request)

    return endpoint


class Guard:
    """The outermost layer: refuses what other sites ask for and adds the headers that are missing.

    Only a browser sends a foreign name in `Host`, when a page elsewhere lets its own
    name resolve to this machine in order to read what we answer. And only a browser
    says `Sec-Fetch-Site`: a page elsewhere may link here, and may not ask for anything
    else, not even for what it could never read.
    """

    def __init__(self, app: ASGIApp, listen: Listen) -> None:
        self._app = app
        self._names = {listen.host.lower(), (urlsplit(listen.url).hostname or "").lower()} - {""}
        self._is_secure = listen.is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        added = self._find_headers(hosts[0] if hosts else "")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in added.items():
                    answered.setdefault(name, value)
            await send(message)

        app = self._app
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            app = _refuse_host(", ".join(hosts))
        elif "\0" in scope["path"] or b"%00" in scope["query_string"]:
            app = error_response(NoText())
        elif holds_secret(_address_of(scope)):
            app = _refuse_secret()
        elif _is_from_elsewhere(headers) and not _is_link(scope["method"], headers):
            app = _refuse_site()
        await app(scope, receive, send_with_headers)

    def _find_headers(self, host: str) -> Mapping[str, str]:
        # A browser would then refuse http for all that runs on its own machine, at every port.
        if not self._is_secure or is_loopback(_without_port(host)):
            return HEADERS
        return {**HEADERS, **_SECURE_HEADERS}

    def _is_own(self, header: str) -> bool:
        name = _without_port(header).lower()
        return is_loopback(name) or name in self._names


def _without_port(header: str) -> str:
    if bracketed := _BRACKETED.fullmatch(header):
        return bracketed[1]
    return header.partition(":")[0]


def _is_from_elsewhere(headers: Headers) -> bool:
    """Say whether another site asks; other ports of this machine are other sites too.

    https://www.w3.org/TR/fetch-metadata/ (2026-11)
    """
    return headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}


def _is_link(method: str, headers: Headers) -> bool:
    """Say whether a person followed a link, in a window of its own rather than a frame."""
    return (
        method in {"GET", "HEAD"}
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _address_of(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}"


def _refuse_secret() -> Response:
    return error_response(
        SecretInAddress(
            "a credential stands in the address, which proxies and browsers keep",
            hint="send it as `Authorization: Bearer …`, and rotate this one",
        )
    )


def _refuse_site() -> Response:
    return error_response(
        CrossSite("another site asks for this", hint="open the address in the browser itself")
    )


def _refuse_host(host: str) -> Response:
    return error_response(
        WrongHost(
            f"this server is not {host or 'without a name'}",
            hint="ask for it by the address that it listens on",
        )
    )
