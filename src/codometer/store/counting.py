"""Counting once: what metrics told and no event did.

The problem. The same tokens arrive on events (every 5 s) and on metrics (every
60 s); a batch of either can be lost for good, and clients differ in which of
them they send at all. Events are the record of use; metrics may only fill what
events lack. Adding both doubles every number; preferring one loses what only
the other told; comparing them by minute or hour is wrong because the two are
exported out of phase.

The answer, per scope (a session, or for metrics without a session id the
installation's day) and subject (canonical model, or tool for decisions):

1. Every reading becomes an *increment*: the counter grew by so much between two
   instants. A delta says so itself; of a cumulative counter it is the
   difference to the highest reading before it in the same series.
2. An event can be compared only where a reading covers its time: an event in
   an interval whose reading was lost tells what metrics never could. Increments
   of a subject are joined to *covered* stretches; events outside are left out.
3. Stretches are cut where a reading ends and no event is near (`QUIET`): what lies
   on either side cannot tell of the same. In each part the running excess is
   Σ increments − Σ events. What remains of it to the part's end is what events
   lack, `max(0, Σ increments − Σ events)`, and it is placed where the excess arose:
   at each increment, the smallest excess from there to the end. Dips from exports
   out of phase vanish in that minimum.

The smaller the parts, the less an event can hide that is taken for covered though
its own reading was lost: at the edge of that reading, or because another process
of the session sends metrics meanwhile. It hides nothing outside its part.

It is a pure function of stored rows: order, repetition and time of arrival do
not matter. A scope whose detail has expired keeps two sums for each subject and
counter (`sealed_usage`): what metrics filled, which late events take back, and
what its events told uncovered, which late metrics must exceed to be new. And it
keeps where its cumulative counters stood (`sealed_series`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codometer.model.event import Counter

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

TOLERANCE: Final = "INTERVAL 100 MILLISECOND"
"""How much later than the counter's own time an event of the same request may be stamped.

Recordings of 1.0.60 to 2.1.330 show 1 to 45 ms."""

LEAD: Final = "INTERVAL 2 SECOND"
"""How much earlier than its counter a decision may be stamped: it is counted once its tool ran.

Recordings show up to 117 ms."""

QUIET: Final = "INTERVAL 2 SECOND"
"""How far from an event's stamp nothing can be that tells of the same, whatever a client does.

Much more than recordings show, because here it costs little to be careful."""

_TOKENS: Final = (
    Counter.UNCACHED_INPUT_TOKENS,
    Counter.CACHE_READ_TOKENS,
    Counter.CACHE_WRITE_TOKENS,
    Counter.OUTPUT_TOKENS,
)
_DECISIONS: Final = (Counter.EDITS_ACCEPTED, Counter.EDITS_REJECTED)
COMPARED: Final = (*_TOKENS, Counter.REPORTED_COST, *_DECISIONS)
"""The counters whose facts events tell too. All others are counted from metrics alone."""

_COMPARED_SQL: Final = ", ".join(f"'{counter}'" for counter in COMPARED)
_DECISIONS_SQL: Final = ", ".join(f"'{counter}'" for counter in _DECISIONS)

_DIMENSIONS: Final = (
    "model, provider, query_source, subagent, skill, mcp_server, effort, speed, "
    "tool, decision_source, language"
)
_SMALLEST_GAP: Final = "0.000000001"
"""Below a billionth of a dollar a difference is the rounding of doubles, not a lost request."""

_ADD_LINKED_DAYS: Final = """
INSERT INTO work
SELECT DISTINCT other.scope
FROM reading mine SEMI JOIN work USING (scope)
JOIN reading other ON other.series = mine.series AND other.scope <> mine.scope
  AND other.start IS NOT DISTINCT FROM mine.start
WHERE mine.temporality = 'cumulative' AND mine.bucket >= $since
  AND other.scope NOT IN (SELECT scope FROM work)
"""

_INCREMENTS: Final = f"""
CREATE OR REPLACE TEMP TABLE increment AS
WITH wanted AS (
  SELECT DISTINCT series FROM reading SEMI JOIN work USING (scope) WHERE bucket >= $since
), followed AS (
  SELECT *, CAST(value AS DECIMAL(38,12)) AS stood, FALSE AS is_sealed
  FROM reading SEMI JOIN wanted USING (series)
  WHERE bucket >= $since AND counter <> 'other'
  UNION ALL BY NAME
  SELECT series, start, until AS time, highest AS stood, TRUE AS is_sealed,
    'cumulative' AS temporality
  FROM sealed_series SEMI JOIN wanted USING (series)
), compared AS (
  SELECT *,
    max(stood) OVER earlier AS highest, max(time) OVER earlier AS seen,
    last_value(stood) OVER earlier AS previous
  FROM followed
  WINDOW earlier AS (
    PARTITION BY series, temporality, start
    ORDER BY is_sealed DESC, time, stood, key_high, key_low
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT scope, origin, bucket, time, key_low, counter, {_DIMENSIONS},
  CASE WHEN counter IN ({_DECISIONS_SQL}) THEN coalesce(tool, '') ELSE coalesce(model, '') END
    AS subject,
  CASE WHEN temporality = 'delta' THEN coalesce(start, time)
       ELSE coalesce(seen, start, time) END AS since,
  CASE WHEN counter IN ({_DECISIONS_SQL}) THEN since - {LEAD} ELSE since END AS covers_from,
  CASE WHEN temporality = 'delta' OR previous IS NULL THEN stood
       WHEN start IS NOT NULL THEN greatest(stood - highest, 0)
       WHEN stood >= previous THEN stood - previous
       ELSE stood END AS amount
FROM compared
WHERE NOT is_sealed AND scope IN (SELECT scope FROM work)
"""

_SPANS: Final = """
CREATE OR REPLACE TEMP TABLE counted_span AS
SELECT key_high, key_low, scope, kind, twin FROM event
WHERE source = 'span' AND bucket >= $since AND scope IN (SELECT scope FROM work)
"""
_DROP_TOLD_SPANS: Final = """
DELETE FROM counted_span s
WHERE EXISTS (
    SELECT 1 FROM event e WHERE e.source = 'event' AND e.bucket >= $since
      AND e.scope = s.scope AND (e.key_low = s.twin OR s.twin IS NULL AND e.kind = s.kind))
  OR EXISTS (SELECT 1 FROM sealed_key k WHERE k.key_low = s.twin)
"""
"""The spans that count: no event tells the same, nor, where an id is missing, of the same kind."""

_COUNTED_EVENTS: Final = """
CREATE OR REPLACE TEMP VIEW counted_event AS
SELECT * FROM event WHERE source = 'event' AND bucket >= TIMESTAMP '{since}'
UNION ALL
SELECT e.* FROM event e SEMI JOIN counted_span USING (key_high, key_low)
WHERE source = 'span' AND bucket >= TIMESTAMP '{since}'
"""

# What events and unmatched spans told. A day's scope is compared with the events of
# those of the installation's sessions that send no metrics of their own.
_TOLD: Final = """
CREATE OR REPLACE TEMP TABLE told AS
WITH wanted AS (
  SELECT scope FROM increment WHERE counter IN ({compared})
  UNION
  SELECT scope FROM sealed_scope WHERE scope IN (SELECT scope FROM work)
), facts AS (
  SELECT c.scope, e.* EXCLUDE (scope)
  FROM counted_event e JOIN wanted c ON c.scope = e.scope
  WHERE e.kind IN ('request', 'edit_decision')
  UNION ALL
  SELECT c.scope, e.* EXCLUDE (scope)
  FROM counted_event e JOIN wanted c ON c.scope = e.day_scope
  WHERE e.scope <> e.day_scope AND e.kind IN ('request', 'edit_decision')
    AND NOT EXISTS (
      SELECT 1 FROM reading own WHERE own.scope = e.scope AND own.bucket >= TIMESTAMP '{since}')
)
{facts}
"""

_FACTS: Final = "\nUNION ALL\n".join(
    [
        f"SELECT scope, origin, bucket, coalesce(model, '') AS subject, '{counter}' AS counter, "
        f"time, CAST({counter} AS DECIMAL(38,12)) AS amount FROM facts "
        f"WHERE kind = 'request' AND {counter} > 0"
        for counter in (*_TOKENS, Counter.REPORTED_COST)
    ]
    + [
        f"SELECT scope, origin, bucket, coalesce(tool, ''), '{counter}', time, "
        "CAST(1 AS DECIMAL(38,12)) "
        f"FROM facts WHERE kind = 'edit_decision' AND accepted = {accepted}"
        for counter, accepted in zip(_DECISIONS, ("TRUE", "FALSE"), strict=True)
    ]
)

# The part that a scope has once some of it is sealed: what its sums were made of is gone.
_SEALED_PART: Final = 0

_COVERED: Final = f"""
CREATE OR REPLACE TEMP TABLE covered AS
WITH stretch AS (
  SELECT scope, subject, since, covers_from, time AS until
  FROM increment WHERE counter IN ({_COMPARED_SQL})
  UNION BY NAME  -- each once: rows that tie may be ordered differently by the two windows below
  SELECT scope, subject, since, since AS covers_from, until FROM sealed_usage
  WHERE since IS NOT NULL AND scope IN (SELECT scope FROM work)
), reached AS (
  SELECT *, max(until) OVER (
    PARTITION BY scope, subject ORDER BY since, until, covers_from
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
  FROM stretch
), edged AS (
  SELECT r.*, coalesce(t.time > r.reach + {QUIET}, TRUE) AS is_quiet
  FROM reached r ASOF LEFT JOIN told t
    ON r.scope = t.scope AND r.subject = t.subject AND r.reach - {QUIET} <= t.time
), numbered AS (
  SELECT *,
    sum(CASE WHEN covers_from > reach + {TOLERANCE} OR (since >= reach AND is_quiet)
      THEN 1 ELSE 0 END) OVER (
      PARTITION BY scope, subject ORDER BY since, until, covers_from
      ROWS UNBOUNDED PRECEDING) + 1 AS number
  FROM edged
)
SELECT scope, subject, min(covers_from) AS since, max(until) AS until,
  CASE WHEN scope IN (SELECT scope FROM sealed_usage) THEN {_SEALED_PART} ELSE number END AS part
FROM numbered GROUP BY scope, subject, number
"""

_COMPARED_TABLE: Final = f"""
CREATE OR REPLACE TEMP TABLE compared AS
SELECT t.*, c.part, coalesce(t.time <= c.until + {TOLERANCE}, FALSE) AS is_covered
FROM told t ASOF LEFT JOIN covered c
  ON t.scope = c.scope AND t.subject = c.subject AND t.time >= c.since
"""

_GAPS: Final = f"""
CREATE OR REPLACE TEMP TABLE gap AS
WITH steps AS (
  SELECT i.scope, i.subject, counter, c.part, time, TRUE AS told_by_metric, amount, key_low,
    origin, bucket, {_DIMENSIONS}
  FROM increment i ASOF JOIN covered c
    ON i.scope = c.scope AND i.subject = c.subject AND i.covers_from >= c.since
  WHERE counter IN ({_COMPARED_SQL})
  UNION ALL BY NAME
  SELECT scope, subject, counter, part, time - {TOLERANCE} AS time, FALSE AS told_by_metric,
    -amount AS amount FROM compared WHERE is_covered
  UNION ALL BY NAME  -- a late event of a sealed scope may take back what metrics had filled
  SELECT scope, subject, counter, {_SEALED_PART} AS part, max(time) AS time,
    TRUE AS told_by_metric, 0 AS amount, 0 AS key_low,
    arg_max(origin, time) AS origin, arg_max(bucket, time) AS bucket,
    CASE WHEN counter NOT IN ({_DECISIONS_SQL}) THEN nullif(subject, '') END AS model,
    CASE WHEN counter IN ({_DECISIONS_SQL}) THEN nullif(subject, '') END AS tool
  FROM compared SEMI JOIN sealed_usage USING (scope, subject, counter) WHERE is_covered
  GROUP BY scope, subject, counter
), running AS (
  SELECT s.*,
    sum(s.amount) OVER (
      PARTITION BY s.scope, s.subject, s.counter, s.part
      ORDER BY s.time, s.told_by_metric, s.key_low ROWS UNBOUNDED PRECEDING) AS excess,
    coalesce(u.filled, 0) AS filled, coalesce(u.uncovered, 0) AS uncovered
  FROM steps s LEFT JOIN sealed_usage u USING (scope, subject, counter)
), remaining AS (
  SELECT *, min(CASE WHEN excess < 0 THEN greatest(filled + excess, 0)
                     ELSE filled + greatest(excess - uncovered, 0) END) OVER (
    PARTITION BY scope, subject, counter, part ORDER BY time, told_by_metric, key_low
    ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS remains
  FROM running WHERE told_by_metric
)
SELECT scope, origin, bucket, time, counter, subject, {_DIMENSIONS},
  remains - lag(remains, 1, filled) OVER (
    PARTITION BY scope, subject, counter, part ORDER BY time, told_by_metric, key_low) AS amount
FROM remaining
"""


def add_linked_days(connection: duckdb.DuckDBPyConnection, since: datetime) -> None:
    """Add to `work` all days of an installation that one cumulative counter runs through.

    Without session ids each day's first increment rests on the day before, so they
    are recomputed together. `since` is a bucket before which no scope in `work` has
    rows; the days that are added may begin earlier.
    """
    connection.execute(_ADD_LINKED_DAYS, {"since": since})


def find_gaps(connection: duckdb.DuckDBPyConnection, since: datetime) -> None:
    """Fill the temporary tables `increment`, `compared` and `gap` for the scopes in `work`.

    `since` is a bucket before which none of these scopes has rows. The view
    `counted_event` has the events and the spans that count. In `gap`, `amount` is
    what a reading told and no event did.
    """
    connection.execute(_SPANS, {"since": since})
    if connection.execute("SELECT 1 FROM counted_span LIMIT 1").fetchone():
        connection.execute(_DROP_TOLD_SPANS, {"since": since})
    connection.execute(_COUNTED_EVENTS.format(since=since))
    connection.execute(_INCREMENTS, {"since": since})
    connection.execute(_TOLD.format(compared=_COMPARED_SQL, facts=_FACTS, since=since))
    connection.execute(_COVERED)
    connection.execute(_COMPARED_TABLE)
    connection.execute(_GAPS)
    connection.execute(
        "UPDATE gap SET amount = 0 "
        f"WHERE counter = 'reported_cost' AND abs(amount) < {_SMALLEST_GAP}"
    )
