"""Rollups: what the detail of a scope adds up to, recomputed whenever the scope changes.

The writer marks every (scope, bucket) that it touches. `refresh` takes the
marked scopes, recomputes what they add up to from their detail, and replaces
their live rows, all in one transaction: so a rollup never disagrees with the
detail, whatever came late, twice or in pieces. What events told is recomputed
by marked bucket; what metrics and spans told depends on a scope's whole life
(`counting.py`) and is recomputed for all of it.

Rows with part `sealed` belong to detail that has expired. They are never
touched again; what arrives later stands beside them as live rows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from codometer.model.event import Counter
from codometer.store.counting import add_linked_days, find_gaps
from codometer.store.days import local_day
from codometer.store.duckdb_engine import DuckDBEngine, transaction
from codometer.store.sealing import seal
from codometer.store.tables import (
    LATENCY_DIMENSIONS,
    ROLLUP_DIMENSIONS,
    ROLLUP_SUMS,
    TABLES,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import duckdb

BIN_RATIO: Final = 1.04
"""Neighbouring latency bins differ by this factor, so the middle of one is at most 2 % off."""

MAX_SCOPES: Final = 5_000
"""How many scopes one transaction recomputes, so that a large import never holds the store long."""

_DIMENSIONS: Final = ", ".join(ROLLUP_DIMENSIONS)
_LATENCY: Final = ", ".join(LATENCY_DIMENSIONS)

_TAKE_WORK: Final = f"""
CREATE OR REPLACE TEMP TABLE work AS
SELECT DISTINCT scope, bucket FROM dirty WHERE scope IN (
  SELECT scope FROM dirty GROUP BY scope ORDER BY min(bucket), scope LIMIT {MAX_SCOPES})
"""

# The first bucket in which a scope of this work has, or once had, any row. A day's scope
# looks at events from the start of its UTC day.
_FIND_SINCE: Final = """
SELECT date_trunc('day', min(bucket)), (SELECT min(bucket) FROM work) FROM (
  SELECT min(bucket) AS bucket FROM work
  UNION ALL
  SELECT min(bucket) FROM rollup_15m
  WHERE part = 'live' AND scope IN (SELECT scope FROM work))
"""

# The detail that is rolled up now: events of the marked buckets, spans of the marked scopes.
_DETAIL: Final = """
CREATE OR REPLACE TEMP VIEW detail AS
SELECT * FROM counted_event WHERE source = 'event' AND bucket >= TIMESTAMP '{first}'
  AND (scope, bucket) IN (SELECT scope, bucket FROM work)
UNION ALL
SELECT * FROM counted_event WHERE source = 'span' AND scope IN (SELECT scope FROM work)
"""

_REQUEST: Final = "kind = 'request'"
_REJECTED: Final = "kind IN ('decision', 'edit_decision') AND accepted = FALSE"


def _of_requests(expression: str) -> str:
    """Sum over requests: 0 where events came and no request, unknown where no request says."""
    return (
        f"CASE WHEN source = 'event' AND count(*) FILTER ({_REQUEST}) = 0 THEN 0 "
        f"ELSE sum({expression}) FILTER ({_REQUEST}) END"
    )


_EVENT_SUMS: Final[dict[str, str]] = {
    "requests": f"count(*) FILTER ({_REQUEST})",
    "unpriced_requests": f"count(*) FILTER ({_REQUEST} AND list_cost IS NULL)",
    "prompts": "count(*) FILTER (kind = 'prompt')",
    "api_errors": "count(*) FILTER (kind = 'error')",
    "tool_calls": f"count(*) FILTER (kind = 'tool_call' OR {_REJECTED})",
    "tool_failures": "count(*) FILTER (kind = 'tool_call' AND success = FALSE)",
    "edits_accepted": "nullif(count(*) FILTER (kind = 'edit_decision'), 0)"
    " * 0 + count(*) FILTER (kind = 'edit_decision' AND accepted)",
    "edits_rejected": "nullif(count(*) FILTER (kind = 'edit_decision'), 0)"
    " * 0 + count(*) FILTER (kind = 'edit_decision' AND NOT accepted)",
    **{
        name: _of_requests(name)
        for name in (
            "uncached_input_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
            "reported_cost",
            "list_cost",
            "cache_savings",
        )
    },
    "cost": _of_requests("coalesce(list_cost, reported_cost)"),
    "estimated_cost": f"sum(list_cost) FILTER ({_REQUEST} AND list_cost_basis = 'estimated')",
    "fallback_cost": f"sum(reported_cost) FILTER ({_REQUEST} AND list_cost IS NULL)",
}

_ROLL_UP_EVENTS: Final = f"""
INSERT INTO rollup_15m BY NAME
SELECT bucket, scope, origin, 'live' AS part, source, model, provider, query_source, subagent,
  skill, mcp_server, effort, speed, price_tier, tool, decision_source, language, error_status,
  {", ".join(f"{sql} AS {name}" for name, sql in _EVENT_SUMS.items())}
FROM detail
GROUP BY bucket, scope, origin, source, {_DIMENSIONS}
"""

_ROLL_UP_MISSING: Final = """
INSERT INTO rollup_15m BY NAME
WITH followed AS (
  SELECT scope, origin, bucket, sequence,
    sequence - lag(sequence, 1, -1) OVER (PARTITION BY scope ORDER BY sequence) - 1 AS missing
  FROM (
    SELECT scope, sequence, min(bucket) AS bucket, arg_min(origin, time) AS origin
    FROM event WHERE source = 'event' AND sequence IS NOT NULL AND bucket >= $since
      AND scope IN (SELECT scope FROM work)
    GROUP BY scope, sequence)
)
SELECT bucket, scope, origin, 'live' AS part, 'event' AS source, sum(missing) AS missing_events
FROM followed WHERE missing > 0 AND scope NOT IN (SELECT scope FROM sealed_scope)
GROUP BY bucket, scope, origin
"""
"""Clients number their events from 0; a number that never came is an event that never came."""

_PER_ROW: Final = {
    counter: f"sum(amount) FILTER (counter = '{counter}')"
    for counter in Counter
    if counter is not Counter.OTHER
}
_WHOLE_COUNTERS: Final = (
    Counter.LINES_ADDED,
    Counter.LINES_REMOVED,
    Counter.COMMITS,
    Counter.PULL_REQUESTS,
    Counter.ACTIVE_TIME_SECONDS,
)
_FILLED_COUNTERS: Final = (
    Counter.UNCACHED_INPUT_TOKENS,
    Counter.CACHE_READ_TOKENS,
    Counter.CACHE_WRITE_TOKENS,
    Counter.OUTPUT_TOKENS,
    Counter.REPORTED_COST,
    Counter.EDITS_ACCEPTED,
    Counter.EDITS_REJECTED,
)

# Gaps keep their dimensions; a reading that told nothing new says only that metrics came,
# which is what makes "no lines" zero and not unknown. A metric does not tell which part of
# the cache writes lives an hour: it is the part that explains the reported cost to the token.
_ROLL_UP_METRICS: Final = f"""
INSERT INTO rollup_15m BY NAME
WITH counted AS (
  SELECT scope, origin, bucket, counter, amount, model, provider, query_source, subagent, skill,
    mcp_server, effort, speed, tool, decision_source, language FROM gap WHERE amount <> 0
  UNION ALL BY NAME
  SELECT scope, origin, bucket, counter, 0 AS amount FROM gap WHERE amount = 0
  UNION ALL BY NAME
  SELECT scope, origin, bucket, counter, amount, model, language FROM increment
  WHERE counter IN ({", ".join(f"'{counter}'" for counter in (*_WHOLE_COUNTERS, Counter.SESSIONS))})
), grouped AS (
  SELECT bucket, scope, origin, model, provider, query_source, subagent, skill, mcp_server,
    effort, speed, tool, decision_source, language,
    {", ".join(f"{_PER_ROW[counter]} AS {counter}" for counter in _FILLED_COUNTERS)},
    {", ".join(f"coalesce({_PER_ROW[counter]}, 0) AS {counter}" for counter in _WHOLE_COUNTERS)},
    {_PER_ROW[Counter.SESSIONS]} AS counted_sessions
  FROM counted GROUP BY ALL
), priced AS (
  SELECT g.*, p.model IS NOT NULL AS has_price,
    CASE WHEN coalesce(uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens)
      IS NOT NULL THEN coalesce(uncached_input_tokens, 0) * p.uncached_input
        + coalesce(cache_read_tokens, 0) * p.cache_read
        + coalesce(cache_write_tokens, 0) * p.cache_write_5m
        + coalesce(output_tokens, 0) * p.output END AS at_5m,
    p.cache_write_1h - p.cache_write_5m AS premium,
    coalesce(cache_read_tokens, 0) * (p.uncached_input - p.cache_read)
      - coalesce(cache_write_tokens, 0) * (p.cache_write_5m - p.uncached_input) AS savings
  FROM grouped g LEFT JOIN unit_price p
    ON p.model = g.model AND CAST(g.bucket AS DATE) BETWEEN p.first_day AND p.last_day
), split AS (
  SELECT *, CAST((reported_cost - at_5m) / premium AS DOUBLE) AS hours FROM priced
), derived AS (
  SELECT *, CASE WHEN abs(hours - round(hours)) < 0.001 AND round(hours) BETWEEN 0
    AND coalesce(cache_write_tokens, 0) THEN CAST(round(hours) AS BIGINT) END AS hour_tokens
  FROM split
), charged AS (
  SELECT *, at_5m + coalesce(hour_tokens, 0) * premium AS list_cost FROM derived
)
SELECT d.bucket, d.scope, d.origin, 'live' AS part,
  CASE WHEN o.session IS NULL THEN 'metric_daily' ELSE 'metric' END AS source,
  d.model, provider, query_source, subagent, skill, mcp_server, effort, speed, tool,
  decision_source, language,
  CAST(uncached_input_tokens AS BIGINT) AS uncached_input_tokens,
  CAST(cache_read_tokens AS BIGINT) AS cache_read_tokens,
  CAST(cache_write_tokens AS BIGINT) AS cache_write_tokens,
  hour_tokens AS cache_write_1h_tokens,
  CAST(output_tokens AS BIGINT) AS output_tokens,
  CAST(edits_accepted AS BIGINT) AS edits_accepted,
  CAST(edits_rejected AS BIGINT) AS edits_rejected,
  CAST(counted_sessions AS BIGINT) AS counted_sessions,
  CAST(lines_added AS BIGINT) AS lines_added,
  CAST(lines_removed AS BIGINT) AS lines_removed,
  CAST(commits AS BIGINT) AS commits,
  CAST(pull_requests AS BIGINT) AS pull_requests,
  CAST(active_time_seconds AS DOUBLE) AS active_time_seconds,
  reported_cost,
  list_cost,
  CASE WHEN has_price THEN list_cost ELSE reported_cost END AS cost,
  CASE WHEN hour_tokens IS NULL THEN list_cost END AS estimated_cost,
  CASE WHEN NOT has_price THEN reported_cost END AS fallback_cost,
  savings - coalesce(hour_tokens, 0) * premium AS cache_savings
FROM charged d JOIN origin o ON o.origin = d.origin
"""

_ROLL_UP_LATENCY: Final = f"""
INSERT INTO latency_15m BY NAME
WITH durations AS (
  SELECT *, CASE kind WHEN 'tool_call' THEN 'tool' ELSE 'request' END AS what,
    duration_ms AS ms FROM detail
  WHERE kind IN ('request', 'tool_call') AND duration_ms IS NOT NULL
  UNION ALL
  SELECT *, 'ttft' AS what, ttft_ms AS ms FROM detail
  WHERE kind = 'request' AND ttft_ms IS NOT NULL
)
SELECT bucket, scope, origin, 'live' AS part, source, {_LATENCY}, what,
  CASE WHEN ms < 1 THEN -1 ELSE CAST(floor(ln(ms) / ln({BIN_RATIO})) AS INTEGER) END AS bin,
  count(*) AS count
FROM durations GROUP BY ALL
"""


_SUMMED: Final = frozenset({*ROLLUP_SUMS, "count"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did. `pending` scopes wait for the next one."""

    scopes: int
    pending: int


class Rollups:
    """Keeps the rollups equal to the detail. `refresh` may be called from any thread."""

    def __init__(self, engine: DuckDBEngine, organisation_zone: ZoneInfo) -> None:
        """Take the zone in which `rollup_day` cuts days."""
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
                connection.execute(_TAKE_WORK)
                scopes = _single(connection, "SELECT count(DISTINCT scope) FROM work")
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

    def seal(self, before: datetime) -> int:
        """Let the detail of scopes go that ended before a bucket; return how many those are."""
        with self._lock, transaction(self._connection):
            return seal(self._connection, before)

    def close(self) -> None:
        """Let the connection go."""
        with self._lock:
            self._connection.close()

    def _recompute(self) -> None:
        connection = self._connection
        (since, _) = connection.execute(_FIND_SINCE).fetchone() or (None, None)
        add_linked_days(connection, since)
        (since, first) = connection.execute(_FIND_SINCE).fetchone() or (None, None)
        find_gaps(connection, since)
        connection.execute(_DETAIL.format(first=first))
        for table in ("rollup_15m", "latency_15m"):
            connection.execute(
                f"DELETE FROM {table} WHERE part = 'live' AND bucket >= $since AND CASE source "
                "WHEN 'event' THEN (scope, bucket) IN (SELECT scope, bucket FROM work) "
                "ELSE scope IN (SELECT scope FROM work) END",
                {"since": since},
            )
        connection.execute(
            "DELETE FROM rollup_15m WHERE part = 'live' AND missing_events IS NOT NULL "
            "AND requests IS NULL AND bucket >= $since AND scope IN (SELECT scope FROM work)",
            {"since": since},
        )
        connection.execute(_ROLL_UP_EVENTS)
        connection.execute(_ROLL_UP_MISSING, {"since": since})
        connection.execute(_ROLL_UP_METRICS)
        connection.execute(_ROLL_UP_LATENCY)
        self._roll_up_days(since)
        connection.execute("DELETE FROM dirty WHERE scope IN (SELECT scope FROM work)")

    def _roll_up_days(self, since: datetime) -> None:
        day = self._day_of_bucket(since)
        live = "part = 'live' AND scope IN (SELECT scope FROM work)"
        for tier in ("rollup", "latency"):
            self._connection.execute(
                f"DELETE FROM {tier}_day WHERE {live} AND day >= $day",
                {"day": (since - timedelta(days=1)).date()},
            )
            self._connection.execute(
                f"{_sum_days(tier, day)} WHERE {live} AND bucket >= $since GROUP BY ALL",
                {"since": since},
            )

    def _cut_days_anew(self) -> None:
        """Rebuild the days when they were cut in another time zone, or not at all."""
        connection = self._connection
        row = connection.execute("SELECT value FROM meta WHERE name = 'time_zone'").fetchone()
        if row is not None and row[0] == self._zone.key:
            return
        (since,) = connection.execute("SELECT min(bucket) FROM rollup_15m").fetchone() or (None,)
        with transaction(connection):
            for tier in ("rollup", "latency"):
                connection.execute(f"DELETE FROM {tier}_day")
                if since is not None:
                    day = self._day_of_bucket(since)
                    connection.execute(f"{_sum_days(tier, day)} GROUP BY ALL")
            connection.execute("DELETE FROM meta WHERE name = 'time_zone'")
            connection.execute("INSERT INTO meta VALUES ('time_zone', ?)", [self._zone.key])

    def _day_of_bucket(self, since: datetime) -> str:
        until = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2)
        return local_day("bucket", self._zone, since, max(until, since + timedelta(days=2)))


def _sum_days(tier: str, day: str) -> str:
    """Return the INSERT that sums a tier of 15 minutes by day, up to its WHERE."""
    names = [column.name for column in TABLES[f"{tier}_day"][1:]]
    selected = ", ".join(f"sum({name}) AS {name}" if name in _SUMMED else name for name in names)
    return f"INSERT INTO {tier}_day BY NAME SELECT {day} AS day, {selected} FROM {tier}_15m"


def _single(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    (value,) = connection.execute(sql).fetchone() or (0,)
    return int(value)
