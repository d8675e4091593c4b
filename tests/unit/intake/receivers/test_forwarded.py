"""Whom a proxy speaks for, and who may say so."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from codometer.intake.receivers.forwarded import Forwarded, find_client
from codometer.networks import parse_network

PROXIES = [parse_network("10.0.0.0/8"), parse_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["10.8.8.8, 10.9.9.9"], "10.8.8.8"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, unknown, 10.9.9.9"], "10.9.9.9"),
        ("10.0.0.1", [", ,"], "10.0.0.1"),
        ("fd00::1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("not an address", ["198.51.100.1"], "not an address"),
    ],
)
def test_a_client_is_whom_the_last_proxy_of_ours_names(
    peer: str, headers: Sequence[str], client: str
) -> None:
    assert find_client(peer, headers, PROXIES) == client


def pass_on(peer: str, *headers: tuple[bytes, bytes]) -> Scope:
    """Return what an application sees of a request."""
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async def nothing() -> Message:
        return {}

    async def ignore(_: Message) -> None:
        pass

    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": [*headers]}
    asyncio.run(Forwarded(app, PROXIES)(scope, nothing, ignore))
    return seen[0]


def test_an_application_sees_the_client() -> None:
    seen = pass_on("10.0.0.1", (b"x-forwarded-for", b"198.51.100.1"))
    assert seen["client"] == ("198.51.100.1", 0)


def test_others_are_not_believed() -> None:
    seen = pass_on("203.0.113.9", (b"x-forwarded-for", b"127.0.0.1"))
    assert seen["client"] == ("203.0.113.9", 1)


def test_no_proxy_decides_whether_there_is_tls() -> None:
    seen = pass_on("10.0.0.1", (b"x-forwarded-proto", b"https"))
    assert seen["scheme"] == "http"
