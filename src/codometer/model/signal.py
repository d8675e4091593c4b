"""What a client sent, in OpenTelemetry's words, with no protocol left in it.

A Signal is a log record, a data point of a metric, or a span. The decoder
makes them from protobuf or JSON; everything after it sees only these three.
They are tuples, not dataclasses, because a busy server makes tens of
thousands of them a second and a tuple costs a quarter of a frozen dataclass.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


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
