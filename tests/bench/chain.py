"""The way from body to disk without a network: all of it, and its first step alone.

The plain decoder takes the place of ours here and nowhere else, so that both are measured on
equal terms.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from unittest.mock import patch

from codometer.intake.pipeline import spared_collector
from codometer.intake.receivers import otlp_decode
from codometer.intake.receivers.export import Encoding, ExportRequest
from tests.bench import plain
from tests.bench.bodies import Body, total_by_session
from tests.bench.check import check_rows
from tests.bench.clients import make_bodies
from tests.site import Site

_RECORDS_TOGETHER: Final = 600
"""About what `pipeline.py` has decoded at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run through the whole chain, in a process of its own."""

    folder: Path
    events: int
    warm_up_events: int
    records: int
    in_flight: int
    plain_decoder: bool = False
    rollups: bool = False
    """Whether the rollups are kept current beside it, as in a server."""


def run_chain(run: Run) -> float:
    """Return how many events a second and core are made durable, and check that they are."""
    bodies = make_bodies(run.warm_up_events + run.events, records=run.records)
    first = run.warm_up_events // run.records
    replaced = patch("codometer.intake.pipeline.decode_all", plain.decode_all)
    with replaced if run.plain_decoder else nullcontext():
        site = Site.open(run.folder, now=datetime.now(UTC))
        if run.rollups:
            site.store.start()
        with spared_collector():  # as a server does
            asyncio.run(_accept(site, bodies[:first], run.in_flight))
            began = time.process_time()
            asyncio.run(_accept(site, bodies[first:], run.in_flight))
            seconds = time.process_time() - began
        check_rows(site.store.fetch, total_by_session(bodies))
        site.close()
    return sum(body.events for body in bodies[first:]) / seconds


def time_decoders(events: int, *, records: int) -> dict[str, float]:
    """Return how many records a second and core each decoder reads.

    They take turns on the same bodies, and each sees a body once, as in life: a memory of
    what came before helps no more than it would there. Ours is given as many at once as the
    intake gives it under load.
    """
    requests = [_export(body) for body in make_bodies(events, records=records)]
    decoders: dict[str, Callable[[Sequence[ExportRequest]], object]] = {
        "ours": otlp_decode.decode_all,
        "plain": plain.decode_all,
        "parse": lambda portion: [plain.parse(request.body) for request in portion],
    }
    seconds = dict.fromkeys(decoders, 0.0)
    together = _RECORDS_TOGETHER // records
    for first in range(0, len(requests), together):
        for name, decode in decoders.items():
            began = time.process_time()
            decode(requests[first : first + together])
            seconds[name] += time.process_time() - began
    return {name: events / seconds[name] for name in decoders}


async def _accept(site: Site, bodies: Sequence[Body], in_flight: int) -> None:
    waiting = iter(bodies)

    async def work() -> None:
        for body in waiting:
            accepted = await site.intake.accept(_export(body))
            assert not accepted.rejected, accepted.message

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())


def _export(body: Body) -> ExportRequest:
    return ExportRequest(kind=body.kind, encoding=Encoding.PROTOBUF, body=body.data)
