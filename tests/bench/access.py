"""What it costs to ask every client for a credential, and to fill in what that tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx

from tests.bench.check import check_folder
from tests.bench.clients import Flood, flood, in_own_process
from tests.bench.connections import Protocol, Target
from tests.bench.ingest import EVENTS_IN_FLIGHT
from tests.bench.machine import read_memory_mib
from tests.bench.results import Results
from tests.running import RunningServer, running

_RECORDS: Final = 12
"""Few, so that there are many requests to check."""
_REQUIRED: Final = {
    "CODOMETER_INGEST_CREDENTIALS": "required",
    "CODOMETER_INGEST_MAX_REQUESTS_PER_SECOND": "1000000",  # what is measured is not the limit
}
_WANTED: Final = {
    "kind": "ingest",
    "name": "bench",
    "team": "bench",
    "binds_team": True,
    "cost_center": "4711",
    "person": "ada",
}


def measure_access(results: Results) -> None:
    """Flood fresh servers with and without credentials, in turn, and take the best of each."""
    best: dict[tuple[Protocol, bool], float] = {}
    for number in range(results.scale.rounds):
        for protocol in Protocol:
            for with_credentials in (False, True):
                row = _name(protocol, with_credentials=with_credentials)
                results.tell(f"access: {row}, {number + 1} of {results.scale.rounds}")
                folder = results.folder / f"access-{protocol}-{with_credentials}-{number}"
                folder.mkdir()
                found = _measure(folder, protocol, results, with_credentials=with_credentials)
                way = protocol, with_credentials
                best[way] = max(best.get(way, 0.0), found)
    for (protocol, with_credentials), value in best.items():
        row = _name(protocol, with_credentials=with_credentials)
        to_without = value / best[protocol, False]
        results.add("access", row, events_a_core=value, to_without=to_without)


def _measure(
    folder: Path, protocol: Protocol, results: Results, *, with_credentials: bool
) -> float:
    with running(folder, environment=_REQUIRED if with_credentials else {}) as server:
        target = Target.of(server)
        if with_credentials:
            target = replace(target, secret=_make_secret(server))
        per_batch = 50 * _RECORDS
        plan = Flood(
            target=target,
            protocol=protocol,
            events=results.scale.flood_events // per_batch * per_batch,
            warm_up_events=results.scale.warm_up_events // per_batch * per_batch,
            records=_RECORDS,
            in_flight=EVENTS_IN_FLIGHT // _RECORDS,
        )
        flooded = in_own_process(flood, plan)
        results.tell(f"resident: {read_memory_mib(server.pid)[0]:.0f} MiB")
    check_folder(server.data, flooded.acknowledged)
    return flooded.events / flooded.spent.cpu_seconds


def _make_secret(server: RunningServer) -> str:
    answer = httpx.post(f"{server.url}/api/v1/credentials", json=_WANTED, trust_env=False)
    secret: str = answer.raise_for_status().json()["secret"]
    return secret


def _name(protocol: Protocol, *, with_credentials: bool) -> str:
    return f"{protocol}, {'with' if with_credentials else 'without'} credentials"
