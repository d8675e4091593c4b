"""A day of a fleet: who has which sessions, and what their clients send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.operate.simulator.calendar import is_present, load_of
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.client import Batch, list_event_batches, list_metric_batches
from codometer.operate.simulator.facts import Process
from codometer.operate.simulator.fleet import Person, make_people
from codometer.operate.simulator.scenario import Scenario
from codometer.operate.simulator.work import Worker
from codometer.pricing import PriceCatalogue

_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 24 * 60

_STARTS_BY_HOUR: Final = (7, 10, 11, 6, 5, 10, 11, 9, 6, 3, 1)
"""How many sessions begin in which hour of a working day, beside others; lunch is short."""

_LOAD_ON_FIRST_DAY: Final = 0.6
"""How much people do on the fleet's first day, beside its last: they learn what it is good for."""

# A job in CI looks at changes around the clock, two minutes at a time.
_REVIEWS_PER_DAY: Final = 20
_REVIEW_MINUTES: Final = 1.5

RUNAWAY_DAYS_BEFORE_END: Final = 12
"""When a job in CI ran away: for a day it began again and again, on the dearest model."""
_RUNAWAY_RUNS: Final = 60
_RUNAWAY_MINUTES: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A process and all that it sends, in the order of time."""

    process: Process
    with_session_ids: bool
    """Whether its metrics carry the session's id; its events always do."""
    events: tuple[Batch, ...]
    metrics: tuple[Batch, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """All sessions that begin on a day, where their people are; some end on the next."""

    day: date
    runs: tuple[Run, ...]

    @property
    def batches(self) -> list[Batch]:
        """Everything that is sent, in the order of time."""
        batches = [batch for run in self.runs for batch in (*run.events, *run.metrics)]
        return sorted(batches, key=_sent)


def simulate_day(scenario: Scenario, catalogue: PriceCatalogue, day: date | None = None) -> Day:
    """Return a day of a scenario, its last unless another is named; the same for the same two."""
    day = day or scenario.last_day
    return Day(
        day=day,
        runs=tuple(
            run
            for person in make_people(scenario, catalogue, day)
            for run in _list_runs(scenario, person, catalogue, day)
        ),
    )


class _Plan(NamedTuple):
    """A session that somebody begins, in minutes after midnight where they are."""

    person: Person
    minute: float
    median_minutes: float


def _list_runs(
    scenario: Scenario, person: Person, catalogue: PriceCatalogue, day: date
) -> Iterator[Run]:
    chance = Chance(scenario.seed, "day", person.number, day)
    midnight = datetime.combine(day, time(), ZoneInfo(person.site.zone))
    midnight_ms = int(midnight.timestamp()) * 1000
    with_session_ids = scenario.metrics_have_session_ids
    make_plans = _plan_service if person.is_service else _plan_person
    for plan in make_plans(scenario, person, chance, day):
        starts_ms = midnight_ms + int(plan.minute * _MINUTE_MS)
        for process in _list_processes(chance, scenario, plan, catalogue, starts_ms):
            yield Run(
                process=process,
                with_session_ids=with_session_ids,
                events=list_event_batches(process),
                metrics=list_metric_batches(
                    process,
                    chance,
                    every_ms=scenario.collect_seconds * 1000,
                    with_session_id=with_session_ids,
                ),
            )


def _plan_person(scenario: Scenario, person: Person, chance: Chance, day: date) -> Iterator[_Plan]:
    load = person.pace * (_LOAD_ON_FIRST_DAY + (1 - _LOAD_ON_FIRST_DAY) * scenario.progress(day))
    if scenario.keeps_calendar:
        if not is_present(person.site, day, seed=scenario.seed, person=person.number):
            return
        load *= load_of(day)
    for _ in range(_count(chance, scenario.sessions_per_person * load)):
        (hour,) = chance.choices(range(len(_STARTS_BY_HOUR)), _STARTS_BY_HOUR)
        minute = person.shift_starts_minute + 60 * (hour + chance.random())
        yield _Plan(person, minute, scenario.session_minutes)


def _plan_service(scenario: Scenario, person: Person, chance: Chance, day: date) -> Iterator[_Plan]:
    for _ in range(_REVIEWS_PER_DAY):
        yield _Plan(person, chance.uniform(0, _DAY_MINUTES), _REVIEW_MINUTES)
    runs_away = scenario.days_before_end(day) == RUNAWAY_DAYS_BEFORE_END
    if runs_away and person.number == scenario.people:
        dear = replace(person, model=person.dearest_model, model_on_metrics=person.dearest_model)
        for _ in range(_RUNAWAY_RUNS):
            yield _Plan(dear, chance.uniform(0, _DAY_MINUTES), _RUNAWAY_MINUTES)


def _list_processes(
    chance: Chance, scenario: Scenario, plan: _Plan, catalogue: PriceCatalogue, starts_ms: int
) -> Iterator[Process]:
    """Make the processes of one session: one, or a second later or at the same time."""
    person = plan.person
    session = chance.uuid()
    installation = chance.choice(person.installations)
    repository = chance.choice(person.repositories)

    def work(starts_ms: int, *, resumed: bool) -> Process:
        length_ms = chance.around(plan.median_minutes * _MINUTE_MS)
        worker = Worker(
            chance,
            catalogue,
            person=person,
            installation=installation,
            session=session,
            repository=repository if installation.release.tells_more else None,
            resumed=resumed,
        )
        return worker.work(starts_ms, length_ms)

    first = work(starts_ms, resumed=False)
    yield first
    if person.is_service:
        return
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
