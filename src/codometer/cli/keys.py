"""`codometer keys`."""

from __future__ import annotations

from typing import Any, Final

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server

_PATH: Final = "/api/v1/keys"
_FIELDS: Final = ("purpose", "number", "created")


@click.group(short_help="The keys that encrypt what names people.")
def keys() -> None:
    """List and replace keys. No command shows one."""


@keys.command("list", short_help="Which there are, and for what.")
@asks_server
def list_(*, url: str | None, form: str) -> None:
    """List the keys by purpose, and say where the main key is, which locks all of them."""
    _print_keys(ask_server(url, _PATH), form)


@keys.command(short_help="Replace a key.")
@click.option(
    "--key",
    "which",
    type=click.Choice(("main", "vault", "pseudonym", "content")),
    default="main",
    show_default=True,
    help="Which one.",
)
@asks_server
def rotate(*, which: str, url: str | None, form: str) -> None:
    """Replace the main key, or the key of one purpose.

    \b
    main       a new main key; all others are locked with it
    vault      a new key for e-mail addresses, which are encrypted anew at once
    pseudonym  new pseudonyms for what comes from now on; people stay the same people
    content    a new key for content; the older one opens what it locked, until that expires
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    _print_keys(tell_server(url, f"{_PATH}/rotate", {"key": which}), form)


@keys.command(short_help="Delete a pseudonym key that was replaced.")
@click.argument("number", type=click.IntRange(1))
@click.option("--yes", is_flag=True, help="Also where pseudonyms that it made are stored.")
@asks_server
def delete(*, number: int, yes: bool, url: str | None, form: str) -> None:
    """Delete the pseudonym key of this number, which a newer one has replaced.

    Who came back since then goes by a newer pseudonym, also in what is stored. Of all
    others of that time nobody can tell any more who they were: they cannot be shown,
    exported or forgotten by name.
    """
    wanted = {"number": number, "confirm": yes}
    _print_keys(tell_server(url, f"{_PATH}/delete", wanted), form)


def _print_keys(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json, print_rows

    rows = [[str(each[field]) for field in _FIELDS] for each in document["keys"]]
    if form == "json":
        print_json(document)
        return
    if form == "csv":
        print_csv(list(_FIELDS), rows)
        return
    print_rows([field.capitalize() for field in _FIELDS], rows)
    click.echo(f"The main key is in {clean(document['main_key'])}.")
