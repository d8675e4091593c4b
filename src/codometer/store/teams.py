"""Where stored rows belong: brought to the teams that people were in, whatever clients said.

The problem. An administrator corrects the past: from March on she was in another team. Rows
know where they belong by their origin, which is one for a whole session, and sums by day and
workplace know no person at all.

The answer. An origin keeps what its client told. So where its rows belong is worked out from
that and from where the person was, each time from the beginning: what is right stays, and
nothing changes the second time. Rows of days on which they belong elsewhere get an origin of
their own, alike but for that; days begin between two quarter hours, so no row is cut. Then
the workplaces that lost or gained rows are summed anew from the quarter hours. Only of sessions
that lost their names, and of rows that lost their person, nobody knows any more whose they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codometer.model.identity import number_elsewhere
from codometer.model.period import start_of_day
from codometer.store.given import I64, TEXT, U64, give
from codometer.store.origins import add_workplaces, number_of_workplace
from codometer.store.retention import KEYS, Held, delete_unused, find_held
from codometer.store.rollups import sum_up_workplaces
from codometer.store.tables import STAND_IN_LIMIT, WORKPLACE_DIMENSIONS, resource_column

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import duckdb

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_WIDTH: Final = len(WORKPLACE_DIMENSIONS)
_TEAM: Final = WORKPLACE_DIMENSIONS.index("team")
_COST_CENTER: Final = WORKPLACE_DIMENSIONS.index("cost_center")
_HAS_KEYS: Final = f"coalesce({', '.join(f'o.{key}' for key in KEYS)}) IS NOT NULL"


class Stay(NamedTuple):
    """Somebody's team from one day until another, which is not included."""

    first: date
    until: date | None
    team: str
    cost_center: str | None
    """None is the one that the client says."""


class Moved(NamedTuple):
    """Of how many sessions rows were moved, and of how many a legal hold kept them.

    `kept` is what those persons are called of whom any were kept.
    """

    sessions: int = 0
    held: int = 0
    kept: frozenset[str] = frozenset()


class _Stored(NamedTuple):
    """An origin, where it is, and on which days it has rows."""

    origin: int
    session: int | None
    person: str
    team: str | None
    cost_center: str | None
    is_held: bool
    days: Sequence[date]
    number: int
    workplace: Sequence[str | None]


class _Move(NamedTuple):
    """Days on which the rows of an origin are elsewhere."""

    stored: _Stored
    first: date
    until: date
    team: str | None
    cost_center: str | None

    def workplace(self) -> Sequence[str | None]:
        """Return what tells the workplace where they belong."""
        told = [*self.stored.workplace]
        told[_TEAM], told[_COST_CENTER] = self.team, self.cost_center
        return told


def move_to_teams(
    connection: duckdb.DuckDBPyConnection,
    stays: Mapping[str, Sequence[Stay]],
    *,
    zone: ZoneInfo,
    resource_keys: Sequence[str],
    held: Held | None,
) -> Moved:
    """Bring the rows of persons, by what they are called there, to the teams that they were in.

    The stays of a person do not overlap. What is held stays as it is; None holds everything.
    Must run inside a transaction, when everything is rolled up.
    """
    moves = [
        move
        for stored in _list_stored(connection, stays, resource_keys, held)
        for move in _list_moves(stored, stays[stored.person])
    ]
    wanted = [move for move in moves if not move.stored.is_held]
    kept = [move for move in moves if move.stored.is_held]
    if wanted:
        _give(connection, wanted, zone, resource_keys)
        add_workplaces(connection, "team", "cost_center")
        for statement in _STATEMENTS:
            connection.execute(statement)
        sum_up_workplaces(connection, zone)
        for statement in _DELETE_UNUSED:
            connection.execute(statement)
    sessions, waiting = (len({move.stored.session for move in some}) for some in (wanted, kept))
    return Moved(sessions, waiting, frozenset(move.stored.person for move in kept))


def find_last_unmoved(
    connection: duckdb.DuckDBPyConnection, persons: Collection[str], first: date, until: date | None
) -> date | None:
    """Return the last day in a stretch of which rows of persons may be that nobody can move.

    Those are of sessions that lost their names, or of nobody any more.
    """
    row = connection.execute(
        "SELECT max(day) FROM session_day d LEFT JOIN origin o USING (origin) "
        "WHERE day >= $first AND day < coalesce($until, DATE '9999-12-31') "
        f"AND NOT ({_HAS_KEYS}) "
        f"AND (d.person_id < {STAND_IN_LIMIT} OR list_contains($persons, o.person))",
        {"first": first, "until": until, "persons": [*persons]},
    ).fetchone()
    found: date | None = row[0] if row else None
    return found


def _list_stored(
    connection: duckdb.DuckDBPyConnection,
    persons: Iterable[str],
    resource_keys: Sequence[str],
    held: Held | None,
) -> list[_Stored]:
    find_held(connection, held)
    resources = (resource_column(key).name for key in resource_keys)
    workplace = ", ".join(f"w.{name}" for name in (*WORKPLACE_DIMENSIONS, *resources))
    rows = connection.execute(
        "SELECT o.origin, o.session_id, o.person, told_team, told_cost_center, "
        "o.origin IN (SELECT origin FROM held), list(DISTINCT day), w.workplace, "
        f"{workplace} FROM origin o JOIN workplace w USING (workplace) "
        "JOIN session_day d ON d.origin = o.origin "
        f"WHERE list_contains($persons, o.person) AND {_HAS_KEYS} GROUP BY ALL",
        {"persons": [*persons]},
    ).fetchall()
    width = len(_Stored._fields) - 1
    return [_Stored._make((*row[:width], row[width:])) for row in rows]


def _list_moves(stored: _Stored, stays: Sequence[Stay]) -> Iterator[_Move]:
    """Return the days on which rows of an origin are not where they belong."""
    end = max(stored.days) + _DAY
    told = _Move(stored, min(stored.days), end, stored.team, stored.cost_center)
    found: list[_Move] = []
    for stay in sorted(stays):
        first, until = max(stay.first, told.first), min(stay.until or end, end)
        if first < until:
            cost_center = stay.cost_center or stored.cost_center
            found += told._replace(until=first), _Move(stored, first, until, stay.team, cost_center)
            told = told._replace(first=until)
    for move in (*found, told):
        has_rows = any(move.first <= day < move.until for day in stored.days)
        if has_rows and move.workplace() != [*stored.workplace]:
            yield move


def _give(
    connection: duckdb.DuckDBPyConnection,
    moves: Sequence[_Move],
    zone: ZoneInfo,
    resource_keys: Sequence[str],
) -> None:
    def number(workplace: Sequence[str | None]) -> int:
        resource = zip(resource_keys, workplace[_WIDTH:], strict=True)
        return number_of_workplace(workplace[:_WIDTH], resource)

    def seconds(day: date) -> int:
        return int(start_of_day(day, zone).timestamp())

    columns: dict[str, Any] = {
        "old": (U64, [move.stored.origin for move in moves]),
        "new": (
            U64,
            [number_elsewhere(move.stored.origin, move.team, move.cost_center) for move in moves],
        ),
        "was": (U64, [move.stored.number for move in moves]),
        "workplace": (U64, [number(move.workplace()) for move in moves]),
        "team": (TEXT, [move.team for move in moves]),
        "cost_center": (TEXT, [move.cost_center for move in moves]),
    }
    for name in ("first", "until"):
        days = [getattr(move, name) for move in moves]
        columns[f"{name}_day"] = (I64, [(day - _EPOCH).days for day in days])
        columns[f"{name}_second"] = (I64, [seconds(day) for day in days])
    give(connection, **columns)


_DAYS: Final = (
    "t.origin = i.old AND t.day >= DATE '1970-01-01' + CAST(i.first_day AS INTEGER) "
    "AND t.day < DATE '1970-01-01' + CAST(i.until_day AS INTEGER)"
)
_BUCKETS: Final = (
    "t.origin = i.old AND t.bucket >= make_timestamp(i.first_second * 1000000) "
    "AND t.bucket < make_timestamp(i.until_second * 1000000)"
)
_STATEMENTS: Final = (
    (
        "CREATE OR REPLACE TEMP TABLE touched AS "
        f"SELECT day, i.was AS workplace FROM session_day t JOIN given i ON {_DAYS} "
        f"UNION SELECT day, i.workplace FROM session_day t JOIN given i ON {_DAYS}"
    ),
    (
        "INSERT INTO origin "
        "SELECT DISTINCT o.* REPLACE (i.new AS origin, i.workplace AS workplace) "
        "FROM origin o JOIN given i ON o.origin = i.old "
        "WHERE i.new NOT IN (SELECT origin FROM origin)"
    ),
    *(
        f"UPDATE {table} t SET origin = i.new FROM given i WHERE {_BUCKETS}"
        for table in ("event", "reading")
    ),
    *(
        f"UPDATE {table} t SET origin = i.new, workplace = i.workplace FROM given i WHERE {on}"
        for table, on in (
            ("rollup_15m", _BUCKETS),
            ("session_15m", _BUCKETS),
            ("latency_15m", _BUCKETS),
            ("session_day", _DAYS),
        )
    ),
)
_DELETE_UNUSED: Final = (
    delete_unused("origin", by=("session_day", "rollup_15m", "event", "reading"))
    + " AND origin IN (SELECT old FROM given)",
    delete_unused("workplace", by=("origin", "workplace_day")),
)
