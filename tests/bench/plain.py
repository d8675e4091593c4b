"""The decoder that ours is compared with: OpenTelemetry's own classes, read as anybody would.

The same parser underneath (upb), the same signals out of it; only the way from one to the
other is the plain one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from codometer.intake.receivers.export import ExportRequest
from codometer.model.signal import NESTED, Attributes, AttributeValue, LogRecord, Signal, SignalKind

_NESTED = frozenset({"array_value", "kvlist_value", "bytes_value"})


def decode_all(requests: Iterable[ExportRequest]) -> list[list[Signal]]:
    """Return the signals of each export."""
    return [decode(request) for request in requests]


def decode(request: ExportRequest) -> list[Signal]:
    """Return the signals of an export of logs in protobuf."""
    assert request.kind is SignalKind.LOGS
    return list(_logs(ExportLogsServiceRequest.FromString(request.body)))


def parse(body: bytes) -> object:
    """Let upb parse an export of logs, and read nothing of it."""
    return ExportLogsServiceRequest.FromString(body)


def _logs(request: Any) -> Iterator[LogRecord]:  # noqa: ANN401 - a protobuf message
    for outer in request.resource_logs:
        resource = _attributes(outer.resource.attributes)
        for inner in outer.scope_logs:
            context = {**resource, **_attributes(inner.scope.attributes)}
            for record in inner.log_records:
                yield LogRecord(
                    record.time_unix_nano or record.observed_time_unix_nano,
                    record.event_name or record.body.string_value,
                    {**context, **_attributes(record.attributes)},
                )


def _attributes(pairs: Iterable[Any]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> AttributeValue:  # noqa: ANN401 - as above
    which = value.WhichOneof("value")
    if which is None:
        return None
    found: AttributeValue = NESTED if which in _NESTED else getattr(value, which)
    return found
