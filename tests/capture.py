"""Recordings of real clients, and ways to send them."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.model.signal import SignalKind

FOLDER: Final = Path(__file__).parent / "captures"
NAMES: Final = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())

MESSAGES: Final[dict[SignalKind, type[Message]]] = {
    SignalKind.LOGS: ExportLogsServiceRequest,
    SignalKind.METRICS: ExportMetricsServiceRequest,
    SignalKind.TRACES: ExportTraceServiceRequest,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request of a recording, as its message."""

    kind: SignalKind
    message: Message

    def export(self, encoding: Encoding = Encoding.PROTOBUF) -> ExportRequest:
        """Return it as a receiver would hand it on."""
        body = (
            self.message.SerializeToString()
            if encoding is Encoding.PROTOBUF
            else _otlp_json(self.message)
        )
        return ExportRequest(kind=self.kind, encoding=encoding, body=body)


@cache
def recorded(name: str) -> tuple[Recorded, ...]:
    """Return the requests of a recording in order of arrival."""
    return tuple(
        Recorded(kind=_kind(path), message=_message(path))
        for path in sorted((FOLDER / name).iterdir())
        if path.name[:3].isdigit()
    )


@cache
def expected(name: str) -> dict[str, Any]:
    """Return what the stand-in for the model's API counted."""
    found: dict[str, Any] = json.loads((FOLDER / name / "expected.json").read_text())
    return found


def merged(requests: tuple[Recorded, ...]) -> list[Recorded]:
    """Return the requests with all of one kind in one message."""
    messages = {kind: type_() for kind, type_ in MESSAGES.items()}
    for request in requests:
        messages[request.kind].MergeFrom(request.message)
    return [Recorded(kind=kind, message=message) for kind, message in messages.items()]


def split(requests: tuple[Recorded, ...]) -> list[Recorded]:
    """Return the requests cut into one message for each record, metric or span."""
    pieces: list[Recorded] = []
    for request in requests:
        (outer,) = request.message.DESCRIPTOR.fields
        for group in getattr(request.message, outer.name):
            inner = next(f for f in group.DESCRIPTOR.fields if f.name.startswith("scope_"))
            for scoped in getattr(group, inner.name):
                items = next(f for f in scoped.DESCRIPTOR.fields if f.number == 2)
                for item in getattr(scoped, items.name):
                    message = MESSAGES[request.kind]()
                    new_group = getattr(message, outer.name).add()
                    new_group.resource.CopyFrom(group.resource)
                    new_scoped = getattr(new_group, inner.name).add()
                    new_scoped.scope.CopyFrom(scoped.scope)
                    getattr(new_scoped, items.name).add().CopyFrom(item)
                    pieces.append(Recorded(kind=request.kind, message=message))
    return pieces


def _kind(path: Path) -> SignalKind:
    return SignalKind(path.stem.split("-", 1)[1])


def _message(path: Path) -> Message:
    message = MESSAGES[_kind(path)]()
    if path.suffix == ".json":
        return Parse(path.read_text(), message)
    message.ParseFromString(path.read_bytes())
    return message


def _otlp_json(message: Message) -> bytes:
    """Write OTLP's JSON, in which ids are hex where protobuf's JSON has base64."""
    document = json.loads(MessageToJson(message, use_integers_for_enums=True))
    for resource_spans in document.get("resourceSpans", []):
        for scope_spans in resource_spans.get("scopeSpans", []):
            for span in scope_spans.get("spans", []):
                for holder in (span, *span.get("links", [])):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in holder:
                            holder[name] = _hex(holder[name])
    return json.dumps(document).encode()


def _hex(base64_text: str) -> str:
    return b64decode(base64_text).hex()
