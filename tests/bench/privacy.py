"""What it costs to protect people: a flood under each profile, beside one under none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx

from tests.bench.check import check_folder
from tests.bench.clients import Flood, flood, in_own_process
from tests.bench.connections import Protocol, Target
from tests.bench.ingest import EVENTS_IN_FLIGHT
from tests.bench.results import Results
from tests.running import RunningServer, running

_RECORDS: Final = 50
_PROFILES: Final = ("open", "standard", "strict")


def measure_privacy(results: Results) -> None:
    """Flood fresh servers under each profile, in turn, and take the best of each."""
    best = dict.fromkeys(_PROFILES, 0.0)
    for number in range(results.scale.rounds):
        for profile in _PROFILES:
            results.tell(f"privacy: {profile}, {number + 1} of {results.scale.rounds}")
            folder = results.folder / f"privacy-{profile}-{number}"
            folder.mkdir()
            best[profile] = max(best[profile], _measure(folder, profile, results))
    for profile, value in best.items():
        results.add("privacy", profile, events_a_core=value, to_open=value / best["open"])


def _measure(folder: Path, profile: str, results: Results) -> float:
    with running(folder) as server:
        if profile != "open":
            _choose(server, profile)
        per_batch = 50 * 12
        plan = Flood(
            target=Target.of(server),
            protocol=Protocol.HTTP,
            events=results.scale.flood_events // per_batch * per_batch,
            warm_up_events=results.scale.warm_up_events // per_batch * per_batch,
            records=_RECORDS,
            in_flight=EVENTS_IN_FLIGHT // _RECORDS,
        )
        flooded = in_own_process(flood, plan)
    check_folder(server.data, flooded.acknowledged)
    return flooded.events / flooded.spent.cpu_seconds


def _choose(server: RunningServer, profile: str) -> None:
    wanted = {"profile": profile, "reason": "it is measured"}
    answer = httpx.post(f"{server.url}/api/v1/privacy", json=wanted, trust_env=False)
    assert answer.raise_for_status().json()["in_force"]["profile"] == profile
