"""`codometer demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from codometer.operate.demo import Fleet, play
from codometer.settings import load_settings


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
@click.option("--port", type=int, metavar="N", help="Pages and API [4319].")
@click.option("--otlp-port", type=int, metavar="N", help="OTLP over HTTP [4318].")
@click.option("--grpc-port", type=int, metavar="N", help="OTLP over gRPC [4317].")
def demo(
    *,
    people: int,
    days: int,
    seed: int,
    port: int | None,
    otlp_port: int | None,
    grpc_port: int | None,
) -> None:
    """Run the server on a throw-away folder, with a simulated fleet that works until midnight.

    Some days of history come first, then the day as it happens. Ask it as you would
    ask a real one; everything is gone with Ctrl-C.
    """
    from codometer.server import run

    with tempfile.TemporaryDirectory(prefix="codometer-demo-") as folder:
        settings = load_settings(
            flags={
                "data": Path(folder) / "data",
                "listen.port": port,
                "listen.otlp_port": otlp_port,
                "listen.grpc_port": grpc_port,
            }
        )
        fleet = Fleet(people=people, days=days, seed=seed)
        with Progress(
            TextColumn("Simulating {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as bar:
            task = bar.add_task(f"{people} people, days", total=days, start=False)

            def progress(done: int) -> None:
                bar.update(task, completed=done)
                if done == days:
                    bar.stop()
                    click.echo(f"{days} days of {people} people are there; now it goes on live.")

            run(
                settings,
                beside=lambda catalogue, accept: play(fleet, catalogue, accept, progress=progress),
            )
