"""What was, and what of it any signal that arrived told.

A request is told by its event, if that event's batch arrived; and by metrics,
if the batch of its interval did (delta) or any later one of its process did
(cumulative). The best answer there can be is the sum of all requests that were
told.

Nobody can know it always. An event that lies within the time that metrics
cover, although its own reading was lost, looks like one that the metrics told:
within the tolerance at the edge of a lost interval, or where another process
of the same session sends metrics meanwhile. It may hide as much of what metrics
alone told. Such a request is `misleading`.

Signals are compared within a session; where metrics carry no session id, within
an installation's day (UTC). There a request whose event comes before midnight
and whose reading comes after it is `torn`: it may be counted twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from codometer.model.money import PicoUSD
from codometer.model.signal import Temporality
from codometer.operate.simulator.client import Batch, Series
from codometer.operate.simulator.day import Day, Run
from codometer.operate.simulator.facts import Decision, Process, Request
from codometer.operate.simulator.network import Delivery
from codometer.pricing import normalise_model

_TOLERANCE_MS: Final = 100
_DECISION_LEAD_MS: Final = 2_000
"""How far from its counter's time an event may be stamped to be taken for the same."""
_DAY_MS: Final = 86_400_000

Key = TypeVar("Key", bound=Hashable)
Stretch = tuple[int, int]
Scope = tuple[str] | tuple[str, int]
Subject = tuple[Scope, str]
"""Signals are compared within a scope, by model or, for decisions, by tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a request or decision on its way."""

    process: Process
    fact: Request | Decision
    by_event: bool
    read_ms: int | None
    """The time of the first reading that tells it, None when none arrived."""
    misleading: bool
    """Its event lies where metrics are compared with events, but its reading was lost."""
    torn: bool
    """Its event and its reading are not compared with each other."""

    @property
    def by_metric(self) -> bool:
        """Whether a reading told it."""
        return self.read_ms is not None

    @property
    def told(self) -> bool:
        """Whether any signal told it."""
        return self.by_event or self.by_metric

    @property
    def told_ms(self) -> int | None:
        """The time under which it is counted: the event's, else that of the reading."""
        return self.fact.stamped_ms if self.by_event else self.read_ms

    @property
    def subject(self) -> tuple[str, str]:
        """Its session, and its model or tool."""
        return self.process.session, _name(self.fact)


class Sums(NamedTuple):
    """Requests and what they used."""

    requests: int = 0
    uncached_input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    cost: PicoUSD = PicoUSD(0)

    def plus(self, request: Request) -> Sums:
        """Return the sums with one request more."""
        tokens = request.tokens
        return Sums(
            self.requests + 1,
            self.uncached_input_tokens + tokens.uncached_input,
            self.cache_read_tokens + tokens.cache_read,
            self.cache_write_tokens + tokens.cache_write,
            self.output_tokens + tokens.output,
            PicoUSD(self.cost + request.cost),
        )


def list_fates(day: Day, delivery: Delivery) -> tuple[Fate, ...]:
    """Return what became of every request and decision."""
    arrived = frozenset(delivery.batches)
    coverage = _find_coverage(day, arrived)
    return tuple(fate for run in day.runs for fate in _list_fates_of(run, arrived, coverage))


def sum_requests(
    fates: Iterable[Fate],
    *,
    by: Callable[[Fate], Key],
    where: Callable[[Fate], bool] = lambda fate: fate.told,
) -> dict[Key, Sums]:
    """Add up requests, those that any signal told unless `where` says otherwise."""
    found: dict[Key, Sums] = defaultdict(Sums)
    for fate in fates:
        if isinstance(fate.fact, Request) and where(fate):
            key = by(fate)
            found[key] = found[key].plus(fate.fact)
    return dict(found)


def _list_fates_of(
    run: Run, arrived: frozenset[Batch], coverage: Mapping[Subject, Sequence[Stretch]]
) -> Iterator[Fate]:
    firsts = [batch.first for batch in run.events]
    times = [batch.sent_ms for batch in run.metrics]
    cumulative = run.process.installation.temporality is Temporality.CUMULATIVE
    facts: list[Request | Decision] = [*run.process.requests, *run.process.decisions]
    for fact in facts:
        by_event = run.events[bisect_right(firsts, fact.sequence) - 1] in arrived
        first = bisect_left(times, fact.counted_ms)
        last = len(times) if cumulative else first + 1
        reading = next((batch for batch in run.metrics[first:last] if batch in arrived), None)
        scope = _scope(run, fact.stamped_ms)
        covered = coverage.get((scope, _name(fact)), ())
        yield Fate(
            process=run.process,
            fact=fact,
            by_event=by_event,
            read_ms=reading.sent_ms if reading else None,
            misleading=by_event and reading is None and _is_covered(covered, fact),
            torn=by_event and reading is not None and _scope(run, reading.sent_ms) != scope,
        )


def _is_covered(stretches: Sequence[Stretch], fact: Request | Decision) -> bool:
    lead_ms = _DECISION_LEAD_MS if isinstance(fact, Decision) else 0
    return any(
        since - lead_ms <= fact.stamped_ms <= until + _TOLERANCE_MS for since, until in stretches
    )


def _find_coverage(day: Day, arrived: frozenset[Batch]) -> Mapping[Subject, Sequence[Stretch]]:
    """Return when the readings that arrived tell of which subject."""
    found: dict[Subject, list[Stretch]] = defaultdict(list)
    for run in day.runs:
        for batch in run.metrics:
            if batch in arrived:
                scope = _scope(run, batch.sent_ms)
                for point in batch.points:
                    name = _name_of_series(point.series)
                    if name is not None:
                        found[scope, name].append((point.starts_ms, batch.sent_ms))
    return {subject: _joined(stretches) for subject, stretches in found.items()}


def _scope(run: Run, at_ms: int) -> Scope:
    """Return within what a signal of that time is compared."""
    if run.with_session_ids:
        return (run.process.session,)
    return run.process.installation.id, at_ms // _DAY_MS


def _joined(stretches: list[Stretch]) -> Sequence[Stretch]:
    joined: list[Stretch] = []
    for since, until in sorted(stretches):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        else:
            joined.append((since, until))
    return joined


def _name(fact: Request | Decision) -> str:
    return fact.model if isinstance(fact, Request) else fact.tool


def _name_of_series(series: Series) -> str | None:
    pairs = dict(series.pairs)
    if series.metric in {"cost.usage", "token.usage"}:
        return normalise_model(str(pairs["model"])).name
    return str(pairs["tool_name"]) if series.metric == "code_edit_tool.decision" else None
