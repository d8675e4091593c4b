"""The page `docs/reference/tables.md`, made from the tables: `make docs` writes it."""

from __future__ import annotations

import sys
from typing import Final

from codometer.store.tables import LATENCY_DIMENSIONS, ROLLUP_DIMENSIONS, ROLLUP_SUMS, TABLES

_HEAD: Final = """\
<!-- Generated from the tables of the store by `make docs`. Do not edit. -->

# Tables

Every table of the telemetry store, the same in both engines.
They are ours to change; what is public is the [API](measures.md).

A rollup row is what one scope (a session) adds up to in one quarter of an hour, or one day, for
one combination of dimensions.
A sum is NULL where the row's signal cannot tell.
All rollups hold `origin` too, through which they are grouped by everything that is known of the
client: organisation, team, cost centre, person, session, agent, version, terminal, repository and
the allowed resource attributes.
"""


def write_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_rollups(), *_tables()])


def _rollups() -> list[str]:
    return [
        "| Rollup | Holds the dimensions | And the sums |",
        "| --- | --- | --- |",
        f"| `rollup_15m`, `rollup_day` | {_names(ROLLUP_DIMENSIONS)} | {_names(ROLLUP_SUMS)} |",
        f"| `latency_15m`, `latency_day` | {_names(LATENCY_DIMENSIONS)} | `count` by `bin` |",
        "",
    ]


def _tables() -> list[str]:
    lines = []
    for table, columns in TABLES.items():
        lines += [f"## {table}", "", "| Column | Type | Always there |", "| --- | --- | --- |"]
        lines += [
            f"| `{column.name}` | {column.type} | {'yes' if column.required else ''} |"
            for column in columns
        ]
        lines.append("")
    return lines


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(write_page())
