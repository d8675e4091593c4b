"""What can be asked, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codometer.cli.output import Column, clean, make_console, make_tables, print_block

Entry = dict[str, Any]


def print_catalogue(measures: Sequence[Entry], dimensions: Sequence[Entry]) -> None:
    """Print every measure and every dimension with its definition."""
    console = make_console()
    for title, entries in (("Measure", measures), ("Dimension", dimensions)):
        keys = [
            Column(head=title, cells=[clean(entry["name"]) for entry in entries]),
            Column(head="What it is", cells=[clean(entry["definition"]) for entry in entries]),
        ]
        for table in make_tables(console, keys, []):
            print_block(console, table)
        print_block(console)
    print_block(console, "Ask for example: codometer query tokens cost --by model --since 7d")
