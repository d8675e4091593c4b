import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from codometer.errors import Malformed, Overloaded, TooSlow
from codometer.intake.limits import ByteBudget
from codometer.intake.receivers.grpc_reading import Reading

PLACES = 16


@pytest.fixture
def budget() -> ByteBudget:
    return ByteBudget(10_000)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


async def arrived(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def nothing() -> AsyncIterator[bytes]:
    bodies: list[bytes] = []
    for body in bodies:
        yield body


def read(
    reading: Reading,
    budget: ByteBudget,
    messages: AsyncIterator[bytes],
    *,
    wait_seconds: float = 60,
) -> asyncio.Task[bytes]:
    async def read_with_a_share() -> bytes:
        until = asyncio.get_running_loop().time() + wait_seconds
        with budget.share() as share:
            body = await reading.read(messages, share, until)
            assert budget.used_bytes >= len(body)
            return body

    return asyncio.create_task(read_with_a_share())


async def occupy(reading: Reading, budget: ByteBudget) -> list[asyncio.Task[bytes]]:
    slow = [read(reading, budget, never()) for _ in range(PLACES)]
    await asyncio.sleep(0)
    return slow


async def cancel(tasks: list[asyncio.Task[bytes]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_message_is_read_and_counted(runner: asyncio.Runner, budget: ByteBudget) -> None:
    async def scenario() -> None:
        assert await read(Reading(60), budget, arrived(b"body")) == b"body"
        assert budget.used_bytes == 0

    runner.run(scenario())


def test_a_call_without_a_message_is_malformed(runner: asyncio.Runner, budget: ByteBudget) -> None:
    async def scenario() -> None:
        with pytest.raises(Malformed):
            await read(Reading(60), budget, nothing())

    runner.run(scenario())


def test_a_message_has_only_so_long(runner: asyncio.Runner, budget: ByteBudget) -> None:
    async def scenario() -> None:
        with pytest.raises(TooSlow):
            await read(Reading(0.01), budget, never())

    runner.run(scenario())


def test_what_came_while_the_loop_was_busy_is_not_too_late(
    runner: asyncio.Runner, budget: ByteBudget
) -> None:
    async def late(has_arrived: asyncio.Event) -> AsyncIterator[bytes]:
        await has_arrived.wait()
        yield b"body"

    async def scenario() -> None:
        has_arrived = asyncio.Event()
        reading = read(Reading(0.05), budget, late(has_arrived))
        await asyncio.sleep(0)
        time.sleep(0.1)  # noqa: ASYNC251 - keeps the loop busy
        asyncio.get_running_loop().call_later(0.01, has_arrived.set)
        assert await reading == b"body"

    runner.run(scenario())


def test_who_came_last_goes_first(runner: asyncio.Runner, budget: ByteBudget) -> None:
    async def scenario() -> None:
        reading = Reading(60)
        slow = await occupy(reading, budget)
        first = read(reading, budget, never())
        last = read(reading, budget, arrived(b"last"))
        await asyncio.sleep(0)
        slow[0].cancel()
        assert await last == b"last"
        assert not first.done()
        await cancel([first, *slow])

    runner.run(scenario())


def test_a_long_queue_makes_everybody_hurry(runner: asyncio.Runner, budget: ByteBudget) -> None:
    async def scenario() -> None:
        reading = Reading(60)
        slow = await occupy(reading, budget)
        waiting = [read(reading, budget, arrived(b"body")) for _ in range(400)]
        async with asyncio.timeout(5):
            assert set(await asyncio.gather(*waiting)) == {b"body"}
        await cancel(slow)

    runner.run(scenario())


@pytest.mark.slow
def test_who_waits_longest_has_a_turn_while_its_client_still_waits(
    runner: asyncio.Runner, budget: ByteBudget
) -> None:
    async def scenario() -> None:
        reading = Reading(60)
        slow = await occupy(reading, budget)
        first = read(reading, budget, arrived(b"first"), wait_seconds=8)
        await asyncio.sleep(0)
        slow += [read(reading, budget, never()) for _ in range(300)]
        assert await first == b"first"
        await cancel(slow)

    runner.run(scenario())


def test_waiting_for_a_place_ends_with_the_patience(
    runner: asyncio.Runner, budget: ByteBudget
) -> None:
    async def scenario() -> None:
        reading = Reading(60)
        slow = await occupy(reading, budget)
        with pytest.raises(Overloaded):
            await read(reading, budget, arrived(b"body"), wait_seconds=0.01)
        await cancel(slow)
        assert await read(reading, budget, arrived(b"body")) == b"body"

    runner.run(scenario())


@pytest.mark.parametrize("when", ["before", "just before", "after"])
def test_no_place_is_lost_with_a_client_that_leaves_when_its_turn_comes(
    runner: asyncio.Runner, budget: ByteBudget, when: str
) -> None:
    async def scenario() -> None:
        reading = Reading(60)
        slow = await occupy(reading, budget)
        other = read(reading, budget, arrived(b"other"))
        leaving = read(reading, budget, arrived(b"leaving"))
        await asyncio.sleep(0)
        if when == "before":
            leaving.cancel()
            await asyncio.sleep(0)
        slow[0].cancel()
        if when == "after":
            await asyncio.sleep(0)
        leaving.cancel()
        async with asyncio.timeout(1):
            assert await other == b"other"
        await cancel([leaving, *slow])
        again = [read(reading, budget, arrived(b"again")) for _ in range(PLACES)]
        assert set(await asyncio.gather(*again)) == {b"again"}

    runner.run(scenario())
