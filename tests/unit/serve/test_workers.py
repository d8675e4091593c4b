import asyncio
import threading

import pytest

from codometer.errors import Overloaded
from codometer.serve.workers import Workers


def test_work_runs_outside_the_event_loop() -> None:
    async def main() -> tuple[int, int]:
        workers = Workers(threads=1, max_waiting=1)
        try:
            return threading.get_ident(), await workers.run(threading.get_ident)
        finally:
            workers.close()

    loop, worker = asyncio.run(main())
    assert loop != worker


def test_more_than_may_wait_are_refused_until_there_is_room() -> None:
    async def main() -> str:
        workers = Workers(threads=1, max_waiting=2)
        gate = threading.Event()
        held = [asyncio.ensure_future(workers.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="2 questions are waiting"):
            await workers.run(str)
        gate.set()
        await asyncio.gather(*held)
        try:
            return await workers.run(lambda: "room again")
        finally:
            workers.close()

    assert asyncio.run(main()) == "room again"


def test_a_client_that_leaves_frees_its_place_only_when_the_work_is_done() -> None:
    async def main() -> None:
        workers = Workers(threads=1, max_waiting=1)
        gate = threading.Event()
        asking = asyncio.ensure_future(workers.run(gate.wait))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        with pytest.raises(Overloaded):
            await workers.run(str)
        gate.set()
        workers.close()

    asyncio.run(main())


def test_what_the_work_raises_is_raised() -> None:
    async def main() -> None:
        workers = Workers(threads=1, max_waiting=1)
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        workers.close()

    asyncio.run(main())
