"""What a client sent, in OpenTelemetry's words, with no protocol left in it.

A Signal is a log record, a data point of a metric, or a span. The decoder
makes them from protobuf or JSON. What follows takes thousands of them that are
alike, so it takes them by the column, as a Sheet.
They are tuples, not dataclasses, because a busy server makes tens of
thousands of them a second and a tuple costs a quarter of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Generic, NamedTuple, Self, TypeVar


class SignalKind(StrEnum):
    """The three kinds of OTLP request, spelt as in the paths `/v1/<kind>`."""

    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


class Temporality(StrEnum):
    """Whether a data point says what was added since `start_ns`, or the total since then."""

    DELTA = "delta"
    CUMULATIVE = "cumulative"


class Nested:
    """Stands for an attribute value that is an array, a key-value list, bytes or a long text.

    Codometer never looks inside one and never stores one, so the decoder does
    not build it: deep nesting costs a sender nothing and us nothing.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "NESTED"


NESTED: Final = Nested()

MAX_TEXT_LENGTH: Final = 1024
"""A longer text, in characters, is content and no name of anything: it is as good as nested."""

AttributeValue = str | int | float | bool | Nested | None
Attributes = dict[str, AttributeValue]
AttributeColumns = dict[str, Sequence[AttributeValue]]
"""The attributes of several signals: the values of each, in the order of the signals."""


class AttributeDefault(NamedTuple):
    """An attribute that a signal gets where its client sends none of `unless`."""

    name: str
    value: str
    unless: tuple[str, ...]


class LogRecord(NamedTuple):
    """One log record, which for coding agents is one event.

    `attributes` are the record's own over its scope's over its resource's.
    `name` is the event's name as sent (`claude_code.api_request`), "" if there is none.
    """

    time_ns: int
    name: str
    attributes: Attributes


class DataPoint(NamedTuple):
    """One data point of a sum or gauge.

    `start_ns` is 0 when the client gave none. `ordinal` counts equal points
    inside one metric of one request, 0 for the first: two processes of one
    person can send the very same point, a repeated request must not count twice.
    """

    metric: str
    unit: str
    temporality: Temporality
    start_ns: int
    time_ns: int
    value: float
    ordinal: int
    attributes: Attributes


class Span(NamedTuple):
    """One span, without its events and links, which carry content and nothing we count."""

    name: str
    trace_id: str
    span_id: str
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Attributes


Signal = LogRecord | DataPoint | Span

SignalT = TypeVar("SignalT", LogRecord, DataPoint, Span)


class Sheet(NamedTuple, Generic[SignalT]):
    """Signals of one kind and name with the same attributes, laid under each other.

    `attributes` are columns: the values of an attribute in the order of the signals, of
    which the attributes were taken. None stands for a value that may not be kept, and says
    no more than an attribute that is not there.
    """

    name: str
    signals: Sequence[SignalT]
    attributes: AttributeColumns

    def column(self, name: str) -> Sequence[AttributeValue]:
        """Return the values of an attribute, which nobody needs to have."""
        return self.attributes.get(name) or (None,) * len(self.signals)

    def content(self, place: int) -> list[tuple[str, AttributeValue]]:
        """Return all that one signal says of itself, whatever the order it says it in."""
        told = ((name, self.attributes[name][place]) for name in sorted(self.attributes))
        return [(name, value) for name, value in told if value is not None]

    def part(self, begin: int, end: int) -> Self:
        """Return some of the signals, one after the other."""
        attributes = {name: column[begin:end] for name, column in self.attributes.items()}
        return self._replace(signals=self.signals[begin:end], attributes=attributes)
