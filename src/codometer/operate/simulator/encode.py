"""Batches as OTLP protobuf bodies, byte for byte of the size that real clients send.

Codometer's own messages are trimmed to what it reads; what it skips (a metric's
description, a scope's name) is put beside them as bytes.
"""

from __future__ import annotations

from functools import lru_cache

from codometer.intake.receivers import otlp_wire_pb2 as wire
from codometer.model.signal import SignalKind, Temporality
from codometer.operate.simulator.client import Batch, Point
from codometer.operate.simulator.facts import Pairs, Process, Value
from codometer.operate.simulator.telling import (
    EVENTS_SCOPE,
    METRICS_SCOPE,
    NS_PER_MS,
    PREFIX,
    TEMPORALITIES,
    UNITS_AND_DESCRIPTIONS,
    context_pairs,
    record_pairs,
    resource_pairs,
)


def encode(batch: Batch) -> bytes:
    """Return the body of the export request; the same batch is the same bytes."""
    if batch.kind is SignalKind.LOGS:
        return _encode_logs(batch)
    return _encode_metrics(batch)


def _encode_logs(batch: Batch) -> bytes:
    request = wire.Logs()
    version = batch.process.installation.release.version
    group = request.resource_logs.add()
    group.resource.attributes.extend(_resource(batch.process))
    scoped = group.scope_logs.add()
    scoped.scope.MergeFromString(_scope(EVENTS_SCOPE, version))
    context = _context(batch.process)
    for number, record in enumerate(batch.records, start=batch.first):
        log = scoped.log_records.add()
        log.time_unix_nano = log.observed_time_unix_nano = record.stamped_ms * NS_PER_MS
        log.body.string_value = PREFIX + record.name
        log.attributes.extend(context)
        log.attributes.extend(_attributes(record_pairs(record, number)))
    return request.SerializeToString()


def _encode_metrics(batch: Batch) -> bytes:
    request = wire.Metrics()
    version = batch.process.installation.release.version
    group = request.resource_metrics.add()
    group.resource.attributes.extend(_resource(batch.process))
    scoped = group.scope_metrics.add()
    scoped.scope.MergeFromString(_scope(METRICS_SCOPE, version))
    context = _context(batch.process, with_session_id=batch.with_session_id)
    metrics: dict[str, wire.Metric] = {}
    for point in batch.points:
        name = point.series.metric
        if name not in metrics:
            metrics[name] = scoped.metrics.add()
            _describe(metrics[name], name, batch.process.installation.temporality)
        _add_point(metrics[name], point, batch.sent_ms, context)
    return request.SerializeToString()


def _describe(metric: wire.Metric, name: str, temporality: Temporality) -> None:
    unit, description = UNITS_AND_DESCRIPTIONS[name]
    metric.name = PREFIX + name
    metric.unit = unit
    metric.MergeFromString(_text_field(2, description))
    metric.sum.aggregation_temporality = TEMPORALITIES[temporality]
    metric.sum.MergeFromString(b"\x18\x01")  # is_monotonic


def _add_point(metric: wire.Metric, point: Point, at: int, context: tuple[bytes, ...]) -> None:
    added = metric.sum.data_points.add()
    added.start_time_unix_nano = point.starts_ms * NS_PER_MS
    added.time_unix_nano = at * NS_PER_MS
    added.as_double = point.value
    added.attributes.extend(context)
    added.attributes.extend(_series_attributes(point.series.pairs))


@lru_cache(maxsize=4096)
def _resource(process: Process) -> tuple[bytes, ...]:
    return _attributes(resource_pairs(process))


@lru_cache(maxsize=4096)
def _context(process: Process, *, with_session_id: bool = True) -> tuple[bytes, ...]:
    return _attributes(context_pairs(process, with_session_id=with_session_id))


@lru_cache(maxsize=4096)
def _series_attributes(pairs: Pairs) -> tuple[bytes, ...]:
    return _attributes(pairs)


def _attributes(pairs: Pairs) -> tuple[bytes, ...]:
    return tuple(_attribute(key, value) for key, value in pairs)


@lru_cache(maxsize=65_536, typed=True)
def _attribute(key: str, value: Value) -> bytes:
    pair = wire.KeyValue(key=key)
    if isinstance(value, bool):
        pair.value.bool_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    elif isinstance(value, float):
        pair.value.double_value = value
    else:
        pair.value.string_value = value
    return pair.SerializeToString()


@lru_cache(maxsize=64)
def _scope(name: str, version: str) -> bytes:
    return _text_field(1, name) + _text_field(2, version)


def _text_field(number: int, text: str) -> bytes:
    """Return a field of the wire that the trimmed messages do not have."""
    raw = text.encode()
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
