import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.access.secret import PREFIXES, Kind, digest, find_kind, hint, make_secret

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("kind", Kind)
def test_a_secret_says_what_it_is_for(kind: Kind) -> None:
    secret = make_secret(kind)
    assert find_kind(secret) is kind
    assert secret.startswith(PREFIXES[kind])
    assert len(secret) == 44


def test_its_end_is_a_checksum_that_anybody_can_compute() -> None:
    secret = make_secret(Kind.INGEST)
    number = 0
    for letter in secret[-6:]:
        number = number * 62 + BASE62.index(letter)
    assert number == zlib.crc32(secret[:-6].encode())


@given(st.integers(0, 43), st.sampled_from(BASE62))
def test_one_wrong_letter_is_noticed(place: int, letter: str) -> None:
    secret = make_secret(Kind.SERVICE)
    wrong = secret[:place] + letter + secret[place + 1 :]
    assert (find_kind(wrong) is None) == (wrong != secret)


@pytest.mark.parametrize("text", ["", "cdm_ing_", "cdm_xyz_" + "a" * 36, "x" * 44, "cdm_ing_é"])
def test_what_is_no_secret_has_no_kind(text: str) -> None:
    assert find_kind(text) is None


def test_no_two_are_alike() -> None:
    assert len({make_secret(Kind.INGEST) for _ in range(1000)}) == 1000


def test_a_hint_shows_too_little_to_use() -> None:
    secret = make_secret(Kind.INGEST)
    assert hint(secret) == f"cdm_ing_…{secret[-4:]}"


def test_a_digest_is_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
