"""What grows old loses first its session, then its person, and goes in the end.

The problem. Sums must stay right when nobody may be told from them any more, and
so must the question how few people a number covers: who takes the persons out
of old rows makes every old group one of nobody.

The answer. Persons become stand-ins: numbers by chance, the same for one person
within a calendar month and another in every other month, so that nobody can be
followed from one to the next. A month's stand-ins tell how many people there
were, those of several months do not: whoever counts takes the largest month
(`epoch_of`), which is never more people than there were.

    sessions   a session that ended long ago loses its name and the keys of its client
    quarters   rows by quarter hour lose their persons, month by month
    persons    rows by day lose theirs likewise
    sums       rows of days long past go

What is late for a month that lost its persons is of nobody. Rows by quarter hour and
rows by day get different numbers, so that no number leads from one to the other.
Services are no persons: they keep their names, so that they can be counted.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codometer.model.identity import SERVICE
from codometer.store.given import U64, give
from codometer.store.tables import STAND_IN_LIMIT, STAND_INS_OF_A_MONTH

if TYPE_CHECKING:
    import duckdb

MAX_SCOPES: Final = 20_000
"""How many sessions lose their names in one transaction, so that clients never wait long."""

KEYS: Final = ("session", "installation", "account_uuid", "account_id", "email", "enduser_id")
"""What an origin loses with its session's name; its person stays longer."""
_KEYS: Final = ", ".join(KEYS)
HAS_KEYS: Final = f"coalesce({_KEYS}) IS NOT NULL"
"""Tells of an origin whether it has the name of a session or the keys of a client."""
_SERVICES: Final = "".join(
    f", CASE WHEN person_kind = '{SERVICE}' THEN {name} END AS {name}"
    for name in ("person", "person_kind")
)
_BITS: Final = 63
_FIRST_DAY: Final = date(1970, 1, 1)
NOT_HELD: Final = "origin NOT IN (SELECT origin FROM held)"
"""Tells of a row, once `find_held` was called, that no legal hold keeps it."""


class Cuts(NamedTuple):
    """Up to which day, not included, each kind of row has lost what it loses."""

    sessions: date
    quarters: date
    """The first of a month."""
    persons: date
    """The first of a month."""
    sums: date
    sums_start: datetime
    """When that day begins: UTC, without saying so."""


class Held(NamedTuple):
    """Whose rows stay as they are, whatever their age."""

    teams: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()


NOBODY: Final = Held()


class _Rows(NamedTuple):
    """Tables whose persons are cut together, by which time, and the parity of their months."""

    tables: tuple[str, ...]
    time: str
    offset: int


_QUARTERS: Final = _Rows(("rollup_15m", "session_15m"), "bucket", 1)
_DAYS: Final = _Rows(("session_day",), "day", 0)


def find_held(connection: duckdb.DuckDBPyConnection, held: Held | None) -> None:
    """Make the temporary table `held` of the origins whose rows stay; of all for None."""
    whose = held or NOBODY
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE held AS SELECT origin FROM origin "
        "LEFT JOIN workplace USING (workplace) "
        "WHERE $everything OR list_contains($teams, team) OR list_contains($persons, person)",
        {"everything": held is None, "teams": [*whose.teams], "persons": [*whose.persons]},
    )


def fold_sessions(connection: duckdb.DuckDBPyConnection, before: date, held: Held) -> int:
    """Take the names off sessions that ended before a day, at most `MAX_SCOPES` of them.

    What is left by day is how much a person used; by quarter hour, not even whose it was.
    Return how many those are. Sessions of which detail is left wait.
    """
    find_held(connection, held)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE work AS
        SELECT DISTINCT scope FROM session_day
        WHERE day < $before AND {NOT_HELD}
          AND origin IN (SELECT origin FROM origin WHERE {HAS_KEYS})
          AND scope NOT IN (SELECT scope FROM session_day WHERE day >= $before)
          AND scope NOT IN (SELECT scope FROM event)
          AND scope NOT IN (SELECT scope FROM reading)
          AND scope NOT IN (SELECT scope FROM dirty)
        ORDER BY scope LIMIT {MAX_SCOPES}""",
        {"before": before},
    )
    pairs = connection.execute(
        "SELECT DISTINCT scope, origin, session_id FROM session_day "
        f"WHERE scope IN (SELECT scope FROM work) AND {NOT_HELD}"
    ).fetchall()
    if not pairs:
        return 0
    give(connection, **_fresh_numbers(pairs))
    for table, kind, has_sessions in (
        ("rollup_15m", "fine", True),
        ("session_15m", "fine", True),
        ("latency_15m", "fine", False),
        ("session_day", "coarse", True),
    ):
        session = f", session_id = g.{kind}_session" if has_sessions else ""
        connection.execute(
            f"UPDATE {table} t SET scope = g.{kind}_scope, origin = g.{kind}_origin{session} "
            "FROM given g WHERE t.scope = g.scope AND t.origin = g.origin"
        )
    for kind, who in (("fine", _SERVICES), ("coarse", ", person, person_id, person_kind")):
        connection.execute(
            f"INSERT INTO origin BY NAME SELECT DISTINCT g.{kind}_origin AS origin, "
            f"g.{kind}_session AS session_id, workplace, policy_version{who} "
            "FROM given g JOIN origin USING (origin)"
        )
    unused = delete_unused("origin", by=("session_day", "event", "reading"))
    connection.execute(f"{unused} AND origin IN (SELECT origin FROM given)")
    return len({scope for scope, *_ in pairs})


def _fresh_numbers(pairs: Iterable[tuple[int, int, int | None]]) -> dict[str, Any]:
    """Return the columns of a table that has new numbers by chance for each pair."""
    known = [*pairs]
    columns: dict[str, Any] = {
        "scope": (U64, [scope for scope, *_ in known]),
        "origin": (U64, [origin for _, origin, _ in known]),
    }
    for kind in ("fine", "coarse"):
        for place, name in enumerate(("scope", "origin", "session")):
            numbers: dict[int | None, int | None] = {
                each[place]: secrets.randbits(_BITS) for each in known
            }
            numbers[None] = None
            columns[f"{kind}_{name}"] = (U64, [numbers[each[place]] for each in known])
    return columns


def cut_quarters(connection: duckdb.DuckDBPyConnection, before: date, held: Held) -> int:
    """Take the persons out of rows by quarter hour of months before one; return how many rows."""
    find_held(connection, held)
    return _cut(connection, _QUARTERS, before)


def cut_days(connection: duckdb.DuckDBPyConnection, before: date, held: Held) -> int:
    """Take the persons out of rows by day of months before one; return how many rows those are."""
    find_held(connection, held)
    rows = _cut(connection, _DAYS, before)
    connection.execute(
        "UPDATE origin SET person = NULL, person_kind = NULL, person_id = NULL "
        f"WHERE person IS NOT NULL AND coalesce({_KEYS}) IS NULL AND {NOT_HELD} "
        f"AND person_kind IS DISTINCT FROM '{SERVICE}' "
        "AND origin NOT IN (SELECT origin FROM session_day WHERE day >= $before)",
        {"before": before},
    )
    return rows


def _cut(connection: duckdb.DuckDBPyConnection, rows: _Rows, before: date) -> int:
    table, *_ = rows.tables
    months = connection.execute(
        f"SELECT DISTINCT CAST(date_trunc('month', {rows.time}) AS DATE) FROM {table} "
        f"WHERE {rows.time} < $before AND person_id >= {STAND_IN_LIMIT} AND {NOT_HELD} ORDER BY 1",
        {"before": before},
    ).fetchall()
    return sum(_cut_month(connection, rows, month) for (month,) in months)


def _cut_month(connection: duckdb.DuckDBPyConnection, rows: _Rows, month: date) -> int:
    first = ((month - _FIRST_DAY).days + rows.offset) * STAND_INS_OF_A_MONTH
    in_month = f"{rows.time} >= $month AND {rows.time} < $next"
    known = {"month": month, "next": (month + timedelta(days=31)).replace(day=1)}
    was_cut = connection.execute(
        f"SELECT 1 FROM {rows.tables[0]} WHERE person_id >= $first AND person_id < $end LIMIT 1",
        {"first": first, "end": first + STAND_INS_OF_A_MONTH},
    ).fetchone()
    people = [
        person
        for (person,) in connection.execute(
            f"SELECT DISTINCT person_id FROM {rows.tables[0]} "
            f"WHERE {in_month} AND person_id >= {STAND_IN_LIMIT} AND {NOT_HELD}",
            known,
        ).fetchall()
    ]
    secrets.SystemRandom().shuffle(people)
    numbers = [None if was_cut else first + at for at, _ in enumerate(people)]
    give(connection, person_id=(U64, people), number=(U64, numbers))
    changed = [
        connection.execute(
            f"UPDATE {table} t SET person_id = g.number FROM given g "
            f"WHERE t.person_id = g.person_id AND t.{NOT_HELD} AND {in_month}",
            known,
        ).fetchone()
        for table in rows.tables
    ]
    return sum(row[0] for row in changed if row)


def drop_sums(connection: duckdb.DuckDBPyConnection, cuts: Cuts, held: Held) -> int:
    """Let the sums go of days before one, and what only they needed; return how many rows."""
    find_held(connection, held)
    day, start = {"before": cuts.sums}, {"before": cuts.sums_start}
    deleted = [
        connection.execute(f"DELETE FROM {table} WHERE {old} AND {whose}", known).fetchone()
        for table, old, whose, known in (
            ("rollup_15m", "bucket < $before", NOT_HELD, start),
            ("session_15m", "bucket < $before", NOT_HELD, start),
            ("latency_15m", "bucket < $before", NOT_HELD, start),
            ("session_day", "day < $before", NOT_HELD, day),
            ("workplace_day", "day < $before", _NO_HELD_WORKPLACE, day),
        )
    ]
    rows: int = sum(row[0] for row in deleted if row)
    if rows:
        for statement in _DROP_UNUSED:
            connection.execute(statement, start if "$before" in statement else None)
    return rows


def delete_unused(table: str, *, by: tuple[str, ...]) -> str:
    """Return the DELETE of rows whose number, which has the table's name, is in no other table."""
    used = " AND ".join(f"{table} NOT IN (SELECT {table} FROM {each})" for each in by)
    return f"DELETE FROM {table} WHERE {used}"


_NO_HELD_WORKPLACE: Final = (
    "workplace NOT IN (SELECT workplace FROM origin WHERE origin IN (SELECT origin FROM held))"
)
_DROP_UNUSED: Final = (
    "DELETE FROM sealed_key WHERE bucket < $before",
    "DELETE FROM sealed_usage WHERE until < $before",
    "DELETE FROM sealed_series WHERE until < $before",
    "DELETE FROM stranger WHERE last < $before",
    "DELETE FROM sent_content WHERE last < $before",
    "DELETE FROM rejected WHERE last < $before",
    delete_unused("origin", by=("session_day", "rollup_15m", "event", "reading")),
    delete_unused("workplace", by=("origin", "workplace_day")),
)
