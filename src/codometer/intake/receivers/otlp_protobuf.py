"""OTLP protobuf bodies to signals.

The problem: a record of a coding agent has thirty attributes, and to ask a
protobuf library for each of them, object by object, costs more than everything
else that happens to the record until it is on disk.

So attributes are read by the column. upb, protobuf's C parser, reads the wire
but leaves attributes as bytes (see `otlp_wire.proto`). Records of one name with
the same number of attributes are laid under each other, those of many requests
at once; then the bytes in a column begin alike, with the key, and most columns
have few different values. Those are read together, by one comprehension for
their type, and dealt out to the records. What all records of a request begin
with, alike, such as who sent them, is read once.

What is not as clients usually write it is read one by one with upb, whose
reading the tests hold all of this against.
"""

from __future__ import annotations

import struct
import sys
from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from codometer.errors import Malformed
from codometer.intake.receivers import otlp_wire_pb2 as wire
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
    from collections.abc import Iterable, Iterator, Sequence

    from codometer.model.signal import Attributes, AttributeValue, Signal

_TEMPORALITIES: Final = {1: Temporality.DELTA, 2: Temporality.CUMULATIVE}
_NO_RECORDED_VALUE: Final = 1
"""The bit of a point's `flags` that says it carries no value."""
_STATUS_ERROR: Final = 2

_TAG_KEY, _TAG_VALUE = 0x0A, 0x12
_TAG_STRING, _TAG_INTEGER, _TAG_DOUBLE = 0x0A, 0x18, 0x21
_CONTINUED: Final = 0x80
"""From this on, a byte of a number on the wire says that another follows."""
_CONTINUED_BYTES: Final = bytes(range(_CONTINUED, 0x100))

_MAX_REMEMBERED_BYTES: Final = 16 * 2**20
_MAX_REMEMBERED_LENGTH: Final = 256
_MAX_HEADS: Final = 4096
_NOVEL_COLUMNS: Final = 15


def decode_all(kind: SignalKind, bodies: Sequence[bytes]) -> list[list[Signal] | Malformed]:
    """Return the signals of each export request in order, or why there are none.

    Many requests at once cost less than one after the other.
    """
    try:
        return _decode_together(kind, bodies)
    except (DecodeError, UnicodeDecodeError) as error:
        if len(bodies) > 1:  # one of them spoils it for the others
            return [outcome for body in bodies for outcome in decode_all(kind, [body])]
        return [_malformed(kind, error)]


def read_attribute(raw: bytes) -> tuple[str, AttributeValue]:
    """Read one serialised KeyValue with upb: the meaning that every short cut must equal."""
    pair = wire.KeyValue.FromString(raw)
    which = pair.value.WhichOneof("value")
    if which is None or which == "string_value_strindex":
        return pair.key, None
    value = getattr(pair.value, which)
    if isinstance(value, bytes) or (isinstance(value, str) and len(value) > MAX_TEXT_LENGTH):
        return pair.key, NESTED
    return pair.key, value


def _malformed(kind: SignalKind, cause: Exception) -> Malformed:
    message = f"the body is not an OTLP {kind} request in protobuf"
    malformed = Malformed(message, hint="check the exporter's protocol setting")
    malformed.__cause__ = cause
    return malformed


def _decode_together(kind: SignalKind, bodies: Iterable[bytes]) -> list[list[Signal] | Malformed]:
    sheets = _Sheets()
    outcomes: list[list[Signal] | Malformed] = []
    for body in bodies:
        try:
            if kind is SignalKind.LOGS:
                outcomes.append(list(_logs(wire.Logs.FromString(body), sheets)))
            elif kind is SignalKind.METRICS:
                outcomes.append(list(_metrics(wire.Metrics.FromString(body), sheets)))
            else:
                outcomes.append(list(_traces(wire.Traces.FromString(body), sheets)))
        except DecodeError as error:
            outcomes.append(_malformed(kind, error))
    sheets.fill()
    return outcomes


_Row = tuple["Attributes", list[bytes]]


class _Sheets:
    """Attributes of many signals, laid under each other by what they are likely to be."""

    def __init__(self) -> None:
        self._sheets: defaultdict[tuple[str, int], list[_Row]] = defaultdict(list)

    def add(self, name: str, raw: list[bytes], context: Attributes) -> Attributes:
        """Lay serialised KeyValues down; return where `fill` will put their meaning.

        Signals of one name likely have the same attributes. Of two of the same
        key the later one has the say, and the context's has none.
        """
        attributes = context.copy()
        self._sheets[name, len(raw)].append((attributes, raw))
        return attributes

    def fill(self) -> None:
        """Read all that was added.

        Raises:
            DecodeError, UnicodeDecodeError: some of it is no KeyValue.
        """
        for rows in self._sheets.values():
            try:
                _fill(rows)
            except _Mixed:
                _fill_mixed(rows)


class _Mixed(Exception):
    """The keys in a column differ, or are not written as usual."""


def _fill(rows: Sequence[_Row]) -> None:
    columns = list(map(_read_column, zip(*(raw for _, raw in rows), strict=True)))
    # By the column here too: to update each row's dict with its pairs takes twice as long.
    for key, values in columns:
        for (attributes, _), value in zip(rows, values, strict=True):
            attributes[key] = value


def _fill_mixed(rows: Sequence[_Row]) -> None:
    by_heads: defaultdict[tuple[bytes | None, ...], list[_Row]] = defaultdict(list)
    for row in rows:
        by_heads[tuple(map(_find_head, row[1]))].append(row)
    for heads, alike in by_heads.items():
        if None in heads:
            for attributes, raw in alike:
                attributes.update(map(read_attribute, raw))
        else:
            _fill(alike)


def _find_head(raw: bytes) -> bytes | None:
    """Find the beginning of a KeyValue as usually written: its key, and that a value follows."""
    if len(raw) < 3 or raw[0] != _TAG_KEY or raw[1] >= _CONTINUED:
        return None
    head = raw[: raw[1] + 3]
    return head if len(head) == raw[1] + 3 and head[-1] == _TAG_VALUE else None


@lru_cache(maxsize=_MAX_HEADS)
def _read_key(head: bytes) -> str:
    """Read the key in a head: the very object that the code has as a constant, found quickly."""
    return sys.intern(head[2:-1].decode())


class _Memory(dict[bytes, dict[bytes, "AttributeValue"]]):
    """What KeyValues mean that came more than once: by their head, then by all their bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0
        self._novel: dict[bytes, int] = {}

    def is_novel(self, head: bytes) -> bool:
        """Tell whether values of a head were new of late, so that to look them up is in vain."""
        columns = self._novel.get(head, 0)
        if columns:
            self._novel[head] = columns - 1
        return columns > 0

    def miss(self, head: bytes) -> None:
        """Take the values of the next columns of a head for new."""
        if len(self._novel) < _MAX_HEADS or head in self._novel:
            self._novel[head] = _NOVEL_COLUMNS

    def keep(self, head: bytes, known: dict[bytes, AttributeValue], more: int) -> None:
        """Remember what is known of a head, which grew by this many bytes; forget if it is much."""
        self._bytes += more
        if self._bytes <= _MAX_REMEMBERED_BYTES:
            self[head] = known
        else:
            self.clear()
            self._bytes = 0


_memory: Final = _Memory()


def _read_column(raws: Sequence[bytes]) -> tuple[str, Sequence[AttributeValue]]:
    """Read KeyValues of one key, and return the key and their values in the same order."""
    head = _find_head(raws[0])
    if head is None:
        raise _Mixed
    key = _read_key(head)
    if _memory.is_novel(head):
        return key, _read_values(raws, head)
    try:
        return key, list(map(_memory[head].__getitem__, raws))
    except KeyError:
        known = _memory.get(head, {})
    new = list(set(raws).difference(known))
    if 2 * len(new) > len(raws) or max(map(len, new)) > _MAX_REMEMBERED_LENGTH:
        _memory.miss(head)
        return key, _read_values(raws, head)
    known.update(zip(new, _read_values(new, head), strict=True))
    _memory.keep(head, known, sum(map(len, new)))
    return key, list(map(known.__getitem__, raws))


def _read_values(raws: Sequence[bytes], head: bytes) -> Sequence[AttributeValue]:
    """Read KeyValues that begin with this head; the length of a value and the value follow it.

    All at once if each is one field of the same type in under 128 bytes, else one by one.
    """
    start = len(head)
    tag = raws[0][start + 1] if len(raws[0]) > start + 1 else 0
    end = start + (3 if tag == _TAG_STRING else 2)
    if tag == _TAG_STRING and (texts := _cut(raws, head)):
        return texts
    forms = {(len(raw) - start - 1, raw[:end]) for raw in raws}
    if not all(form.startswith(head) for _, form in forms):
        raise _Mixed
    if all(
        1 < size < _CONTINUED and form[start:] == bytes((size, tag, size - 2)[: end - start])
        for size, form in forms
    ):
        if tag == _TAG_STRING:
            return [raw[end:].decode() for raw in raws]
        if tag == _TAG_INTEGER:
            # The tag of a number and its last byte are below 128, and no other. If all values
            # begin and end with such a byte, and have two each together, each is one number.
            fields = b"".join([raw[start + 1 :] for raw in raws])
            below = len(fields.translate(None, _CONTINUED_BYTES))
            lasts = {raw[-1] for raw in raws}
            if below == 2 * len(raws) and max(lasts) < _CONTINUED:
                return wire.Integers.FromString(fields).values[:]
        if tag == _TAG_DOUBLE and {size for size, _ in forms} == {9}:
            return struct.unpack(f"<{len(raws)}d", b"".join([raw[end:] for raw in raws]))
    return [read_attribute(raw)[1] for raw in raws]


def _cut(raws: Sequence[bytes], head: bytes) -> Sequence[str]:
    """Cut texts of one length, such as ids and times, out of KeyValues that differ in nothing else.

    Nothing if they are not like that. Quicker by half than to look at one after the other.
    """
    size = len(raws[0]) - len(head) - 3
    if not 0 <= size < _CONTINUED:
        return ()
    beginning = head + bytes((size + 2, _TAG_STRING, size))
    joined = b"".join(raws)
    if not joined.isascii() or set(map(len, raws)) != {len(raws[0])}:
        return ()
    first, *texts = joined.decode().split(beginning.decode())
    # As many as there are, each of the right length: then nothing is before or between them.
    fits = not first and len(texts) == len(raws) and set(map(len, texts)) == {size}
    return texts if fits else ()


def _context(resource: wire.Resource, scope: wire.Scope) -> Attributes:
    return dict(map(_read_again, (*resource.attributes, *scope.attributes)))


def _read_again(raw: bytes) -> tuple[str, AttributeValue]:
    """Read what comes with every request of a client."""
    return (_remembered if len(raw) <= _MAX_REMEMBERED_LENGTH else read_attribute)(raw)


_remembered: Final = lru_cache(maxsize=16_384)(read_attribute)


def _count_shared(rows: Sequence[Sequence[bytes]]) -> int:
    """Count the attributes that all of several records begin with, alike."""
    if len(rows) < 2:
        return 0
    shared = 0
    for column in zip(*rows, strict=False):
        if column.count(column[0]) < len(column):
            break
        shared += 1
    return shared


def _logs(request: wire.Logs, sheets: _Sheets) -> Iterator[LogRecord]:
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            records = scope_logs.log_records
            rows = [record.attributes[:] for record in records]
            shared = _count_shared(rows)
            context = _context(resource_logs.resource, scope_logs.scope)
            context.update(map(_read_again, rows[0][:shared] if shared else ()))
            for record, raw in zip(records, rows, strict=True):
                name = record.event_name or record.body.string_value
                yield LogRecord(
                    record.time_unix_nano or record.observed_time_unix_nano,
                    name,
                    sheets.add(name, raw[shared:], context),
                )


def _metrics(request: wire.Metrics, sheets: _Sheets) -> Iterator[DataPoint]:
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            context = _context(resource_metrics.resource, scope_metrics.scope)
            for metric in scope_metrics.metrics:
                yield from _points(metric, context, sheets)


def _points(metric: wire.Metric, context: Attributes, sheets: _Sheets) -> Iterator[DataPoint]:
    which = metric.WhichOneof("data")
    if which is None:
        return
    data = getattr(metric, which)
    temporality = _TEMPORALITIES.get(
        getattr(data, "aggregation_temporality", 0), Temporality.CUMULATIVE
    )
    seen: Counter[object] = Counter()
    for point in data.data_points:
        if point.flags & _NO_RECORDED_VALUE:
            continue
        start_ns, time_ns, value = point.start_time_unix_nano, point.time_unix_nano, _number(point)
        raw = point.attributes[:]
        equal = (start_ns, time_ns, value, frozenset(raw))
        yield DataPoint(
            metric.name,
            metric.unit,
            temporality,
            start_ns,
            time_ns,
            value,
            seen[equal],
            sheets.add(metric.name, raw, context),
        )
        seen[equal] += 1


def _number(
    point: wire.NumberDataPoint
    | wire.HistogramDataPoint
    | wire.ExponentialHistogramDataPoint
    | wire.SummaryDataPoint,
) -> float:
    if isinstance(point, wire.NumberDataPoint):
        return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double
    return point.sum


def _traces(request: wire.Traces, sheets: _Sheets) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            context = _context(resource_spans.resource, scope_spans.scope)
            for span in scope_spans.spans:
                yield Span(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == _STATUS_ERROR,
                    sheets.add(span.name, span.attributes[:], context),
                )
