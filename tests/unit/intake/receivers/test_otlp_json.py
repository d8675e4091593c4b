"""JSON bodies give the signals that protobuf gives, and bad ones are malformed and no worse."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.errors import Malformed
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.intake.receivers.otlp_decode import decode
from codometer.model.signal import LogRecord, Signal, SignalKind
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
