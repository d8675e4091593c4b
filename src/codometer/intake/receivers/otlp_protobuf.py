"""OTLP protobuf bodies to signals.

upb, protobuf's C parser, reads the wire; the attributes of records come out of
it as raw bytes (see `otlp_wire.proto`), and a memo says what each byte string
means. Of the twenty to thirty attributes on a record of a coding agent, most
are the same on every record of a session, so most are one dictionary look-up.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from codometer.errors import Malformed
from codometer.intake.receivers import otlp_wire_pb2 as wire
from codometer.model.signal import NESTED, DataPoint, LogRecord, SignalKind, Span, Temporality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codometer.model.signal import Attributes, AttributeValue, Signal

_MAX_MEMO_ENTRIES: Final = 100_000
_MAX_MEMO_BYTES: Final = 160
"""Longer attributes are content or rare; remembering them would only cost memory."""

_TEMPORALITIES: Final = {1: Temporality.DELTA, 2: Temporality.CUMULATIVE}
_NO_RECORDED_VALUE: Final = 1
"""The bit of a point's `flags` that says it carries no value."""

_double_at = struct.Struct("<d").unpack_from
_TAG_STRING, _TAG_INT, _TAG_DOUBLE = 0x0A, 0x18, 0x21
_CONTINUED: Final = 0x80


def decode(kind: SignalKind, body: bytes) -> list[Signal]:
    """Return the signals of one export request, in the order they stand there.

    Raises:
        Malformed: the body is not such a message.
    """
    try:
        if kind is SignalKind.LOGS:
            return list(_logs(wire.Logs.FromString(body)))
        if kind is SignalKind.METRICS:
            return list(_metrics(wire.Metrics.FromString(body)))
        return list(_traces(wire.Traces.FromString(body)))
    except DecodeError as error:
        message = f"the body is not an OTLP {kind} request in protobuf"
        raise Malformed(message, hint="check the exporter's protocol setting") from error


def read_attribute(raw: bytes) -> tuple[str, AttributeValue]:
    """Read one serialised KeyValue with upb: the meaning that the memo's short cut must equal."""
    pair = wire.KeyValue.FromString(raw)
    which = pair.value.WhichOneof("value")
    if which is None:
        return pair.key, None
    value = getattr(pair.value, which)
    return pair.key, NESTED if isinstance(value, bytes) else value


class _AttributeMemo(dict[bytes, "tuple[str, AttributeValue]"]):
    """What the bytes of an attribute mean, remembered for those that are likely to come again."""

    def __missing__(self, raw: bytes) -> tuple[str, AttributeValue]:
        """Read an attribute that was not seen before, by a short cut for its usual form."""
        size = len(raw)
        # The usual form, of under 128 bytes: 0A n <key> 12 m <value>, m reaching to the end.
        if not (6 <= size < _CONTINUED and raw[0] == _TAG_STRING):
            return self._remember(raw, read_attribute(raw))
        value_at = raw[1] + 4
        if (
            value_at + 1 >= size
            or raw[value_at - 2] != 0x12
            or raw[value_at - 1] != size - value_at
        ):
            return self._remember(raw, read_attribute(raw))
        tag = raw[value_at]
        try:
            if tag == _TAG_STRING and raw[value_at + 1] == size - value_at - 2:
                key = raw[2 : value_at - 2].decode()
                return self._remember(raw, (key, raw[value_at + 2 :].decode()))
            if tag == _TAG_INT and size - value_at == 2 and raw[-1] < _CONTINUED:
                return self._remember(raw, (raw[2 : value_at - 2].decode(), raw[-1]))
            if tag == _TAG_INT and size - value_at == 3 and raw[-1] < _CONTINUED <= raw[-2]:
                return raw[2 : value_at - 2].decode(), raw[-2] - 128 + (raw[-1] << 7)
            if tag == _TAG_DOUBLE and size - value_at == 9:
                return raw[2 : value_at - 2].decode(), _double_at(raw, value_at + 1)[0]
        except UnicodeDecodeError as error:
            raise DecodeError(str(error)) from error
        return self._remember(raw, read_attribute(raw))

    def _remember(
        self, raw: bytes, meaning: tuple[str, AttributeValue]
    ) -> tuple[str, AttributeValue]:
        if len(raw) <= _MAX_MEMO_BYTES:
            if len(self) >= _MAX_MEMO_ENTRIES:
                self.clear()
            self[raw] = meaning
        return meaning


_meaning_of = _AttributeMemo().__getitem__


def _attributes(raw: Iterable[bytes]) -> Attributes:
    return dict(map(_meaning_of, raw))


def _context(resource: wire.Resource, scope: wire.Scope) -> Attributes:
    return _attributes(resource.attributes) | _attributes(scope.attributes)


def _logs(request: wire.Logs) -> Iterator[LogRecord]:
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            context = _context(resource_logs.resource, scope_logs.scope)
            for record in scope_logs.log_records:
                attributes = context | _attributes(record.attributes)
                yield LogRecord(
                    record.time_unix_nano or record.observed_time_unix_nano,
                    record.event_name or record.body.string_value,
                    attributes,
                )


def _metrics(request: wire.Metrics) -> Iterator[DataPoint]:
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            context = _context(resource_metrics.resource, scope_metrics.scope)
            for metric in scope_metrics.metrics:
                yield from _points(metric, context)


def _points(metric: wire.Metric, context: Attributes) -> Iterator[DataPoint]:
    which = metric.WhichOneof("data")
    if which is None:
        return
    data = getattr(metric, which)
    temporality = _TEMPORALITIES.get(
        getattr(data, "aggregation_temporality", 0), Temporality.CUMULATIVE
    )
    seen: Counter[bytes] = Counter()
    for point in data.data_points:
        if point.flags & _NO_RECORDED_VALUE:
            continue
        identical = point.SerializeToString(deterministic=True)
        yield DataPoint(
            metric.name,
            metric.unit,
            temporality,
            point.start_time_unix_nano,
            point.time_unix_nano,
            _number(point),
            seen[identical],
            context | _attributes(point.attributes),
        )
        seen[identical] += 1


def _number(
    point: wire.NumberDataPoint
    | wire.HistogramDataPoint
    | wire.ExponentialHistogramDataPoint
    | wire.SummaryDataPoint,
) -> float:
    if isinstance(point, wire.NumberDataPoint):
        return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double
    return point.sum


def _traces(request: wire.Traces) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            context = _context(resource_spans.resource, scope_spans.scope)
            for span in scope_spans.spans:
                yield Span(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == _STATUS_ERROR,
                    context | _attributes(span.attributes),
                )


_STATUS_ERROR: Final = 2
