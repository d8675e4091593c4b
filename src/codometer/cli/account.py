"""`codometer account`."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server

_PATH: Final = "/api/v1/accounts"
_ROLES: Final = ("viewer", "developer", "team_lead", "finops", "auditor", "administrator")
_FIELDS: Final = ("id", "login", "role", "teams", "created", "disabled")


@click.group(short_help="Who can sign in.")
def account() -> None:
    """Invite people, list accounts and disable them.

    The first administrator's link is printed by `codometer serve`. On the server's
    own machine these commands need no sign-in if you can read its data folder.
    """


@account.command(short_help="Make a link for one person.")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What they are here for.")
@click.option("--team", "teams", multiple=True, help="Only this team; more than once for more.")
@asks_server
def invite(*, role: str, teams: tuple[str, ...], url: str | None, form: str) -> None:
    """Make a link with which one person makes an account, within three days."""
    from codometer.cli.output import print_csv, print_json

    wanted: dict[str, object] = {"role": role}
    if teams:
        wanted["teams"] = list(teams)
    made = tell_server(url, f"{_PATH}/invite", wanted)
    if form == "json":
        print_json(made)
    elif form == "csv":
        print_csv(["link", "expires"], [[made["link"], made["expires"]]])
    else:
        click.echo(
            f"{made['link']}\n\nIt is good for one person, until {made['expires'][:16]} UTC."
        )


@account.command("list", short_help="All there are, disabled ones included.")
@asks_server
def list_(*, url: str | None, form: str) -> None:
    """List every account, the oldest first."""
    from codometer.cli.output import print_json

    document = ask_server(url, _PATH)
    if form == "json":
        print_json(document)
    else:
        _print_accounts(document["accounts"], form)


@account.command(short_help="Disable one, and end its sessions.")
@click.argument("account_id", metavar="ID")
@asks_server
def disable(*, account_id: str, url: str | None, form: str) -> None:
    """Disable an account: from now on it cannot sign in, and whoever is, is signed out."""
    from codometer.cli.output import print_json

    document = tell_server(url, f"{_PATH}/{quote(account_id, safe='')}/disable", {})
    if form == "json":
        print_json(document)
    else:
        _print_accounts([document["account"]], form)


def _print_accounts(accounts: list[dict[str, Any]], form: str) -> None:
    from codometer.cli.output import print_csv, print_rows

    rows = [[_text(each[field]) for field in _FIELDS] for each in accounts]
    if form == "csv":
        print_csv(list(_FIELDS), rows)
        return
    if not rows:
        click.echo("There are no accounts: nobody needs to sign in.")
        return
    print_rows([field.capitalize() for field in _FIELDS], rows)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
