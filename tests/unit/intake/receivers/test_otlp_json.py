"""JSON bodies give the signals that protobuf gives, and bad ones are malformed and no worse."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from codometer.errors import Malformed
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.intake.receivers.otlp_decode import decode
from codometer.model.signal import NESTED, DataPoint, LogRecord, Signal, SignalKind, Span
from tests import capture


def decode_json(kind: SignalKind, body: bytes) -> list[Signal]:
    return decode(ExportRequest(kind=kind, encoding=Encoding.JSON, body=body))


def decode_protobuf(kind: SignalKind, body: bytes) -> list[Signal]:
    return decode(ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=body))


@pytest.mark.parametrize("name", capture.NAMES)
def test_a_recording_says_the_same_in_both_encodings(name: str) -> None:
    for request in capture.recorded(name):
        in_protobuf, in_json = (decode(request.export(encoding)) for encoding in Encoding)
        assert repr(in_protobuf) == repr(in_json)


def body_with(text: str) -> bytes:
    record = {
        "timeUnixNano": "1",
        "body": {"stringValue": "x"},
        "attributes": [{"key": "k", "value": {"stringValue": "TEXT"}}],
    }
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    return json.dumps(document).replace("TEXT", text).encode()


def test_half_a_surrogate_pair_is_replaced_as_protobuf_clients_replace_it() -> None:
    (record,) = decode_json(SignalKind.LOGS, body_with(r"cut \ud83d"))
    assert isinstance(record, LogRecord)
    assert record.attributes == {"k": "cut \N{REPLACEMENT CHARACTER}"}


def test_a_whole_surrogate_pair_is_a_character() -> None:
    (record,) = decode_json(SignalKind.LOGS, body_with(r"\ud83d\ude00"))
    assert isinstance(record, LogRecord)
    assert record.attributes == {"k": "😀"}


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff", b"7", b'{"resourceLogs":7}'])
def test_what_is_no_request_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_json(SignalKind.LOGS, body)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NAMES = st.sampled_from(
    ["resourceLogs", "scopeLogs", "logRecords", "attributes", "key", "value", "stringValue",
     "intValue", "doubleValue", "timeUnixNano", "resource", "scope", "body", "resourceMetrics",
     "scopeMetrics", "metrics", "sum", "dataPoints", "asInt", "asDouble", "name", "flags"]
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5)
)


@given(DOCUMENTS, st.sampled_from(SignalKind))
def test_no_document_does_worse_than_being_malformed(document: object, kind: SignalKind) -> None:
    with contextlib.suppress(Malformed):
        decode_json(kind, json.dumps(document).encode())


@given(st.data())
def test_no_garbled_recording_does_worse_than_being_malformed(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(capture.NAMES))
    export = data.draw(st.sampled_from(capture.recorded(name))).export()
    body = bytearray(export.body)
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        signals = decode_protobuf(export.kind, bytes(body))
    except Malformed:
        return
    assert isinstance(signals, list)


def every_metric() -> ExportMetricsServiceRequest:
    """Return metrics of every kind, with a point that says nothing, and one without a kind."""
    request: Any = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="no data")
    gauge = metrics.add(name="gauge", unit="s").gauge.data_points
    gauge.add(time_unix_nano=5, as_int=-(2**63))
    gauge.add(time_unix_nano=5, as_double=0.25)
    gauge.add(time_unix_nano=5)
    gauge.add(time_unix_nano=5, as_double=3, flags=1)
    total = metrics.add(name="sum").sum
    total.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    total.data_points.add(start_time_unix_nano=1, time_unix_nano=5, as_double=1.5)
    total.data_points.add(start_time_unix_nano=1, time_unix_nano=5, as_double=1.5)
    metrics.add(name="histogram").histogram.data_points.add(time_unix_nano=5, sum=7.5, count=3)
    metrics.add(name="histogram").histogram.data_points.add(time_unix_nano=5, count=3)
    metrics.add(name="exponential").exponential_histogram.data_points.add(sum=8.5)
    metrics.add(name="summary").summary.data_points.add(sum=9.5)
    return request  # type: ignore[no-any-return] # opentelemetry has no types


def test_every_kind_of_metric_says_the_same_in_both_encodings() -> None:
    request = every_metric()
    body = MessageToJson(request, use_integers_for_enums=True).encode()
    points = decode_json(SignalKind.METRICS, body)
    assert repr(points) == repr(decode_protobuf(SignalKind.METRICS, request.SerializeToString()))
    told = [(p.metric, p.value, p.ordinal) for p in points if isinstance(p, DataPoint)]
    assert told == [
        ("gauge", -(2.0**63), 0),
        ("gauge", 0.25, 0),
        ("gauge", 0.0, 0),
        ("sum", 1.5, 0),
        ("sum", 1.5, 1),
        ("histogram", 7.5, 0),
        ("histogram", 0.0, 0),
        ("exponential", 8.5, 0),
        ("summary", 9.5, 0),
    ]


def logs_with(**record: object) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


def attribute(value: object) -> bytes:
    return logs_with(attributes=[{"key": "k", "value": value}])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"intValue": "12"}, 12),
        ({"intValue": 12}, 12),
        ({"intValue": 12.0}, 12),
        ({"intValue": str(-(2**63))}, -(2**63)),
        ({"doubleValue": 1}, 1.0),
        ({"doubleValue": "0.5"}, 0.5),
        ({"boolValue": False}, False),
        ({"stringValue": None, "intValue": 3}, 3),
        ({"stringValue": "x" * 1024}, "x" * 1024),
        ({"stringValue": "x" * 1025}, NESTED),
        ({"arrayValue": {"values": [{"stringValue": 7}]}}, NESTED),
        ({"kvlistValue": {}}, NESTED),
        ({"bytesValue": "AA=="}, NESTED),
        ({}, None),
        (None, None),
    ],
)
def test_a_value_is_read_however_clients_write_it(written: object, value: object) -> None:
    (record,) = decode_json(SignalKind.LOGS, attribute(written))
    assert repr(record.attributes["k"]) == repr(value)


@pytest.mark.parametrize(
    "body",
    [
        attribute({"intValue": str(2**63)}),
        attribute({"intValue": "9" * 30}),
        attribute({"intValue": 1.5}),
        attribute({"intValue": True}),
        attribute({"doubleValue": "much"}),
        attribute({"doubleValue": True}),
        attribute({"doubleValue": 10**400}),
        attribute({"boolValue": "yes"}),
        attribute({"stringValue": 7}),
        attribute("text"),
        logs_with(timeUnixNano="-1"),
        logs_with(timeUnixNano=str(2**64)),
        logs_with(attributes={"key": "k"}),
        logs_with(body=[]),
    ],
)
def test_a_value_of_a_wrong_type_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="not an OTLP logs request in JSON"):
        decode_json(SignalKind.LOGS, body)


@pytest.mark.parametrize(
    ("record", "name", "time_ns"),
    [
        ({"eventName": "a", "body": {"stringValue": "b"}, "timeUnixNano": 5}, "a", 5),
        ({"body": {"stringValue": "b"}, "observedTimeUnixNano": "6"}, "b", 6),
        ({"body": {"intValue": 7}}, "", 0),
        ({}, "", 0),
    ],
)
def test_the_name_and_time_of_a_record_are_found(
    record: dict[str, object], name: str, time_ns: int
) -> None:
    assert decode_json(SignalKind.LOGS, logs_with(**record)) == [LogRecord(time_ns, name, {})]


@pytest.mark.parametrize(("code", "failed"), [(2, True), ("STATUS_CODE_ERROR", True), (1, False)])
def test_a_span_that_failed_says_so(code: object, *, failed: bool) -> None:
    span = {"traceId": "0A0b", "spanId": "ff", "status": {"code": code}, "endTimeUnixNano": "9"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    assert decode_json(SignalKind.TRACES, body) == [Span("", "0a0b", "ff", 0, 9, failed, {})]
