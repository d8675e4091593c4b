"""What people and models wrote in an OTLP body, which the decoder leaves out.

Read from the body a second time, and only where it was agreed that content is
kept: so it costs everybody else nothing, and nothing of it is among the signals.
Texts come in the order in which `otlp_decode` returns the signals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator
from typing import Any, Final, NamedTuple

from codometer.intake.receivers import otlp_content_pb2 as content
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.model.signal import SignalKind

_HALF_OF_A_PAIR: Final = re.compile("[\ud800-\udfff]")

_Pair = tuple[str, Any]


class Written(NamedTuple):
    """One text, and the attribute that had it."""

    attribute: str
    text: str


def read_content(request: ExportRequest, attributes: Container[str]) -> list[list[Written]]:
    """Return, for each signal of an export, the texts under these names, also in span events.

    Arrays and lists of keys and values are written as JSON. Metrics have none.

    Raises:
        Exception: the body is not what it says; it was not to be read here then.
    """
    if request.kind is SignalKind.METRICS:
        return []
    is_json = request.encoding is Encoding.JSON
    records = _json_records(request) if is_json else _protobuf_records(request)
    return [[*_written(pairs, attributes)] for pairs in records]


def _written(pairs: Iterable[_Pair], attributes: Container[str]) -> Iterator[Written]:
    for name, value in pairs:
        if name in attributes and isinstance(value, str | list | dict) and value:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield Written(name, _HALF_OF_A_PAIR.sub("\N{REPLACEMENT CHARACTER}", text))


def _protobuf_records(request: ExportRequest) -> Iterator[Iterator[_Pair]]:
    if request.kind is SignalKind.LOGS:
        logs = content.Logs.FromString(request.body)
        for resource_logs in logs.resource_logs:
            for scope_logs in resource_logs.scope_logs:
                for record in scope_logs.log_records:
                    yield _pairs(record.attributes)
        return
    traces = content.Traces.FromString(request.body)
    for resource_spans in traces.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                both = (span.attributes, *(event.attributes for event in span.events))
                yield (pair for attributes in both for pair in _pairs(attributes))


def _pairs(attributes: Iterable[content.KeyValue]) -> Iterator[_Pair]:
    return ((pair.key, _value(pair.value)) for pair in attributes)


def _value(value: content.AnyValue) -> Any:  # noqa: ANN401 - what a client sends
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [_value(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return dict(_pairs(value.kvlist_value.values))
    return getattr(value, which)


def _json_records(request: ExportRequest) -> Iterator[Iterator[_Pair]]:
    outer, inner, items = (
        ("resourceLogs", "scopeLogs", "logRecords")
        if request.kind is SignalKind.LOGS
        else ("resourceSpans", "scopeSpans", "spans")
    )
    document = json.loads(request.body.decode()) if request.body else {}
    for group in document.get(outer) or ():
        for scoped in group.get(inner) or ():
            for item in scoped.get(items) or ():
                both = (item, *(item.get("events") or ()))
                yield (pair for each in both for pair in _json_pairs(each.get("attributes")))


def _json_pairs(attributes: Any) -> Iterator[_Pair]:  # noqa: ANN401 - as above
    return ((str(pair.get("key")), _json_value(pair.get("value"))) for pair in attributes or ())


def _json_value(value: Any) -> Any:  # noqa: ANN401 - as above
    for name, given in (value or {}).items():
        if name == "arrayValue":
            return [_json_value(item) for item in (given or {}).get("values") or ()]
        if name == "kvlistValue":
            return dict(_json_pairs((given or {}).get("values")))
        if given is not None and name != "bytesValue":
            return given
    return None
