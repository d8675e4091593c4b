"""OTLP JSON bodies to signals.

The protobuf mapping of JSON with OTLP's exceptions: ids in hex, 64-bit
integers as strings or numbers, enumerations as numbers, unknown fields
ignored. The signals equal those that the same request gives in protobuf.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from codometer.errors import Malformed
from codometer.model.signal import (
    MAX_TEXT_LENGTH,
    NESTED,
    DataPoint,
    LogRecord,
    SignalKind,
    Span,
    Temporality,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codometer.model.signal import Attributes, AttributeValue, Signal

_Object = dict[str, Any]

_DATA: Final = {
    "gauge": ("asInt", "asDouble"),
    "sum": ("asInt", "asDouble"),
    "histogram": ("sum",),
    "exponentialHistogram": ("sum",),
    "summary": ("sum",),
}
"""Kinds of metric, and where a data point of one has its value."""

_TEMPORALITIES: Final[dict[int | str | None, Temporality]] = {
    1: Temporality.DELTA,
    2: Temporality.CUMULATIVE,
    "AGGREGATION_TEMPORALITY_DELTA": Temporality.DELTA,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": Temporality.CUMULATIVE,
}
_STATUS_ERROR: Final = (2, "STATUS_CODE_ERROR")
_NO_RECORDED_VALUE: Final = 1
_MAX_UINT64: Final = 2**64 - 1
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")
_HALF_OF_A_PAIR: Final = re.compile("[\ud800-\udfff]")
"""What a client leaves that cuts a text in the middle of an emoji. In protobuf it sends U+FFFD."""


def decode_all(kind: SignalKind, bodies: Iterable[bytes]) -> list[list[Signal] | Malformed]:
    """Return the signals of each export request in order, or why there are none."""
    return [_decode(kind, body) for body in bodies]


def _decode(kind: SignalKind, body: bytes) -> list[Signal] | Malformed:
    if not body:
        return []
    try:
        request = _object(json.loads(body.decode()))
        if kind is SignalKind.LOGS:
            return list(_logs(request))
        if kind is SignalKind.METRICS:
            return list(_metrics(request))
        return list(_traces(request))
    except (ValueError, RecursionError) as error:  # also what json and UTF-8 complain of
        message = f"the body is not an OTLP {kind} request in JSON"
        malformed = Malformed(message, hint="check the exporter's protocol setting")
        malformed.__cause__ = error
        return malformed


class _Unfit(ValueError):
    """Something in the document that OTLP does not have there."""


def _object(value: object) -> _Object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unfit("an object was expected")
    return value


def _objects(parent: _Object, name: str) -> Iterator[_Object]:
    children = parent.get(name)
    if children is None:
        return iter(())
    if not isinstance(children, list):
        raise _Unfit(f"{name} is not an array")
    return map(_object, children)


def _text(parent: _Object, name: str) -> str:
    value = parent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Unfit(f"{name} is not a string")
    return value if value.isascii() else _HALF_OF_A_PAIR.sub("\N{REPLACEMENT CHARACTER}", value)


def _whole(value: object) -> int:
    """Read a 64-bit integer, written as a number or as a string."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _Unfit("an integer was expected")


def _signed(value: object) -> int:
    """Read an integer from the lowest to the highest of 64 bits."""
    number = _whole(value)
    if not _MIN_INT64 <= number <= _MAX_INT64:
        raise _Unfit("an integer is out of range")
    return number


def _nanoseconds(parent: _Object, name: str) -> int:
    value = parent.get(name)
    if value is None:
        return 0
    nanoseconds = _whole(value)
    if not 0 <= nanoseconds <= _MAX_UINT64:
        raise _Unfit(f"{name} is out of range")
    return nanoseconds


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Unfit("a number was expected")
    try:
        return float(value)
    except OverflowError as error:
        raise _Unfit("a number is out of range") from error


def _value(value: _Object) -> AttributeValue:
    given = {name: content for name, content in value.items() if content is not None}
    if "stringValue" in given:
        text = _text(given, "stringValue")
        return text if len(text) <= MAX_TEXT_LENGTH else NESTED
    if "intValue" in given:
        return _signed(given["intValue"])
    if "doubleValue" in given:
        return _real(given["doubleValue"])
    if "boolValue" in given:
        if not isinstance(given["boolValue"], bool):
            raise _Unfit("true or false was expected")
        return given["boolValue"]
    return NESTED if given.keys() & {"arrayValue", "kvlistValue", "bytesValue"} else None


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
        for data, values in _DATA.items():
            yield from _points(metric, _object(metric.get(data)), values, context)


def _points(
    metric: _Object, data: _Object, values: tuple[str, ...], context: Attributes
) -> Iterator[DataPoint]:
    temporality = data.get("aggregationTemporality")
    if not isinstance(temporality, int | str):
        temporality = None
    seen: Counter[object] = Counter()
    for point in _objects(data, "dataPoints"):
        if _whole(point.get("flags") or 0) & _NO_RECORDED_VALUE:
            continue
        start_ns = _nanoseconds(point, "startTimeUnixNano")
        time_ns = _nanoseconds(point, "timeUnixNano")
        value, attributes = _number(point, values), _attributes(point)
        equal = (start_ns, time_ns, value, frozenset(attributes.items()))
        yield DataPoint(
            _text(metric, "name"),
            _text(metric, "unit"),
            _TEMPORALITIES.get(temporality, Temporality.CUMULATIVE),
            start_ns,
            time_ns,
            value,
            seen[equal],
            context | attributes,
        )
        seen[equal] += 1


def _number(point: _Object, names: tuple[str, ...]) -> float:
    for name in names:
        if (value := point.get(name)) is not None:
            return float(_signed(value)) if name == "asInt" else _real(value)
    return 0.0


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
