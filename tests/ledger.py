"""What clients were told, held against what is in the tables.

A data folder is looked at in a copy, so that what is found is what the next start will find.
The questions here know nothing of how rollups are made: they count the rows of detail.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from codometer.model.signal import SignalKind
from tests.exporters import Ledger
from tests.running import RunningServer

FILE: Final = "codometer.duckdb"

_KEPT: Final = """
SELECT regexp_extract(call_id, '^(.*)-[0-9]+$', 1) AS batch, count(*), count(DISTINCT call_id)
FROM event GROUP BY batch
UNION ALL
SELECT o.session, count(*), count(DISTINCT (r.key_high, r.key_low))
FROM reading r JOIN origin o USING (origin) GROUP BY o.session
"""

MEASURES: Final = (
    "requests",
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reported_cost",
    "tool_calls",
    "lines_added",
)
Sums = dict[str, tuple[Any, ...]]
"""By session, in the order of MEASURES; 0 where nothing is known."""

_SUMS: Final = """
SELECT o.session, count(*) FILTER (e.kind = 'request'),
  coalesce(sum(e.uncached_input_tokens), 0), coalesce(sum(e.cache_read_tokens), 0),
  coalesce(sum(e.cache_write_tokens), 0), coalesce(sum(e.output_tokens), 0),
  coalesce(sum(e.reported_cost), 0), count(*) FILTER (e.kind = 'tool_call'), 0
FROM event e JOIN origin o USING (origin) GROUP BY o.session
UNION ALL
SELECT o.session, 0, 0, 0, 0, 0, 0, 0, CAST(sum(r.value) AS BIGINT)
FROM reading r JOIN origin o USING (origin) GROUP BY o.session
"""

# Scopes without a mark must agree with their detail at every moment, since a refresh takes the
# marks away in the transaction that brings the sums.
_DISAGREEING: Final = """
WITH detail AS (
  SELECT scope, count(*) FILTER (kind = 'request') AS requests,
    coalesce(sum(output_tokens), 0) AS output, coalesce(sum(reported_cost), 0) AS cost,
    count(*) FILTER (kind = 'tool_call') AS tools, 0 AS lines
  FROM event GROUP BY scope
  UNION ALL
  SELECT scope, 0, 0, 0, 0, CAST(sum(value) AS BIGINT) FROM reading GROUP BY scope
), rolled AS (
  SELECT scope, coalesce(sum(requests), 0) AS requests, coalesce(sum(output_tokens), 0) AS output,
    coalesce(sum(reported_cost), 0) AS cost, coalesce(sum(tool_calls), 0) AS tools,
    coalesce(sum(lines_added), 0) AS lines
  FROM {table} GROUP BY scope
)
SELECT d.scope, d, r FROM detail d FULL JOIN rolled r USING (scope)
WHERE d.scope NOT IN (SELECT scope FROM dirty) AND (r.scope IS NULL OR
  (d.requests, d.output, d.cost, d.tools, d.lines)
    <> (r.requests, r.output, r.cost, r.tools, r.lines))
LIMIT 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a data folder held."""

    rows: int
    waiting: int
    """Scopes that were not rolled up yet."""
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was on the disk and what had been acknowledged at one moment."""

    data: Path
    ledger: Ledger
    acknowledged: frozenset[str]

    @classmethod
    def take(cls, data: Path, ledger: Ledger, to: Path) -> Self:
        """Copy a data folder that no server has open."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(data, to)
        acknowledged = frozenset(
            name for name, sent in list(ledger.batches.items()) if sent.acknowledged
        )
        return cls(data=to, ledger=ledger, acknowledged=acknowledged)

    def check(self) -> Found:
        """Fail unless all that was acknowledged is there once, and rollups agree with detail."""
        with opened(self.data) as connection:
            kept = {name: counts for name, *counts in connection.execute(_KEPT).fetchall()}
            self._check_batches(kept)
            for table in ("rollup_15m", "rollup_day"):
                disagreeing = connection.execute(_DISAGREEING.format(table=table)).fetchall()
                assert disagreeing == [], table
            sums = {session: tuple(rest) for session, *rest in connection.execute(_SUMS).fetchall()}
            waiting = connection.execute("SELECT count(DISTINCT scope) FROM dirty").fetchone()
        rows = sum(count for count, _ in kept.values())
        return Found(rows=rows, waiting=waiting[0] if waiting else 0, sums=sums)

    def _check_batches(self, kept: dict[str, list[int]]) -> None:
        lost = {name for name in self.acknowledged if name not in kept}
        assert lost == set(), "acknowledged and gone"
        unknown = {name for name in kept if name not in self.ledger.batches}
        assert unknown == set(), "stored, and nobody sent it"
        torn_or_twice = {
            name: (counts, self.ledger.batches[name].records)
            for name, counts in kept.items()
            if counts != [self.ledger.batches[name].records] * 2
        }
        assert torn_or_twice == {}, "stored in part, or more than once"


@contextmanager
def opened(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database of a data folder that no server has open."""
    connection = duckdb.connect(str(data / FILE))
    try:
        yield connection
    finally:
        connection.close()


def ask_for_sums(server: RunningServer) -> Sums:
    """Ask a server for what `Found.sums` has."""
    rows = server.query(*MEASURES, by="session")
    return {row["session"]: tuple(row[measure] or 0 for measure in MEASURES) for row in rows}


def describe(ledger: Ledger) -> str:
    """Say in a line what the clients met."""
    kinds = dict.fromkeys(SignalKind, 0)
    for sent in ledger.batches.values():
        kinds[sent.kind] += sent.records if sent.acknowledged else 0
    return f"acknowledged {kinds}; answers {ledger.answers}"
