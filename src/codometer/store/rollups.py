"""Rollups: what the detail of a scope adds up to, recomputed whenever the scope changes.

The writer marks every (scope, bucket) that it touches. `refresh` takes the
marked scopes, recomputes what they add up to from their detail, and replaces
their live rows, all in one transaction: so a rollup never disagrees with the
detail, whatever came late, twice or in pieces. What events told is recomputed
by marked bucket; what metrics and spans told depends on a scope's whole life
(`counting.py`) and is recomputed for all of it. The coarser tiers are summed
anew from `rollup_15m` wherever something under them changed.

Rows with part `sealed` belong to detail that has expired. They are never
touched again; what arrives later stands beside them as live rows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from codometer.model.period import start_of_day
from codometer.store.counting import QUIET, add_linked_days, find_gaps
from codometer.store.days import local_day
from codometer.store.duckdb_engine import DuckDBEngine, transaction
from codometer.store.retention import NOBODY, Held
from codometer.store.sealing import Sealed, seal
from codometer.store.sums import (
    ADD_NEW_LATENCY,
    DETAIL_COLUMNS,
    DROP_OLD_LATENCY,
    FIND_LATENCY,
    ROLL_UP_EVENTS,
    ROLL_UP_METRICS,
    ROLL_UP_MISSING,
    sum_up,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import duckdb

MAX_SCOPES: Final = 5_000
"""How many scopes one transaction recomputes, so that a large import never holds the store long."""

_TAKE_MARKED: Final = f"""
CREATE OR REPLACE TEMP TABLE marked AS
SELECT scope, bucket, min(first_event) AS first_event, count(*) > count(first_event) AS has_readings
FROM dirty WHERE scope IN (
  SELECT scope FROM dirty GROUP BY scope ORDER BY min(bucket), scope LIMIT {MAX_SCOPES})
GROUP BY scope, bucket
"""

# The first bucket that is marked, and the first in which a scope of this work has, or once
# had, any row.
_FIND_FIRST: Final = """
SELECT min(bucket), least(min(bucket), (
  SELECT min(bucket) FROM session_15m WHERE scope IN (SELECT scope FROM marked)))
FROM marked
"""

# The scopes of which all is recomputed, not only what events told in marked buckets. An event
# that happened well after a scope's last reading changes nothing about what its metrics told.
_FIND_WORK: Final = f"""
CREATE OR REPLACE TEMP TABLE work AS
WITH first AS (
  SELECT scope, min(first_event) AS event, bool_or(has_readings) AS has_readings
  FROM marked GROUP BY scope
)
SELECT scope FROM first WHERE has_readings OR scope IN (SELECT scope FROM sealed_scope)
UNION
SELECT f.scope FROM first f JOIN reading r ON r.scope = f.scope AND r.time >= f.event - {QUIET}
WHERE r.bucket >= $first - INTERVAL 15 MINUTE
UNION
SELECT scope FROM event WHERE source = 'span' AND bucket >= $since
  AND scope IN (SELECT scope FROM marked)
"""
# A session whose first reading came leaves the comparison of its installation's day, if there
# are metrics without session ids at all.
_ADD_DAYS: Final = """
INSERT INTO work
SELECT DISTINCT day_scope FROM event
WHERE bucket >= $since AND day_scope <> scope AND day_scope NOT IN (SELECT scope FROM work)
  AND scope IN (SELECT scope FROM marked WHERE has_readings)
  AND day_scope IN (SELECT scope FROM rollup_15m WHERE source = 'metric_daily')
"""
_FIND_WORK_SINCE: Final = """
SELECT min(bucket) FROM session_15m WHERE scope IN (SELECT scope FROM work)
"""

_TAKE_DETAIL: Final = f"""
CREATE OR REPLACE TEMP TABLE detail AS
SELECT {DETAIL_COLUMNS} FROM event SEMI JOIN marked USING (scope, bucket)
WHERE source = 'event' AND bucket >= $first
"""
_ADD_SPANS: Final = f"""
INSERT INTO detail
SELECT {DETAIL_COLUMNS} FROM event SEMI JOIN counted_span USING (key_high, key_low)
WHERE source = 'span' AND bucket >= $since
"""

_RECOMPUTED: Final = """CASE source
  WHEN 'event' THEN (scope, bucket) IN (SELECT scope, bucket FROM marked)
  ELSE scope IN (SELECT scope FROM work) END"""
_FORGET: Final = f"""
DELETE FROM rollup_15m WHERE part = 'live' AND bucket >= $since AND ({_RECOMPUTED}
  OR missing_events > 0 AND scope IN (SELECT scope FROM marked))
"""

_FIND_CHANGED: Final = """
CREATE OR REPLACE TEMP TABLE changed AS SELECT scope FROM marked UNION SELECT scope FROM work
"""
_CHANGED: Final = "scope IN (SELECT scope FROM changed)"

# What a day adds up to at a workplace depends on all its sessions: the days and workplaces of
# changed scopes, before and after, are summed anew.
_FIND_TOUCHED: Final = f"""
CREATE OR REPLACE TEMP TABLE touched AS
SELECT DISTINCT day, workplace FROM session_day WHERE day >= $day AND {_CHANGED}
"""
_ADD_TOUCHED: Final = f"""
INSERT INTO touched
SELECT DISTINCT day, workplace FROM session_day WHERE day >= $day AND {_CHANGED}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did. `pending` scopes wait for the next one."""

    scopes: int
    pending: int


class Rollups:
    """Keeps the rollups equal to the detail. `refresh` may be called from any thread."""

    def __init__(self, engine: DuckDBEngine, organisation_zone: ZoneInfo) -> None:
        """Take the zone in which the daily tiers cut days."""
        self._connection = engine.connect()
        self._zone = organisation_zone
        self._lock = threading.Lock()
        self.as_of: datetime | None = None
        self._cut_days_anew()

    def refresh(self) -> Refreshed:
        """Recompute what is marked, at most `MAX_SCOPES` scopes at a time."""
        with self._lock:
            started = datetime.now(UTC)
            connection = self._connection
            with transaction(connection):
                connection.execute(_TAKE_MARKED)
                scopes = _single(connection, "SELECT count(DISTINCT scope) FROM marked")
                if scopes:
                    self._recompute()
                pending = _single(connection, "SELECT count(DISTINCT scope) FROM dirty")
            if not pending:
                self.as_of = started
            return Refreshed(scopes=scopes, pending=pending)

    def refresh_all(self) -> None:
        """Recompute until nothing is marked."""
        while self.refresh().pending:
            pass

    def seal(self, before: datetime, held: Held = NOBODY) -> Sealed:
        """Let the detail of scopes go that ended before a bucket, but for what is held."""
        with self._lock, transaction(self._connection):
            return seal(self._connection, before, held)

    def close(self) -> None:
        """Let the connection go."""
        with self._lock:
            self._connection.close()

    def _recompute(self) -> None:
        connection = self._connection
        first, since = _row(connection, _FIND_FIRST)
        connection.execute(_FIND_WORK, {"first": first, "since": since})
        connection.execute(_TAKE_DETAIL, {"first": first})
        has_work = bool(_single(connection, "SELECT count(*) FROM work"))
        if has_work:
            since = self._compare(since)
        connection.execute(FIND_LATENCY)
        for statement in (
            _FORGET,
            ROLL_UP_MISSING,
            DROP_OLD_LATENCY.format(changed=_RECOMPUTED),
            ADD_NEW_LATENCY,
        ):
            connection.execute(statement, {"since": since})
        connection.execute(ROLL_UP_EVENTS)
        if has_work:
            connection.execute(ROLL_UP_METRICS)
        self._sum_up(since)
        connection.execute("DELETE FROM dirty WHERE scope IN (SELECT scope FROM marked)")

    def _compare(self, since: datetime) -> datetime:
        """Find what only metrics or spans told; return since when the scopes in work have rows."""
        connection = self._connection
        # An installation's day is compared with events from its start, in UTC.
        since = since.replace(hour=0, minute=0)
        connection.execute(_ADD_DAYS, {"since": since})
        add_linked_days(connection, since)
        (earlier,) = _row(connection, _FIND_WORK_SINCE)
        since = min(since, (earlier or since).replace(hour=0, minute=0))
        find_gaps(connection, since)
        connection.execute(_ADD_SPANS, {"since": since})
        return since

    def _sum_up(self, since: datetime) -> None:
        """Sum the coarser tiers anew where something under them changed."""
        connection = self._connection
        day = self._day_of_bucket(since)
        known = {"since": since, "day": (since - timedelta(days=1)).date()}
        in_buckets, in_days = f"bucket >= $since AND {_CHANGED}", f"day >= $day AND {_CHANGED}"

        def run(statement: str) -> None:
            used = {name: value for name, value in known.items() if f"${name}" in statement}
            connection.execute(statement, used)

        run(_FIND_CHANGED)
        run(_FIND_TOUCHED)
        run(f"DELETE FROM session_15m WHERE {in_buckets}")
        run(sum_up("session_15m", "bucket", "rollup_15m", in_buckets))
        run(f"DELETE FROM session_day WHERE {in_days}")
        run(sum_up("session_day", day, "session_15m", in_buckets))
        run(_ADD_TOUCHED)
        sum_up_workplaces(connection, self._zone)

    def _cut_days_anew(self) -> None:
        """Rebuild the days when they were cut in another time zone, or not at all."""
        connection = self._connection
        row = connection.execute("SELECT value FROM meta WHERE name = 'time_zone'").fetchone()
        if row is not None and row[0] == self._zone.key:
            return
        (since,) = _row(connection, "SELECT min(bucket) FROM rollup_15m")
        with transaction(connection):
            for table, source in (("session_day", "session_15m"), ("workplace_day", "rollup_15m")):
                connection.execute(f"DELETE FROM {table}")
                if since is not None:
                    day = self._day_of_bucket(since)
                    connection.execute(sum_up(table, day, source, "TRUE"))
            connection.execute("DELETE FROM meta WHERE name = 'time_zone'")
            connection.execute("INSERT INTO meta VALUES ('time_zone', ?)", [self._zone.key])

    def _day_of_bucket(self, since: datetime) -> str:
        until = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2)
        return local_day("bucket", self._zone, since, max(until, since + timedelta(days=2)))


def sum_up_workplaces(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> None:
    """Sum up anew what the days and workplaces in the temporary table `touched` add up to."""
    first, last = _row(connection, "SELECT min(day), max(day) FROM touched")
    if first is None:
        return
    start, end = (
        start_of_day(day, zone).replace(tzinfo=None) for day in (first, last + timedelta(days=1))
    )
    connection.execute(
        "DELETE FROM workplace_day WHERE day BETWEEN $first AND $last "
        "AND (day, workplace) IN (SELECT day, workplace FROM touched)",
        {"first": first, "last": last},
    )
    day = local_day("bucket", zone, start, end)
    connection.execute(
        sum_up(
            "workplace_day",
            "day",
            f"(SELECT *, {day} AS day FROM rollup_15m WHERE bucket >= $start AND bucket < $end)"
            " SEMI JOIN touched USING (day, workplace)",
            "TRUE",
        ),
        {"start": start, "end": end},
    )


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """Return the one row that an aggregate without groups has."""
    (row,) = connection.execute(sql).fetchall()
    return row


def _single(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    (value,) = _row(connection, sql)
    return int(value)
