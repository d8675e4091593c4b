"""What every surface over HTTP does with a request."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from codometer.errors import TooLarge, TooSlow
from codometer.serve.http import read_content


def read(*pieces: bytes | None, most_bytes: int = 10, within_seconds: float = 60) -> bytes:
    """Read a body that arrives in pieces, of which None never comes."""
    waiting = list(pieces)

    async def receive() -> Message:
        piece = waiting.pop(0)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    async def main() -> bytes:
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        return await read_content(request, most_bytes, within_seconds=within_seconds)

    return asyncio.run(main())


def test_a_body_is_read_to_its_end() -> None:
    assert read(b"one", b"two") == b"onetwo"


def test_a_body_with_too_many_bytes_is_refused() -> None:
    with pytest.raises(TooLarge, match="over 5 bytes"):
        read(b"one", b"two", most_bytes=5)


def test_a_body_that_does_not_end_in_time_is_refused() -> None:
    with pytest.raises(TooSlow, match=r"within 0\.05 seconds"):
        read(b"one", None, within_seconds=0.05)
