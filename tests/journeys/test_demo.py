"""The demo shows a fleet's past at once, and goes on live."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from codometer.operate.demo import Fleet, play
from codometer.pricing import load_catalogue
from tests.site import EVERYTHING, Site

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 3


@pytest.mark.slow
def test_a_demo_has_every_day_of_its_history(tmp_path: Path) -> None:
    site = Site.open(tmp_path, now=datetime.now(UTC))
    done: list[int] = []

    async def until_history_is_there() -> None:
        everything = asyncio.Event()

        def progress(days: int) -> None:
            done.append(days)
            if days == DAYS:
                everything.set()

        fleet = Fleet(people=3, days=DAYS)
        playing = asyncio.create_task(
            play(fleet, load_catalogue(), site.intake.accept, progress=progress)
        )
        waiting = asyncio.create_task(everything.wait())
        await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
        playing.cancel()
        await asyncio.wait({playing})

    asyncio.run(until_history_is_there())
    days = site.ask("requests", "cost", by=["day"], since=EVERYTHING[0], until=EVERYTHING[1])
    site.close()
    assert done == [1, 2, 3]
    assert len(days) >= DAYS - 1  # early in the day nobody has worked yet
    assert all(row["requests"] and row["cost"] for row in days)
