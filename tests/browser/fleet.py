"""A server in this process, and a small fleet that reports to it."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.operate.simulator import Batch, Scenario, simulate_day
from codometer.operate.simulator.encode import encode
from codometer.pricing import load_catalogue
from codometer.server import Server
from codometer.settings import Ingest, Listen, Organisation, Settings, SignIn, base_url
from tests.running import Ports

if TYPE_CHECKING:
    from codometer.intake.receivers.export import Accept, Accepted
    from codometer.model.signal import SignalKind
    from codometer.pricing import PriceCatalogue

T = TypeVar("T")

ZONE: Final = "Europe/Berlin"
_IN_ONE: Final = 200
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that runs, and a way to send it what clients would."""

    url: str
    listen: Listen
    server: Server
    accept: Accept
    loop: asyncio.AbstractEventLoop

    def send(self, batches: Sequence[Batch]) -> list[Accepted]:
        """Send batches as a collector does, many in a request, until all are acknowledged."""
        bodies: dict[SignalKind, list[bytes]] = defaultdict(list)
        for batch in batches:
            bodies[batch.kind].append(encode(batch))
        # Messages that follow each other are one message with the fields of all.
        return self.send_bodies(
            [
                ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=b"".join(part))
                for kind, found in bodies.items()
                for part in _batched(found, _IN_ONE)
            ]
        )

    def send_bodies(self, bodies: Sequence[ExportRequest]) -> list[Accepted]:
        """Send bodies and return the answers."""

        async def send_all() -> list[Accepted]:
            return await asyncio.gather(*map(self.accept, bodies))

        return self.run(send_all(), seconds=_PATIENCE_SECONDS)

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float) -> T:
        """Run something in the server's event loop and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)


@contextmanager
def serve(
    folder: Path, *, ingest: Ingest | None = None, sign_in: SignIn | None = None
) -> Iterator[Served]:
    """Run a server on free ports in a thread of this process for a `with` block."""
    ports = Ports.find_free()
    listen = Listen(port=ports.api, otlp_port=ports.otlp, grpc_port=ports.grpc)
    settings = Settings(
        data=folder / "data",
        listen=listen,
        organisation=Organisation(time_zone=ZONE),
        ingest=ingest or Ingest(),
        sign_in=sign_in or SignIn(),
    )
    server = Server(settings)
    started = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, Accept]] = []

    async def main() -> None:
        until = asyncio.Event()

        async def announce(_: PriceCatalogue, accept: Accept) -> None:
            running.append((asyncio.get_running_loop(), until, accept))
            started.set()

        await server.run(until, beside=announce)

    thread = threading.Thread(target=asyncio.run, args=(main(),), name="server")
    thread.start()
    assert started.wait(_PATIENCE_SECONDS), "the server did not start"
    loop, until, accept = running[0]
    try:
        yield Served(url=base_url(listen), listen=listen, server=server, accept=accept, loop=loop)
    finally:
        loop.call_soon_threadsafe(until.set)
        thread.join(_PATIENCE_SECONDS)
        assert not thread.is_alive(), "the server did not stop"


def make_history(*, people: int, days: int, until: datetime, seed: int = 1) -> Iterator[Batch]:
    """Return what people sent on the days up to an instant, the newest day first."""
    catalogue = load_catalogue()
    scenario = Scenario(
        seed=seed,
        last_day=until.date(),
        days=days,
        people=people,
        sessions_per_person=1,
        session_minutes=0.5,
        collect_seconds=3600,
        keeps_calendar=True,
    )
    for day in reversed(scenario.list_days()):
        for run in simulate_day(scenario, catalogue, day).runs:
            if not run.process.person.is_service:  # they work as much as everybody together
                yield from (each for each in (*run.events, *run.metrics) if _is_sent(each, until))


def _batched(items: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Return the items in parts of that size; itertools has it from Python 3.12 on."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _is_sent(batch: Batch, until: datetime) -> bool:
    return batch.sent_ms <= until.timestamp() * 1000
