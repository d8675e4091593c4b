"""From the wire to the store, in one visible line.

    receive ─▶ decode ─▶ fill in ─▶ protect ─▶ normalise ─▶ price ─▶ commit ─▶ answer

A receiver calls `Intake.accept` with a body and waits. One thread takes all the
bodies that wait, turns each into rows, and commits the rows of all of them in
one transaction; then every receiver gets its answer. So a success means
durable, a busy server commits in groups of whatever came while it was
committing, and an idle one answers within a commit.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from codometer.errors import CodometerError, Overloaded
from codometer.intake.normalise import Normalised, Normaliser
from codometer.intake.receivers.export import Accepted
from codometer.intake.receivers.otlp_decode import decode_all
from codometer.store.writer import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from codometer.intake.normalise import Refused
    from codometer.intake.receivers.export import ExportRequest
    from codometer.model.charge import Charge
    from codometer.model.event import Event, Origin, Rows
    from codometer.model.signal import AttributeDefault, Signal

_log = logging.getLogger(__name__)

MAX_GROUP_BYTES: Final = 16 * 2**20
"""A group is committed once its bodies reach this, whatever else waits."""
_GATHER_SECONDS: Final = 0.01
"""Clients that were answered send again at once when they are busy, and find the next commit under
way. A commit of all of them costs little more than one of half, so it waits this long for them."""
_PORTION_BYTES: Final = 512 * 2**10
"""Bodies are decoded together up to this: enough to be quick, and little to hold in memory."""
_COLLECT_AFTER: Final = 20_000
"""How many more objects there must be before the garbage collector looks at them."""


class Store(Protocol):
    """Where rows go."""

    def write(self, batch: Batch) -> None:
        """Commit the batch durably, or raise and keep none of it."""


class KeepContent(Protocol):
    """Takes what people and models wrote, where it was agreed that it is kept."""

    @property
    def is_wanted(self) -> bool:
        """Whether content of anybody is to be kept."""

    def keep(self, requests: Sequence[ExportRequest], origins: Sequence[Origin]) -> None:
        """Take the content of requests that came to events of these origins. It never raises."""


class _Waiting(NamedTuple):
    request: ExportRequest
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Accepted]


class Intake:
    """Takes exports, and answers each once it is on disk."""

    def __init__(
        self,
        normaliser: Normaliser,
        price: Callable[[Rows[Event]], list[Charge]],
        store: Store,
        *,
        min_interval_seconds: float = 0.02,
        before_commit: Callable[[], None] = lambda: None,
        content: KeepContent | None = None,
    ) -> None:
        """Make an intake that commits at most once in `min_interval_seconds`.

        `before_commit` runs when a group has become rows that are not written yet. Without
        `content`, what people and models wrote is dropped whoever agreed that it is kept.
        """
        self._normaliser = normaliser
        self._price = price
        self._store = store
        self._min_interval_seconds = min_interval_seconds
        self._before_commit = before_commit
        self._content = content
        self._committing = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, answer it, and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    async def accept(self, request: ExportRequest) -> Accepted:
        """Return once the export is durable.

        Raises:
            Malformed: the body does not decode.
            Overloaded: the store could not take it now.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Accepted] = loop.create_future()
        with self._wake:
            if self._stopping:
                message = "the server is stopping"
                raise Overloaded(message)
            self._waiting.append(_Waiting(request, loop, answer))
            self._wake.notify()
        return await answer

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Turn nothing into rows meanwhile; clients wait for their answer."""
        with self._committing:
            yield

    def _run(self) -> None:
        group: list[_Waiting] = []
        while group := self._next_group(len(group)):
            started = time.monotonic()
            with self._committing:
                self._commit(group)
            pause = self._min_interval_seconds - (time.monotonic() - started)
            if pause > 0 and not self._stopping:
                time.sleep(pause)

    def _next_group(self, expected: int) -> list[_Waiting]:
        """Wait for work, and a moment for as much as is expected; then take what is there.

        Empty when there is none and the end has come.
        """
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping)
            self._wake.wait_for(
                lambda: len(self._waiting) >= expected or self._stopping, _GATHER_SECONDS
            )
            group: list[_Waiting] = []
            size = 0
            while self._waiting and size < MAX_GROUP_BYTES:
                group.append(self._waiting.popleft())
                size += len(group[-1].request.body)
            return group

    def _commit(self, group: list[_Waiting]) -> None:
        total = Normalised()
        accepted: list[tuple[_Waiting, Accepted]] = []
        try:
            for portion in _portions(group):
                accepted += self._read(portion, total)
            self._before_commit()
            self._store.write(
                Batch(
                    total.events,
                    self._price(total.events),
                    total.readings,
                    total.strangers,
                    {str(reason): count for reason, count in total.rejected.items()},
                    total.sent_content,
                )
            )
        except Exception:  # noqa: BLE001 - an outer edge: the batch
            _log.exception("a batch could not be stored")
            for waiting in group:  # who has an answer keeps it
                _answer(waiting, Overloaded("the store could not take this now"))
            return
        for waiting, outcome in accepted:
            _answer(waiting, outcome)

    def _read(
        self, portion: Sequence[_Waiting], total: Normalised
    ) -> list[tuple[_Waiting, Accepted]]:
        """Add what bodies say to the total, and answer those that cannot be read at all."""
        read: list[tuple[_Waiting, list[Signal]]] = []
        decoded = _decode([waiting.request for waiting in portion])
        for waiting, signals in zip(portion, decoded, strict=True):
            if isinstance(signals, CodometerError):
                _answer(waiting, signals)
            else:
                fill_in(signals, waiting.request.defaults)
                read.append((waiting, signals))
        first = len(total.events)
        refused = self._normaliser.normalise([signals for _, signals in read], total)
        if self._content is not None and self._content.is_wanted:
            requests = [waiting.request for waiting, _ in read]
            self._content.keep(requests, total.events.columns["origin"][first:])
        return [(waiting, _outcome(each)) for (waiting, _), each in zip(read, refused, strict=True)]


def _outcome(refused: Refused) -> Accepted:
    if not refused:
        return _ALL
    return Accepted(rejected=refused.total(), message=f"refused: {', '.join(sorted(refused))}")


_ALL: Final = Accepted()


def fill_in(signals: Iterable[Signal], defaults: Sequence[AttributeDefault]) -> None:
    """Add what a credential tells, in place, where a client leaves it out or empty.

    It comes before anything is protected or read, so it is treated as if the client had said it.
    """
    for name, value, unless in defaults:
        for signal in signals:
            attributes = signal.attributes
            for key in unless:  # any(…) would take three times as long
                if attributes.get(key):
                    break
            else:
                attributes[name] = value


@contextmanager
def spared_collector() -> Iterator[None]:
    """Keep Python's garbage collector from looking at what is not garbage; enter once all stands.

    Rows have no cycles, so they are freed without it. It went through them all the same, and
    through everything else that there is: a seventh of the time that an event took.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        gc.collect()  # or DuckDB calls whatever is left at the program's end a leak, at length


def _portions(group: list[_Waiting]) -> Iterator[list[_Waiting]]:
    portion: list[_Waiting] = []
    size = 0
    for waiting in group:
        portion.append(waiting)
        size += len(waiting.request.body)
        if size >= _PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _decode(requests: list[ExportRequest]) -> list[list[Signal] | CodometerError]:
    try:
        return [*decode_all(requests)]
    except Exception:  # noqa: BLE001 - an outer edge: one request must not cost the others theirs
        if len(requests) > 1:
            return [outcome for request in requests for outcome in _decode([request])]
        _log.exception("a request could not be read")
        return [Overloaded("this request could not be read")]


def _answer(waiting: _Waiting, outcome: Accepted | CodometerError) -> None:
    def settle() -> None:
        if waiting.answer.done():
            return  # the client went away
        if isinstance(outcome, CodometerError):
            waiting.answer.set_exception(outcome)
        else:
            waiting.answer.set_result(outcome)

    waiting.loop.call_soon_threadsafe(settle)
