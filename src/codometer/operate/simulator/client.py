"""What a process sends, and when, as the OpenTelemetry SDK for JavaScript does it.

Events wait 5 s from the first that finds the queue empty. Metrics are collected
so often (every 60 s, unless it is set) from the start of the process and once
more at its end:

- delta: a point for each series that was added to since the last collection.
  It starts at that collection if the series was collected then too, else when
  it was first added to. Without points nothing is sent.
- cumulative: a point for every series that there ever was, which starts when
  it was first added to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from codometer.model.signal import SignalKind, Temporality
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.facts import Add, Pairs, Process, Record

_EVENTS_WAIT_MS: Final = 5_000
_LARGEST_BATCH: Final = 512

METRICS: Final = (
    "session.count",
    "lines_of_code.count",
    "pull_request.count",
    "commit.count",
    "cost.usage",
    "token.usage",
    "code_edit_tool.decision",
    "active_time.total",
)
"""In the order in which the client makes them, which is the order in a request."""


class Series(NamedTuple):
    """What tells two counters of a process apart."""

    metric: str
    pairs: Pairs


class Point(NamedTuple):
    """What a series had grown by, or stood at, when it was collected."""

    series: Series
    starts_ms: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One export request: either records, the first with the number `first`, or points."""

    process: Process
    kind: SignalKind
    sent_ms: int
    """For metrics also the time of every point."""
    records: tuple[Record, ...] = ()
    first: int = 0
    points: tuple[Point, ...] = ()
    with_session_id: bool = True

    def pieces(self) -> Iterator[Batch]:
        """Cut it into one batch for each record or point."""
        for number, record in enumerate(self.records):
            yield replace(self, records=(record,), first=self.first + number)
        for point in self.points:
            yield replace(self, points=(point,))


def list_event_batches(process: Process) -> tuple[Batch, ...]:
    """Return the batches of events, in the order of time."""
    batches: list[Batch] = []
    waiting: list[Record] = []
    due_ms = 0

    def send(at: int) -> None:
        first = batches[-1].first + len(batches[-1].records) if batches else 0
        batches.append(
            Batch(
                process=process,
                kind=SignalKind.LOGS,
                sent_ms=at,
                records=tuple(waiting),
                first=first,
            )
        )
        waiting.clear()

    for record in process.records:
        if waiting and record.stamped_ms > due_ms:
            send(due_ms)
        if not waiting:
            due_ms = record.stamped_ms + _EVENTS_WAIT_MS
        waiting.append(record)
        if len(waiting) == _LARGEST_BATCH:
            send(record.stamped_ms)
    if waiting:
        send(min(due_ms, process.ends_ms))
    return tuple(batches)


def list_metric_batches(
    process: Process, chance: Chance, *, every_ms: int, with_session_id: bool = True
) -> tuple[Batch, ...]:
    """Return the batches of metrics, in the order of time."""
    collect = _Deltas() if process.installation.temporality is Temporality.DELTA else _Totals()
    waiting = iter(process.adds)
    add = next(waiting, None)
    batches = []
    for at in _collections(process, chance, every_ms):
        while add is not None and add.counted_ms <= at:
            collect.add(add)
            add = next(waiting, None)
        points = tuple(sorted(collect.points(at), key=_place))
        if points:
            batches.append(
                Batch(
                    process=process,
                    kind=SignalKind.METRICS,
                    sent_ms=at,
                    points=points,
                    with_session_id=with_session_id,
                )
            )
    return tuple(batches)


def _collections(process: Process, chance: Chance, every_ms: int) -> Iterator[int]:
    """Tell when metrics are collected. What one request adds is never torn apart."""
    busy = {add.counted_ms for add in process.adds if add.metric == "cost.usage"}
    at = process.starts_ms + chance.randint(100, 900) + every_ms
    while at < process.ends_ms:
        late = at + chance.randint(0, 4)
        while late in busy:
            late += 1
        yield late
        at += every_ms
    yield process.ends_ms + 5


class _Deltas:
    """Counters that are told since the last collection."""

    def __init__(self) -> None:
        self._grown: dict[Series, tuple[int, float]] = {}
        self._collected: frozenset[Series] = frozenset()
        self._collected_ms = 0

    def add(self, add: Add) -> None:
        series = Series(add.metric, add.pairs)
        starts_ms, value = self._grown.get(series, (add.counted_ms, 0))
        self._grown[series] = starts_ms, value + add.amount

    def points(self, at: int) -> Iterable[Point]:
        points = [
            Point(series, self._collected_ms if series in self._collected else starts_ms, value)
            for series, (starts_ms, value) in self._grown.items()
        ]
        self._collected, self._collected_ms = frozenset(self._grown), at
        self._grown.clear()
        return points


class _Totals:
    """Counters that are told since they were first added to."""

    def __init__(self) -> None:
        self._stood: dict[Series, tuple[int, float]] = {}

    def add(self, add: Add) -> None:
        series = Series(add.metric, add.pairs)
        starts_ms, value = self._stood.get(series, (add.counted_ms, 0))
        self._stood[series] = starts_ms, value + add.amount

    def points(self, _at: int) -> Iterable[Point]:
        return [Point(series, *stood) for series, stood in self._stood.items()]


def _place(point: Point) -> int:
    return METRICS.index(point.series.metric)
