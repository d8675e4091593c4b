"""`codometer status`."""

from __future__ import annotations

import click

from codometer.cli.client import ask_server
from codometer.cli.options import asks_server


@click.command(short_help="What arrived, when, from how many clients.")
@asks_server
def status(*, url: str | None, form: str) -> None:
    """Show what arrived, when, from how many clients, and what is stored."""
    from codometer.serve.exact_json import encode

    del form
    click.echo(encode(ask_server(url, "/api/v1/status"), indent=2))
