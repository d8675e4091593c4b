"""What a month of data takes: disk, time to start, time to answer."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from codometer.store.duckdb_engine import FILE_NAME
from codometer.store.tables import TIERS
from tests.bench.bodies import Totals
from tests.bench.check import check_folder, merge
from tests.bench.clients import Flood, Load, flood, in_own_process, load
from tests.bench.connections import Protocol, Target
from tests.bench.latency import PATHS, RECORDS
from tests.bench.results import Results, quantile
from tests.running import RunningServer, running

_NS: Final = 10**9
_DAY_NS: Final = round(timedelta(days=1).total_seconds()) * _NS
_WORKING_NS: Final = 8 * 3600 * _NS
_PAUSE_MS: Final = 12_000.0
"""Between two events of a session, so that its 300 take an hour."""
_BLOCK_BYTES: Final = 262_144
_ROLLUPS: Final = (*(tier.table for tier in TIERS), "latency_15m")
_DETAIL: Final = ("event", "reading", "origin", "workplace")


def measure_stored(results: Results) -> None:
    """Load the data, then measure what rests on it."""
    folder = results.folder / "stored"
    folder.mkdir()
    with running(folder) as server:
        acknowledged = _load(results, server)
        _ask(results, server)
    check_folder(server.data, acknowledged)
    _measure_disk(results, server.data, acknowledged)
    _measure_starts(results, folder, acknowledged)


def measure_empty_start(results: Results) -> None:
    """Start on an empty folder."""
    results.tell("start: empty folder")
    for number in range(results.scale.starts):
        folder = results.folder / f"empty-{number}"
        folder.mkdir()
        _add_start(results, "empty", _time_start(folder))


def _load(results: Results, server: RunningServer) -> dict[str, Totals]:
    scale = results.scale
    now_ns = time.time_ns()
    session_ns = round(scale.session_events * _PAUSE_MS * 1e6)
    latest_ns = now_ns - 2 * session_ns  # pauses are random: none may end in the future
    today = [
        latest_ns - _WORKING_NS * number // scale.day_sessions
        for number in range(scale.day_sessions)
    ]
    before = [
        latest_ns - day * _DAY_NS - _WORKING_NS * number // scale.sessions_a_day_before
        for day in range(scale.days - 1, 0, -1)
        for number in range(scale.sessions_a_day_before)
    ]
    results.tell(f"data: {(len(before) + len(today)) * scale.session_events} events")
    plan = Load(
        target=Target.of(server),
        starts_ns=tuple(before + today),
        first_number=0,
        events=scale.session_events,
        records=RECORDS,
        pause_ms=_PAUSE_MS,
    )
    return in_own_process(load, plan)


def _ask(results: Results, server: RunningServer) -> None:
    for name, path in PATHS.items():
        results.tell(f"question: {name}")
        seconds = []
        for _ in range(results.scale.questions + 1):
            began = time.perf_counter()
            server.get_json(path)
            seconds.append(time.perf_counter() - began)
        warm = seconds[1:]
        results.add("question", name, p50_ms=quantile(warm, 0.5) * 1000, max_ms=max(warm) * 1000)


def _measure_disk(results: Results, data: Path, acknowledged: dict[str, Totals]) -> None:
    events = sum(totals.events for totals in acknowledged.values())
    readings = sum(totals.readings for totals in acknowledged.values())
    with duckdb.connect(str(data / FILE_NAME), read_only=True) as connection:
        parts = {
            "detail": _count_blocks(connection, _DETAIL) * _BLOCK_BYTES,
            "rollups": _count_blocks(connection, _ROLLUPS) * _BLOCK_BYTES,
            "free": _free_blocks(connection) * _BLOCK_BYTES,
        }
    parts["folder"] = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    for row, size in parts.items():
        results.add("disk", row, mib=size / 2**20, bytes_an_event=size / events)
    results.add("disk", "folder", events=events, readings=readings)


def _count_blocks(connection: Any, tables: tuple[str, ...]) -> int:  # noqa: ANN401 - DuckDB's own
    blocks: set[int] = set()
    for table in tables:
        rows = connection.execute(
            "SELECT block_id, additional_block_ids FROM pragma_storage_info(?)", [table]
        ).fetchall()
        for block, more in rows:
            blocks.update({block, *(more or ())})
    return len(blocks - {None, -1})


def _free_blocks(connection: Any) -> int:  # noqa: ANN401 - as above
    found = connection.execute("SELECT free_blocks FROM pragma_database_size()").fetchone()
    return int(found[0])


def _measure_starts(results: Results, folder: Path, acknowledged: dict[str, Totals]) -> None:
    for number in range(results.scale.starts):
        results.tell(f"start: with data, {number + 1} of {results.scale.starts}")
        _add_start(results, "full", _time_start(folder))
    for number in range(results.scale.starts):
        results.tell(f"start: after kill -9, {number + 1} of {results.scale.starts}")
        server = RunningServer(folder)
        try:
            server.start()
            flooded = in_own_process(flood, _before_death(results, server, seed=1 + number))
        finally:
            server.kill()
        acknowledged = merge(acknowledged, flooded.acknowledged)
        wal = server.data / f"{FILE_NAME}.wal"
        results.add("start", "killed", log_mib=wal.stat().st_size / 2**20 if wal.exists() else 0)
        _add_start(results, "killed", _time_start(folder))
        check_folder(server.data, acknowledged)


def _before_death(results: Results, server: RunningServer, *, seed: int) -> Flood:
    return Flood(
        target=Target.of(server),
        protocol=Protocol.HTTP,
        events=results.scale.killed_events,
        warm_up_events=0,
        records=50,
        in_flight=64,
        seed=seed,
    )


def _time_start(folder: Path) -> float:
    server = RunningServer(folder)
    try:
        seconds = server.start()
        server.stop()
    finally:
        if server.is_running:
            server.kill()
    return seconds


def _add_start(results: Results, row: str, seconds: float) -> None:
    """Keep the slowest: nobody waits for the average."""
    slowest = results.figures.get("start", {}).get(row, {}).get("seconds", 0.0)
    results.add("start", row, seconds=max(seconds, slowest))
