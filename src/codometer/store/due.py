"""How much there is of what has a time, and how much of it the next run lets go.

The same as `sealing` and `retention` do, in the same order, but only counted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.store.retention import HAS_KEYS, NOBODY, NOT_HELD, Cuts, Held
from codometer.store.tables import STAND_IN_LIMIT

if TYPE_CHECKING:
    from codometer.store.engine import Engine


class Amount(NamedTuple):
    """How many rows there are, since when, and how many are due."""

    rows: int
    oldest: datetime | None
    due: int


class Amounts(NamedTuple):
    """Those of each kind. `sessions` are sessions, the others rows."""

    detail: Amount
    sessions: Amount
    persons: Amount
    sums: Amount


_PERSON: Final = f"person_id >= {STAND_IN_LIMIT}"
_DETAIL: Final = """
SELECT count(*), min(time), count(*) FILTER (scope IN (
  SELECT scope FROM detail GROUP BY scope
  HAVING max(bucket) < $3 AND NOT bool_or(origin IN (SELECT origin FROM held))))
FROM detail
"""
_SESSIONS: Final = f"""
SELECT count(DISTINCT scope), min(day), count(DISTINCT scope) FILTER (
  {NOT_HELD} AND scope NOT IN (SELECT scope FROM session_day WHERE day >= $4)
  AND scope NOT IN (SELECT scope FROM detail GROUP BY scope
    HAVING max(bucket) >= $3 OR bool_or(origin IN (SELECT origin FROM held))))
FROM session_day WHERE origin IN (SELECT origin FROM origin WHERE {HAS_KEYS})
"""
_PERSONS: Final = f"""
SELECT count(*), min(start), count(*) FILTER (start < before AND {NOT_HELD}) FROM (
  SELECT origin, bucket AS start, $5::TIMESTAMP AS before FROM rollup_15m WHERE {_PERSON} UNION ALL
  SELECT origin, bucket, $5::TIMESTAMP FROM session_15m WHERE {_PERSON} UNION ALL
  SELECT origin, day::TIMESTAMP, $6::TIMESTAMP FROM session_day WHERE {_PERSON})
"""
_SUMS: Final = f"""
SELECT count(*), min(start), count(*) FILTER (start < before AND NOT is_held) FROM (
  SELECT bucket AS start, $8::TIMESTAMP AS before, NOT ({NOT_HELD}) AS is_held FROM rollup_15m
  UNION ALL SELECT bucket, $8::TIMESTAMP, NOT ({NOT_HELD}) FROM session_15m
  UNION ALL SELECT bucket, $8::TIMESTAMP, NOT ({NOT_HELD}) FROM latency_15m
  UNION ALL SELECT day::TIMESTAMP, $7::TIMESTAMP, NOT ({NOT_HELD}) FROM session_day
  UNION ALL SELECT day::TIMESTAMP, $7::TIMESTAMP, workplace IN (
    SELECT workplace FROM origin WHERE origin IN (SELECT origin FROM held)) FROM workplace_day)
"""
_TOGETHER: Final = f"""
WITH held AS (
  SELECT origin FROM origin LEFT JOIN workplace USING (workplace)
  WHERE list_contains($1, team) OR list_contains($2, person)),
detail AS (
  SELECT scope, bucket, time, origin FROM event UNION ALL
  SELECT scope, bucket, time, origin FROM reading)
SELECT * FROM ({_DETAIL}), ({_SESSIONS}), ({_PERSONS}), ({_SUMS})
"""
_EACH: Final = len(Amount._fields)


def count_amounts(engine: Engine, before: datetime, cuts: Cuts, held: Held | None) -> Amounts:
    """Count; detail of sessions that ended `before` (UTC, said so) is due. None holds everything.

    It is as of the last refresh of the sums, and reads all rows.
    """
    midnight = before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    teams, persons = held or NOBODY
    parameters = [[*teams], [*persons], midnight.replace(tzinfo=None), cuts.sessions]
    parameters += [cuts.quarters, cuts.persons, cuts.sums, cuts.sums_start]
    (row,) = engine.fetch(_TOGETHER, parameters)
    found = [row[at : at + _EACH] for at in range(0, len(row), _EACH)]
    return Amounts(
        *(
            Amount(rows, _instant(oldest), due if held is not None else 0)
            for rows, oldest, due in found
        )
    )


def _instant(told: object) -> datetime | None:
    if told is None:
        return None
    return datetime.fromisoformat(str(told)).replace(tzinfo=UTC)
