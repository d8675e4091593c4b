"""What an OTLP request says, read in the plainest ways: the oracles for our decoder.

`plain_walk` uses OpenTelemetry's own classes, `one_by_one` our own without any
short cut. A request that both can read says the same in both. They differ in
what they refuse: we leave the inside of arrays and of other parts that we have
no use for unread, so what is wrong there is nothing to us.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from unittest.mock import patch

from google.protobuf.message import DecodeError

from codometer.errors import Malformed
from codometer.intake.receivers import otlp_protobuf
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


def check_requests(kind: SignalKind, requests: Sequence[bytes]) -> None:
    """Fail unless valid requests, read together, say what the plain walk reads in each."""
    expected = [told(plain_walk(kind, body)) for body in requests]
    for _ in range(2):  # the second time from memory
        assert list(map(told, otlp_protobuf.decode_all(kind, requests))) == expected


def check_damaged(kind: SignalKind, requests: Sequence[bytes]) -> None:
    """Fail unless requests of any bytes are read, or refused, as they would be one by one.

    What the plain walk can read must be read, and say the same.
    """
    outcomes = otlp_protobuf.decode_all(kind, requests)
    for body, outcome in zip(requests, outcomes, strict=True):
        assert told(outcome) == told(one_by_one(kind, body))
        try:
            expected = plain_walk(kind, body)
        except DecodeError:
            continue
        assert told(outcome) == told(expected)


def damage(body: bytes, luck: random.Random) -> bytes:
    """Change, drop or add a few bytes."""
    damaged = bytearray(body)
    for _ in range(luck.randint(1, 4)):
        at = luck.randrange(len(damaged) + 1)
        damaged[at : at + luck.randint(0, 2)] = luck.randbytes(luck.randint(0, 2))
    return bytes(damaged)


def told(outcome: list[Signal] | Malformed) -> list[str] | None:
    """Return the signals so that they can be compared, NaN with NaN and 1 not with true.

    How many equal points came before is left out: a point that is written in another way is
    another point to us, which makes no difference to anything real.
    """
    if isinstance(outcome, Malformed):
        return None
    return [
        repr(signal._replace(ordinal=0) if isinstance(signal, DataPoint) else signal)
        for signal in outcome
    ]


def one_by_one(kind: SignalKind, body: bytes) -> list[Signal] | Malformed:
    """Read a request as we do, but every attribute by itself, with upb."""
    with (
        patch.object(otlp_protobuf, "_find_head", lambda raw: None),  # noqa: ARG005 - as the real one
        patch.object(otlp_protobuf, "_remembered", otlp_protobuf.read_attribute),
    ):
        (outcome,) = otlp_protobuf.decode_all(kind, [body])
    return outcome


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
