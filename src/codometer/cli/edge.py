"""The outer edge of every command: errors become two lines and an exit status."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import click

from codometer.cli.client import Unreachable
from codometer.errors import BadRequest, BadSettings, CodometerError


class ExitStatus(IntEnum):
    """What a command's exit status says."""

    DONE = 0
    NO = 1
    WRONG_USAGE = 2
    UNREACHABLE = 3


class EdgeGroup(click.Group):
    """A group of commands that shows our errors the way every surface does."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        """Run a command; what it raises is printed to standard error."""
        try:
            return super().invoke(ctx)
        except CodometerError as error:
            show_error(error)
            ctx.exit(exit_status(error))


def exit_status(error: CodometerError) -> ExitStatus:
    """Return the exit status that tells a script about this error."""
    match error:
        case Unreachable():
            return ExitStatus.UNREACHABLE
        case BadRequest() | BadSettings():
            return ExitStatus.WRONG_USAGE
    return ExitStatus.NO


def show_error(error: CodometerError) -> None:
    """Print what went wrong and what to do next."""
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {error.message}", err=True)
    if error.hint:
        click.echo(f"{click.style('Hint:', bold=True)} {error.hint}", err=True)
