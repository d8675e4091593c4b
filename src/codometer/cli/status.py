"""`codometer status`."""

from __future__ import annotations

from typing import Any

import click

from codometer.cli.client import ask_server
from codometer.cli.options import asks_server


@click.command(short_help="What arrived, when, from how many clients.")
@asks_server
def status(*, url: str | None, form: str) -> None:
    """Show what arrived, when and from how many clients, and what is stored.

    Below it stands what needs a look: names that this version does not know,
    signals that were refused, models without a price.
    """
    from codometer.cli.output import print_csv, print_json
    from codometer.cli.status_table import print_status

    document = ask_server(url, "/api/v1/status")
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(["section", "item", "field", "value"], _flatten(document))
    else:
        print_status(document)


def _flatten(document: dict[str, Any]) -> list[list[object]]:
    """Return one line for every value; `item` numbers the entries of a list from 1."""
    lines: list[list[object]] = []
    for section, content in document.items():
        entries = content if isinstance(content, list) else [content]
        for number, entry in enumerate(entries, start=1):
            item = number if isinstance(content, list) else None
            fields = entry.items() if isinstance(entry, dict) else [(None, entry)]
            lines += [[section, item, field, value] for field, value in fields]
    return lines
