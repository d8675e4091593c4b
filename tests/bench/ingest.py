"""How many events a second a core makes durable: a real server, and the chain inside it."""

from __future__ import annotations

import time
from typing import Final

from tests.bench.bodies import Totals
from tests.bench.chain import Run, run_chain, time_decoders
from tests.bench.check import Lost, check_folder
from tests.bench.clients import Flood, Flooded, flood, in_own_process
from tests.bench.connections import Protocol, Target
from tests.bench.machine import read_cpu_seconds, read_memory_mib
from tests.bench.results import Results
from tests.running import RunningServer, running

EVENTS_IN_FLIGHT: Final = 3200
"""However many of them a request has, so that only the size of requests differs."""

_PATIENCE_SECONDS: Final = 300.0
_SETTLE_SECONDS: Final = 2.0
_WAYS: Final = ((Protocol.HTTP, 50), (Protocol.HTTP, 12), (Protocol.GRPC, 50), (Protocol.GRPC, 12))


def measure_server(results: Results) -> None:
    """Flood a fresh server in each way, and check every row at the end."""
    for protocol, records in _WAYS:
        row = f"{protocol}, {records} a request"
        results.tell(f"server: {row}")
        folder = results.folder / f"{protocol}-{records}"
        folder.mkdir()
        with running(folder) as server:
            time.sleep(_SETTLE_SECONDS if results.scale.rounds > 1 else 0)
            idle, _ = read_memory_mib(server.pid)
            results.add("memory", "idle, after start", now=idle)
            began = read_cpu_seconds(server.pid)
            flooded = _flood(server, protocol, records, results)
            behind = _wait_until_rolled_up(server, flooded)
            cpu_seconds = read_cpu_seconds(server.pid) - began
            now, peak = read_memory_mib(server.pid)
        check_folder(server.data, flooded.acknowledged)
        spent = flooded.spent
        everything = sum(totals.events for totals in flooded.acknowledged.values())
        results.add(
            "server",
            row,
            events_a_core=flooded.events / spent.cpu_seconds,
            rolled_up_a_core=everything / cpu_seconds,
            events_a_second=flooded.events / spent.wall_seconds,
            share=spent.share,
            others=spent.others,
            behind_seconds=behind,
        )
        results.add("memory", f"under load: {row}", now=now, peak=peak)


def measure_chain(results: Results) -> None:
    """Run the chain with either decoder, in turn, and take the best run of each."""
    ways = {
        "ours": {},
        "plain": {"plain_decoder": True},
        "with_rollups": {"rollups": True},
    }
    best = dict.fromkeys(ways, 0.0)
    for number in range(results.scale.rounds):
        for name, options in ways.items():
            results.tell(f"chain: {name}, {number + 1} of {results.scale.rounds}")
            run = Run(
                folder=results.folder / f"chain-{name}-{number}",
                events=results.scale.chain_events,
                warm_up_events=results.scale.warm_up_events,
                records=50,
                in_flight=EVENTS_IN_FLIGHT // 50,
                **options,
            )
            best[name] = max(best[name], in_own_process(run_chain, run))
    for name, value in best.items():
        results.add("chain", name, events_a_core=value, to_plain=value / best["plain"])


def measure_decoders(results: Results) -> None:
    """Let the decoders read the same bodies."""
    for records in (50, 12):
        results.tell(f"decoders: {records} a request")
        events = results.scale.decoder_events // (50 * 12) * 50 * 12
        speeds = in_own_process(time_decoders, events, records=records)
        for name, speed in speeds.items():
            row = f"{name}_{records}"
            results.add("decoder", row, records_a_core=speed, to_plain=speed / speeds["plain"])


def _flood(server: RunningServer, protocol: Protocol, records: int, results: Results) -> Flooded:
    per_batch = 50 * 12
    plan = Flood(
        target=Target.of(server),
        protocol=protocol,
        events=results.scale.flood_events // per_batch * per_batch,
        warm_up_events=results.scale.warm_up_events // per_batch * per_batch,
        records=records,
        in_flight=EVENTS_IN_FLIGHT // records,
    )
    return in_own_process(flood, plan)


def _wait_until_rolled_up(server: RunningServer, flooded: Flooded) -> float:
    """Wait until the API tells what was acknowledged; return for how many seconds."""
    wanted = Totals()
    for totals in flooded.acknowledged.values():
        wanted.add(totals)
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE_SECONDS:
        (answer,) = server.query("requests", "tokens")
        if (answer["requests"], answer["tokens"]) == (wanted.requests, wanted.tokens):
            return time.monotonic() - began
        time.sleep(0.2)
    raise Lost(f"acknowledged {wanted}, and the API still tells {answer}")
