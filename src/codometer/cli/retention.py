"""`codometer retention`."""

from __future__ import annotations

from typing import Any, Final

import click

from codometer.analysis.numbers import UNKNOWN, format_bytes
from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server
from codometer.model.words import counted

_PATH: Final = "/api/v1/retention"
_FIELDS: Final = ("id", "kind", "subject", "reason", "created")
_REASON: Final = click.option("--reason", required=True, help="Why; it is kept in the audit log.")
_STOCK: Final = ("kind", "days", "decided_by", "rows", "oldest", "bytes", "due")


@click.group(short_help="How long what is kept, and what must stay.")
def retention() -> None:
    """See how long what is kept, and put data under a legal hold."""


@retention.command(short_help="How long what is kept, what went last, what is held.")
@asks_server
def show(*, url: str | None, form: str) -> None:
    """Show how long what is kept, how much there is, what goes next, and the legal holds.

    What goes next is counted anew each time, which takes a while where much is stored.
    """
    from codometer.cli.output import print_json

    document = ask_server(url, _PATH)
    if form == "json":
        print_json(document)
        return
    if form == "table":
        _print_stocks(document)
    _print_holds(document, form)


def _print_stocks(document: dict[str, Any]) -> None:
    from codometer.cli.output import print_rows

    stocks = [[_cell(stock, name) for name in _STOCK] for stock in document["stocks"]]
    print_rows(["Kind", "Days", "Decided by", "Rows", "Oldest", "Size", "Go next"], stocks)
    run = document["last_run"]
    if run:
        click.echo(
            f"\nOn {run['time'][:10]} {counted(run['detail'], 'row')} of detail and"
            f" {run['sums']} of sums went; {counted(run['sessions'], 'session')} lost the names in"
            f" them, {counted(run['persons'], 'row')} the person."
        )
    click.echo(f"The next run is due {document['next_run'][:16].replace('T', ' ')} UTC.\n")


@retention.command(short_help="Keep everything, a team's data or a person's.")
@click.argument("kind", type=click.Choice(("everything", "team", "person")))
@click.argument("subject", required=False, default="", metavar="[SUBJECT]")
@_REASON
@asks_server
def hold(*, kind: str, subject: str, reason: str, url: str | None, form: str) -> None:
    """Keep what is stored, whatever its age, until the hold is lifted.

    SUBJECT is a team, or a person's pseudonym; everything has none. A person under a
    hold cannot be forgotten.
    """
    wanted = {"kind": kind, "subject": subject, "reason": reason}
    _print_holds(tell_server(url, f"{_PATH}/hold", wanted), form)


@retention.command(short_help="Lift a hold.")
@click.argument("hold", metavar="HOLD")
@_REASON
@asks_server
def lift(*, hold: str, reason: str, url: str | None, form: str) -> None:
    """Lift a hold: what is past its time goes with the next nightly run."""
    _print_holds(tell_server(url, f"{_PATH}/lift", {"hold": hold, "reason": reason}), form)


def _cell(stock: dict[str, Any], name: str) -> str:
    value = stock[name]
    if value is None:
        return UNKNOWN
    if name == "oldest":
        return str(value)[:10]
    return format_bytes(value) if name == "bytes" else str(value)


def _print_holds(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json, print_rows

    rows = [[clean(str(each[name])) for name in _FIELDS] for each in document["holds"]]
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(list(_FIELDS), rows)
    elif rows:
        print_rows(["Hold", *(name.capitalize() for name in _FIELDS[1:])], rows)
    else:
        click.echo("Nothing is under a legal hold.")
