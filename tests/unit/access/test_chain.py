import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.access.chain import Json, canonical_json, difference, safe_text

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | WHOLE | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_has_one_spelling_that_says_it(value: Json) -> None:
    spelt = canonical_json(value)
    assert json.loads(spelt) == value
    assert canonical_json(json.loads(spelt)) == spelt


def test_the_spelling_is_the_one_of_rfc_8785() -> None:
    value: Json = {"b": [True, None, 1], "a": '\u20ac\n"\\\x0f', "aa": "/"}
    assert canonical_json(value) == '{"a":"€\\n\\"\\\\\\u000f","aa":"/","b":[true,null,1]}'


@pytest.mark.parametrize("value", [1.5, 2**53, {"é": 1}, [b"x"], {"a": (1,)}])
def test_what_has_several_spellings_is_refused(value: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(TypeError):
        canonical_json(value)


@given(st.text())
def test_a_safe_text_is_one_line_without_secrets(text: str) -> None:
    safe = safe_text(f"{text[:100]}cdm_pat_{'Z9' * 18}{text}")
    assert "Z9" not in safe.replace(text, "")
    assert safe.isprintable() or all(ord(each) >= 0x20 for each in safe)
    assert len(safe.splitlines()) == 1
    safe.encode()


@given(st.dictionaries(st.text(st.characters(codec="ascii")), VALUES))
def test_a_difference_can_always_be_written(values: dict[str, Json]) -> None:
    difference(values)
    assert difference(None) == "{}"
