"""OTLP JSON bodies to signals.

The protobuf mapping of JSON with OTLP's exceptions: ids in hex, 64-bit
integers as strings or numbers, enumerations as numbers, unknown fields
ignored. The signals equal those that the same request gives in protobuf.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from codometer.errors import Malformed
from codometer.model.signal import NESTED, DataPoint, LogRecord, SignalKind, Span, Temporality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codometer.model.signal import Attributes, AttributeValue, Signal

_Object = dict[str, Any]

_TEMPORALITIES: Final = {
    1: Temporality.DELTA,
    2: Temporality.CUMULATIVE,
    "AGGREGATION_TEMPORALITY_DELTA": Temporality.DELTA,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": Temporality.CUMULATIVE,
}
_STATUS_ERROR: Final = (2, "STATUS_CODE_ERROR")
_NO_RECORDED_VALUE: Final = 1
_MAX_UINT64: Final = 2**64 - 1
_MAX_INTEGER_DIGITS: Final = 20
_SURROGATE: Final = rb"\ud"
"""How an escape begins that may be half of a pair, which nothing after us could write."""


def decode(kind: SignalKind, body: bytes) -> list[Signal]:
    """Return the signals of one export request, in the order they stand there.

    Raises:
        Malformed: the body is not such a message.
    """
    if not body:
        return []
    try:
        request = _object(json.loads(body))
        if _SURROGATE in body.lower():
            json.dumps(request, ensure_ascii=False).encode()  # half a pair is no text
        if kind is SignalKind.LOGS:
            return list(_logs(request))
        if kind is SignalKind.METRICS:
            return list(_metrics(request))
        return list(_traces(request))
    except (ValueError, RecursionError) as error:
        message = f"the body is not an OTLP {kind} request in JSON"
        raise Malformed(message, hint="check the exporter's protocol setting") from error


def _object(value: object) -> _Object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        msg = "an object was expected"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for all that is wrong in a body
    return value


def _objects(parent: _Object, name: str) -> Iterator[_Object]:
    children = parent.get(name)
    if children is None:
        return iter(())
    if not isinstance(children, list):
        msg = f"{name} is not an array"
        raise ValueError(msg)  # noqa: TRY004
    return map(_object, children)


def _text(parent: _Object, name: str) -> str:
    value = parent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        msg = f"{name} is not a string"
        raise ValueError(msg)  # noqa: TRY004
    return value


def _whole(value: object) -> int:
    """Read a 64-bit integer, written as a number or as a string."""
    if isinstance(value, str) and len(value) <= _MAX_INTEGER_DIGITS:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    msg = "an integer was expected"
    raise ValueError(msg)


def _nanoseconds(parent: _Object, name: str) -> int:
    value = parent.get(name)
    if value is None:
        return 0
    nanoseconds = _whole(value)
    if not 0 <= nanoseconds <= _MAX_UINT64:
        msg = f"{name} is out of range"
        raise ValueError(msg)
    return nanoseconds


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        msg = "a number was expected"
        raise ValueError(msg)  # noqa: TRY004
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _value(value: _Object) -> AttributeValue:
    if "stringValue" in value:
        return _text(value, "stringValue")
    if "intValue" in value:
        return _whole(value["intValue"])
    if "doubleValue" in value:
        return _real(value["doubleValue"])
    if "boolValue" in value:
        return bool(value["boolValue"])
    if value.keys() & {"arrayValue", "kvlistValue", "bytesValue"}:
        return NESTED
    return None


def _attributes(parent: _Object) -> Attributes:
    return {
        _text(pair, "key"): _value(_object(pair.get("value")))
        for pair in _objects(parent, "attributes")
    }


def _groups(
    request: _Object, outer: str, inner: str, items: str
) -> Iterator[tuple[Attributes, _Object]]:
    """Yield every item with the attributes of its resource and scope."""
    for group in _objects(request, outer):
        resource = _attributes(_object(group.get("resource")))
        for scoped in _objects(group, inner):
            context = resource | _attributes(_object(scoped.get("scope")))
            for item in _objects(scoped, items):
                yield context, item


def _logs(request: _Object) -> Iterator[LogRecord]:
    for context, record in _groups(request, "resourceLogs", "scopeLogs", "logRecords"):
        yield LogRecord(
            _nanoseconds(record, "timeUnixNano") or _nanoseconds(record, "observedTimeUnixNano"),
            _text(record, "eventName") or _body(record),
            context | _attributes(record),
        )


def _body(record: _Object) -> str:
    value = _value(_object(record.get("body")))
    return value if isinstance(value, str) else ""


def _metrics(request: _Object) -> Iterator[DataPoint]:
    for context, metric in _groups(request, "resourceMetrics", "scopeMetrics", "metrics"):
        for data in ("gauge", "sum", "histogram", "exponentialHistogram", "summary"):
            if data in metric:
                yield from _points(metric, _object(metric[data]), context)


def _points(metric: _Object, data: _Object, context: Attributes) -> Iterator[DataPoint]:
    temporality = data.get("aggregationTemporality")
    seen: Counter[str] = Counter()
    for point in _objects(data, "dataPoints"):
        if _whole(point.get("flags", 0)) & _NO_RECORDED_VALUE:
            continue
        identical = json.dumps(point, sort_keys=True)
        yield DataPoint(
            _text(metric, "name"),
            _text(metric, "unit"),
            _TEMPORALITIES.get(temporality, Temporality.CUMULATIVE)
            if isinstance(temporality, int | str)
            else Temporality.CUMULATIVE,
            _nanoseconds(point, "startTimeUnixNano"),
            _nanoseconds(point, "timeUnixNano"),
            _number(point),
            seen[identical],
            context | _attributes(point),
        )
        seen[identical] += 1


def _number(point: _Object) -> float:
    if "asInt" in point:
        return float(_whole(point["asInt"]))
    return _real(point.get("asDouble", point.get("sum", 0.0)))


def _traces(request: _Object) -> Iterator[Span]:
    for context, span in _groups(request, "resourceSpans", "scopeSpans", "spans"):
        yield Span(
            _text(span, "name"),
            _hex(span, "traceId"),
            _hex(span, "spanId"),
            _nanoseconds(span, "startTimeUnixNano"),
            _nanoseconds(span, "endTimeUnixNano"),
            _object(span.get("status")).get("code") in _STATUS_ERROR,
            context | _attributes(span),
        )


def _hex(parent: _Object, name: str) -> str:
    return bytes.fromhex(_text(parent, name)).hex()
