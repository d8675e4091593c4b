"""`codometer config`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from codometer.cli.client import ask_server
from codometer.cli.options import asks_server
from codometer.configuration import load_settings


@click.group(short_help="Settings.")
def config() -> None:
    """Look at the settings."""


@config.command(short_help="What is in force and where each value came from.")
@click.option(
    "--local", is_flag=True, help="Read file and environment here instead of asking the server."
)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --local: this file.  [default: codometer.toml, if it is there]",
)
@asks_server
def show(*, local: bool, path: Path | None, url: str | None, form: str) -> None:
    """Show every setting that is in force and where its value came from.

    This asks the running server. --local tells what a server started here would use.
    """
    if path and not local:
        raise click.UsageError("--config needs --local: a running server has read its file already")
    document = _read_here(path) if local else ask_server(url, "/api/v1/config")
    _print_settings(document, form)


def _read_here(path: Path | None) -> dict[str, Any]:
    from codometer.serve.api.config import config_document
    from codometer.serve.exact_json import decode, encode

    document: dict[str, Any] = decode(encode(config_document(load_settings(config=path))))
    return document


def _print_settings(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import print_csv, print_json, print_rows

    entries = document["settings"]
    if form == "json":
        print_json(document)
        return
    rows = [[entry["key"], _value_text(entry["value"]), entry["origin"]] for entry in entries]
    if form == "csv":
        print_csv(["key", "value", "origin"], rows)
        return
    print_rows(["Setting", "Value", "From"], rows)
    if "privacy" in document:  # not where a file is read, which does not know
        click.echo(f"\nThe privacy profile is {document['privacy']}: codometer privacy show")


def _value_text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
