"""`codometer credential`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH: Final = "/api/v1/credentials"
_KINDS: Final = ("ingest", "personal", "service", "scrape")
_SHOWN_ONCE: Final = "Nobody can show this secret again: keep it where it is needed, now."
_COLUMNS: Final = ("id", "kind", "name", "state", "secret", "expires", "last used")


class _Days(click.ParamType[int]):
    """A number of days, written `30d` or `30`."""

    name = "days"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        digits = str(value).removesuffix("d")
        if not (digits.isascii() and digits.isdigit()):
            self.fail(f"{value} is no number of days, such as 30d", param, ctx)
        return int(digits)


_DAYS: Final = _Days()


@click.group(short_help="What clients and programs prove themselves with.")
def credential() -> None:
    """Make, list, rotate and revoke credentials (API keys).

    A credential of the kind ingest lets clients send telemetry and read nothing.
    personal and service ones let programs ask, as does CODOMETER_CREDENTIAL for
    these commands. A secret is shown once, when it is made.
    """


@credential.command(short_help="Make one; its secret is shown once.")
@click.option("--kind", type=click.Choice(_KINDS), default="ingest", show_default=True)
@click.option("--name", required=True, help="What it is for: laptops, ci, grafana.")
@click.option("--team", help="The team of clients that do not say theirs.")
@click.option("--bind-team", is_flag=True, help="The team holds whatever clients say.")
@click.option("--cost-center", help="The cost centre of clients that do not say theirs.")
@click.option("--person", help="The person of clients that have no account.")
@click.option(
    "--from",
    "addresses",
    multiple=True,
    metavar="NETWORK",
    help="Good from there alone, such as 10.1.0.0/16; more than once for more.",
)
@click.option("--scope", "scopes", multiple=True, help="What it may do; more than once for more.")
@click.option("--expires", type=_DAYS, metavar="DAYS", help="When it ends [365d, 90d to read].")
@asks_server
def create(
    *,
    kind: str,
    name: str,
    team: str | None,
    bind_team: bool,
    cost_center: str | None,
    person: str | None,
    addresses: tuple[str, ...],
    scopes: tuple[str, ...],
    expires: int | None,
    url: str | None,
    form: str,
) -> None:
    """Make a credential and show its secret, this once.

    Give it to Claude Code with OTEL_EXPORTER_OTLP_HEADERS, as the output says.
    """
    wanted = {
        "kind": kind,
        "name": name,
        "team": team,
        "binds_team": bind_team,
        "cost_center": cost_center,
        "person": person,
        "addresses": list(addresses) or None,
        "scopes": list(scopes) or None,
        "expires_in_days": expires,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    _print_made(tell_server(url, _PATH, given), form)


@credential.command("list", short_help="All there are, and when each was last used.")
@asks_server
def list_(*, url: str | None, form: str) -> None:
    """List every credential, the newest first, with one line for each of its secrets."""
    from codometer.cli.output import print_json

    document = ask_server(url, _PATH)
    if form == "json":
        print_json(document)
    else:
        _print_rows([row for each in document["credentials"] for row in _rows(each, form)], form)


@credential.command(short_help="Give one a new secret; the old one stays good for a while.")
@click.argument("credential_id", metavar="ID")
@click.option("--overlap", type=_DAYS, metavar="DAYS", help="How long both are good [7d].")
@click.option(
    "--expires", type=_DAYS, metavar="DAYS", help="When the new one ends [as long as the old one]."
)
@asks_server
def rotate(
    *, credential_id: str, overlap: int | None, expires: int | None, url: str | None, form: str
) -> None:
    """Give a credential a new secret, and show it, this once.

    The old secret stays good during the overlap; `codometer credential list` tells
    whether anybody still uses it.
    """
    wanted = {"overlap_days": overlap, "expires_in_days": expires}
    given = {name: value for name, value in wanted.items() if value is not None}
    _print_made(tell_server(url, f"{_PATH}/{_quote(credential_id)}/rotate", given), form)


@credential.command(short_help="End one, now and for good.")
@click.argument("credential_id", metavar="ID")
@asks_server
def revoke(*, credential_id: str, url: str | None, form: str) -> None:
    """End a credential with all its secrets. Within a second it is refused everywhere."""
    from codometer.cli.output import print_json

    document = tell_server(url, f"{_PATH}/{_quote(credential_id)}/revoke", {})
    if form == "json":
        print_json(document)
    else:
        _print_rows(_rows(document["credential"], form), form)


def _quote(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _print_made(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json

    made, secret = document["credential"], document["secret"]
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(["id", "secret"], [[made["id"], secret]])
    else:
        click.echo(f"{secret}\n\n{_SHOWN_ONCE}\n")
        click.echo(f"It is {made['id']} ({clean(made['name'])}), for {made['kind']}.")
        if made["kind"] == "ingest":
            click.echo(
                "\nTo have Claude Code send it, add this to its other settings:\n\n"
                f'  export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer {secret}"'
            )


def _print_rows(rows: Sequence[Sequence[str]], form: str) -> None:
    from codometer.cli.output import print_csv, print_rows

    if form == "csv":
        print_csv(list(_COLUMNS), rows)
        return
    if not rows:
        click.echo("There are no credentials yet: `codometer credential create --name laptops`.")
        return
    print_rows([field.capitalize() for field in _COLUMNS], rows)


def _notice(each: dict[str, Any], secret: dict[str, Any]) -> str:
    days = each["ends_within_days"]
    if days is None or secret is not each["secrets"][-1]:
        return ""
    return f" (within {'a day' if days == 1 else f'{days} days'})"


def _rows(each: dict[str, Any], form: str) -> list[list[str]]:
    """Return a line for every secret of a credential."""
    notice = _notice if form == "table" else lambda *_: ""
    return [
        [
            each["id"],
            each["kind"],
            each["name"],
            each["state"],
            secret["hint"],
            secret["expires"][:10] + notice(each, secret),
            (secret["last_used"] or "never")[:16].replace("T", " "),
        ]
        for secret in each["secrets"]
    ]
