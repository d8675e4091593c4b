"""Batches as OTLP protobuf bodies, byte for byte of the size that real clients send.

Codometer's own messages are trimmed to what it reads; what it skips (a metric's
description, a scope's name) is put beside them as bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from codometer.intake.receivers import otlp_wire_pb2 as wire
from codometer.model.signal import SignalKind, Temporality
from codometer.operate.simulator.client import Batch, Point
from codometer.operate.simulator.facts import Pairs, Process, Value
from codometer.operate.simulator.fleet import VERSION, Installation, Person

_PREFIX: Final = "claude_code."
_SCOPE: Final = "com.anthropic.claude_code"
_NS_PER_MS: Final = 1_000_000
_TEMPORALITIES: Final = {Temporality.DELTA: 1, Temporality.CUMULATIVE: 2}

_UNITS_AND_DESCRIPTIONS: Final = {
    "session.count": ("", "Count of CLI sessions started"),
    "lines_of_code.count": (
        "",
        (
            "Count of lines of code modified, with the 'type' attribute indicating whether lines"
            " were added or removed and the 'model' attribute indicating which model made the"
            " change"
        ),
    ),
    "pull_request.count": ("", "Number of pull requests created"),
    "commit.count": ("", "Number of git commits created"),
    "cost.usage": ("USD", "Cost of the Claude Code session"),
    "token.usage": ("tokens", "Number of tokens used"),
    "code_edit_tool.decision": (
        "",
        (
            "Count of code editing tool permission decisions (accept/reject) for Edit, Write, and"
            " NotebookEdit tools"
        ),
    ),
    "active_time.total": ("s", "Total active time in seconds"),
}


def encode(batch: Batch) -> bytes:
    """Return the body of the export request; the same batch is the same bytes."""
    if batch.kind is SignalKind.LOGS:
        return _encode_logs(batch)
    return _encode_metrics(batch)


def _encode_logs(batch: Batch) -> bytes:
    request = wire.Logs()
    group = request.resource_logs.add()
    group.resource.attributes.extend(_resource(batch.process.person, batch.process.installation))
    scoped = group.scope_logs.add()
    scoped.scope.MergeFromString(_scope(f"{_SCOPE}.events"))
    context = _context(batch.process)
    for number, record in enumerate(batch.records, start=batch.first):
        log = scoped.log_records.add()
        log.time_unix_nano = log.observed_time_unix_nano = record.stamped_ms * _NS_PER_MS
        log.body.string_value = _PREFIX + record.name
        log.attributes.extend(context)
        log.attributes.extend(
            _attributes(
                (
                    ("event.name", record.name),
                    ("event.timestamp", _timestamp(record.stamped_ms)),
                    ("event.sequence", number),
                    *record.pairs,
                )
            )
        )
    return request.SerializeToString()


def _encode_metrics(batch: Batch) -> bytes:
    request = wire.Metrics()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(_resource(batch.process.person, batch.process.installation))
    scoped = group.scope_metrics.add()
    scoped.scope.MergeFromString(_scope(_SCOPE))
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
    unit, description = _UNITS_AND_DESCRIPTIONS[name]
    metric.name = _PREFIX + name
    metric.unit = unit
    metric.MergeFromString(_text_field(2, description))
    metric.sum.aggregation_temporality = _TEMPORALITIES[temporality]
    metric.sum.MergeFromString(b"\x18\x01")  # is_monotonic


def _add_point(metric: wire.Metric, point: Point, at: int, context: tuple[bytes, ...]) -> None:
    added = metric.sum.data_points.add()
    added.start_time_unix_nano = point.starts_ms * _NS_PER_MS
    added.time_unix_nano = at * _NS_PER_MS
    added.as_double = point.value
    added.attributes.extend(context)
    added.attributes.extend(_series_attributes(point.series.pairs))


@lru_cache(maxsize=4096)
def _resource(person: Person, installation: Installation) -> tuple[bytes, ...]:
    return _attributes(
        (
            ("team.id", person.team),
            ("cost_center", person.cost_center),
            ("host.arch", installation.arch),
            ("os.type", installation.os_type),
            ("os.version", installation.os_version),
            ("service.name", "claude-code"),
            ("service.version", VERSION),
        )
    )


def _context(process: Process, *, with_session_id: bool = True) -> tuple[bytes, ...]:
    """Return the attributes that are on every record and point, the administrator's among them."""
    session = process.session if with_session_id else None
    return _identity(process.person, process.installation, session)


@lru_cache(maxsize=4096)
def _identity(person: Person, installation: Installation, session: str | None) -> tuple[bytes, ...]:
    pairs: Pairs = (
        ("team.id", person.team),
        ("cost_center", person.cost_center),
        ("user.id", installation.id),
    )
    if session:
        pairs += (("session.id", session),)
    if person.account:
        pairs += (
            ("organization.id", person.organisation),
            ("user.email", person.account.email),
            ("user.account_uuid", person.account.uuid),
            ("user.account_id", person.account.id),
        )
    return _attributes(
        (
            *pairs,
            ("anthropic.provider", "firstParty"),
            ("terminal.type", installation.terminal),
        )
    )


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


def _timestamp(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _scope(name: str) -> bytes:
    return _text_field(1, name) + _text_field(2, VERSION)


def _text_field(number: int, text: str) -> bytes:
    """Return a field of the wire that the trimmed messages do not have."""
    raw = text.encode()
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
