"""Arbitrary OTLP requests, down to how their bytes are written, and what they say.

A request is made as bytes and not as a message, because the same message may be
written in many ways: fields in any order, twice, unknown to us, or with numbers
longer than they need be. What a request says is read from OpenTelemetry's own
classes in the plainest way, as the oracle for ours.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from codometer.model.signal import (
    MAX_TEXT_LENGTH,
    NESTED,
    Attributes,
    AttributeValue,
    DataPoint,
    LogRecord,
    Signal,
    SignalKind,
    Span,
    Temporality,
)
from tests.capture import MESSAGES

KEYS: Final = ("", "k", "event.name", "input_tokens", "team.id", "é", "x" * 127, "y" * 128)
NAMES: Final = ("", "claude_code.api_request", "claude_code.token.usage")
_UNKNOWN_NUMBER: Final = 100
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Bytes = st.SearchStrategy[bytes]


# How things are written.


def varint(value: int, more: int = 0) -> bytes:
    """Write a number; `more` bytes longer than it need be, as long as 10 are enough."""
    value &= 2**64 - 1
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    groups += [0] * min(more, 10 - len(groups))
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def number(at: int, value: int, more: int = 0) -> bytes:
    """Write a field that is a number."""
    return varint(at << 3 | _VARINT) + varint(value, more)


def text(at: int, value: bytes, more: int = 0) -> bytes:
    """Write a field that is text, bytes or a message."""
    return varint(at << 3 | _BYTES) + varint(len(value), min(more, 4)) + value


def fixed(at: int, value: int) -> bytes:
    """Write a field that is a number of 8 bytes."""
    return varint(at << 3 | _FIXED64) + struct.pack("<Q", value & (2**64 - 1))


def double(at: int, value: float) -> bytes:
    """Write a field that is a real number."""
    return varint(at << 3 | _FIXED64) + struct.pack("<d", value)


# What may be in a request.

INTEGERS: Final = (
    st.integers(0, 300)
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([0, 127, 128, 2**14, 2**31, 2**63 - 1, -1, -(2**63)])
)
TEXTS: Final = (
    st.text(max_size=20)
    | st.sampled_from(["", "a" * 125, "a" * 126, "é" * 70, "b" * 2000, "claude-opus-5-5"])
).map(str.encode)
MORE: Final = st.sampled_from([0, 0, 0, 0, 0, 1, 3, 9])

UNKNOWN: Final[Bytes] = st.one_of(
    st.builds(number, st.just(_UNKNOWN_NUMBER), INTEGERS),
    st.builds(text, st.just(_UNKNOWN_NUMBER), st.binary(max_size=5)),
    st.just(varint(_UNKNOWN_NUMBER << 3 | _FIXED32) + b"abcd"),
)


def any_values(depth: int = 2) -> Bytes:
    """Make AnyValues of every type, most of them as clients write them."""
    leaves = st.one_of(
        st.builds(text, st.just(1), TEXTS, MORE),
        st.builds(number, st.just(3), INTEGERS, MORE),
        st.builds(double, st.just(4), st.floats()),
        st.builds(number, st.just(2), st.integers(0, 2), MORE),
        st.builds(text, st.just(7), st.binary(max_size=5)),
        st.builds(number, st.just(8), st.integers(0, 5)),
        st.just(b""),
    )
    if not depth:
        return leaves
    inner = any_values(depth - 1)
    pairs = st.builds(lambda key, value: text(1, key) + text(2, value), TEXTS, inner)
    return st.one_of(
        leaves,
        st.builds(text, st.just(5), messages(st.builds(text, st.just(1), inner))),
        st.builds(text, st.just(6), messages(st.builds(text, st.just(1), pairs))),
        st.builds(lambda first, second: first + second, leaves, leaves),
    )


def messages(*fields: Bytes, most: int = 3) -> Bytes:
    """Make messages of any of these fields, any number of times, in any order."""
    return st.lists(st.one_of(*fields, UNKNOWN), max_size=most).map(b"".join)


USUAL_PAIRS: Final[Bytes] = st.builds(
    lambda key, value: text(1, key.encode()) + text(2, value),
    st.sampled_from(KEYS),
    st.one_of(
        st.builds(text, st.just(1), TEXTS),
        st.builds(number, st.just(3), INTEGERS),
        st.builds(double, st.just(4), st.floats()),
    ),
)
UNUSUAL_PAIRS: Final[Bytes] = messages(
    st.builds(text, st.just(1), st.sampled_from(KEYS).map(str.encode), MORE),
    st.builds(text, st.just(2), any_values(), MORE),
)
PAIRS: Final = USUAL_PAIRS | UNUSUAL_PAIRS


def _pair(key: bytes, value: bytes) -> bytes:
    return text(1, key) + text(2, value)


@st.composite
def _columns(draw: st.DrawFn) -> list[Bytes]:
    """Choose what the signals of one request have in their columns: a key, and a type or any."""
    columns = []
    for _ in range(draw(st.integers(0, 4))):
        key = draw(st.sampled_from(KEYS)).encode()
        values = draw(
            st.sampled_from(
                [
                    st.builds(text, st.just(1), TEXTS),
                    st.builds(number, st.just(3), INTEGERS, MORE),
                    st.builds(number, st.just(3), st.integers(0, 300)),
                    st.builds(double, st.just(4), st.floats()),
                    any_values(),
                ]
            )
        )
        columns.append(st.builds(_pair, st.just(key), values) | PAIRS)
    return columns


def _attributes(at: int, columns: Sequence[Bytes]) -> Bytes:
    return st.tuples(*columns).map(lambda pairs: b"".join(text(at, pair) for pair in pairs))


def _resources(at: int) -> Bytes:
    return messages(st.builds(text, st.just(at), PAIRS))


def _log_records(columns: Sequence[Bytes]) -> Bytes:
    times = st.integers(0, 2**64 - 1)
    names = st.sampled_from(NAMES).map(str.encode)
    rest = messages(
        st.builds(fixed, st.sampled_from([1, 11]), times),
        st.builds(text, st.just(5), any_values() | names.map(lambda name: text(1, name))),
        st.builds(text, st.just(12), names),
        st.builds(text, st.just(6), PAIRS),
        st.builds(text, st.just(3), TEXTS),
    )
    return st.builds(lambda one, other: one + other, rest, _attributes(6, columns))


def _spans(columns: Sequence[Bytes]) -> Bytes:
    rest = messages(
        st.builds(text, st.sampled_from([1, 2]), st.binary(max_size=16)),
        st.builds(text, st.just(5), st.sampled_from(NAMES).map(str.encode)),
        st.builds(fixed, st.sampled_from([7, 8]), st.integers(0, 2**64 - 1)),
        st.builds(text, st.just(15), messages(st.builds(number, st.just(3), st.integers(0, 3)))),
        most=5,
    )
    return st.builds(lambda one, other: one + other, rest, _attributes(9, columns))


_ATTRIBUTES_OF_POINT: Final = {5: 7, 7: 7, 9: 9, 10: 1, 11: 7}
"""By the field of Metric that says its kind: the field of the attributes in a data point."""


@st.composite
def _metrics(draw: st.DrawFn, columns: Sequence[Bytes]) -> bytes:
    kind = draw(st.sampled_from(sorted(_ATTRIBUTES_OF_POINT)))
    values = [st.builds(double, st.just(5), st.floats())]
    if kind in {5, 7}:
        values = [
            st.builds(double, st.just(4), st.floats()),
            st.builds(fixed, st.just(6), INTEGERS),
        ]
    flags = 10 if kind in {9, 10} else 8
    rest = messages(
        *values,
        st.builds(fixed, st.sampled_from([2, 3]), st.integers(0, 2**64 - 1)),
        st.builds(number, st.just(flags), st.integers(0, 3)),
        most=4,
    )
    attributes = _attributes(_ATTRIBUTES_OF_POINT[kind], columns)
    points = st.builds(lambda one, other: one + other, rest, attributes)
    data = messages(
        st.builds(text, st.just(1), points),
        st.builds(number, st.just(2), st.integers(0, 3)),
        most=5,
    )
    metric = draw(st.lists(UNKNOWN, max_size=1))
    metric += [text(at, draw(st.sampled_from(NAMES)).encode()) for at in (1, 3)]
    metric += [text(kind, each) for each in draw(st.lists(data, min_size=1, max_size=2))]
    return b"".join(draw(st.permutations(metric)))


@st.composite
def bodies(draw: st.DrawFn, kind: SignalKind) -> bytes:
    """Make the body of an export request, valid, as some client might write it."""
    columns = draw(_columns())
    make = {SignalKind.LOGS: _log_records, SignalKind.METRICS: _metrics, SignalKind.TRACES: _spans}
    items = st.builds(text, st.just(2), make[kind](columns))
    scoped = messages(items, st.builds(text, st.just(1), _resources(3)), most=8)
    groups = messages(
        st.builds(text, st.just(1), _resources(1)), st.builds(text, st.just(2), scoped), most=4
    )
    return draw(messages(st.builds(text, st.just(1), groups), most=3))


# What a request says.


def plain_walk(kind: SignalKind, body: bytes) -> list[Signal]:
    """Read a request with OpenTelemetry's own classes.

    Raises:
        DecodeError: it is not valid.
    """
    message: Any = MESSAGES[kind].FromString(body)
    outer, inner, items = {
        SignalKind.LOGS: ("resource_logs", "scope_logs", "log_records"),
        SignalKind.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
        SignalKind.TRACES: ("resource_spans", "scope_spans", "spans"),
    }[kind]
    signals: list[Signal] = []
    for group in getattr(message, outer):
        for scoped in getattr(group, inner):
            context = {
                **_plain_attributes(group.resource.attributes),
                **_plain_attributes(scoped.scope.attributes),
            }
            for item in getattr(scoped, items):
                signals.extend(_READERS[kind](item, context))
    return signals


def _plain_attributes(pairs: Iterable[Any]) -> Attributes:
    return {pair.key: _plain_value(pair.value) for pair in pairs}


def _plain_value(value: Any) -> AttributeValue:  # noqa: ANN401 - a message without types
    which = value.WhichOneof("value")
    if which in {None, "string_value_strindex"}:
        return None
    if which in {"array_value", "kvlist_value", "bytes_value"}:
        return NESTED
    found: str | int | float | bool = getattr(value, which)
    return NESTED if isinstance(found, str) and len(found) > MAX_TEXT_LENGTH else found


def _plain_record(record: Any, context: Attributes) -> Iterator[Signal]:  # noqa: ANN401
    yield LogRecord(
        record.time_unix_nano or record.observed_time_unix_nano,
        record.event_name or record.body.string_value,
        {**context, **_plain_attributes(record.attributes)},
    )


def _plain_points(metric: Any, context: Attributes) -> Iterator[Signal]:  # noqa: ANN401
    which = metric.WhichOneof("data")
    data = getattr(metric, which) if which else None
    temporality = Temporality.CUMULATIVE
    if getattr(data, "aggregation_temporality", 0) == 1:
        temporality = Temporality.DELTA
    seen: Counter[str] = Counter()
    for point in data.data_points if data else ():
        if point.flags & 1:
            continue
        value = point.sum if which not in {"gauge", "sum"} else point.as_double
        if which in {"gauge", "sum"} and point.WhichOneof("value") == "as_int":
            value = float(point.as_int)
        own = _plain_attributes(point.attributes)
        times = point.start_time_unix_nano, point.time_unix_nano
        equal = repr((times, value, sorted(own.items(), key=repr)))
        yield DataPoint(
            metric.name, metric.unit, temporality, *times, value, seen[equal], {**context, **own}
        )
        seen[equal] += 1


def _plain_span(span: Any, context: Attributes) -> Iterator[Signal]:  # noqa: ANN401
    yield Span(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == 2,
        {**context, **_plain_attributes(span.attributes)},
    )


_READERS: Final = {
    SignalKind.LOGS: _plain_record,
    SignalKind.METRICS: _plain_points,
    SignalKind.TRACES: _plain_span,
}
