"""The quick way through protobuf says what OpenTelemetry's own classes say, whatever is sent."""

from __future__ import annotations

from typing import Final

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.errors import Malformed
from codometer.intake.receivers import otlp_protobuf
from codometer.intake.receivers.otlp_protobuf import decode_all
from codometer.model.signal import NESTED, DataPoint, LogRecord, SignalKind
from tests import capture
from tests.oracle import check_damaged, check_requests, damage, plain_walk, told
from tests.otlp import bodies, double, number, text, varint

KINDS: Final = st.sampled_from(SignalKind)


@settings(max_examples=60)  # a few thousand by `make prove`
@given(data=st.data(), kind=KINDS)
def test_a_request_says_what_the_plain_walk_reads(data: st.DataObject, kind: SignalKind) -> None:
    check_requests(kind, data.draw(st.lists(bodies(kind), min_size=1, max_size=4)))


@settings(max_examples=60)  # a few thousand by `make prove`
@given(data=st.data(), kind=KINDS)
def test_a_damaged_request_spoils_only_itself(data: st.DataObject, kind: SignalKind) -> None:
    requests = data.draw(st.lists(bodies(kind), min_size=2, max_size=3))
    place = data.draw(st.integers(0, len(requests) - 1))
    requests[place] = damage(requests[place], data.draw(st.randoms(use_true_random=False)))
    check_damaged(kind, requests)


@pytest.mark.parametrize("name", capture.NAMES)
def test_a_recording_says_what_the_plain_walk_reads(name: str) -> None:
    for kind in SignalKind:
        exports = [each.export().body for each in capture.recorded(name) if each.kind is kind]
        expected = [repr(plain_walk(kind, body)) for body in exports]
        assert [repr(outcome) for outcome in decode_all(kind, exports)] == expected


def logs(*records: bytes) -> bytes:
    return text(1, text(2, b"".join(text(2, record) for record in records)))


def record(*values: bytes, key: bytes = b"k") -> bytes:
    return b"".join(text(6, text(1, key) + text(2, value)) for value in values)


def read(*records: bytes) -> list[object]:
    """Return what each record has as `k`."""
    (signals,) = decode_all(SignalKind.LOGS, [logs(*records)])
    assert isinstance(signals, list)
    assert repr(signals) == repr(plain_walk(SignalKind.LOGS, logs(*records)))
    return [signal.attributes["k"] for signal in signals]


LONG_ONE: Final = varint(1, 2)
TWO_AND_NONE: Final = [
    # Each pair has, together, as many numbers as there are values, but not one each.
    (number(3, 5) + number(3, 6), b""),
    (number(3, 1), varint(3 << 3) + b"\x85", b"\x18\x05" + number(3, 2)),
    (number(3, 5) + b"\x18", b"\x18\x05"),
]


@pytest.mark.parametrize(
    "values",
    [
        [number(3, value) for value in (0, 1, 127, 128, 300, 2**63 - 1, -1, -(2**63))],
        [number(3, 7), b"\x18" + LONG_ONE, number(3, 8)],
        [number(3, 5) + number(3, 6), number(3, 1), number(3, 2)],
        [number(3, 5), text(1, b"five"), double(4, 5.0)],
        [text(1, word) for word in (b"", b"a", b"b" * 125, b"c" * 126, "é".encode())],
        [text(1, b"a") + text(1, b"b"), text(1, b"c")],
        [double(4, 1.5), double(4, float("inf")), double(4, -0.0)],
        [double(4, 1.5), double(4, 2.5) + number(3, 1)],
        [number(2, 1), number(2, 0), number(2, 2)],
        [b"", b"", number(3, 1)],
        [text(5, b""), text(6, b""), text(7, b"bytes")],
        [number(8, 3), text(1, b"a")],
    ],
)
def test_a_column_is_read_as_its_values_one_by_one(values: list[bytes]) -> None:
    read(*map(record, values))


@pytest.mark.parametrize("values", TWO_AND_NONE)
def test_numbers_that_run_into_each_other_are_not_taken_apart_elsewhere(
    values: tuple[bytes, ...],
) -> None:
    request = logs(*map(record, values))
    (outcome,) = decode_all(SignalKind.LOGS, [request])
    try:
        expected = told(plain_walk(SignalKind.LOGS, request))
    except DecodeError:
        assert isinstance(outcome, Malformed)
    else:
        assert told(outcome) == expected


def test_of_two_attributes_of_a_key_the_later_has_the_say() -> None:
    assert read(record(number(3, 1), number(3, 2)), record(number(3, 3), number(3, 3))) == [2, 3]


def test_a_long_text_is_not_kept() -> None:
    assert read(record(text(1, b"a" * 1024)), record(text(1, b"a" * 1025))) == ["a" * 1024, NESTED]


@pytest.mark.parametrize("bad", [b"\xff", b"ab\xc3", b"\xed\xa0\x80"])
def test_text_that_is_not_utf_8_is_malformed_and_harms_no_neighbour(bad: bytes) -> None:
    good = logs(record(text(1, b"fine")), record(text(1, b"well")))
    requests = [good, logs(record(text(1, bad)), record(text(1, b"other"))), good]
    requests.append(logs(record(number(3, 1), key=bad), record(number(3, 2), key=bad)))
    first, second, third, fourth = decode_all(SignalKind.LOGS, requests)
    assert told(first) == told(third)
    assert isinstance(second, Malformed)
    assert isinstance(fourth, Malformed)
    assert "protocol" in second.hint


def test_what_all_records_of_a_request_begin_with_is_said_by_each() -> None:
    alike = record(text(1, b"ada"))
    assert read(alike, alike + record(text(1, b"grace")), alike) == ["ada", "grace", "ada"]
    assert read(alike + record(number(3, 1), key=b"n"), alike + record(number(3, 2), key=b"n")) == [
        "ada",
        "ada",
    ]
    # Not UTF-8, alike in all records, in one request of two.
    broken = logs(*[record(text(1, b"\xff"))] * 2)
    outcomes = decode_all(SignalKind.LOGS, [broken, logs(alike, alike)])
    assert isinstance(outcomes[0], Malformed)
    assert outcomes[1] == plain_walk(SignalKind.LOGS, logs(alike, alike))


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_protobuf, "_MAX_REMEMBERED_BYTES", 100)
    monkeypatch.setattr(otlp_protobuf, "_memory", otlp_protobuf._Memory())  # noqa: SLF001
    for value in range(20):
        records = [record(text(1, b"value %d" % value))] * 4
        assert read(*records, record(text(1, b"other"))) == [*[f"value {value}"] * 4, "other"]
        assert sum(map(len, otlp_protobuf._memory.values())) < 20  # noqa: SLF001


def test_ids_of_one_length_are_told_apart() -> None:
    assert read(*(record(text(1, b"req_%04d" % n)) for n in range(40))) == [
        f"req_{n:04}" for n in range(40)
    ]
    head = text(1, b"k") + b"\x12"
    for odd in (b"req_\x00001", "req_\u00e901".encode(), b"req_001", (head + b"\x08")[:8]):
        values = [b"req_0000", odd, b"req_0002"]
        assert read(*(record(text(1, value)) for value in values)) == [v.decode() for v in values]


def test_keys_of_one_length_with_equal_values_are_told_apart() -> None:
    known, other = record(text(1, b"ada"), key=b"k1"), record(text(1, b"ada"), key=b"k2")
    last = record(number(3, 1), key=b"k")
    for _ in range(2):  # k1 is remembered the second time, and k2 alone is new
        records = (known + last, known + last, known + last, other + last)
        assert read(*records[:2], *records[:2]) == [1] * 4
        assert read(*records) == [1] * 4


def test_values_that_begin_to_repeat_are_still_read() -> None:
    for n in range(3):
        assert read(*(record(text(1, b"%d new %d" % (v, n))) for v in range(3))) == [
            f"{v} new {n}" for v in range(3)
        ]
    for _ in range(40):
        assert read(*[record(text(1, b"old"))] * 3, record(text(1, b"o"))) == [*["old"] * 3, "o"]


def test_equal_points_of_a_metric_are_numbered() -> None:
    point = double(4, 1.5) + text(7, text(1, b"k") + text(2, number(3, 1)))
    other = double(4, 2.5)
    metric = text(1, b"m") + text(7, text(1, point) + text(1, other) + text(1, point))
    (points,) = decode_all(SignalKind.METRICS, [text(1, text(2, text(2, metric)))])
    assert isinstance(points, list)
    assert [(p.value, p.ordinal) for p in points if isinstance(p, DataPoint)] == [
        (1.5, 0),
        (2.5, 0),
        (1.5, 1),
    ]


def test_a_field_that_a_gauge_does_not_have_says_nothing_of_its_temporality() -> None:
    gauge = text(1, b"m") + text(5, text(1, double(4, 1.5)) + number(2, 1))
    check_requests(SignalKind.METRICS, [text(1, text(2, text(2, gauge)))])


def test_no_bodies_and_empty_bodies_say_nothing() -> None:
    for kind in SignalKind:
        assert decode_all(kind, []) == []
        assert decode_all(kind, [b"", b""]) == [[], []]


def test_a_record_without_attributes_is_a_record() -> None:
    (records,) = decode_all(SignalKind.LOGS, [logs(b"", b"")])
    assert records == [LogRecord(0, "", {}), LogRecord(0, "", {})]
