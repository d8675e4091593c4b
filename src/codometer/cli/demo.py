"""`codometer demo`."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from codometer.configuration import load_settings
from codometer.settings import url_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codometer.operate.demo import Progress

_port = click.IntRange(1, 65535)
# A demo is for whoever sits here. It has no use for what the server of these settings has.
_AS_NOBODY_SET: Final = {
    **dict.fromkeys(("listen.url", "listen.otlp_url", "ingest.client_ca"), ""),
    **dict.fromkeys(("listen.tls_certificate", "listen.tls_key"), ""),
    "listen.trusted_proxies": [],
}


@click.command(short_help="Run the server with a simulated fleet.")
@click.option(
    "--people", type=click.IntRange(1, 5000), default=60, show_default=True, help="Who work."
)
@click.option(
    "--days", type=click.IntRange(1, 730), default=180, show_default=True, help="Of history."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another number, another fleet."
)
@click.option("--port", type=_port, metavar="N", help="Pages and API [4319].")
@click.option("--otlp-port", type=_port, metavar="N", help="OTLP over HTTP [4318].")
@click.option("--grpc-port", type=_port, metavar="N", help="OTLP over gRPC [4317].")
def demo(
    *,
    people: int,
    days: int,
    seed: int,
    port: int | None,
    otlp_port: int | None,
    grpc_port: int | None,
) -> None:
    """Run the server on a throw-away folder, with a simulated fleet.

    Its history loads in the background, the newest days first, so the pages can be
    used at once; what the fleet does now arrives as it happens. Ask it as you would
    ask a real one; everything is gone with Ctrl-C.
    """
    from codometer.operate.connect import otlp_url
    from codometer.operate.demo import demo_scenario, play
    from codometer.operate.simulator.exporter import Endpoint
    from codometer.server import run

    with tempfile.TemporaryDirectory(prefix="codometer-demo-") as folder:
        settings = load_settings(
            flags={
                "data": Path(folder) / "data",
                "listen.port": port,
                "listen.otlp_port": otlp_port,
                "listen.grpc_port": grpc_port,
                **_AS_NOBODY_SET,
            }
        )
        today = datetime.now(UTC).date()
        scenario = demo_scenario(people=people, days=days, seed=seed, today=today)
        host = url_host(settings.listen)
        endpoint = Endpoint(
            http=otlp_url(settings.listen), grpc=f"{host}:{settings.listen.grpc_port}"
        )
        with _bar(f"{days} days of {people} people") as progress:
            run(
                settings,
                beside=lambda catalogue, accept: play(
                    scenario, catalogue, accept, endpoint, progress=progress
                ),
            )


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    """Show on a terminal how much of the history is there, and say when all of it is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("Loading {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if done == total:
                bar.stop()
                seconds = time.monotonic() - began
                click.echo(f"{what} are there, after {seconds:.0f} s; now it goes on live.")

        yield show
