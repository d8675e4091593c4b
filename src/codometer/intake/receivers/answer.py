"""What an OTLP client is told: the few bytes of its answers, written by hand.

The messages are `google.rpc.Status` and `Export…ServiceResponse` of the OTLP
specification, 1.11. Each has two fields that matter, alike for all signals.
"""

from __future__ import annotations

import json
from typing import Final

from codometer.errors import CodometerError
from codometer.intake.receivers.export import Accepted, Encoding
from codometer.model.signal import SignalKind

# google.rpc.Code, by the HTTP status that goes with it.
_RPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 503: 14}
_UNKNOWN: Final = 2

_REJECTED: Final = {
    SignalKind.LOGS: "rejectedLogRecords",
    SignalKind.METRICS: "rejectedDataPoints",
    SignalKind.TRACES: "rejectedSpans",
}


def export_response(kind: SignalKind, encoding: Encoding, accepted: Accepted) -> bytes:
    """Return an `Export…ServiceResponse`, empty unless there is something to say."""
    partial = bool(accepted.rejected or accepted.message)
    if encoding is Encoding.PROTOBUF:
        if not partial:
            return b""
        return _field(1, _number(1, accepted.rejected) + _text(2, accepted.message))
    if not partial:
        return b"{}"
    # 64-bit integers are strings in protobuf's JSON.
    success = {_REJECTED[kind]: str(accepted.rejected), "errorMessage": accepted.message}
    return json.dumps({"partialSuccess": success}).encode()


def status(http_status: int, encoding: Encoding, message: str) -> bytes:
    """Return a `google.rpc.Status` that goes with an HTTP status."""
    code = _RPC_CODES.get(http_status, _UNKNOWN)
    if encoding is Encoding.PROTOBUF:
        return _number(1, code) + _text(2, message)
    return json.dumps({"code": code, "message": message}).encode()


def retry_status(message: str, *, seconds: int) -> bytes:
    """Return a `google.rpc.Status` for gRPC: unavailable, try again in so many seconds."""
    retry_info = _field(1, _number(1, seconds))  # retry_delay: a Duration
    detail = _text(1, "type.googleapis.com/google.rpc.RetryInfo") + _field(2, retry_info)
    return _number(1, _RPC_CODES[503]) + _text(2, message) + _field(3, detail)


def explain(error: CodometerError) -> str:
    """Return what went wrong and what to do about it, in one line."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _text(field: int, value: str) -> bytes:
    return _field(field, value.encode()) if value else b""


def _field(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >> 7:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
