"""What may not be kept is gone before anybody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.model.signal import NESTED
from codometer.privacy.policy import CONTENT_ATTRIBUTES, MAX_STRANGER_LENGTH
from codometer.privacy.protect import is_name, protect

if TYPE_CHECKING:
    from codometer.model.signal import AttributeColumns, AttributeValue

KNOWN = frozenset({"model", "input_tokens"})


@pytest.mark.parametrize("name", sorted(CONTENT_ATTRIBUTES))
@pytest.mark.parametrize("value", ["hi", 7, True, NESTED])
def test_content_is_dropped_whatever_its_value(name: str, value: AttributeValue) -> None:
    attributes: AttributeColumns = {name: [value], "model": ["claude-opus-5-5"]}
    assert protect(attributes, KNOWN) == []
    assert attributes == {"model": ["claude-opus-5-5"]}


@pytest.mark.parametrize("value", [7, 0.5, True, "eu-west-1", "a" * MAX_STRANGER_LENGTH])
def test_a_stranger_that_cannot_be_prose_is_kept_and_listed(value: AttributeValue) -> None:
    attributes: AttributeColumns = {"new.thing": [value]}
    assert protect(attributes, KNOWN) == ["new.thing"]
    assert attributes == {"new.thing": [value]}


@pytest.mark.parametrize(
    "value",
    [
        "two words",
        "a" * (MAX_STRANGER_LENGTH + 1),
        "/home/ada/shop",
        "ada@example.com",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-ant-secret",
        NESTED,
        None,
    ],
)
def test_a_stranger_that_may_be_prose_or_a_secret_is_only_listed(value: AttributeValue) -> None:
    attributes: AttributeColumns = {"new.thing": [value]}
    assert protect(attributes, KNOWN) == ["new.thing"]
    assert attributes == {}


def test_of_a_stranger_only_the_values_that_may_be_prose_are_not_kept() -> None:
    attributes: AttributeColumns = {"new.thing": ["eu-west-1", "two words", 7]}
    assert protect(attributes, KNOWN) == ["new.thing"]
    assert attributes == {"new.thing": ["eu-west-1", None, 7]}


def test_a_name_that_could_be_prose_is_neither_kept_nor_listed() -> None:
    attributes: AttributeColumns = {"please write a poem": [1]}
    assert protect(attributes, KNOWN) == []
    assert attributes == {}
    assert not is_name("a" * 101)


VALUES = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none())


@given(
    st.dictionaries(
        st.text() | st.sampled_from(sorted(CONTENT_ATTRIBUTES | KNOWN)),
        st.lists(VALUES, min_size=3, max_size=3),
    )
)
def test_protecting_twice_changes_nothing_more(attributes: AttributeColumns) -> None:
    protect(attributes, KNOWN)
    once = dict(attributes)
    protect(attributes, KNOWN)
    assert repr(attributes) == repr(once)
    assert not attributes.keys() & CONTENT_ATTRIBUTES
