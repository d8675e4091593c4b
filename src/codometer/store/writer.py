"""The one way into the store: a batch of rows, all of it or none, once.

Rows, the keys that make a repeat harmless, and the marks of what must be
rolled up again are committed in one transaction; when `write` returns they
survive a power cut.

A repeated row is found by its 128-bit key among the stored rows of its
15-minute bucket. There is no unique index: maintaining one over ten million
hashes cost 76 ms a commit, the pruned anti-join costs 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from arro3.core import Array, DataType, Table

from codometer.model.event import Event
from codometer.model.identity import LOW_64
from codometer.store.duckdb_engine import DuckDBEngine, transaction
from codometer.store.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb

    from codometer.model.charge import Charge
    from codometer.model.event import Origin, Reading, Stranger
    from codometer.store.tables import Column, ColumnType

BUCKET_US: Final = 15 * 60 * 10**6
_MAX_GAP_US: Final = 8 * BUCKET_US
_MAX_KNOWN_ORIGINS: Final = 500_000

_CACHE_WRITE_1H: Final = Event._fields.index("cache_write_1h_tokens") - 5

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


class Batch(NamedTuple):
    """What one commit adds."""

    events: Sequence[tuple[Event, Charge]]
    readings: Sequence[Reading]
    strangers: Mapping[Stranger, int]
    rejected: Mapping[str, int]


@dataclass(slots=True)
class _Prepared:
    """Rows of one table, by key, in the order of its columns."""

    table: str
    rows: dict[int, tuple[Any, ...]]


class Writer:
    """Commits batches. Used by one thread at a time."""

    def __init__(self, engine: DuckDBEngine) -> None:
        self._connection = engine.connect()
        self._known_origins: set[int] = set()

    def write(self, batch: Batch) -> None:
        """Commit the batch; rows that are stored already add nothing."""
        events = _Prepared("event", dict(map(_event_row, batch.events)))
        readings = _Prepared("reading", dict(map(_reading_row, batch.readings)))
        origins = self._new_origins(batch)
        with transaction(self._connection):
            self._insert_origins(origins)
            for prepared in (events, readings):
                if prepared.rows:
                    self._insert_new(prepared)
            self._mark_dirty(batch)
            self._count("stranger", batch.strangers)
            self._count("rejected", {(reason,): n for reason, n in batch.rejected.items()})
        if len(self._known_origins) > _MAX_KNOWN_ORIGINS:
            self._known_origins.clear()
        self._known_origins.update(origins)

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _new_origins(self, batch: Batch) -> dict[int, Origin]:
        known = self._known_origins
        origins = {event.origin.id: event.origin for event, _ in batch.events}
        origins.update((reading.origin.id, reading.origin) for reading in batch.readings)
        return {id_: origin for id_, origin in origins.items() if id_ not in known}

    def _insert_origins(self, origins: Mapping[int, Origin]) -> None:
        if not origins:
            return
        with _Incoming(self._connection, "origin", list(origins.values())) as columns:
            self._connection.execute(
                f"INSERT INTO origin SELECT {columns} FROM incoming "
                "WHERE NOT EXISTS (SELECT 1 FROM origin o WHERE o.origin = incoming.origin)"
            )

    def _insert_new(self, prepared: _Prepared) -> None:
        """Insert the rows whose keys are not stored, looking only at the buckets they fall in."""
        rows = list(prepared.rows.values())
        with _Incoming(self._connection, prepared.table, rows) as columns:
            for first_us, last_us in _ranges({row[2] for row in rows}):
                self._connection.execute(
                    f"INSERT INTO {prepared.table} SELECT {columns} FROM incoming i "
                    "WHERE i.bucket BETWEEN $first AND $last AND NOT EXISTS ("
                    f"SELECT 1 FROM {prepared.table} t "
                    "WHERE t.bucket BETWEEN make_timestamp($first) AND make_timestamp($last) "
                    "AND t.key_high = i.key_high AND t.key_low = i.key_low) AND NOT EXISTS ("
                    "SELECT 1 FROM sealed_key s "
                    "WHERE s.bucket BETWEEN make_timestamp($first) AND make_timestamp($last) "
                    "AND s.key_low = i.key_low)",
                    {"first": first_us, "last": last_us},
                )

    def _mark_dirty(self, batch: Batch) -> None:
        marks = set()
        for event, _ in batch.events:
            bucket = event.time_ns // 1000 // BUCKET_US * BUCKET_US
            marks.add((event.scope, bucket))
            marks.add((event.day_scope, bucket))
        for reading in batch.readings:
            marks.add((reading.scope, reading.time_ns // 1000 // BUCKET_US * BUCKET_US))
        if marks:
            with _Incoming(self._connection, "dirty", list(marks)) as columns:
                self._connection.execute(f"INSERT INTO dirty SELECT {columns} FROM incoming")

    def _count(self, table: str, counts: Mapping[Any, int]) -> None:
        """Add to the counts of a small table whose last columns are count and last."""
        names = [column.name for column in TABLES[table][:-2]]
        now = datetime.now(UTC).replace(tzinfo=None)
        match = " AND ".join(f"{name} = ?" for name in names)
        for key, count in counts.items():
            found = self._connection.execute(
                f"UPDATE {table} SET count = count + ?, last = ? WHERE {match} RETURNING 1",
                [count, now, *key],
            ).fetchone()
            if found is None:
                marks = ", ".join("?" * (len(names) + 2))
                self._connection.execute(
                    f"INSERT INTO {table} VALUES ({marks})", [*key, count, now]
                )


class _Incoming:
    """Rows that SQL sees as the table `incoming`, without a copy; gives its SELECT list."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        self._connection = connection
        columns = TABLES[table]
        self._columns = columns
        self._arrow = Table.from_arrays(
            [
                Array(values, type=_ARROW[column.type])
                for column, values in zip(columns, map(list, zip(*rows, strict=True)), strict=True)
            ],
            names=[column.name for column in columns],
        )

    def __enter__(self) -> str:
        self._connection.register("incoming", self._arrow)
        return ", ".join(map(_selected, self._columns))

    def __exit__(self, *_: object) -> None:
        self._connection.unregister("incoming")


def _selected(column: Column) -> str:
    return _FROM_ARROW.get(column.type, "{}").format(column.name)


def _ranges(buckets: Iterable[int]) -> list[tuple[int, int]]:
    """Group buckets into ranges without large holes: one late row must not widen the search."""
    ordered = sorted(buckets)
    starts = [ordered[0]] + [b for a, b in pairwise(ordered) if b - a > _MAX_GAP_US]
    ends = [a for a, b in pairwise(ordered) if b - a > _MAX_GAP_US] + [ordered[-1]]
    return list(zip(starts, ends, strict=True))


def _event_row(priced: tuple[Event, Charge]) -> tuple[int, tuple[Any, ...]]:
    event, charge = priced
    (key, time_ns, scope, day_scope, origin, *rest) = event
    time_us = time_ns // 1000
    if charge.cache_write_1h_tokens is not None:
        rest[_CACHE_WRITE_1H] = charge.cache_write_1h_tokens
    return key, (
        key >> 64,
        key & LOW_64,
        time_us // BUCKET_US * BUCKET_US,
        time_us,
        scope,
        day_scope,
        origin.id,
        *rest,
        charge.list_cost,
        charge.list_cost_basis,
        charge.price_tier,
        charge.cache_savings,
    )


def _reading_row(reading: Reading) -> tuple[int, tuple[Any, ...]]:
    (key, time_ns, scope, origin, counter, name, series, temporality, start_ns, value, *rest) = (
        reading
    )
    time_us = time_ns // 1000
    return key, (
        key >> 64,
        key & LOW_64,
        time_us // BUCKET_US * BUCKET_US,
        time_us,
        scope,
        origin.id,
        counter,
        name,
        series,
        temporality,
        start_ns // 1000 if start_ns else None,
        value,
        *rest,
    )
