"""`codometer team`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server

F = TypeVar("F", bound=Callable[..., Any])

_PATH: Final = "/api/v1/teams"
_FIELDS: Final = ("team", "cost_center", "since", "until")


def _changes(command: F) -> F:
    """Add the person, the days and the reason."""
    for add in (
        click.option("--reason", required=True, help="Why; it is kept in the audit log."),
        click.option("--until", default="", metavar="DAY", help="Up to this day, not included."),
        click.option("--since", default="", metavar="DAY", help="From this day on; else today."),
        click.argument("subject", metavar="PERSON"),
    ):
        command = add(command)
    return command


@click.group(short_help="Which teams there are, and who belongs to which.")
def team() -> None:
    """Say which team a person belongs to, from which day until which.

    It beats what their client says. Name them by e-mail address, account or
    pseudonym. Every use of these commands but the list is in the audit log.
    """


@team.command(name="list", short_help="The teams, and of how many people they are.")
@asks_server
def list_teams(*, url: str | None, form: str) -> None:
    """List the teams of the last 28 days and of today, never their members.

    Where the privacy profile tells of teams by week, the last four that are over.

    \b
    active    people who used an agent there in these days
    assigned  people of whom an administrator said so, today
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from codometer.cli.output import print_csv, print_json, print_rows

    document = ask_server(url, _PATH)
    fields = ("team", "active", "assigned")
    rows = [[each[name] for name in fields] for each in document["teams"]]
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(fields, rows)
    elif rows:
        few = f"fewer than {document['minimum_people']}"
        told = [[few if each is None else each for each in row] for row in rows]
        print_rows([name.capitalize() for name in fields], told)
    else:
        click.echo("No team is known.")


@team.command(short_help="Say that a person belongs to a team.")
@_changes
@click.argument("team", metavar="TEAM")
@click.option("--cost-center", default="", help="Else the one that their client says holds.")
@asks_server
def assign(*, team: str, cost_center: str, url: str | None, form: str, **told: str) -> None:
    """Have a person belong to a team from a day on, whatever was said before.

    What is stored of those days moves there too, as far back as it is known whose
    it is.
    """
    wanted = {**told, "team": team, "cost_center": cost_center}
    _print_corrected(tell_server(url, f"{_PATH}/assign", wanted), form)


@team.command(short_help="Take that back.")
@_changes
@asks_server
def remove(*, url: str | None, form: str, **told: str) -> None:
    """Have what a person's client says hold again from a day on."""
    _print_corrected(tell_server(url, f"{_PATH}/remove", told), form)


@team.command(short_help="To which teams a person belongs, and when.")
@click.argument("subject", metavar="PERSON")
@asks_server
def history(*, subject: str, url: str | None, form: str) -> None:
    """Show what was said of a person, in order of time."""
    _print_history(tell_server(url, f"{_PATH}/history", {"subject": subject}), form)


def _print_corrected(document: dict[str, Any], form: str) -> None:
    _print_history(document, form)
    if form != "table":
        return
    click.echo(f"{document['sessions']} stored sessions were moved.")
    if document["held"]:
        click.echo(f"{document['held']} are under a legal hold, and move once it is lifted.")
    if document["corrected_from"]:
        click.echo(
            f"Corrected from {document['corrected_from']}; earlier days are only known as sums."
        )


def _print_history(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import print_csv, print_json, print_rows

    if form == "json":
        print_json(document)
        return
    rows = [[each[name] or "" for name in _FIELDS] for each in document["memberships"]]
    if form == "csv":
        print_csv(["person", *_FIELDS], [[document["person"], *row] for row in rows])
        return
    if rows:
        print_rows(["Team", "Cost centre", "Since", "Until"], rows)
    else:
        click.echo("Nothing was said of them: what their client says holds.")
