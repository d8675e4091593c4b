"""Signals to rows: protect, then let the agent that sent it say what happened."""

from __future__ import annotations

import collections
import logging
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from codometer.errors import Erased
from codometer.model.event import UNNAMED, Counter, Event, Reading, Stranger
from codometer.model.money import MAX_PICO_USD, PICO_PER_USD
from codometer.model.signal import DataPoint, LogRecord, Span
from codometer.privacy.profile import POLICIES, PolicyInForce, Profile
from codometer.privacy.protect import is_name, protect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from codometer.agents.agent import Agent
    from codometer.model.signal import AttributeValue, Signal


_log = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why a signal was refused for good."""

    NO_TIME = "no_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    NOT_A_COUNT = "not_a_count"
    ERASED = "erased"
    FAULT = "fault"


_EARLIEST_NS: Final = 1_704_067_200 * 10**9
"""2024-01-01: no coding agent sent telemetry before; a clock that says so is wrong."""
_CLOCK_SKEW_NS: Final = 86_400 * 10**9
_MAX_VALUE: Final = 1e12
"""The largest reading: no counter of a client gets there, and sums of many still fit 64 bits."""
_MAX_USD: Final = MAX_PICO_USD / PICO_PER_USD
"""The largest reading of a cost, as for the cost of an event."""
_MAX_STRANGERS: Final = 1000


@dataclass(slots=True)
class Normalised:
    """What one request, or many, came to."""

    events: list[Event] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    strangers: collections.Counter[Stranger] = field(default_factory=collections.Counter)
    rejected: collections.Counter[Reason] = field(default_factory=collections.Counter)

    def meet(self, stranger: Stranger) -> None:
        """Count a stranger, unless there are more of them than anybody would read."""
        if len(self.strangers) < _MAX_STRANGERS or stranger in self.strangers:
            self.strangers[stranger] += 1


class Normaliser:
    """Turns signals of any agent into rows that may be kept."""

    def __init__(
        self,
        agents: Sequence[Agent],
        now_ns: Callable[[], int],
        in_force: PolicyInForce | None = None,
    ) -> None:
        """Take the agents in order of asking; the last must recognise everything.

        Without a privacy policy in force, unknown attributes are treated as under `standard`.
        """
        self._agents = agents
        self._now_ns = now_ns
        self._in_force = in_force or PolicyInForce(POLICIES[Profile.STANDARD])
        self._agent_of: dict[AttributeValue, Agent] = {}

    def normalise(self, signals: Iterable[Signal], into: Normalised) -> None:
        """Add what the signals say to `into`. One bad signal costs only itself."""
        latest_ns = self._now_ns() + _CLOCK_SKEW_NS
        for signal in signals:
            reason = _reason_to_refuse(signal, latest_ns)
            if reason is not None:
                into.rejected[reason] += 1
                continue
            try:
                self._add(signal, into)
            except Erased:
                into.rejected[Reason.ERASED] += 1
            except Exception:  # noqa: BLE001 - one bad signal must not cost the others theirs
                # Never the signal itself: it may hold what was not protected yet.
                _log.exception("a signal could not be read")
                into.rejected[Reason.FAULT] += 1

    def _add(self, signal: Signal, into: Normalised) -> None:
        agent = self._find_agent(signal)
        kept = self._in_force.policy.strangers
        for name in protect(signal.attributes, agent.known_attributes, kept):
            into.meet(Stranger(agent.name, "attribute", name))
        if isinstance(signal, LogRecord):
            event = agent.event_from_log(signal)
            into.events.append(_checked(event, "event", agent, into))
        elif isinstance(signal, DataPoint):
            reading = agent.reading_from_point(signal)
            if reading.counter is Counter.REPORTED_COST and reading.value > _MAX_USD:
                into.rejected[Reason.NOT_A_COUNT] += 1
                return
            into.readings.append(_checked(reading, "metric", agent, into))
        else:
            event = agent.event_from_span(signal)
            into.events.append(_checked(event, "span", agent, into))

    def _find_agent(self, signal: Signal) -> Agent:
        service = signal.attributes.get("service.name")
        agent = self._agent_of.get(service)
        if agent is None:
            name = signal.metric if isinstance(signal, DataPoint) else signal.name
            agent = next(agent for agent in self._agents if agent.recognises(service, name))
            if service is not None and len(self._agent_of) < _MAX_SERVICES:
                self._agent_of[service] = agent
        return agent


_MAX_SERVICES: Final = 1000

_Row = TypeVar("_Row", Event, Reading)


def _checked(row: _Row, what: str, agent: Agent, into: Normalised) -> _Row:
    """Return the row, without its name if nobody knows that and it could be prose."""
    if agent.knows(what, row.name):
        return row
    if not is_name(row.name):
        return row._replace(name=UNNAMED)
    into.meet(Stranger(agent.name, what, row.name))
    return row


def _reason_to_refuse(signal: Signal, latest_ns: int) -> Reason | None:
    time_ns = signal.end_ns if isinstance(signal, Span) else signal.time_ns
    if not time_ns:
        return Reason.NO_TIME
    if not _EARLIEST_NS <= time_ns <= latest_ns:
        return Reason.TIME_OUT_OF_RANGE
    if isinstance(signal, DataPoint) and not (
        math.isfinite(signal.value) and 0 <= signal.value <= _MAX_VALUE
    ):
        return Reason.NOT_A_COUNT
    return None
