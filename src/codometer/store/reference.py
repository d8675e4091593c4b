"""The page `docs/reference/tables.md`, made from the tables: `make docs` writes it."""

from __future__ import annotations

import sys
from typing import Final

from codometer.store.tables import (
    LATENCY_TIERS,
    ROLLUP_DIMENSIONS,
    ROLLUP_SUMS,
    TABLES,
    TIERS,
    Tier,
)

_HEAD: Final = """\
<!-- Generated from the tables of the store by `make docs`. Do not edit. -->

# Tables

Every table of the telemetry store, the same in both engines.
They are ours to change; what is public is the [API](measures.md).

Sums are kept in several tiers, each summed from the first; a question is answered from the
smallest that can tell what it asks for.
A sum is NULL where the signals behind a row cannot tell.
All tiers know the workplace, through which they are grouped by organisation, team, cost centre,
agent, version, terminal, repository and the allowed resource attributes, each of which is a
column `resource_…` of `workplace`.
Those by session also know who: the session, the person and the keys that came with them.
"""


def write_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_rollups(), *_tables()])


def _rollups() -> list[str]:
    return [
        "| Tier | By | Sessions and persons | Dimensions |",
        "| --- | --- | --- | --- |",
        *(_tier(tier) for tier in reversed((*LATENCY_TIERS, *TIERS))),
        "",
        f"The sums are {_names(ROLLUP_SUMS)}.",
        "`latency_15m` has the `count` of durations by `bin`.",
        "",
    ]


def _tier(tier: Tier) -> str:
    time = {"bucket": "15 minutes, UTC", "day": "day of the organisation's zone"}[tier.time]
    known = tuple(name for name in ROLLUP_DIMENSIONS if name in tier.dimensions)
    sessions = "yes" if tier.has_sessions else "no"
    return f"| `{tier.table}` | {time} | {sessions} | {_names(known) or 'none'} |"


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
