"""The one way into the store: a batch of rows, all of it or none, once.

Rows, the keys that make a repeat harmless, and the marks of what must be
rolled up again are committed in one transaction; when `write` returns they
survive a power cut.

A repeated row is found by its 128-bit key among the stored rows of its
15-minute bucket. There is no unique index: maintaining one over ten million
hashes cost 76 ms a commit, the pruned search costs 8. Nearly every batch is
new, so one statement first asks whether anything in it is stored; the answer
no makes the insert a plain one, which costs half of one with a search in it.

Rows travel to the engine as columns, in Arrow's format: five times quicker
than parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from arro3.core import Array, DataType, Table

from codometer.model.charge import Charge
from codometer.model.event import Columns, Event, Reading, Rows
from codometer.model.identity import LOW_64
from codometer.store.duckdb_engine import DuckDBEngine, transaction
from codometer.store.origins import origin_rows, workplace_columns, workplace_rows
from codometer.store.tables import TABLES, Column

if TYPE_CHECKING:
    from codometer.model.event import Origin, SentContent, Stranger
    from codometer.store.tables import ColumnType

BUCKET_US: Final = 15 * 60 * 10**6
_MAX_GAP_US: Final = 8 * BUCKET_US
_NEVER_US: Final = 2**63
_MAX_KNOWN_ORIGINS: Final = 500_000
_MAX_COUNTED: Final = 10_000
"""Rows of a table of counts. Only somebody who makes names up meets so many."""

_ARROW: Final[Mapping[ColumnType, DataType]] = {
    "u64": DataType.uint64(),
    "i64": DataType.int64(),
    "f64": DataType.float64(),
    "bool": DataType.bool(),
    "text": DataType.string(),
    "label": DataType.string(),
    "time": DataType.int64(),
    "usd": DataType.int64(),
}
"""How values travel: times as microseconds since 1970, money as picodollars."""

_FROM_ARROW: Final[Mapping[ColumnType, str]] = {
    "time": "make_timestamp({})",
    "usd": "{} * 0.000000000001::DECIMAL(13,12)",
}


def _select(columns: Iterable[Column]) -> str:
    """Return columns as they are selected, under their names, from rows that travelled."""
    names = ((_FROM_ARROW.get(column.type, "{}"), column.name) for column in columns)
    return ", ".join(f"{template.format(name)} AS {name}" for template, name in names)


_SELECT: Final = {table: _select(columns) for table, columns in TABLES.items()}

_STORED: Final = {
    table: f"""EXISTS (
        SELECT 1 FROM {table} t
        WHERE t.bucket BETWEEN make_timestamp($first) AND make_timestamp($last)
        AND t.key_high = i.key_high AND t.key_low = i.key_low
    ) OR EXISTS (
        SELECT 1 FROM sealed_key s
        WHERE s.bucket BETWEEN make_timestamp($first) AND make_timestamp($last)
        AND s.key_low = i.key_low
    )"""
    for table in ("event", "reading")
}
"""Whether the row `i`, of the buckets from $first to $last, is stored, or was until it expired."""


class Batch(NamedTuple):
    """What one commit adds."""

    events: Rows[Event]
    charges: Sequence[Charge]
    """What each event cost."""
    readings: Rows[Reading]
    strangers: Mapping[Stranger, int]
    rejected: Mapping[str, int]
    sent_content: Mapping[SentContent, int] = MappingProxyType({})


_Marks = Mapping[tuple[int, int], int | None]
"""Scope and bucket of what must be rolled up again, and when the first event there happened."""


class _Detail(NamedTuple):
    """What a batch adds to one table of detail, by column, each key once."""

    table: str
    columns: Columns
    origins: Mapping[int, Origin]
    marks: _Marks


class Writer:
    """Commits batches. Used by one thread at a time."""

    def __init__(self, engine: DuckDBEngine, *, resource_keys: Sequence[str]) -> None:
        self._connection = engine.connect()
        self._resource_keys = resource_keys
        self._known_origins: set[int] = set()
        self._known_workplaces: set[int] = set()

    def write(self, batch: Batch) -> None:
        """Commit the batch; rows that are stored already add nothing."""
        detail = []
        if batch.events:
            detail.append(_event_detail(batch.events, batch.charges))
        if batch.readings:
            detail.append(_reading_detail(batch.readings))
        origins = {
            id_: origin
            for rows in detail
            for id_, origin in rows.origins.items()
            if id_ not in self._known_origins
        }
        with transaction(self._connection):
            workplaces = self._insert_origins(list(origins.values()))
            for rows in detail:
                self._insert_new(rows)
                self._mark_dirty(rows.marks)
            self._count("stranger", batch.strangers)
            self._count("sent_content", batch.sent_content)
            self._count("rejected", {(reason,): n for reason, n in batch.rejected.items()})
        for known, new in ((self._known_origins, origins), (self._known_workplaces, workplaces)):
            if len(known) > _MAX_KNOWN_ORIGINS:
                known.clear()
            known.update(new)

    def look_anew(self) -> None:
        """Ask again which origins and workplaces are stored, since some are no more."""
        self._known_origins.clear()
        self._known_workplaces.clear()

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _insert_origins(self, origins: Sequence[Origin]) -> Sequence[int]:
        """Insert origins that are not stored, and their workplaces; return the ids of those."""
        if not origins:
            return ()
        workplaces = workplace_rows(origins, self._resource_keys)
        if not self._known_workplaces.issuperset(workplaces["workplace"]):
            columns = workplace_columns(self._resource_keys)
            self._insert_unless_stored("workplace", columns, workplaces)
        self._insert_unless_stored("origin", TABLES["origin"], origin_rows(origins))
        return workplaces["workplace"]

    def _insert_unless_stored(self, table: str, columns: Sequence[Column], rows: Columns) -> None:
        """Insert rows of a table whose key has its name."""
        self._execute(
            f"INSERT INTO {table} BY NAME SELECT {_select(columns)} FROM incoming i "
            f"WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{table} = i.{table})",
            _arrow(columns, rows),
        )

    def _insert_new(self, rows: _Detail) -> None:
        """Insert the rows that are not stored, looking only at the buckets that they fall in."""
        table, stored = rows.table, _STORED[rows.table]
        incoming = _arrow(TABLES[table], rows.columns)
        insert = f"INSERT INTO {table} SELECT {_SELECT[table]} FROM incoming i"
        ranges = _ranges({bucket for _, bucket in rows.marks})
        is_stored = f"SELECT 1 FROM incoming i WHERE {stored} LIMIT 1"
        if not any(self._execute(is_stored, incoming, range_) for range_ in ranges):
            self._execute(insert, incoming)
            return
        for range_ in ranges:
            self._execute(
                f"{insert} WHERE i.bucket BETWEEN $first AND $last AND NOT ({stored})",
                incoming,
                range_,
            )

    def _mark_dirty(self, marks: _Marks) -> None:
        rows = [(*mark, first_event) for mark, first_event in marks.items()]
        self._execute(
            f"INSERT INTO dirty SELECT {_SELECT['dirty']} FROM incoming",
            _arrow(TABLES["dirty"], _by_name("dirty", rows)),
        )

    def _count(self, table: str, counts: Mapping[Any, int]) -> None:
        """Add to the counts of a small table whose last columns are count and last."""
        if not counts:
            return
        now_us = int(datetime.now(UTC).timestamp() * 1e6)
        rows = [(*key, count, now_us) for key, count in counts.items()]
        incoming = _arrow(TABLES[table], _by_name(table, rows))
        same = " AND ".join(f"t.{name} = i.{name}" for name, *_ in TABLES[table][:-2])
        self._execute(
            f"UPDATE {table} t SET count = t.count + i.count, last = make_timestamp(i.last) "
            f"FROM incoming i WHERE {same}",
            incoming,
        )
        self._execute(
            f"INSERT INTO {table} SELECT {_SELECT[table]} FROM incoming i "
            f"WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {same}) "
            f"LIMIT (SELECT greatest(0, {_MAX_COUNTED} - count(*)) FROM {table})",
            incoming,
        )

    def _execute(
        self,
        statement: str,
        incoming: Table,  # noqa: ARG002 - the engine finds the table `incoming` by this name
        parameters: Mapping[str, int] | None = None,
    ) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, parameters).fetchall()


def _arrow(described: Sequence[Column], columns: Columns) -> Table:
    """Make rows of a table ready to travel."""
    return Table.from_arrays(
        [Array(columns[column.name], type=_ARROW[column.type]) for column in described],
        names=[column.name for column in described],
    )


def _by_name(table: str, rows: Collection[Sequence[Any]]) -> Columns:
    names = [column.name for column in TABLES[table]]
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _ranges(buckets: Iterable[int]) -> list[dict[str, int]]:
    """Group buckets into ranges without large holes: one late row must not widen the search."""
    ordered = sorted(buckets)
    starts = [ordered[0]] + [b for a, b in pairwise(ordered) if b - a > _MAX_GAP_US]
    ends = [a for a, b in pairwise(ordered) if b - a > _MAX_GAP_US] + [ordered[-1]]
    return [{"first": first, "last": last} for first, last in zip(starts, ends, strict=True)]


def _event_detail(events: Rows[Event], charges: Sequence[Charge]) -> _Detail:
    told = events.columns
    charged = dict(zip(Charge._fields, zip(*charges, strict=True), strict=True))
    one_hour = zip(told["cache_write_1h_tokens"], charged["cache_write_1h_tokens"], strict=True)
    known_best = [sent if derived is None else derived for sent, derived in one_hour]
    rows = _detail("event", {**told, **charged, "cache_write_1h_tokens": known_best})
    return rows._replace(marks=_first_events(rows.columns))


def _reading_detail(readings: Rows[Reading]) -> _Detail:
    told = readings.columns
    starts = [start_ns // 1000 if start_ns else None for start_ns in told["start_ns"]]
    return _detail("reading", {**told, "start": starts})


def _first_events(columns: Columns) -> _Marks:
    """Say when the first event happened in each bucket of a session and of an installation's day.

    A refresh need not look at the metrics of those that happened after the last of them.
    """
    first: dict[tuple[int, int], int] = {}
    for name in ("scope", "day_scope"):
        marks = zip(columns[name], columns["bucket"], strict=True)
        for mark, time_us in zip(marks, columns["time"], strict=True):
            if time_us < first.get(mark, _NEVER_US):
                first[mark] = time_us
    return first


def _detail(table: str, told: Columns) -> _Detail:
    """Add the columns that all detail has, and say what must be rolled up again."""
    told = _each_once(told)
    times = [time_ns // 1000 for time_ns in told["time_ns"]]
    buckets = [time_us - time_us % BUCKET_US for time_us in times]
    origins = told["origin"]
    columns = {
        **told,
        "key_high": [key >> 64 for key in told["key"]],
        "key_low": [key & LOW_64 for key in told["key"]],
        "bucket": buckets,
        "time": times,
        "origin": [origin.id for origin in origins],
    }
    marks: _Marks = dict.fromkeys(zip(told["scope"], buckets, strict=True))
    return _Detail(table, columns, dict(zip(columns["origin"], origins, strict=True)), marks)


def _each_once(told: Columns) -> Columns:
    """Return rows, of those with the same key only the last."""
    last = {key: place for place, key in enumerate(told["key"])}
    if len(last) == len(told["key"]):
        return told
    return {name: [column[place] for place in last.values()] for name, column in told.items()}
