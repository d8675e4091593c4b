"""The end of every measurement: what was acknowledged is there, session by session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from codometer.store.duckdb_engine import FILE_NAME
from tests.bench.bodies import Totals

_EVENTS: Final = """
SELECT o.session, count(*), count(*) FILTER (e.kind = 'request'),
  coalesce(sum(uncached_input_tokens + cache_read_tokens + cache_write_tokens + output_tokens), 0)
FROM event e JOIN origin o ON o.origin = e.origin GROUP BY o.session
"""
_READINGS: Final = """
SELECT o.session, count(*) FROM reading r JOIN origin o ON o.origin = r.origin GROUP BY o.session
"""


class Lost(AssertionError):
    """What was acknowledged is not there, or more is."""


def check_rows(
    fetch: Callable[[str], Sequence[Sequence[Any]]], acknowledged: Mapping[str, Totals]
) -> None:
    """Hold the stored rows of every session against what was acknowledged of it.

    Raises:
        Lost: they differ.
    """
    stored = {
        session: Totals(events=events, requests=requests, tokens=int(tokens))
        for session, events, requests, tokens in fetch(_EVENTS)
    }
    for session, readings in fetch(_READINGS):
        stored.setdefault(session, Totals()).readings = readings
    names = acknowledged.keys() | stored
    wrong = [name for name in names if not _agree(name, acknowledged, stored)]
    if wrong:
        name = min(wrong)
        raise Lost(
            f"{len(wrong)} of {len(acknowledged)} sessions differ, one of them {name}: "
            f"acknowledged {acknowledged.get(name)}, stored {stored.get(name)}"
        )


def check_folder(data: Path, acknowledged: Mapping[str, Totals]) -> None:
    """Check the data folder of a server that has stopped."""
    with duckdb.connect(str(data / FILE_NAME), read_only=True) as connection:
        check_rows(lambda sql: connection.execute(sql).fetchall(), acknowledged)


def merge(*acknowledged: Mapping[str, Totals]) -> dict[str, Totals]:
    """Return what was acknowledged in several parts together."""
    together: dict[str, Totals] = {}
    for part in acknowledged:
        for session, totals in part.items():
            together.setdefault(session, Totals()).add(totals)
    return together


def _agree(name: str, acknowledged: Mapping[str, Totals], stored: Mapping[str, Totals]) -> bool:
    return acknowledged.get(name) == stored.get(name)
