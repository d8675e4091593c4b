"""The demo shows a fleet's past, the newest days first, and goes on with what it does now."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from codometer.operate.demo import demo_scenario, load_history
from codometer.operate.simulator import simulate_day
from codometer.operate.simulator.live import live
from codometer.operate.simulator.tally import Tally
from codometer.pricing import load_catalogue
from tests.running import CODOMETER, HOST, Ports
from tests.site import Site
from tests.truth import find_differences

if TYPE_CHECKING:
    from pathlib import Path

    from codometer.operate.simulator import Scenario

NOW: Final = datetime(2026, 11, 20, 19, 30, tzinfo=UTC)
CATALOGUE: Final = load_catalogue()


def tell_truth(scenario: Scenario) -> dict[str, Any]:
    """Return what a fleet sent by now."""
    tally = Tally()
    for date in (*scenario.list_days(), scenario.last_day + timedelta(days=1)):
        day = simulate_day(scenario, CATALOGUE, date)
        tally.add(day, [b for b in day.batches if b.sent_ms <= NOW.timestamp() * 1000])
    return tally.document()


@pytest.mark.slow
def test_the_history_is_there_to_the_last_token_also_once_detail_has_expired(
    tmp_path: Path,
) -> None:
    scenario = demo_scenario(people=30, days=9, seed=4, today=NOW.date())
    site = Site.open(tmp_path, now=NOW)
    seen: list[tuple[int, int]] = []
    history = load_history(
        scenario, site.intake.accept, NOW, progress=lambda *done: seen.append(done)
    )
    asyncio.run(history)
    assert seen == [(days, 10) for days in range(1, 11)]
    truth = tell_truth(scenario)
    assert truth["totals"]["requests"] > 500
    assert truth["totals"]["active_services"] == 1

    def ask(measures: list[str], by: str | None) -> list[dict[str, Any]]:
        return site.ask(*measures, by=[by] if by else [])

    assert find_differences(truth, ask) == []
    sealed = site.store.seal(NOW - timedelta(days=7))
    assert sealed > 0
    assert site.store.fetch("SELECT count(*) FROM event")[0][0] > 0
    assert find_differences(truth, ask) == []
    site.close()


@pytest.mark.slow
def test_what_happens_now_comes_when_it_is_due_and_not_before() -> None:
    scenario = demo_scenario(people=8, days=9, seed=4, today=datetime.now(UTC).date())

    async def list_first(since: datetime) -> list[int]:
        times: list[int] = []
        async with aclosing(live(scenario, CATALOGUE, since)) as happening:
            async for _, batch in happening:
                assert batch.sent_ms <= time.time() * 1000
                times.append(batch.sent_ms)
                if len(times) == 300:
                    break
        return times

    since = datetime.now(UTC) - timedelta(days=8)  # of which some were working days
    times = asyncio.run(list_first(since))
    assert times == sorted(times)
    assert times[0] > since.timestamp() * 1000


@pytest.mark.slow
def test_the_command_loads_a_history_while_its_pages_answer_and_ends_well() -> None:
    ports = Ports.find_free()
    options = [f"--port={ports.api}", f"--otlp-port={ports.otlp}", f"--grpc-port={ports.grpc}"]
    with subprocess.Popen(
        [*CODOMETER, "demo", "--people", "4", "--days", "5", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed: list[str] = []
        for line in process.stdout:
            printed.append(line)
            if "Stop with" in line:
                assert httpx.get(f"http://{HOST}:{ports.api}/readyz").is_success
            if "now it goes on live" in line:
                break
        answer = httpx.get(
            f"http://{HOST}:{ports.api}/api/v1/query?measures=requests&from=20d&by=day"
        ).json()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=40)
    assert any(f"http://{HOST}:{ports.api}" in line for line in printed)
    assert len(answer["rows"]) >= 3
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
