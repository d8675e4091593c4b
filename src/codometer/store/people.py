"""Whom the stored rows are of: read, given to other names, exported, erased.

Everything here runs on the connection that `Store.changing` gives, in its one
transaction; what only reads may use any other.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codometer.model.identity import SERVICE, Counts, Identities, hash64, number_of_person
from codometer.store.given import I64, TEXT, U64, give
from codometer.store.origins import add_workplaces, number_of_workplace
from codometer.store.retention import Held, find_held
from codometer.store.sealing import seal_work
from codometer.store.tables import (
    STAND_IN_LIMIT,
    WORKPLACE_DIMENSIONS,
    column_name,
    resource_column,
)

if TYPE_CHECKING:
    import duckdb

ERASED: Final = "erased"
"""The person that everybody is who was erased."""

_PERSON_TABLES: Final = ("rollup_15m", "session_15m", "session_day")
"""The sums that tell persons and sessions apart."""
_ORIGIN_TABLES: Final = (*_PERSON_TABLES, "latency_15m")
_OF_WORKPLACES: Final = ("origin", *_ORIGIN_TABLES, "workplace_day")
_WIDTH: Final = len(WORKPLACE_DIMENSIONS)
_KEYS: Final = ("installation", "account_uuid", "account_id", "email", "enduser_id")
_DETAIL: Final = ("event", "reading")
_AT_ONCE: Final = 50_000
_BITS: Final = 63


class StoredOrigin(NamedTuple):
    """Whom the rows of one origin are of."""

    origin: int
    identities: Identities


def list_origins(
    connection: duckdb.DuckDBPyConnection, keys: Iterable[str] | None = None
) -> list[StoredOrigin]:
    """Return the origins that name any of these identities, or all that name one."""
    columns = ", ".join(("origin", "person", "person_kind", *_KEYS, "repository", "policy_version"))
    where, parameters = "TRUE", []
    if keys is not None:
        names = list(keys)
        where = " OR ".join(f"list_contains($1, {key})" for key in (*_KEYS, "person"))
        parameters = [names]
    rows = connection.execute(
        f"SELECT {columns} FROM origin LEFT JOIN workplace USING (workplace) WHERE {where}",
        parameters,
    ).fetchall()
    return [
        StoredOrigin(row[0], Identities._make((*row[1:-1], row[-1] or 0)))
        for row in rows
        if any(row[1:-2]) or row[-2]
    ]


def find_names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return every name by which an origin knows a person, an account and the like."""
    told = " UNION ".join(f"SELECT {name} FROM origin" for name in ("person", *_KEYS))
    return {name for (name,) in connection.execute(told).fetchall() if name is not None}


def find_told(connection: duckdb.DuckDBPyConnection) -> set[Identities]:
    """Return the persons that origins know with all that names them there, each once."""
    names = Identities._fields[:-2]
    rows = connection.execute(
        f"SELECT DISTINCT {', '.join(names)} FROM origin WHERE person IS NOT NULL"
    ).fetchall()
    return {Identities(*row) for row in rows}


def find_people(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return what everybody is called who is no service."""
    rows = connection.execute(
        f"SELECT DISTINCT person FROM origin WHERE person_kind <> '{SERVICE}'"
    ).fetchall()
    return {person for (person,) in rows if person is not None}


class Counted(NamedTuple):
    """How many are stored: people, those of them that are known as a machine only, services."""

    people: int = 0
    installations: int = 0
    services: int = 0


def list_teams(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the teams that any row belongs to, as they are spelt, in order."""
    rows = connection.execute(
        "SELECT DISTINCT team FROM workplace WHERE team IS NOT NULL ORDER BY team"
    )
    return [team for (team,) in rows.fetchall()]


def count_people(connection: duckdb.DuckDBPyConnection) -> Counted:
    """Count who is stored."""
    row = connection.execute(
        f"SELECT count(DISTINCT person) FILTER (person_kind <> '{SERVICE}'), "
        "count(DISTINCT person) FILTER (person_kind = 'installation'), "
        f"count(DISTINCT person) FILTER (person_kind = '{SERVICE}') FROM origin"
    ).fetchone()
    return Counted(*row) if row else Counted()


def replace_identities(
    connection: duckdb.DuckDBPyConnection, origins: Sequence[StoredOrigin]
) -> None:
    """Store origins under other names, and their sums under other persons."""
    for chunk in _chunks(origins):
        who = [each.identities for each in chunk]
        give(
            connection,
            origin=(U64, [each.origin for each in chunk]),
            person_id=(U64, [number_of_person(w.person, w.person_kind) for w in who]),
            policy_version=(I64, [w.version for w in who]),
            **{
                name: (TEXT, [getattr(w, name) for w in who])
                for name in ("person", "person_kind", *_KEYS)
            },
        )
        names = ("person_id", "person", "person_kind", *_KEYS, "policy_version")
        sets = ", ".join(f"{name} = i.{name}" for name in names)
        connection.execute(f"UPDATE origin t SET {sets} FROM given i WHERE t.origin = i.origin")
        for table in _PERSON_TABLES:
            connection.execute(
                f"UPDATE {table} t SET person_id = i.person_id FROM given i "
                "WHERE t.origin = i.origin AND t.person_id IS DISTINCT FROM i.person_id "
                f"AND (t.person_id IS NULL OR t.person_id >= {STAND_IN_LIMIT})"
            )


def rename_repositories(
    connection: duckdb.DuckDBPyConnection,
    rename: Callable[[str], str],
    resource_keys: Sequence[str],
) -> None:
    """Store repositories under other names, and number the workplaces anew."""
    resources = [resource_column(key).name for key in resource_keys]
    columns = ", ".join(("workplace", *WORKPLACE_DIMENSIONS, *resources))
    place = WORKPLACE_DIMENSIONS.index("repository")
    was: list[int] = []
    new: list[int] = []
    names: list[str] = []
    for number, *told in connection.execute(
        f"SELECT {columns} FROM workplace WHERE repository IS NOT NULL"
    ).fetchall():
        told[place] = rename(told[place])
        known, resource = told[:_WIDTH], told[_WIDTH:]
        was.append(number)
        new.append(number_of_workplace(known, zip(resource_keys, resource, strict=True)))
        names.append(told[place])
    give(connection, was=(U64, was), workplace=(U64, new), repository=(TEXT, names))
    add_workplaces(connection, "repository")
    for table in _OF_WORKPLACES:
        connection.execute(
            f"UPDATE {table} t SET workplace = i.workplace FROM given i WHERE t.workplace = i.was"
        )
    connection.execute(
        "DELETE FROM workplace WHERE workplace IN (SELECT was FROM given) "
        "AND workplace NOT IN (SELECT workplace FROM given)"
    )


def change_extras(
    connection: duckdb.DuckDBPyConnection, change: Callable[[str], str | None]
) -> None:
    """Replace what else came with events and readings, where `change` says something else."""
    for table in _DETAIL:
        distinct = connection.execute(
            f"SELECT DISTINCT extra FROM {table} WHERE extra IS NOT NULL"
        ).fetchall()
        changed = {extra: kept for (extra,) in distinct if (kept := change(extra)) != extra}
        for chunk in _chunks(list(changed.items())):
            give(
                connection,
                old=(TEXT, [old for old, _ in chunk]),
                new=(TEXT, [new for _, new in chunk]),
            )
            connection.execute(
                f"UPDATE {table} t SET extra = i.new FROM given i WHERE t.extra = i.old"
            )


def are_held(connection: duckdb.DuckDBPyConnection, origins: Iterable[int], held: Held) -> bool:
    """Tell whether any of these origins is under a hold."""
    give(connection, origin=(U64, list(origins)))
    find_held(connection, held)
    both = "SELECT 1 FROM given JOIN held USING (origin) LIMIT 1"
    return connection.execute(both).fetchone() is not None


def count_rows(connection: duckdb.DuckDBPyConnection, origins: Iterable[int]) -> Counts:
    """Say how much is stored of these origins."""
    give(connection, origin=(U64, list(origins)))
    mine = "WHERE origin IN (SELECT origin FROM given)"
    row = connection.execute(
        f"SELECT (SELECT count(DISTINCT session_id) FROM origin {mine}),"
        f"(SELECT count(*) FROM event {mine}), (SELECT count(*) FROM reading {mine}),"
        f"(SELECT min(day) FROM session_day {mine}), (SELECT max(day) FROM session_day {mine})"
    ).fetchone()
    return Counts(*row) if row else Counts()


def export_rows(
    connection: duckdb.DuckDBPyConnection, origins: Iterable[int], *, newest: int | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return all that is stored of these origins, by table; numbers of our own are left out.

    With `newest`, only so many rows of each table, the newest first.
    """
    give(connection, origin=(U64, list(origins)))
    part = "" if newest is None else f" DESC LIMIT {newest:d}"
    found: dict[str, list[dict[str, Any]]] = {}
    for name, (table, told, beside, order) in _EXPORTED.items():
        cursor = connection.execute(
            f"SELECT {told} FROM {table} t {beside} "
            f"WHERE t.origin IN (SELECT origin FROM given) ORDER BY {order}{part}"
        )
        columns = [column_name(column[0]) for column in cursor.description or ()]
        found[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return found


_OF_ORIGIN: Final = "JOIN origin o ON o.origin = t.origin"
_OURS: Final = "key_high, key_low, bucket, scope, origin"
_EXPORTED: Final = {
    "origins": (
        "origin",
        "t.* EXCLUDE (origin, workplace, session_id, person_id), w.* EXCLUDE (workplace)",
        "LEFT JOIN workplace w ON w.workplace = t.workplace",
        "(SELECT max(day) FROM session_day d WHERE d.origin = t.origin)",
    ),
    "events": (
        "event",
        f"o.session, t.* EXCLUDE ({_OURS}, day_scope, twin, sequence)",
        _OF_ORIGIN,
        "t.time",
    ),
    "readings": ("reading", f"o.session, t.* EXCLUDE ({_OURS}, series)", _OF_ORIGIN, "t.time"),
    "days": (
        "session_day",
        "o.session, t.* EXCLUDE (scope, origin, workplace, session_id, person_id)",
        _OF_ORIGIN,
        "t.day",
    ),
}
"""What is told of each table, without the numbers that we make, and in which order."""


def erase_origins(connection: duckdb.DuckDBPyConnection, origins: Sequence[int]) -> None:
    """Erase whom these origins are of: their detail goes, their sums stay and are nobody's.

    Nothing that is left leads back to them: origins, sessions and scopes get random
    numbers in place of those that are made of what the client said.
    """
    give(connection, origin=(U64, list(origins)))
    mine = "origin IN (SELECT origin FROM given)"
    connection.execute("CREATE OR REPLACE TEMP TABLE erased AS SELECT origin FROM given")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE work AS "
        f"SELECT scope FROM event WHERE {mine} UNION SELECT scope FROM reading WHERE {mine}"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE erased_key AS "
        + " UNION ALL ".join(
            f"SELECT bucket, key_low FROM {table} WHERE {mine}" for table in _DETAIL
        )
    )
    seal_work(connection)
    connection.execute(
        "DELETE FROM sealed_key WHERE (bucket, key_low) IN (SELECT bucket, key_low FROM erased_key)"
    )
    mine = "origin IN (SELECT origin FROM erased)"
    scopes = _column(connection, f"SELECT DISTINCT scope FROM rollup_15m WHERE {mine}")
    sessions = _column(connection, f"SELECT DISTINCT session_id FROM origin WHERE {mine}")
    _renumber(connection, "origin", origins, _ORIGIN_TABLES)
    _renumber(connection, "scope", scopes, _ORIGIN_TABLES)
    _renumber(connection, "session_id", sessions, _PERSON_TABLES)
    for table in ("sealed_scope", "sealed_usage", "sealed_series"):
        connection.execute(
            f"DELETE FROM {table} WHERE scope IN (SELECT unnest($1)) "
            "AND scope NOT IN (SELECT scope FROM rollup_15m)",
            [scopes],
        )


def _renumber(
    connection: duckdb.DuckDBPyConnection, column: str, old: Sequence[int], tables: Sequence[str]
) -> None:
    """Give random numbers to what is numbered by what a client said, where it is of the erased."""
    give(
        connection,
        old=(U64, list(old)),
        new=(U64, [secrets.randbits(_BITS) for _ in old]),
    )
    person = hash64(ERASED)
    if column == "origin":
        blank = ", ".join(f"{name} = NULL" for name in ("session", "person_kind", *_KEYS))
        connection.execute(
            f"UPDATE origin t SET origin = i.new, person = '{ERASED}', person_id = {person}, "
            f"{blank} FROM given i WHERE t.origin = i.old"
        )
        for table in tables:
            more = f", person_id = {person}" if table in _PERSON_TABLES else ""
            connection.execute(
                f"UPDATE {table} t SET origin = i.new{more} FROM given i WHERE t.origin = i.old"
            )
        connection.execute("CREATE OR REPLACE TEMP TABLE erased AS SELECT new AS origin FROM given")
        return
    also = ("origin",) if column == "session_id" else ()
    for table in (*tables, *also):
        connection.execute(
            f"UPDATE {table} t SET {column} = i.new FROM given i WHERE t.{column} = i.old "
            "AND t.origin IN (SELECT origin FROM erased)"
        )


def _column(connection: duckdb.DuckDBPyConnection, sql: str) -> list[int]:
    return [row[0] for row in connection.execute(sql).fetchall() if row[0] is not None]


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))


class Applied(NamedTuple):
    """Which privacy policy the stored rows were brought to, and by which installation."""

    version: int
    profile: str
    installation: str


def find_applied(connection: duckdb.DuckDBPyConnection) -> Applied | None:
    """Return what was noted last; None before anything was."""
    found = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if _VERSION not in found:
        return None
    return Applied(int(found[_VERSION]), found[_PROFILE], found[_INSTALLATION])


def note_applied(connection: duckdb.DuckDBPyConnection, applied: Applied) -> None:
    """Note which policy the stored rows were brought to."""
    for name, value in zip((_VERSION, _PROFILE, _INSTALLATION), applied, strict=True):
        connection.execute("DELETE FROM meta WHERE name = $1", [name])
        connection.execute("INSERT INTO meta VALUES ($1, $2)", [name, str(value)])


_VERSION: Final = "privacy_version"
_PROFILE: Final = "privacy_profile"
_INSTALLATION: Final = "installation"
