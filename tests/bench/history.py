"""Weeks of a fleet's detail, written straight into the tables, because sending it takes hours.

Sessions have the shape of the simulator's: 315 events in an hour, 100 of them
requests, and the counters that only metrics tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

EVENTS_A_SESSION: Final = 315
_SESSIONS_A_DAY: Final = 2
_TEAM_SIZE: Final = 25
_READINGS_A_SESSION: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """About so many events, on the working days before a midnight (UTC)."""

    events: int
    until: datetime
    days: int = 40

    @property
    def people(self) -> int:
        """How many work, each on two sessions a day."""
        working = sum(day.weekday() < 5 for day in self.dates())
        return max(1, self.events // (EVENTS_A_SESSION * _SESSIONS_A_DAY * working))

    def dates(self) -> list[datetime]:
        """Return its days in order."""
        return [self.until - timedelta(days=ahead) for ahead in range(self.days, 0, -1)]


_MACROS: Final = """
CREATE OR REPLACE TEMP MACRO draw(number) AS CAST(number >> 1 AS BIGINT);
CREATE OR REPLACE TEMP MACRO pick(choices, number) AS choices[1 + draw(number) % len(choices)];
"""

_SESSIONS: Final = """
CREATE OR REPLACE TEMP TABLE session_of_day AS
SELECT hash($day, n) AS scope, hash($day, n, 'origin') AS origin, n % $people AS person,
  n % $people // $team_size AS team, draw(hash(n, 'home')) % 4 AS home,
  '2.1.' || (300 + draw(hash(n, month($day::DATE))) % 3) AS version,
  pick(['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-sonnet-4-6'], hash($day, n, 'm')) AS model,
  $day::TIMESTAMP + to_seconds(7 * 3600 + draw(hash($day, n, 's')) % (9 * 3600)) AS start
FROM range($people * $sessions) t(n)
"""

_ORIGINS: Final = """
INSERT INTO origin BY NAME
SELECT origin, hash(team, home, version) AS workplace, scope AS session_id,
  hash(person) AS person_id, printf('00000000-0000-4000-8000-%020d', scope) AS session,
  printf('00000000-0000-4000-8000-%012d', person) AS person, 'account' AS person_kind,
  'installation-' || person AS installation, 'person-' || person || '@example.com' AS email
FROM session_of_day
"""

# A prompt, then requests, each with a decision and a tool; now and then the small model asks.
_WORKPLACES: Final = """
INSERT INTO workplace BY NAME
SELECT DISTINCT hash(team, home, version) AS workplace, 'claude_code' AS agent, version,
  ['tmux', 'iTerm.app', 'vscode', 'JetBrains'][1 + home] AS terminal, 'org' AS organisation,
  'team-' || team AS team, 'cc-' || team // 4 AS cost_center
FROM session_of_day
WHERE hash(team, home, version) NOT IN (SELECT workplace FROM workplace)
"""

_EVENTS: Final = """
INSERT INTO event BY NAME
WITH happened AS (
  SELECT s.*, i, draw(hash(scope, i)) AS luck,
    start + to_milliseconds(i * 8000 + draw(hash(scope, i)) % 8000) AS time,
    CASE WHEN i % 24 = 0 THEN 'prompt' WHEN i % 24 = 23 THEN 'activity'
      ELSE ['request', 'decision', 'tool_call'][1 + (i - 1) % 3] END AS kind
  FROM session_of_day s, range($events) r(i)
), used AS (
  SELECT *, luck % 2000 AS fresh, 10000 + luck // 7 % 140000 AS read, luck // 11 % 9000 AS written,
    20 + luck // 13 % 3000 AS output,
    CASE WHEN luck % 10 = 0 THEN 'claude-haiku-5-5' ELSE model END AS asked,
    pick(['Read', 'Read', 'Bash', 'Bash', 'Edit', 'Grep', 'Write'], hash(scope, i // 3))
      AS tool_used,
    draw(hash(scope, i // 3, 'who')) % 4 = 0 AS by_person
  FROM happened
)
SELECT hash(scope, i, 'high') AS key_high, hash(scope, i, 'low') AS key_low,
  time_bucket(INTERVAL 15 MINUTE, time) AS bucket, time, scope, hash(person, $day) AS day_scope,
  origin, 'event' AS source,
  CASE WHEN kind = 'decision' AND tool_used IN ('Edit', 'Write') THEN 'edit_decision'
    ELSE kind END AS kind,
  kind AS name, i AS sequence, 'anthropic' AS provider,
  hash(scope, i // 24)::VARCHAR AS prompt_id,
  CASE WHEN kind <> 'prompt' THEN luck::VARCHAR END AS call_id,
  CASE WHEN kind = 'request' THEN asked END AS model,
  CASE WHEN kind = 'request' THEN CASE WHEN luck % 10 < 2 THEN 'auxiliary' ELSE 'main' END END
    AS query_source,
  CASE WHEN kind = 'request' THEN pick(['low', 'medium', 'high'], scope) END AS effort,
  CASE WHEN kind = 'request' THEN 'normal' END AS speed,
  CASE WHEN kind = 'request' THEN fresh END AS uncached_input_tokens,
  CASE WHEN kind = 'request' THEN read END AS cache_read_tokens,
  CASE WHEN kind = 'request' THEN written END AS cache_write_tokens,
  CASE WHEN kind = 'request' THEN output END AS output_tokens,
  CASE WHEN kind = 'request' THEN CAST((fresh * 3 + output * 15) / 1e6 AS DECIMAL(18,12)) END
    AS reported_cost,
  CASE WHEN kind = 'request' THEN CAST((fresh * 3 + output * 15) / 1e6 AS DECIMAL(18,12)) END
    AS list_cost,
  CASE WHEN kind = 'request' THEN 'counted' END AS list_cost_basis,
  CASE WHEN kind = 'request' THEN 'standard' END AS price_tier,
  CASE WHEN kind = 'request' THEN CAST(read * 2.7 / 1e6 AS DECIMAL(18,12)) END AS cache_savings,
  CASE WHEN kind IN ('request', 'tool_call') THEN 5 + luck % 20000 END AS duration_ms,
  CASE WHEN kind = 'request' THEN 100 + luck % 3000 END AS ttft_ms,
  CASE WHEN kind IN ('decision', 'tool_call') THEN tool_used END AS tool,
  CASE WHEN kind = 'tool_call' THEN luck % 20 > 0 END AS success,
  CASE WHEN kind = 'decision' THEN luck % 15 > 0 END AS accepted,
  CASE WHEN kind IN ('decision', 'tool_call') THEN
    CASE WHEN by_person THEN 'user_temporary' ELSE 'config' END END AS decision_source
FROM used ORDER BY bucket
"""

_READINGS: Final = """
INSERT INTO reading BY NAME
WITH counted AS (
  SELECT s.*, i, counter, draw(hash(scope, i, counter)) AS luck,
    start + to_minutes(i * $minutes) AS since, start + to_minutes((i + 1) * $minutes) AS time
  FROM session_of_day s, range($readings) r(i),
    unnest(['lines_added', 'lines_removed', 'active_time_seconds', 'commits', 'pull_requests'])
      c(counter)
)
SELECT luck AS key_high, hash(luck) AS key_low,
  time_bucket(INTERVAL 15 MINUTE, time) AS bucket, time,
  scope, origin, counter, counter AS name, hash(scope, counter) AS series, 'delta' AS temporality,
  since AS start,
  CASE WHEN counter IN ('commits', 'pull_requests') THEN 1 ELSE luck % 200 END AS value,
  'anthropic' AS provider, CASE WHEN counter LIKE 'lines%' THEN model END AS model
FROM counted
WHERE counter NOT IN ('commits', 'pull_requests') OR luck % 40 = 0
ORDER BY bucket
"""


def write_history(connection: duckdb.DuckDBPyConnection, history: History) -> None:
    """Fill the tables of detail of an empty store, and mark all of it to be rolled up."""
    connection.execute(_MACROS)
    for day in history.dates():
        if day.weekday() < 5:
            _write_day(connection, day, history.people)
    for table in ("event", "reading"):
        connection.execute(f"INSERT INTO dirty SELECT DISTINCT scope, bucket, NULL FROM {table}")


def _write_day(connection: duckdb.DuckDBPyConnection, day: datetime, people: int) -> None:
    date = {"day": f"{day:%Y-%m-%d}"}
    sizes = {"people": people, "sessions": _SESSIONS_A_DAY, "team_size": _TEAM_SIZE}
    minutes = EVENTS_A_SESSION * 8 // 60 // _READINGS_A_SESSION
    connection.execute(_SESSIONS, {**date, **sizes})
    connection.execute(_WORKPLACES)
    connection.execute(_ORIGINS)
    connection.execute(_EVENTS, {**date, "events": EVENTS_A_SESSION})
    connection.execute(_READINGS, {"minutes": minutes, "readings": _READINGS_A_SESSION})
