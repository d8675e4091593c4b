"""Batches as OTLP in JSON: the same as `encode` makes, in its other spelling."""

from __future__ import annotations

import json
from typing import Any

from codometer.model.signal import SignalKind
from codometer.operate.simulator.client import Batch, Point
from codometer.operate.simulator.facts import Pairs, Value
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

_Object = dict[str, Any]


def encode_json(batch: Batch) -> bytes:
    """Return the body of the export request; the same batch is the same bytes."""
    request = _logs(batch) if batch.kind is SignalKind.LOGS else _metrics(batch)
    return json.dumps(request, separators=(",", ":")).encode()


def _logs(batch: Batch) -> _Object:
    context = context_pairs(batch.process)
    records = [
        {
            "timeUnixNano": _nanoseconds(record.stamped_ms),
            "observedTimeUnixNano": _nanoseconds(record.stamped_ms),
            "body": {"stringValue": PREFIX + record.name},
            "attributes": _attributes((*context, *record_pairs(record, number))),
            "droppedAttributesCount": 0,
        }
        for number, record in enumerate(batch.records, start=batch.first)
    ]
    scoped = {"scope": _scope(batch, EVENTS_SCOPE), "logRecords": records}
    return {"resourceLogs": [{"resource": _resource(batch), "scopeLogs": [scoped]}]}


def _metrics(batch: Batch) -> _Object:
    context = context_pairs(batch.process, with_session_id=batch.with_session_id)
    metrics: dict[str, _Object] = {}
    for point in batch.points:
        name = point.series.metric
        if name not in metrics:
            metrics[name] = _metric(batch, name)
        metrics[name]["sum"]["dataPoints"].append(_point(point, batch.sent_ms, context))
    scoped = {"scope": _scope(batch, METRICS_SCOPE), "metrics": [*metrics.values()]}
    return {"resourceMetrics": [{"resource": _resource(batch), "scopeMetrics": [scoped]}]}


def _metric(batch: Batch, name: str) -> _Object:
    unit, description = UNITS_AND_DESCRIPTIONS[name]
    temporality = TEMPORALITIES[batch.process.installation.temporality]
    return {
        "name": PREFIX + name,
        "description": description,
        "unit": unit,
        "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": []},
    }


def _point(point: Point, at_ms: int, context: Pairs) -> _Object:
    return {
        "attributes": _attributes((*context, *point.series.pairs)),
        "startTimeUnixNano": _nanoseconds(point.starts_ms),
        "timeUnixNano": _nanoseconds(at_ms),
        "asDouble": point.value,
    }


def _resource(batch: Batch) -> _Object:
    return {"attributes": _attributes(resource_pairs(batch.process)), "droppedAttributesCount": 0}


def _scope(batch: Batch, name: str) -> _Object:
    return {"name": name, "version": batch.process.installation.release.version}


def _attributes(pairs: Pairs) -> list[_Object]:
    return [{"key": key, "value": _value(value)} for key, value in pairs]


def _value(value: Value) -> _Object:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": value}
    return {"doubleValue" if isinstance(value, float) else "stringValue": value}


def _nanoseconds(at_ms: int) -> str:
    return str(at_ms * NS_PER_MS)
