"""The statements that add up detail to rollups, quarter hour by quarter hour and then coarser.

They read temporary tables that `rollups.py` and `counting.py` make: `detail`
has the events and spans that count, `gap` and `increment` what only metrics
told, `marked`, `work` and `changed` the scopes that this is about.
"""

from __future__ import annotations

from typing import Final

from codometer.model.event import Counter
from codometer.store.tables import (
    LATENCY_DIMENSIONS,
    PEOPLE,
    ROLLUP_DIMENSIONS,
    ROLLUP_SUMS,
    TABLES,
    TOKEN_SUMS,
)

BIN_RATIO: Final = 1.04
"""Neighbouring latency bins differ by this factor, so the middle of one is at most 2 % off."""

DETAIL_COLUMNS: Final = ", ".join(
    (
        *("bucket", "scope", "origin", "source", "kind", *ROLLUP_DIMENSIONS, *TOKEN_SUMS),
        *("success", "accepted", "duration_ms", "ttft_ms"),
        *("reported_cost", "list_cost", "list_cost_basis", "cache_savings"),
    )
)
"""What the sums of events are made of."""

_DIMENSIONS: Final = ", ".join(ROLLUP_DIMENSIONS)
_LATENCY: Final = ", ".join(LATENCY_DIMENSIONS)
_WHO: Final = "scope, origin, workplace, session_id, person_id"

_BY_PEOPLE: Final = f"decision_source IN {PEOPLE}"
_REJECTED: Final = "kind IN ('decision', 'edit_decision') AND accepted = FALSE"


def _where(condition: str, value: str = "1", otherwise: str = "NULL") -> str:
    return f"CASE WHEN {condition} THEN CAST({value} AS BIGINT) ELSE {otherwise} END"


# What one row adds. An aggregate with a filter of its own costs several times as much as the
# sum of a column in which the filter was applied before.
_COUNTS: Final[dict[str, str]] = {
    "requests": _where("kind = 'request'", otherwise="0"),
    "unpriced_requests": _where("kind = 'request' AND list_cost IS NULL", otherwise="0"),
    "prompts": _where("kind = 'prompt'", otherwise="0"),
    "api_errors": _where("kind = 'error'", otherwise="0"),
    "tool_calls": _where(f"kind = 'tool_call' OR {_REJECTED}", otherwise="0"),
    "tool_failures": _where("kind = 'tool_call' AND success = FALSE", otherwise="0"),
    "edits_accepted": _where("kind = 'edit_decision'", "accepted"),
    "edits_rejected": _where("kind = 'edit_decision'", "NOT accepted"),
    "edits_accepted_by_people": _where(f"kind = 'edit_decision' AND {_BY_PEOPLE}", "accepted"),
    "edits_rejected_by_people": _where(f"kind = 'edit_decision' AND {_BY_PEOPLE}", "NOT accepted"),
}
_COSTS_OF_REQUESTS: Final[dict[str, str]] = {
    "estimated_cost": "CASE WHEN list_cost_basis = 'estimated' THEN list_cost END",
    "fallback_cost": "CASE WHEN list_cost IS NULL THEN reported_cost END",
}
_OF_REQUESTS: Final[dict[str, str]] = {
    **{name: name for name in TOKEN_SUMS},
    "reported_cost": "reported_cost",
    "list_cost": "list_cost",
    "cache_savings": "cache_savings",
    "cost": "coalesce(list_cost, reported_cost)",
}
"""Where events came and no request, these are 0; where no request says, they are unknown."""

_ADDED: Final = {
    **_COUNTS,
    **{
        name: f"CASE WHEN kind = 'request' THEN {value} END"
        for name, value in {**_COSTS_OF_REQUESTS, **_OF_REQUESTS}.items()
    },
}

ROLL_UP_EVENTS: Final = f"""
INSERT INTO rollup_15m BY NAME
WITH added AS (
  SELECT bucket, scope, origin, source, {_DIMENSIONS},
    {", ".join(f"{value} AS {name}" for name, value in _ADDED.items())}
  FROM detail
), summed AS (
  SELECT bucket, scope, origin, source, {_DIMENSIONS},
    {", ".join(f"sum({name}) AS {name}" for name in _ADDED)}
  FROM added GROUP BY ALL
)
SELECT bucket, scope, origin, workplace, session_id, person_id, 'live' AS part, source,
  {_DIMENSIONS}, {", ".join((*_COUNTS, *_COSTS_OF_REQUESTS))},
  {
    ", ".join(
        f"CASE WHEN source = 'event' AND requests = 0 THEN 0 ELSE {name} END AS {name}"
        for name in _OF_REQUESTS
    )
}
FROM summed JOIN origin USING (origin)
"""

ROLL_UP_MISSING: Final = f"""
INSERT INTO rollup_15m BY NAME
WITH followed AS (
  SELECT scope, origin, bucket, sequence - lag(sequence, 1, -1) OVER (
    PARTITION BY scope ORDER BY sequence, time, key_low) - 1 AS missing
  FROM event WHERE source = 'event' AND sequence IS NOT NULL AND bucket >= $since
    AND scope IN (SELECT scope FROM marked)
)
SELECT bucket, {_WHO}, 'live' AS part, 'event' AS source, sum(missing) AS missing_events
FROM followed JOIN origin USING (origin)
WHERE missing > 0 AND scope NOT IN (SELECT scope FROM sealed_scope)
GROUP BY bucket, {_WHO}
"""
"""Clients number their events from 0; a number that never came is an event that never came.

What came twice, from two processes of a session, is followed by itself, and none is missing."""

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
# which is what makes "no lines" zero and not unknown. The clients' own count of sessions
# matters only where sessions have no ids. A metric does not tell which part of
# the cache writes lives an hour: it is the part that explains the reported cost to the token.
ROLL_UP_METRICS: Final = f"""
INSERT INTO rollup_15m BY NAME
WITH counted AS (
  SELECT scope, origin, bucket, counter, amount, model, provider, query_source, subagent, skill,
    mcp_server, effort, speed, tool, decision_source, language FROM gap WHERE amount <> 0
  UNION ALL BY NAME
  SELECT scope, origin, bucket, counter, 0 AS amount FROM gap WHERE amount = 0
  UNION ALL BY NAME
  SELECT scope, origin, bucket, counter, amount, model, language FROM increment
  WHERE counter IN ({", ".join(f"'{counter}'" for counter in (*_WHOLE_COUNTERS, Counter.SESSIONS))})
), pivoted AS (
  SELECT * EXCLUDE (counter, amount),
    {
    ", ".join(
        f"CASE counter WHEN '{counter}' THEN amount END AS {counter}"
        for counter in (*_FILLED_COUNTERS, *_WHOLE_COUNTERS, Counter.SESSIONS)
    )
}
  FROM counted
), grouped AS (
  SELECT bucket, scope, origin, model, provider, query_source, subagent, skill, mcp_server,
    effort, speed, tool, decision_source, language,
    {
    ", ".join(f"sum({counter}) AS {counter}" for counter in (*_FILLED_COUNTERS, Counter.SESSIONS))
},
    {", ".join(f"coalesce(sum({counter}), 0) AS {counter}" for counter in _WHOLE_COUNTERS)}
  FROM pivoted GROUP BY ALL
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
SELECT d.bucket, d.scope, d.origin, o.workplace, o.session_id, o.person_id, 'live' AS part,
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
  CASE WHEN {_BY_PEOPLE} THEN CAST(edits_accepted AS BIGINT) END AS edits_accepted_by_people,
  CASE WHEN {_BY_PEOPLE} THEN CAST(edits_rejected AS BIGINT) END AS edits_rejected_by_people,
  CASE WHEN o.session IS NULL THEN CAST(sessions AS BIGINT) END AS counted_sessions,
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

ROLL_UP_LATENCY: Final = f"""
INSERT INTO latency_15m BY NAME
WITH durations AS (
  SELECT *, CASE kind WHEN 'tool_call' THEN 'tool' ELSE 'request' END AS what,
    duration_ms AS ms FROM detail
  WHERE kind IN ('request', 'tool_call') AND duration_ms IS NOT NULL
  UNION ALL
  SELECT *, 'ttft' AS what, ttft_ms AS ms FROM detail
  WHERE kind = 'request' AND ttft_ms IS NOT NULL
), counted AS (
  SELECT bucket, scope, origin, source, {_LATENCY}, what,
    CASE WHEN ms < 1 THEN -1 ELSE CAST(floor(ln(ms) / ln({BIN_RATIO})) AS INTEGER) END AS bin,
    count(*) AS count
  FROM durations GROUP BY ALL
)
SELECT counted.*, 'live' AS part, workplace FROM counted JOIN origin USING (origin)
"""


def sum_up(table: str, time: str, source: str, where: str) -> str:
    """Return the INSERT that sums the rows of a finer tier, whose `time` is the table's own.

    Unknown stays unknown: a sum over rows of which none can tell is NULL.
    """
    first, *names = (column.name for column in TABLES[table])
    keys = ", ".join(name for name in names if name not in ROLLUP_SUMS)
    sums = ", ".join(f"sum({name}) AS {name}" for name in ROLLUP_SUMS)
    return (
        f"INSERT INTO {table} BY NAME SELECT {time} AS {first}, {keys}, {sums} "
        f"FROM {source} WHERE {where} GROUP BY ALL"
    )
