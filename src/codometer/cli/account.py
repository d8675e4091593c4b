"""`codometer account`."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server

_PATH: Final = "/api/v1/accounts"
_INVITATIONS_PATH: Final = "/api/v1/invitations"
_INVITATION_FIELDS: Final = ("id", "account", "role", "teams", "maker", "created", "expires")
_SESSIONS_PATH: Final = "/api/v1/account-sessions"
_ROLES: Final = ("viewer", "developer", "team_lead", "finops", "auditor", "administrator")
_FIELDS: Final = (
    "id",
    "login",
    "role",
    "teams",
    "has_second_factor",
    "identities",
    "created",
    "disabled",
)
_HEADS: Final = ("Id", "Login", "Role", "Teams", "Second factor", "Provider", "Created", "Disabled")
_SESSION_FIELDS: Final = ("id", "account", "created", "address")
_ROLE: Final = click.option(
    "--role", type=click.Choice(_ROLES), required=True, help="What they are here for."
)
_TEAMS: Final = click.option(
    "--team", "teams", multiple=True, help="Only this team; more than once for more."
)
_ID: Final = click.argument("account_id", metavar="ID")


@click.group(short_help="Who can sign in.")
def account() -> None:
    """Invite people, help those who cannot sign in, end sessions, and disable accounts.

    The first administrator's link is printed by `codometer serve`. On the server's
    own machine these commands need no sign-in if you can read its data folder.
    """


@account.command(short_help="Make a link for one person.")
@_ROLE
@_TEAMS
@asks_server
def invite(*, role: str, teams: tuple[str, ...], url: str | None, form: str) -> None:
    """Make a link with which one person makes an account, within three days."""
    _print_link(tell_server(url, f"{_PATH}/invite", _wanted(role, teams)), form)


@account.command(short_help="Links that nobody has used yet.")
@asks_server
def invitations(*, url: str | None, form: str) -> None:
    """List the links that are good: to make an account, or for a new password.

    A link can be read only when it is made. It stops being good when whoever made it may
    no longer grant what it does.
    """
    _print_invitations(ask_server(url, _INVITATIONS_PATH), form)


@account.command(short_help="End a link.")
@click.argument("invitation_id", metavar="ID")
@asks_server
def withdraw(*, invitation_id: str, url: str | None, form: str) -> None:
    """End a link before somebody uses it: one that went astray, or is needed no more."""
    path = f"{_INVITATIONS_PATH}/{quote(invitation_id, safe='')}/withdraw"
    document = tell_server(url, path, {})
    if form == "table":
        click.echo(f"Withdrawn: {document['invitation']['id']}.")
    else:
        _print_invitations({"invitations": [document["invitation"]]}, form)


@account.command(short_help="Make a link for a new password.")
@_ID
@asks_server
def reset(*, account_id: str, url: str | None, form: str) -> None:
    """Make a link with which whoever has an account chooses a new password, within an hour.

    It signs them in, also where passwords are switched off: the way back in when the
    provider of identities is gone. The second factor stays.
    """
    _print_link(_act(url, account_id, "reset"), form)


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


@account.command(short_help="Give one a role and teams.")
@_ID
@_ROLE
@_TEAMS
@asks_server
def change(
    *, account_id: str, role: str, teams: tuple[str, ...], url: str | None, form: str
) -> None:
    """Give an account another role, and these teams or, without any, all. Its sessions end."""
    _print_account(_act(url, account_id, "change", _wanted(role, teams)), form)


@account.command(short_help="Disable one, and end its sessions.")
@_ID
@asks_server
def disable(*, account_id: str, url: str | None, form: str) -> None:
    """Disable an account: from now on it cannot sign in, and whoever is, is signed out."""
    _print_account(_act(url, account_id, "disable"), form)


@account.command("remove-second-factor", short_help="For whoever lost theirs.")
@_ID
@asks_server
def remove_second_factor(*, account_id: str, url: str | None, form: str) -> None:
    """Take the second factor of an account away, with its recovery codes. Its sessions end.

    Make sure before that it is its owner who asks.
    """
    _print_account(_act(url, account_id, "second-factor/remove"), form)


@account.command(short_help="Take a provider away from one.")
@_ID
@click.argument("issuer")
@asks_server
def disconnect(*, account_id: str, issuer: str, url: str | None, form: str) -> None:
    """Have an account be signed in to with a provider no more; sessions that came by it end.

    ISSUER is the provider as `codometer account list` names it. An account that has no
    other way in keeps it: send a link for a password first, with `codometer account reset`.
    """
    _print_account(_act(url, account_id, "disconnect", {"issuer": issuer}), form)


@account.command(short_help="Who is signed in.")
@click.argument("account_id", metavar="[ID]", required=False)
@asks_server
def sessions(*, account_id: str | None, url: str | None, form: str) -> None:
    """List the sessions of an account, or of all."""
    from codometer.cli.output import print_csv, print_json, print_rows

    parameters = [("account", account_id)] if account_id else []
    document = ask_server(url, _SESSIONS_PATH, parameters)
    rows = [[_text(each[field]) for field in _SESSION_FIELDS] for each in document["sessions"]]
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(list(_SESSION_FIELDS), rows)
    elif rows:
        print_rows(["Session", "Account", "Created", "From"], rows)
    else:
        click.echo("Nobody is signed in.")


@account.command("sign-out", short_help="End sessions of one.")
@_ID
@click.option("--session", metavar="ID", help="Only this one.")
@asks_server
def sign_out(*, account_id: str, session: str | None, url: str | None, form: str) -> None:
    """Sign an account out everywhere, or of one session. It can sign in again."""
    from codometer.cli.output import print_csv, print_json

    if session is None:
        document = _act(url, account_id, "sign-out")
    else:
        document = tell_server(url, f"{_SESSIONS_PATH}/{quote(session, safe='')}/end", {})
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(["ended"], [[document["ended"]]])
    else:
        click.echo(f"Sessions ended: {document['ended']}.")


def _wanted(role: str, teams: tuple[str, ...]) -> dict[str, object]:
    return {"role": role, **({"teams": list(teams)} if teams else {})}


def _act(
    url: str | None, account_id: str, act: str, body: dict[str, object] | None = None
) -> dict[str, Any]:
    return tell_server(url, f"{_PATH}/{quote(account_id, safe='')}/{act}", body or {})


def _print_link(made: dict[str, Any], form: str) -> None:
    from codometer.cli.output import print_csv, print_json

    if form == "json":
        print_json(made)
    elif form == "csv":
        print_csv(["link", "expires"], [[made["link"], made["expires"]]])
    else:
        click.echo(
            f"{made['link']}\n\nIt is good for one person, until {made['expires'][:16]} UTC."
        )


def _print_invitations(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import print_csv, print_json, print_rows

    rows = [
        [_text(each[field]) for field in _INVITATION_FIELDS] for each in document["invitations"]
    ]
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(list(_INVITATION_FIELDS), rows)
    elif rows:
        print_rows(["Id", "Account", "Role", "Teams", "Made by", "Created", "Expires"], rows)
    else:
        click.echo("There is no link that is good.")


def _print_account(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import print_json

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
    print_rows(_HEADS, rows)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each["issuer"] if isinstance(each, dict) else each) for each in value)
    return "" if value is None else str(value)
