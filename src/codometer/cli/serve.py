"""`codometer serve`."""

from __future__ import annotations

from pathlib import Path

import click

from codometer.configuration import load_settings


@click.command(short_help="Run the server.")
@click.option("--host", metavar="ADDRESS", help="Listen on this address [127.0.0.1].")
@click.option("--port", type=int, metavar="N", help="Pages and API [4319].")
@click.option("--otlp-port", type=int, metavar="N", help="OTLP over HTTP [4318].")
@click.option("--grpc-port", type=int, metavar="N", help="OTLP over gRPC [4317].")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where everything is kept [./codometer-data].",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Settings [codometer.toml, if it is there].",
)
def serve(
    *,
    host: str | None,
    port: int | None,
    otlp_port: int | None,
    grpc_port: int | None,
    data: Path | None,
    config: Path | None,
) -> None:
    """Run the server until Ctrl-C.

    It needs no database, container or account, and listens on this machine only.
    Every flag is also a setting: in codometer.toml, or as a variable such as
    CODOMETER_LISTEN_PORT. `codometer config show` tells what is in force.
    """
    settings = load_settings(
        config=config,
        flags={
            "listen.host": host,
            "listen.port": port,
            "listen.otlp_port": otlp_port,
            "listen.grpc_port": grpc_port,
            "data": data,
        },
    )
    from codometer.server import run

    run(settings)
