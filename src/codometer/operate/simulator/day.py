"""A day of a fleet: who has which sessions, and what their clients send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.client import Batch, list_event_batches, list_metric_batches
from codometer.operate.simulator.facts import Process
from codometer.operate.simulator.fleet import Person, Scenario, make_people
from codometer.operate.simulator.work import Worker
from codometer.pricing import PriceCatalogue

_MINUTE_MS: Final = 60_000
_SHIFT_MINUTES: Final = 9 * 60
_DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A process and all that it sends, in the order of time."""

    process: Process
    with_session_ids: bool
    """Whether its metrics carry the session's id; its events always do."""
    events: tuple[Batch, ...]
    metrics: tuple[Batch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """All sessions that begin on a day (UTC); some end on the next."""

    scenario: Scenario
    runs: tuple[Run, ...]

    @property
    def batches(self) -> list[Batch]:
        """Everything that is sent, in the order of time."""
        batches = [batch for run in self.runs for batch in (*run.events, *run.metrics)]
        return sorted(batches, key=_sent)


def simulate_day(scenario: Scenario, catalogue: PriceCatalogue) -> Day:
    """Return the day of a scenario, the same for the same scenario."""
    return Day(
        scenario=scenario,
        runs=tuple(
            run
            for person in make_people(scenario, catalogue)
            for run in _list_runs(scenario, person, catalogue)
        ),
    )


def _list_runs(scenario: Scenario, person: Person, catalogue: PriceCatalogue) -> Iterator[Run]:
    chance = Chance(scenario.seed, scenario.day, person.number)
    midnight = datetime.combine(scenario.day, time(), UTC)
    midnight_ms = int(midnight.timestamp()) * 1000
    with_session_ids = scenario.metrics_have_session_ids
    for _ in range(_count(chance, scenario.sessions_per_person)):
        minute = (person.shift_starts_minute + chance.uniform(0, _SHIFT_MINUTES)) % _DAY_MINUTES
        starts_ms = midnight_ms + int(minute * _MINUTE_MS)
        for process in _list_processes(chance, scenario, person, catalogue, starts_ms):
            yield Run(
                process=process,
                with_session_ids=with_session_ids,
                events=list_event_batches(process),
                metrics=list_metric_batches(process, chance, with_session_id=with_session_ids),
            )


def _list_processes(
    chance: Chance, scenario: Scenario, person: Person, catalogue: PriceCatalogue, starts_ms: int
) -> Iterator[Process]:
    """Make the processes of one session: one, or a second later or at the same time."""
    session = chance.uuid()
    installation = chance.choice(person.installations)

    def work(starts_ms: int, *, resumed: bool) -> Process:
        length_ms = chance.around(scenario.session_minutes * _MINUTE_MS)
        worker = Worker(
            chance,
            catalogue,
            person=person,
            installation=installation,
            session=session,
            resumed=resumed,
        )
        return worker.work(starts_ms, length_ms)

    first = work(starts_ms, resumed=False)
    yield first
    if chance.happens(scenario.resumed_share):
        yield work(first.ends_ms + chance.around(20 * _MINUTE_MS, 1.0), resumed=True)
    elif chance.happens(scenario.parallel_share):
        halfway = (first.starts_ms + first.ends_ms) // 2
        yield work(halfway + chance.randint(0, _MINUTE_MS), resumed=True)


def _count(chance: Chance, mean: float) -> int:
    """Return a whole number of at least one with this mean, or nearly."""
    more = max(0.0, mean - 1)
    return 1 + int(more) + chance.happens(more % 1)


def _sent(batch: Batch) -> int:
    return batch.sent_ms
