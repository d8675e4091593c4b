"""Signals to rows: protect, then let the agent that sent it say what happened."""

from __future__ import annotations

import collections
import logging
import math
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from codometer.agents.read import label
from codometer.errors import Erased
from codometer.model.event import (
    UNNAMED,
    Counter,
    Event,
    Reading,
    Rows,
    SentContent,
    Stranger,
)
from codometer.model.money import MAX_PICO_USD, PICO_PER_USD
from codometer.model.signal import DataPoint, LogRecord, Sheet, Span
from codometer.privacy.policy import PLACEHOLDERS, SENT_CONTENT
from codometer.privacy.profile import POLICIES, PolicyInForce, Profile
from codometer.privacy.protect import is_name, protect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from codometer.agents.agent import Agent
    from codometer.model.event import Columns
    from codometer.model.signal import AttributeColumns, Signal


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

    events: Rows[Event] = field(default_factory=lambda: Rows(Event))
    readings: Rows[Reading] = field(default_factory=lambda: Rows(Reading))
    strangers: collections.Counter[Stranger] = field(default_factory=collections.Counter)
    rejected: collections.Counter[Reason] = field(default_factory=collections.Counter)
    sent_content: collections.Counter[SentContent] = field(default_factory=collections.Counter)

    def meet(self, stranger: Stranger, count: int) -> None:
        """Count a stranger, unless there are more of them than anybody would read."""
        if len(self.strangers) < _MAX_STRANGERS or stranger in self.strangers:
            self.strangers[stranger] += count


Refused = collections.Counter[Reason]
"""How many signals of one request were refused, by the reason."""


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

    def normalise(self, requests: Sequence[Iterable[Signal]], into: Normalised) -> list[Refused]:
        """Add what the signals of requests say to `into`; return what was refused of each.

        One bad signal costs only itself. The attributes are taken out of the signals.
        """
        latest_ns = self._now_ns() + _CLOCK_SKEW_NS
        refused = [Refused() for _ in requests]
        groups: defaultdict[tuple[object, ...], list[tuple[int, Signal]]] = defaultdict(list)
        for place, signals in enumerate(requests):
            for signal in signals:
                reason = _reason_to_refuse(signal, latest_ns)
                if reason is None:
                    groups[_likeness(signal)].append((place, signal))
                else:
                    refused[place][reason] += 1
        for group in groups.values():
            places, alike = zip(*group, strict=True)
            agent = self._find_agent(alike[0])
            sheet = _lay_out(alike)
            if not SENT_CONTENT.keys().isdisjoint(sheet.attributes):
                into.sent_content.update(_find_content(sheet.attributes, agent.name))
            kept = self._in_force.policy.strangers
            for name in protect(sheet.attributes, agent.known_attributes, kept):
                into.meet(Stranger(agent.name, "attribute", name), len(alike))
            _add(sheet, agent, into, [refused[place] for place in places])
        for each in refused:
            into.rejected.update(each)
        return refused

    def _find_agent(self, signal: Signal) -> Agent:
        service = signal.attributes.get("service.name")
        name = _name_of(signal)
        return next(agent for agent in self._agents if agent.recognises(service, name))


def _find_content(attributes: AttributeColumns, agent: str) -> Iterator[SentContent]:
    """Yield for each signal what it has of content, once for each part."""
    versions = attributes.get("app.version") or attributes.get("service.version")
    names = [name for name in attributes if name in SENT_CONTENT]
    for place, values in enumerate(zip(*map(attributes.__getitem__, names), strict=True)):
        parts = {
            SENT_CONTENT[name]
            for name, value in zip(names, values, strict=True)
            if value and not (isinstance(value, str) and value in PLACEHOLDERS)
        }
        version = label(versions[place]) if versions else None
        for part in parts:
            yield SentContent(agent, version or "", part)


def _add(sheet: Sheet[Any], agent: Agent, into: Normalised, refused: Sequence[Refused]) -> None:
    """Add the rows of a sheet; where a signal of it cannot be read, of the others."""
    try:
        rows, columns = _read(sheet, agent, into)
    except Exception as error:  # noqa: BLE001 - one bad signal must not cost the others theirs
        if len(refused) == 1:
            refused[0][_reason_of(error)] += 1
            return
    else:
        rows.extend(columns)
        return
    half = len(refused) // 2
    _add(sheet.part(0, half), agent, into, refused[:half])
    _add(sheet.part(half, len(refused)), agent, into, refused[half:])


def _read(
    sheet: Sheet[Any], agent: Agent, into: Normalised
) -> tuple[Rows[Event] | Rows[Reading], Columns]:
    """Return the columns that a sheet comes to, and where they belong."""
    first = sheet.signals[0]
    if isinstance(first, LogRecord):
        return into.events, _checked(agent.read_logs(sheet), "event", agent, into)
    if isinstance(first, Span):
        return into.events, _checked(agent.read_spans(sheet), "span", agent, into)
    columns = agent.read_points(sheet)
    for counter, value in zip(columns["counter"], columns["value"], strict=True):
        if counter is Counter.REPORTED_COST and value > _MAX_USD:
            raise _NotACount
    return into.readings, _checked(columns, "metric", agent, into)


def _checked(columns: Columns, what: str, agent: Agent, into: Normalised) -> Columns:
    """Return rows of one name, without it if nobody knows that and it could be prose."""
    names = columns["name"]
    if agent.knows(what, names[0]):
        return columns
    if not is_name(names[0]):
        return {**columns, "name": [UNNAMED] * len(names)}
    into.meet(Stranger(agent.name, what, names[0]), len(names))
    return columns


class _NotACount(Exception):
    """A cost beyond what any can be."""


def _reason_of(error: Exception) -> Reason:
    if isinstance(error, Erased):
        return Reason.ERASED
    if isinstance(error, _NotACount):
        return Reason.NOT_A_COUNT
    # Never the signal itself: it may hold what was not protected yet.
    _log.error("a signal could not be read", exc_info=error)
    return Reason.FAULT


def _name_of(signal: Signal) -> str:
    return signal.metric if isinstance(signal, DataPoint) else signal.name


def _likeness(signal: Signal) -> tuple[object, ...]:
    """Return what signals have in common that are read together."""
    attributes = signal.attributes
    get = attributes.get
    names = _name_of(signal), get("event.name"), get("service.name")
    return type(signal), names, tuple(attributes)


def _lay_out(signals: Sequence[Signal]) -> Sheet[Any]:
    """Take the attributes out of signals that are alike, and lay them under each other."""
    first = signals[0]
    name = _name_of(first)
    if isinstance(first, LogRecord):  # some versions say it in one place, some in the other
        name = label(first.attributes.get("event.name")) or name
    columns = zip(*(signal.attributes.values() for signal in signals), strict=True)
    attributes: AttributeColumns = dict(zip(first.attributes, columns, strict=True))
    for signal in signals:
        signal.attributes.clear()
    return Sheet(name, signals, attributes)


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
