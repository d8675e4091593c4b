import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.serve.exact_json import decimal_text, decode, encode

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@dataclass(frozen=True)
class Point:
    left: int
    right: Decimal | None


def test_a_decimal_keeps_every_digit() -> None:
    amount = Decimal("99999999999999999999999999.000000000001")
    assert encode({"cost": amount}) == '{"cost": 99999999999999999999999999.000000000001}'


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.100000000000", "0.1"),
        ("5.000000000000", "5"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1E-12", "0.000000000001"),
        ("-0.50", "-0.5"),
        ("0", "0"),
    ],
)
def test_a_decimal_is_written_plainly(amount: str, text: str) -> None:
    assert decimal_text(Decimal(amount)) == text


def test_what_is_not_a_number_is_unknown() -> None:
    assert encode([float("nan"), float("inf"), Decimal("NaN"), None]) == "[null, null, null, null]"


def test_instants_are_in_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=45))
    assert encode(datetime(2026, 11, 23, 5, 45, tzinfo=there)) == '"2026-11-23T00:00:00Z"'
    assert encode(datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)) == (
        '"2026-01-02T03:04:05.600000Z"'
    )
    assert encode(date(2026, 11, 23)) == '"2026-11-23"'


def test_a_dataclass_is_an_object_of_its_fields() -> None:
    assert encode((Point(left=1, right=None),)) == '[{"left": 1, "right": null}]'
    assert encode(Path("data")) == '"data"'


def test_with_an_indent_it_reads_like_the_standard_encoder() -> None:
    value = {"a": [1, {"b": []}, "é"], "c": {}}
    assert encode(value, indent=2) == json.dumps(value, indent=2, ensure_ascii=False)


def test_a_type_without_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON"):
        encode(object())


@given(values, st.sampled_from([None, 2]))
def test_what_is_written_is_read_back(value: object, indent: int | None) -> None:
    assert decode(encode(value, indent=indent)) == value
