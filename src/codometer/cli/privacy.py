"""`codometer privacy`."""

from __future__ import annotations

from typing import Any, Final

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server

_PATH: Final = "/api/v1/privacy"


@click.group(short_help="What is collected about people, and what is not.")
def privacy() -> None:
    """Look at the privacy profile in force, or change it."""


@privacy.command(short_help="What is collected, what is not, and what for.")
@asks_server
def show(*, url: str | None, form: str) -> None:
    """Say in words what is collected about people and what is not."""
    _print_privacy(ask_server(url, _PATH), form)


@privacy.command(short_help="Decide on another profile or purpose.")
@click.option("--profile", type=click.Choice(("strict", "standard", "open")), help="Which one.")
@click.option("--purpose", help="What the numbers are for; everybody can read it.")
@click.option("--reason", required=True, help="Why this is changed; it is kept.")
@click.option("--confirm", metavar="PROFILE", help="The profile again, if it is a weaker one.")
@asks_server
def change(
    *,
    profile: str | None,
    purpose: str | None,
    reason: str,
    confirm: str | None,
    url: str | None,
    form: str,
) -> None:
    """Decide on a privacy profile, on the purpose, or on both.

    To know less about people takes effect at once, also for what is stored already.
    To know more must be confirmed, takes seven days in which everybody can see that it
    is coming, and never shows what was collected before.
    """
    wanted = {"profile": profile, "purpose": purpose, "reason": reason, "confirm": confirm}
    given = {name: value for name, value in wanted.items() if value is not None}
    _print_privacy(tell_server(url, _PATH, given), form)


@privacy.command(short_help="Have what was decided for later not happen.")
@click.option("--reason", required=True, help="Why; it is kept.")
@asks_server
def cancel(*, reason: str, url: str | None, form: str) -> None:
    """Have a profile that was decided on, and is not in force yet, not come."""
    _print_privacy(tell_server(url, f"{_PATH}/cancel", {"reason": reason}), form)


def _print_privacy(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json

    decision, upcoming = document["in_force"], document["upcoming"]
    if form == "json":
        print_json(document)
        return
    if form == "csv":
        rows = [[str(each[name]) for name in decision] for each in (decision, upcoming) if each]
        print_csv(list(decision), rows)
        return
    click.echo(f"The profile {decision['profile']} is in force, since {_day(decision)}.")
    purpose = clean(decision["purpose"]) or "not declared: codometer privacy change --purpose …"
    click.echo(f"Purpose: {purpose}\n")
    for sentence in document["in_words"]:
        click.echo(clean(sentence))
    if upcoming:
        click.echo(
            f"\nOn {_day(upcoming)} the profile becomes {upcoming['profile']}:"
            f" {clean(upcoming['reason'])}\n"
            "To stop that: codometer privacy cancel --reason …"
        )


def _day(decision: dict[str, Any]) -> str:
    return str(decision["effective"])[:10]
