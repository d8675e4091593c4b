"""What clients were told, held against what is in the tables and what the server answers.

The questions here know nothing of how rollups are made: they count the rows of detail.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import duckdb

from codometer.store.duckdb_engine import FILE_NAME
from codometer.store.tables import TIERS

if TYPE_CHECKING:
    from tests.exporters import Ledger
    from tests.running import RunningServer

_KEPT: Final = """
SELECT regexp_extract(call_id, '^(.*)-[0-9]+$', 1) AS batch, count(*), count(DISTINCT call_id)
FROM event GROUP BY batch
UNION ALL
SELECT o.session, count(*), count(DISTINCT (r.key_high, r.key_low))
FROM reading r JOIN origin o USING (origin) GROUP BY o.session
"""

_TOLD: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reported_cost",
)
MEASURES: Final = ("requests", *_TOLD)

_SUMS: Final = ", ".join(f"sum({name})" for name in _TOLD)
_EVENTS: Final = f"SELECT scope, count(*), {_SUMS} FROM event WHERE source = 'event' AND kind = 'request' GROUP BY scope ORDER BY scope"  # noqa: E501
_ROLLED_UP: Final = f"SELECT scope, sum(requests), {_SUMS} FROM rollup_15m WHERE source = 'event' GROUP BY scope HAVING sum(requests) > 0 ORDER BY scope"  # noqa: E501
_ALL: Final = f"SELECT sum(requests), {_SUMS} FROM {{table}}"
_TOTAL: Final = f"SELECT count(*), {_SUMS} FROM event WHERE source = 'event' AND kind = 'request'"
_SETTLE_SECONDS: Final = 60.0


def check_ledger(server: RunningServer, ledger: Ledger) -> None:
    """Fail unless all that was acknowledged is there once, and all sums agree; stops the server.

    What was not acknowledged may be there or not, but whole and once.
    """
    answered = _wait_for_answer(server)
    server.stop()
    with duckdb.connect(str(server.data / FILE_NAME), read_only=True) as connection:
        kept = {name: counts for name, *counts in connection.execute(_KEPT).fetchall()}
        _check_batches(ledger, kept)
        detail = connection.execute(_EVENTS).fetchall()
        assert connection.execute(_ROLLED_UP).fetchall() == detail
        sums = {
            tier.table: connection.execute(_ALL.format(table=tier.table)).fetchone()
            for tier in TIERS
        }
        assert len(set(sums.values())) == 1, sums
        assert connection.execute(_TOTAL).fetchone() == answered


def _check_batches(ledger: Ledger, kept: dict[str, list[int]]) -> None:
    acknowledged = {name for name, sent in ledger.batches.items() if sent.acknowledged}
    assert acknowledged
    assert acknowledged - kept.keys() == set(), "acknowledged and gone"
    assert kept.keys() - ledger.batches.keys() == set(), "stored, and nobody sent it"
    torn_or_twice = {
        name: (counts, ledger.batches[name].records)
        for name, counts in kept.items()
        if counts != [ledger.batches[name].records] * 2
    }
    assert torn_or_twice == {}, "stored in part, or more than once"


def _wait_for_answer(server: RunningServer) -> tuple[Any, ...]:
    """Return the sums once they stay the same: under load they are some seconds behind."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    before: tuple[Any, ...] = ()
    while (now := _ask(server)) != before:
        assert time.monotonic() < deadline
        before = now
        time.sleep(2)
    return now


def _ask(server: RunningServer) -> tuple[Any, ...]:
    (row,) = server.query(*MEASURES)
    return tuple(row[measure] for measure in MEASURES)
