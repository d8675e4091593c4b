"""Whom a proxy speaks for. Anybody can write these headers, so only ours are believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from codometer.networks import Network, find_address, is_in

_FOR: Final = b"x-forwarded-for"


class Forwarded:
    """An ASGI application behind proxies: it sees the client's own address.

    Whether browsers come with TLS is not told but set (`listen.url`): cookies and headers
    depend on it, and no request decides about those.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        client = scope.get("client")
        if client and is_in(find_address(client[0]), self._proxies):
            hops = [value.decode("latin-1") for name, value in scope["headers"] if name == _FOR]
            scope = {**scope, "client": (find_client(client[0], hops, self._proxies), 0)}
        await self._app(scope, receive, send)


def find_client(peer: str, forwarded: Iterable[str], proxies: Sequence[Network]) -> str:
    """Return the address of the client that `peer` speaks for, if it is one of our proxies.

    `forwarded` are the headers X-Forwarded-For, to which every proxy adds whom it got the
    request from. They are read from the end, as far as proxies of ours wrote them; before
    that they may say anything.
    """
    client = peer
    hops = [hop for header in forwarded for hop in header.split(",")]
    while hops and is_in(find_address(client), proxies):
        hop = find_address(_without_port(hops.pop().strip()))
        if hop is None:
            break
        client = str(hop)
    return client


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop.partition("]")[0].removeprefix("[")
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
