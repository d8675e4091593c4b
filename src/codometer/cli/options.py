"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def asks_server(command: F) -> F:
    """Add `--url` and `--format`."""
    command = click.option(
        "--url",
        metavar="URL",
        help="Ask this server (else CODOMETER_URL, else the one that the settings here name).",
    )(command)
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv"]),
        default="table",
        show_default=True,
        help="table for people, json and csv for programs, with all digits.",
    )(command)
