"""Expiry: detail goes, what it added up to stays, and twice stays once.

A scope expires whole, once its last row is older than detail is kept. Its
rollup rows are sealed: nothing changes them any more. What arrives later for
it is detail of its own, beside them, and counts only what is new, because the
keys of expired rows stay, and with them what the scope had counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.store.counting import find_gaps
from codometer.store.retention import NOBODY, Held, find_held

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

_FIND_EXPIRED: Final = """
CREATE OR REPLACE TEMP TABLE work AS
SELECT scope FROM (
  SELECT scope, bucket FROM event UNION ALL SELECT scope, bucket FROM reading)
WHERE scope NOT IN (SELECT scope FROM dirty)
GROUP BY scope HAVING max(bucket) < $before
"""

# The events of sessions without metrics of their own are what a metric without a session
# id would be compared with.
_SEAL_SCOPES: Final = """
INSERT INTO sealed_scope
SELECT scope FROM work
UNION
SELECT day_scope FROM event
WHERE scope IN (SELECT scope FROM work) AND scope NOT IN (SELECT scope FROM reading)
EXCEPT
SELECT scope FROM sealed_scope
"""

_SEAL_USAGE: Final = """
CREATE OR REPLACE TEMP TABLE usage AS
WITH parts AS (
  SELECT scope, subject, counter, time AS until, time AS since,
    CASE WHEN is_covered THEN -amount ELSE 0 END AS excess,
    CASE WHEN is_covered THEN 0 ELSE amount END AS uncovered, 0 AS filled, FALSE AS is_stretch
  FROM compared
  UNION ALL
  SELECT scope, subject, counter, time, since, amount, 0, 0, TRUE FROM increment
  UNION ALL
  SELECT scope, subject, counter, time, time, 0, 0, amount, FALSE FROM gap
), sums AS (
  SELECT scope, subject, counter, sum(excess) AS excess, sum(uncovered) AS uncovered,
    sum(filled) AS filled, min(since) FILTER (is_stretch) AS since,
    max(until) FILTER (is_stretch) AS until
  FROM parts GROUP BY scope, subject, counter
)
SELECT scope, subject, counter,
  coalesce(u.filled, 0) + coalesce(s.filled, 0) AS filled,
  coalesce(u.uncovered, 0) - least(greatest(coalesce(s.excess, 0), 0), coalesce(u.uncovered, 0))
    + coalesce(s.uncovered, 0) AS uncovered,
  least(u.since, s.since) AS since, greatest(u.until, s.until) AS until
FROM sums s LEFT JOIN sealed_usage u USING (scope, subject, counter)
"""

_SEAL_SERIES: Final = """
CREATE OR REPLACE TEMP TABLE stood AS
SELECT series, any_value(scope) AS scope, start, max(highest) AS highest, max(until) AS until
FROM (
  SELECT series, scope, start, CAST(value AS DECIMAL(38,12)) AS highest, time AS until
  FROM reading WHERE temporality = 'cumulative' AND scope IN (SELECT scope FROM work)
  UNION ALL
  SELECT series, scope, start, highest, until FROM sealed_series
  WHERE scope IN (SELECT scope FROM work))
GROUP BY series, start
"""

_FORGET_OLD_USAGE: Final = """
DELETE FROM sealed_usage u WHERE EXISTS (
  SELECT 1 FROM usage n
  WHERE n.scope = u.scope AND n.subject = u.subject AND n.counter = u.counter)
"""

_IN_WORK: Final = "scope IN (SELECT scope FROM work)"
_STATEMENTS: Final = (
    _SEAL_USAGE,
    _SEAL_SERIES,
    _FORGET_OLD_USAGE,
    "INSERT INTO sealed_usage BY NAME SELECT * FROM usage",
    f"DELETE FROM sealed_series WHERE {_IN_WORK}",
    "INSERT INTO sealed_series BY NAME SELECT * FROM stood",
    *(
        f"UPDATE {table} SET part = 'sealed' WHERE part = 'live' AND {_IN_WORK}"
        for table in ("rollup_15m", "latency_15m")
    ),
    *(
        f"INSERT INTO sealed_key SELECT bucket, key_low FROM {table} WHERE {_IN_WORK}"
        for table in ("event", "reading")
    ),
)


class Sealed(NamedTuple):
    """What went: so many rows of detail, of so many scopes."""

    scopes: int = 0
    rows: int = 0


def seal(connection: duckdb.DuckDBPyConnection, before: datetime, held: Held = NOBODY) -> Sealed:
    """Let the detail of all scopes go whose last row is before a bucket, but for what is held.

    Must run inside a transaction, and leaves scopes alone that wait to be rolled up.
    """
    connection.execute(_FIND_EXPIRED, {"before": before})
    if held != NOBODY:
        find_held(connection, held)
        connection.execute(
            "DELETE FROM work WHERE scope IN ("
            "SELECT scope FROM event WHERE origin IN (SELECT origin FROM held) UNION ALL "
            "SELECT scope FROM reading WHERE origin IN (SELECT origin FROM held))"
        )
    return seal_work(connection)


def seal_work(connection: duckdb.DuckDBPyConnection) -> Sealed:
    """Let the detail of the scopes in the temporary table `work` go.

    None of them may wait to be rolled up.
    """
    (scopes, since) = connection.execute(
        "SELECT count(*), (SELECT date_trunc('day', min(bucket)) FROM ("
        f"SELECT bucket FROM event WHERE {_IN_WORK} UNION ALL "
        f"SELECT bucket FROM reading WHERE {_IN_WORK})) FROM work"
    ).fetchone() or (0, None)
    if scopes:
        connection.execute(_SEAL_SCOPES)
        connection.execute(
            "INSERT INTO work SELECT scope FROM sealed_scope "
            "WHERE scope IN (SELECT day_scope FROM event WHERE scope IN (SELECT scope FROM work))"
        )
        find_gaps(connection, since)
        for statement in _STATEMENTS:
            connection.execute(statement)
    deleted = [
        connection.execute(f"DELETE FROM {table} WHERE {_IN_WORK}").fetchone()
        for table in ("event", "reading")
    ]
    return Sealed(int(scopes), sum(row[0] for row in deleted if row))
