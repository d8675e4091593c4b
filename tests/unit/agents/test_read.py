"""Values are read from whatever type a version sends, and what cannot be read is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.agents.origin import OriginRules, Origins
from codometer.agents.read import (
    json_objects,
    label,
    labels,
    real,
    truth,
    usd,
    usd_from_micros,
    whole,
    wholes,
)
from codometer.model.signal import NESTED, LogRecord, Sheet

if TYPE_CHECKING:
    from codometer.model.signal import AttributeColumns, Attributes, AttributeValue


@pytest.mark.parametrize("value", [691, "691", 691.0])
def test_a_count_comes_as_a_number_or_as_text(value: AttributeValue) -> None:
    assert whole(value) == 691


@pytest.mark.parametrize("value", [-1, "-1", "many", True, NESTED, None, float("nan"), 1e300])
def test_what_is_no_count_is_unknown_and_not_zero(value: AttributeValue) -> None:
    assert whole(value) is None
    assert real(value) is None


def test_yes_and_no_come_as_themselves_or_as_text() -> None:
    assert [truth(value) for value in (True, "true", "false", False)] == [True, True, False, False]
    assert truth("perhaps") is None


def test_a_cost_is_exact_and_the_rounded_one_is_millionths() -> None:
    assert usd(0.0229736) == usd("0.0229736") == 22_973_600_000
    assert usd_from_micros(22_974) == 22_974_000_000
    assert usd("free") is None


@pytest.mark.parametrize("value", ["two\nlines", "a" * 201, "", "  ", NESTED, None])
def test_content_that_strayed_into_a_label_is_unknown(value: AttributeValue) -> None:
    assert label(value) is None


IDENTITIES: list[tuple[Attributes, str | None, str | None]] = [
    ({"user.id": "i", "user.email": "Ada@Example.com"}, "ada@example.com", "email"),
    ({"user.id": "i", "user.email": "a@b.c", "enduser.id": "e"}, "e", "enduser"),
    ({"user.id": "i", "enduser.id": "e", "user.account_id": "user_1"}, "user_1", "account"),
    ({"user.id": "i", "user.account_id": "user_1", "user.account_uuid": "u"}, "u", "account"),
    ({"user.id": "s", "identity.source": "gateway-oidc", "user.account_uuid": "u"}, "s", "subject"),
    ({"user.id": "i"}, "i", "installation"),
    ({}, None, None),
]


@pytest.mark.parametrize(("attributes", "person", "kind"), IDENTITIES)
def test_the_strongest_identity_names_the_person(
    attributes: Attributes, person: str | None, kind: str | None
) -> None:
    origin = Origins(OriginRules()).find("claude_code", attributes)
    assert (origin.person, origin.person_kind) == (person, kind)


def test_resource_attributes_become_dimensions() -> None:
    attributes: Attributes = {"team.id": "payments", "cost_center": "cc-42", "department": "r d"}
    origin = Origins(OriginRules()).find("claude_code", attributes)
    assert (origin.team, origin.cost_center) == ("payments", "cc-42")
    assert origin.resource == (("department", "r d"),)


def test_the_same_answer_is_the_same_origin() -> None:
    origins = Origins(OriginRules())
    again = Origins(OriginRules()).find("claude_code", {"user.id": "i"})
    assert origins.find("claude_code", {"user.id": "i"}) == again
    assert origins.find("claude_code", {"user.id": "j"}).id != again.id


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(NESTED)
NAMES = st.text(st.sampled_from("ab- \t\xa0\u2028\u200bé"), max_size=3) | st.just("a" * 201)
COUNTS = st.integers(-1, 2) | st.integers(10**12 - 1, 10**12 + 1)


@given(st.lists(ANY, min_size=1) | st.lists(NAMES, min_size=1) | st.lists(COUNTS, min_size=1))
def test_a_column_is_read_as_its_values_one_by_one(column: list[AttributeValue]) -> None:
    assert list(labels(column)) == list(map(label, column))
    assert list(wholes(column)) == list(map(whole, column))


def test_what_may_stay_without_a_column_becomes_an_object_for_each() -> None:
    columns: AttributeColumns = {
        "a": ("x", 'say "y"', "two\nlines", None),
        "b": (1, True, float("nan"), NESTED),
    }
    assert json_objects(Sheet("", [log()] * 4, columns), ["a", "b"]) == [
        '{"a":"x","b":1}',
        '{"a":"say \\"y\\"","b":true}',
        None,
        None,
    ]


def log() -> LogRecord:
    return LogRecord(1, "", {})
