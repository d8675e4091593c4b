import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from codometer.errors import Overloaded
from codometer.serve.web import events
from codometer.serve.web.events import Changes

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Store:
    """Something with a version."""

    def __init__(self) -> None:
        self.version = 7

    def read(self) -> int:
        return self.version


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_SECONDS", 0.001)


async def open_stream(
    changes: Changes, is_still_allowed: Callable[[], bool] = lambda: True
) -> AsyncIterator[bytes]:
    request = Request({"type": "http", "method": "GET", "headers": []})
    request.state.is_still_allowed = is_still_allowed
    response = await changes.answer(request)
    assert isinstance(response, StreamingResponse)
    assert response.media_type == "text/event-stream"
    return response.body_iterator.__aiter__()  # type: ignore[return-value] # it is the generator of bytes that we gave


def mark_of(message: bytes) -> dict[str, object]:
    lines = dict(line.split(": ", 1) for line in message.decode().splitlines() if ": " in line)
    assert lines["event"] == "changed"
    found: dict[str, object] = json.loads(lines["data"])
    return found


def test_a_page_hears_at_once_which_version_there_is() -> None:
    async def main() -> bytes:
        return await anext(await open_stream(Changes(Store().read)))

    first = asyncio.run(main())
    assert first.startswith(b"retry: 2000\n\n")
    assert mark_of(first) == {"version": 7, "at": None}


def test_every_page_hears_of_a_change_and_when_it_was() -> None:
    async def main() -> list[bytes]:
        store = Store()
        changes = Changes(store.read, now=lambda: NOW)
        changes.start()
        streams = [await open_stream(changes) for _ in range(2)]
        for stream in streams:
            await anext(stream)
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        store.version = 8
        heard = await asyncio.gather(*waiting)
        await changes.stop()
        assert changes.changed_at == NOW
        return heard

    for message in asyncio.run(main()):
        assert mark_of(message) == {"version": 8, "at": "2026-11-23T12:00:00+00:00"}


def test_pages_hear_of_a_change_once_what_they_will_ask_for_is_prepared() -> None:
    async def main() -> list[int]:
        store = Store()
        changes = Changes(store.read)
        prepared: list[int] = []

        def prepare() -> None:
            prepared.append(changes.version)
            raise OSError("the disk is away")  # and they hear of it all the same

        changes.prepare = prepare
        changes.start()
        stream = await open_stream(changes)
        await anext(stream)
        store.version = 8
        await anext(stream)
        await changes.stop()
        return [*prepared, changes.version]

    assert asyncio.run(main()) == [7, 8]


def test_the_sums_are_freshened_only_while_somebody_looks() -> None:
    async def main() -> tuple[int, int]:
        store = Store()
        freshened: list[int] = []

        def freshen() -> None:
            freshened.append(store.version)
            store.version += 1
            raise OSError("the disk is away")  # and the next turn comes all the same

        changes = Changes(store.read, freshen=freshen)
        changes.start()
        await asyncio.sleep(0.01)
        alone = len(freshened)
        stream = await open_stream(changes)
        for _ in range(3):
            await anext(stream)
        await changes.stop()
        return alone, len(freshened)

    alone, watched = asyncio.run(main())
    assert alone == 0
    assert watched >= 2


def test_a_silent_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_PULSE_SECONDS", 0.001)

    async def main() -> bytes:
        stream = await open_stream(Changes(Store().read))
        await anext(stream)
        return await anext(stream)

    assert asyncio.run(main()) == b"event: pulse\ndata:\n\n"


def test_the_end_of_the_server_ends_every_stream() -> None:
    async def main() -> timedelta:
        changes = Changes(Store().read)
        changes.start()
        stream = await open_stream(changes)
        await anext(stream)
        rest = asyncio.ensure_future(_drain(stream))
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        await changes.stop()
        await rest
        return timedelta(seconds=asyncio.get_running_loop().time() - began)

    assert asyncio.run(main()) < timedelta(seconds=1)


def test_there_is_a_most_of_streams_and_one_that_ends_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "MAX_STREAMS", 1)

    async def main() -> None:
        changes = Changes(Store().read)
        first = await open_stream(changes)
        await anext(first)
        with pytest.raises(Overloaded, match="1 pages are being kept up to date"):
            await open_stream(changes)
        await first.aclose()  # type: ignore[attr-defined] # a generator's
        await anext(await open_stream(changes))

    asyncio.run(main())


async def _drain(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass


def test_a_stream_ends_with_the_leave_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_PULSE_SECONDS", 0.01)
    allowed = [True, True, False]

    async def listen() -> int:
        stream = await open_stream(Changes(Store().read), lambda: allowed.pop(0))
        return len([message async for message in stream])

    assert asyncio.run(listen()) == 3  # the first mark, and two pulses
