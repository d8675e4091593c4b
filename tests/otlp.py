"""Arbitrary OTLP requests, valid, down to how their bytes are written.

A request is made as bytes and not as a message, because the same message may be
written in many ways: fields in any order, in pieces that are merged, twice,
unknown to us, in groups, or with numbers longer than they need be.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from codometer.model.signal import SignalKind

KEYS: Final = ("", "k", "event.name", "input_tokens", "team.id", "é", "x" * 127, "y" * 128)
NAMES: Final = ("", "claude_code.api_request", "claude_code.token.usage")
_UNKNOWN_NUMBER: Final = 100
_MOST_BYTES: Final = 5  # that protobuf's own parser allows a tag or a length
_VARINT, _FIXED64, _BYTES, _GROUP, _END_OF_GROUP, _FIXED32 = range(6)

Bytes = st.SearchStrategy[bytes]


# How things are written.


def varint(value: int, more: int = 0, *, most: int = 10) -> bytes:
    """Write a number; `more` bytes longer than it need be, but not longer than `most`."""
    value &= 2**64 - 1
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    groups += [0] * max(0, min(more, most - len(groups)))
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def tag(at: int, wire_type: int, more: int = 0) -> bytes:
    """Write what a field begins with: its number, and how its value is written."""
    return varint(at << 3 | wire_type, more, most=_MOST_BYTES)


def number(at: int, value: int, more: int = 0, tag_more: int = 0) -> bytes:
    """Write a field that is a number."""
    return tag(at, _VARINT, tag_more) + varint(value, more)


def text(at: int, value: bytes, more: int = 0, tag_more: int = 0) -> bytes:
    """Write a field that is text, bytes or a message."""
    return tag(at, _BYTES, tag_more) + varint(len(value), more, most=_MOST_BYTES) + value


def fixed(at: int, value: int) -> bytes:
    """Write a field that is a number of 8 bytes."""
    return tag(at, _FIXED64) + struct.pack("<Q", value & (2**64 - 1))


def double(at: int, value: float) -> bytes:
    """Write a field that is a real number."""
    return tag(at, _FIXED64) + struct.pack("<d", value)


def group(at: int, *fields: bytes) -> bytes:
    """Write a group, which is how protobuf 1 wrote a message; OTLP has none."""
    return tag(at, _GROUP) + b"".join(fields) + tag(at, _END_OF_GROUP)


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

_UNKNOWN_FIELDS: Final[Bytes] = st.one_of(
    st.builds(number, st.just(_UNKNOWN_NUMBER), INTEGERS),
    st.builds(text, st.just(_UNKNOWN_NUMBER), st.binary(max_size=5)),
    # A field of OTLP's number in a type that OTLP does not give it is unknown too.
    st.builds(lambda at: tag(at, _FIXED32) + b"abcd", st.integers(1, 20) | st.just(2**29 - 1)),
)
UNKNOWN: Final[Bytes] = _UNKNOWN_FIELDS | st.builds(
    group, st.sampled_from([1, 2, _UNKNOWN_NUMBER]), _UNKNOWN_FIELDS, _UNKNOWN_FIELDS
)


def any_values(depth: int = 2) -> Bytes:
    """Make AnyValues of every type, most of them as clients write them."""
    leaves = st.one_of(
        st.builds(text, st.just(1), TEXTS, MORE),
        st.builds(number, st.just(3), INTEGERS, MORE, MORE),
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
    st.builds(text, st.just(1), st.sampled_from(KEYS).map(str.encode), MORE, MORE),
    st.builds(text, st.just(2), any_values(), MORE, MORE),
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
        st.builds(number, st.sampled_from([2, 7]), st.integers(0, 30)),
        most=5,
    )
    return st.builds(lambda one, other: one + other, rest, _attributes(6, columns))


def _spans(columns: Sequence[Bytes]) -> Bytes:
    rest = messages(
        st.builds(text, st.sampled_from([1, 2]), st.binary(max_size=16)),
        st.builds(text, st.just(5), st.sampled_from(NAMES).map(str.encode)),
        st.builds(fixed, st.sampled_from([7, 8]), st.integers(0, 2**64 - 1)),
        st.builds(text, st.just(15), messages(st.builds(number, st.just(3), st.integers(0, 3)))),
        st.builds(text, st.just(11), messages(st.builds(text, st.just(3), PAIRS))),
        most=6,
    )
    return st.builds(lambda one, other: one + other, rest, _attributes(9, columns))


_HISTOGRAM: Final = 9
_ATTRIBUTES_OF_POINT: Final = {5: 7, 7: 7, _HISTOGRAM: 9, 10: 1, 11: 7}
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
    if kind == _HISTOGRAM:  # whose counts are packed, or not
        values += [
            st.builds(text, st.sampled_from([6, 7]), st.binary(max_size=3).map(lambda n: n * 8)),
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
