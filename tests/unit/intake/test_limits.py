import asyncio
import contextlib
import resource
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.errors import Overloaded
from codometer.intake.limits import ByteBudget, Share, allow_connections

MIB: Final = 2**20


async def try_to_grow(share: Share, more: int) -> bool:
    try:
        await share.grow(more)
    except Overloaded:
        return False
    return True


def test_a_share_goes_back_whatever_happens() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        with contextlib.suppress(ZeroDivisionError), budget.share() as share:
            await share.grow(60)
            await share.grow(40)
            assert budget.used_bytes == 100
            raise ZeroDivisionError
        assert budget.used_bytes == 0

    asyncio.run(scenario())


def test_without_room_a_share_does_not_grow() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        with budget.share() as first, budget.share() as second:
            await first.grow(60)
            assert not await try_to_grow(second, 41)
            assert await try_to_grow(second, 40)
        assert budget.used_bytes == 0

    asyncio.run(scenario())


def test_the_last_quarter_is_kept_for_small_requests() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100 * MIB)
        with budget.share() as large, budget.share() as other, budget.share() as small:
            await large.grow(74 * MIB)
            assert not await try_to_grow(other, 2 * MIB)
            assert await try_to_grow(other, MIB)
            assert not await try_to_grow(other, 1)
            assert await try_to_grow(small, MIB)

    asyncio.run(scenario())


def test_a_share_may_wait_for_room() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        with budget.share(hold_seconds=60) as waiting:
            with budget.share() as first:
                await first.grow(100)
                grown = asyncio.create_task(waiting.grow(80))
                await asyncio.sleep(0)
                assert not grown.done()
            await grown
            assert budget.used_bytes == 80

    asyncio.run(scenario())


def test_all_who_wait_look_again_when_room_comes_back() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        with budget.share(hold_seconds=60) as large, budget.share(hold_seconds=60) as small:
            with budget.share() as first, budget.share() as second:
                await first.grow(50)
                await second.grow(50)
                growing = asyncio.gather(large.grow(90), small.grow(10))
                await asyncio.sleep(0)
            await growing
            assert budget.used_bytes == 100

    asyncio.run(scenario())


def test_waiting_ends_with_the_patience() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        with budget.share() as first, budget.share(hold_seconds=0.01) as waiting:
            await first.grow(100)
            assert not await try_to_grow(waiting, 1)

    asyncio.run(scenario())


def test_a_share_that_stops_waiting_takes_nothing() -> None:
    async def scenario() -> None:
        budget = ByteBudget(100)
        with budget.share() as first:
            await first.grow(100)
            with budget.share(hold_seconds=60) as waiting:
                grown = asyncio.create_task(waiting.grow(1))
                await asyncio.sleep(0)
                grown.cancel()
        await asyncio.sleep(0)
        assert grown.cancelled()
        assert budget.used_bytes == 0

    asyncio.run(scenario())


@given(st.lists(st.lists(st.integers(0, 3 * MIB), max_size=5), max_size=20))
def test_the_budget_is_never_exceeded_and_always_given_back(requests: list[list[int]]) -> None:
    async def serve(budget: ByteBudget, pieces: list[int]) -> None:
        with budget.share() as share:
            for piece in pieces:
                await try_to_grow(share, piece)
                assert budget.used_bytes <= budget.total_bytes
                await asyncio.sleep(0)

    async def scenario() -> None:
        budget = ByteBudget(8 * MIB)
        await asyncio.gather(*(serve(budget, pieces) for pieces in requests))
        assert budget.used_bytes == 0

    asyncio.run(scenario())


@pytest.fixture
def open_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("open_files")
def test_the_process_asks_for_as_many_open_files_as_connections_need() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    assert allow_connections(1000) == 1000
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1256
    assert allow_connections(10) == 10
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1256


@pytest.mark.usefixtures("open_files")
def test_where_the_system_allows_fewer_files_fewer_connections_fit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert allow_connections(hard) == hard - 256
