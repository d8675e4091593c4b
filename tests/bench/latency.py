"""How long a client waits for its acknowledgement, with a thousand of them at work."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from tests.bench.check import check_folder
from tests.bench.clients import Pace, Paced, in_own_process, pace
from tests.bench.connections import Target
from tests.bench.machine import read_memory_mib
from tests.bench.results import Results, quantile
from tests.running import running

RECORDS: Final = 12

QUESTIONS: Final = {
    "tokens by day": {"measures": "tokens", "by": "day", "from": "30d"},
    "cost by model": {"measures": "cost", "by": "model", "from": "30d"},
    "active people by team": {"measures": "active_people", "by": "team", "from": "30d"},
}
PATHS: Final = {name: f"/api/v1/query?{urlencode(given)}" for name, given in QUESTIONS.items()}


def measure_latency(results: Results) -> None:
    """Let the clients send at their pace, first alone, then with questions beside them."""
    for row, questions in {"alone": (), "asked": tuple(PATHS.values())}.items():
        results.tell(f"acknowledgements: {results.scale.clients} clients, {row}")
        folder = results.folder / f"pace-{row}"
        folder.mkdir()
        with running(folder) as server:
            plan = Pace(
                target=Target.of(server),
                clients=results.scale.clients,
                records=RECORDS,
                interval_seconds=results.scale.interval_seconds,
                seconds=results.scale.pace_seconds,
                questions=questions,
            )
            paced = in_own_process(pace, plan)
            now, peak = read_memory_mib(server.pid)
        check_folder(server.data, paced.acknowledged)
        _add(results, row, paced)
        results.add("memory", f"{results.scale.clients} clients, {row}", now=now, peak=peak)


def _add(results: Results, row: str, paced: Paced) -> None:
    results.add(
        "latency",
        row,
        p50_ms=quantile(paced.answered, 0.5) * 1000,
        p99_ms=quantile(paced.answered, 0.99) * 1000,
        max_ms=max(paced.answered) * 1000,
        late_p99_ms=quantile(paced.late, 0.99) * 1000,
        events_a_second=len(paced.answered) * RECORDS / paced.spent.wall_seconds,
        share=paced.spent.share,
        others=paced.spent.others,
    )
    if paced.asked:
        results.add(
            "latency",
            row,
            asked_p50_ms=quantile(paced.asked, 0.5) * 1000,
            asked_max_ms=max(paced.asked) * 1000,
        )
