import base64
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.privacy.encryption import Key, make_key
from codometer.privacy.pseudonym import (
    IdentityKind,
    Pseudonymiser,
    is_pseudonym,
    normalise,
    tombstone,
)

ONE = Pseudonymiser(key=Key(number=1, secret=b"k" * 32), installation="here")
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


def test_a_pseudonym_is_made_as_documented() -> None:
    digest = hmac.digest(b"k" * 32, b"here\0email\0ada@example.com", "sha256")
    expected = "p_" + base64.b32encode(digest).decode()[:20].lower()
    assert ONE.pseudonym(IdentityKind.EMAIL, "Ada@Example.com ") == expected


@given(kind=st.sampled_from(IdentityKind), identity=TEXTS)
def test_a_pseudonym_looks_like_one_and_holds_nothing_of_the_name(
    kind: IdentityKind, identity: str
) -> None:
    made = ONE.pseudonym(kind, identity)
    assert re.fullmatch(r"p_[a-z2-7]{20}", made)
    assert is_pseudonym(made)
    assert made == ONE.pseudonym(kind, normalise(kind, identity))


@pytest.mark.parametrize(
    "other",
    [
        Pseudonymiser(key=make_key(), installation="here"),
        Pseudonymiser(key=ONE.key, installation="there"),
    ],
)
def test_another_key_or_installation_makes_another_pseudonym(other: Pseudonymiser) -> None:
    assert other.pseudonym(IdentityKind.EMAIL, "a@b.c") != ONE.pseudonym(
        IdentityKind.EMAIL, "a@b.c"
    )


def test_the_same_text_of_another_kind_is_another_pseudonym() -> None:
    assert len({ONE.pseudonym(kind, "ada") for kind in IdentityKind}) == len(IdentityKind)


def test_only_addresses_are_the_same_in_any_case() -> None:
    assert normalise(IdentityKind.EMAIL, " \uff21DA@example.com") == "ada@example.com"
    assert normalise(IdentityKind.ENDUSER, "Ada") == "Ada"


@pytest.mark.parametrize(
    "text", ["", "p_", "p_short", "p_" + "a" * 21, "q_" + "a" * 20, "p_" + "A" * 20]
)
def test_what_is_no_pseudonym_is_not_taken_for_one(text: str) -> None:
    assert not is_pseudonym(text)


def test_a_tombstone_tells_nothing_without_its_key() -> None:
    name = ONE.pseudonym(IdentityKind.EMAIL, "a@b.c")
    assert name not in tombstone(ONE.key, name)
    assert tombstone(ONE.key, name) != tombstone(make_key(), name)
