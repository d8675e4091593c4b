"""`codometer people`."""

from __future__ import annotations

from typing import Final

import click

from codometer.cli.client import ask_server
from codometer.cli.options import asks_server

_WORDS: Final = {
    "people": "people",
    "installations": "of these, known as a machine only: their clients name nobody",
    "addresses": "of these, with an e-mail address that is kept encrypted",
    "in_teams": "in a team today by an administrator's word",
    "excluded": "who object, and are counted as nobody",
    "shared": "machines that several people use",
    "services": "services, which are no people",
}


@click.command(short_help="How many people are known, and by what.")
@asks_server
def people(*, url: str | None, form: str) -> None:
    """Say how many people are known and by what; it is no list of them.

    Machines that name nobody count as a person each: `codometer credential create
    --person`, or `codometer person merge`, says whose they are.
    """
    from codometer.cli.output import print_csv, print_json, print_rows

    document = ask_server(url, "/api/v1/people")
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv([*_WORDS], [[document[name] for name in _WORDS]])
    else:
        few = f"fewer than {document['minimum_people']}"
        told = [few if document[name] is None else document[name] for name in _WORDS]
        print_rows(["Count", "What"], [*zip(told, _WORDS.values(), strict=True)])
