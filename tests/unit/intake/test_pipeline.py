"""Exports that come while a commit runs share the next one, and each has its own answer."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.origin import OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.errors import Malformed, Overloaded
from codometer.intake import pipeline
from codometer.intake.billing import pricer
from codometer.intake.normalise import Normaliser
from codometer.intake.pipeline import Intake, fill_in, spared_collector
from codometer.intake.receivers.export import Accepted, Encoding, ExportRequest
from codometer.intake.receivers.otlp_decode import decode_all
from codometer.model.signal import SignalKind
from codometer.pricing import load_catalogue, normalise_model
from tests.otlp import fixed, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codometer.model.signal import AttributeDefault, Signal
    from codometer.store.writer import Batch

NOW_NS: Final = 1_790_000_000 * 10**9
SECONDS: Final = 10.0


@dataclass
class MemoryStore:
    """Keeps batches, one at a time, unless it is told to fail; may be held up."""

    batches: list[Batch] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    may_write: threading.Event = field(default_factory=threading.Event)
    writing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_write.set()

    def write(self, batch: Batch) -> None:
        self.writing.set()
        assert self.may_write.wait(SECONDS)
        if self.failures:
            raise self.failures.pop()
        self.batches.append(batch)

    @property
    def names(self) -> list[list[str]]:
        """The names of the events in each batch."""
        return [batch.events.columns["name"] for batch in self.batches]


@contextmanager
def running(store: MemoryStore, *, min_interval_seconds: float = 0) -> Iterator[Intake]:
    origins = Origins(OriginRules())
    agents = (ClaudeCode(origins, normalise_model), UnknownAgent(origins))
    intake = Intake(
        Normaliser(agents, lambda: NOW_NS),
        pricer(load_catalogue()),
        store,
        min_interval_seconds=min_interval_seconds,
    )
    intake.start()
    try:
        yield intake
    finally:
        store.may_write.set()
        intake.stop()


def log(name: str, *, time_ns: int = NOW_NS, padding: int = 0) -> ExportRequest:
    record = fixed(1, time_ns) + text(5, text(1, name.encode())) + text(3, bytes(padding))
    body = text(1, text(2, text(2, record)))
    return ExportRequest(kind=SignalKind.LOGS, encoding=Encoding.PROTOBUF, body=body)


BROKEN: Final = ExportRequest(kind=SignalKind.LOGS, encoding=Encoding.PROTOBUF, body=b"\xff")


def send(intake: Intake, *requests: ExportRequest) -> list[Accepted | BaseException]:
    """Send requests at once and return what became of each."""

    async def send_all() -> list[Accepted | BaseException]:
        async with asyncio.timeout(SECONDS):
            return await asyncio.gather(*map(intake.accept, requests), return_exceptions=True)

    return asyncio.run(send_all())


def send_while_writing(
    store: MemoryStore, intake: Intake, *requests: ExportRequest
) -> list[Accepted | BaseException]:
    """Send requests while a commit of another is held up."""

    async def send_all() -> list[Accepted | BaseException]:
        store.may_write.clear()
        first = asyncio.create_task(intake.accept(log("first")))
        await asyncio.to_thread(store.writing.wait, SECONDS)
        others = [asyncio.create_task(intake.accept(request)) for request in requests]
        await asyncio.sleep(0)  # they are waiting now
        store.may_write.set()
        async with asyncio.timeout(SECONDS):
            assert await first == Accepted()
            return await asyncio.gather(*others, return_exceptions=True)

    return asyncio.run(send_all())


def test_an_answer_comes_after_the_commit() -> None:
    store = MemoryStore()
    with running(store) as intake:
        assert send(intake, log("one")) == [Accepted()]
        assert store.names == [["one"]]


def test_all_that_came_during_a_commit_share_the_next() -> None:
    store = MemoryStore()
    with running(store) as intake:
        answers = send_while_writing(store, intake, log("a"), log("b"), log("c"))
    assert answers == [Accepted()] * 3
    assert store.names == [["first"], ["a", "b", "c"]]


def test_a_commit_waits_a_moment_for_clients_that_were_just_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "_GATHER_SECONDS", SECONDS)
    store = MemoryStore()

    async def send_again(intake: Intake) -> tuple[Accepted, Accepted]:
        store.writing.clear()
        quick = asyncio.create_task(intake.accept(log("quick")))
        assert not await asyncio.to_thread(store.writing.wait, 0.1)
        slow = asyncio.create_task(intake.accept(log("slow")))
        async with asyncio.timeout(SECONDS / 2):
            return await quick, await slow

    with running(store) as intake:
        send_while_writing(store, intake, log("quick"), log("slow"))
        assert asyncio.run(send_again(intake)) == (Accepted(), Accepted())
    assert store.names == [["first"], ["quick", "slow"], ["quick", "slow"]]


def test_more_than_a_group_holds_is_committed_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MAX_GROUP_BYTES", 2_000)
    store = MemoryStore()
    large = [log(name, padding=1_500) for name in "abcde"]
    with running(store) as intake:
        assert send_while_writing(store, intake, *large) == [Accepted()] * 5
    assert store.names == [["first"], ["a", "b"], ["c", "d"], ["e"]]


def test_a_group_is_decoded_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def decode(requests: Sequence[ExportRequest]) -> object:
        sizes.append(len(requests))
        return decode_all(requests)

    monkeypatch.setattr(pipeline, "_PORTION_BYTES", 2_000)
    monkeypatch.setattr(pipeline, "decode_all", decode)
    store = MemoryStore()
    with running(store) as intake:
        send_while_writing(store, intake, *(log(name, padding=1_500) for name in "abcde"))
    assert sizes == [1, 2, 2, 1]
    assert store.names == [["first"], list("abcde")]


def test_a_broken_request_is_refused_and_costs_the_others_nothing() -> None:
    store = MemoryStore()
    with running(store) as intake:
        first, broken, last = send_while_writing(store, intake, log("a"), BROKEN, log("b"))
    assert isinstance(broken, Malformed)
    assert (first, last) == (Accepted(), Accepted())
    assert store.names == [["first"], ["a", "b"]]


def test_what_is_refused_of_a_request_is_said_and_the_rest_is_kept() -> None:
    store = MemoryStore()
    with running(store) as intake:
        (answer,) = send(intake, log("early", time_ns=1))
    assert answer == Accepted(rejected=1, message="refused: time_out_of_range")
    assert store.batches[0].rejected == {"time_out_of_range": 1}


def test_a_store_that_fails_is_an_overload_for_all_of_the_group_and_the_next_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    with running(store) as intake:
        store.failures.append(OSError("no space left"))
        (failed,) = send(intake, log("lost"))
        assert send(intake, log("kept")) == [Accepted()]
    assert isinstance(failed, Overloaded)
    assert store.names == [["kept"]]
    assert [record.getMessage() for record in caplog.records] == ["a batch could not be stored"]


def test_a_fault_in_reading_a_group_is_an_overload_and_the_next_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults = [ZeroDivisionError()]

    def fill(signals: Sequence[Signal], defaults: Sequence[AttributeDefault]) -> None:
        if faults:
            raise faults.pop()
        fill_in(signals, defaults)

    monkeypatch.setattr(pipeline, "fill_in", fill)
    store = MemoryStore()
    with running(store) as intake:
        broken, failed = send(intake, BROKEN, log("lost"))
        assert send(intake, log("kept")) == [Accepted()]
    assert isinstance(broken, Malformed)
    assert isinstance(failed, Overloaded)
    assert store.names == [["kept"]]


def test_a_request_that_the_decoder_fails_on_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def decode(requests: Sequence[ExportRequest]) -> object:
        if any(b"poison" in request.body for request in requests):
            raise ZeroDivisionError
        return decode_all(requests)

    monkeypatch.setattr(pipeline, "decode_all", decode)
    store = MemoryStore()
    with running(store) as intake:
        good, bad, other = send_while_writing(store, intake, log("a"), log("poison"), log("b"))
    assert (good, other) == (Accepted(), Accepted())
    assert isinstance(bad, Overloaded)
    assert store.names == [["first"], ["a", "b"]]
    assert [record.getMessage() for record in caplog.records] == ["a request could not be read"]


def test_a_client_that_went_away_costs_the_others_nothing() -> None:
    store = MemoryStore()

    async def leave(intake: Intake) -> Accepted:
        store.may_write.clear()
        leaving = asyncio.create_task(intake.accept(log("left")))
        await asyncio.to_thread(store.writing.wait, SECONDS)
        staying = asyncio.create_task(intake.accept(log("stayed")))
        await asyncio.sleep(0)
        leaving.cancel()
        store.may_write.set()
        async with asyncio.timeout(SECONDS):
            return await staying

    with running(store) as intake:
        assert asyncio.run(leave(intake)) == Accepted()
    assert store.names == [["left"], ["stayed"]]


def test_a_stopping_intake_commits_what_waits_and_takes_no_more() -> None:
    store = MemoryStore()
    with running(store) as intake:
        send(intake, log("a"))
    (answer,) = send(intake, log("late"))
    assert isinstance(answer, Overloaded)
    assert store.names == [["a"]]


def test_commits_keep_a_distance() -> None:
    store = MemoryStore()
    with running(store, min_interval_seconds=0.05) as intake:
        began = time.monotonic()
        for name in "abc":
            send(intake, log(name))
        assert time.monotonic() - began >= 0.1


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_what_stands_is_not_looked_at_and_later_garbage_is_collected() -> None:
    thresholds = gc.get_threshold()
    frozen = gc.get_freeze_count()
    with spared_collector():
        assert gc.get_freeze_count() > frozen
        gone = weakref.ref(_Cycle())
        kept: list[list[int]] = [[] for _ in range(2 * gc.get_threshold()[0])]
        assert gone() is None
        del kept
    assert gc.get_freeze_count() <= frozen
    assert gc.get_threshold() == thresholds
