import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.privacy.encryption import (
    CannotDecrypt,
    Key,
    KeyRing,
    Purpose,
    key_number,
    lock,
    main_key,
    make_key,
    unlock,
    unwrap,
    wrap,
)

FIRST, SECOND = make_key(1), make_key(2)


@given(plain=st.binary(max_size=200), place=st.text(max_size=40))
def test_what_is_locked_opens_with_its_key_at_its_place(plain: bytes, place: str) -> None:
    assert unlock(FIRST, lock(FIRST, plain, place), place) == plain


def test_two_locks_of_one_text_differ() -> None:
    assert lock(FIRST, b"ada", "here") != lock(FIRST, b"ada", "here")


def test_a_value_says_which_key_locked_it_and_shows_nothing_else() -> None:
    blob = lock(SECOND, b"ada@example.com", "here")
    assert (blob[0], key_number(blob)) == (1, 2)
    assert b"ada" not in blob
    assert len(blob) == 1 + 4 + 12 + len(b"ada@example.com") + 16


@pytest.mark.parametrize(
    "blob",
    [
        lock(FIRST, b"ada", "there"),
        lock(Key(number=1, secret=SECOND.secret), b"ada", "here"),
        b"",
        b"\x01short",
        b"\x02" + lock(FIRST, b"ada", "here")[1:],
        lock(FIRST, b"ada", "here")[:-1],
        lock(FIRST, b"ada", "here")[:-1] + b"\x00\x00",
    ],
    ids=["place", "key", "empty", "short", "version", "cut", "changed"],
)
def test_nothing_else_opens(blob: bytes) -> None:
    with pytest.raises(CannotDecrypt):
        unlock(FIRST, blob, "here")


def test_a_ring_locks_with_the_newest_key_and_opens_with_all() -> None:
    old, ring = KeyRing({Purpose.VAULT: [FIRST]}), KeyRing({Purpose.VAULT: [FIRST, SECOND]})
    assert key_number(ring.encrypt("ada", "here")) == 2
    assert ring.decrypt(old.encrypt("ada", "here"), "here") == "ada"
    with pytest.raises(CannotDecrypt, match="2 is gone"):
        old.decrypt(ring.encrypt("ada", "here"), "here")


def test_a_wrapped_key_belongs_to_its_purpose_number_and_installation() -> None:
    main = main_key(make_key().secret)
    blob = wrap(main, Purpose.VAULT, FIRST, "here")
    assert unwrap(main, Purpose.VAULT, 1, blob, installation="here") == FIRST
    for purpose, number, installation in (
        (Purpose.PSEUDONYM, 1, "here"),
        (Purpose.VAULT, 2, "here"),
        (Purpose.VAULT, 1, "there"),
    ):
        with pytest.raises(CannotDecrypt):
            unwrap(main, purpose, number, blob, installation=installation)


def test_no_key_is_printed() -> None:
    assert FIRST.secret.hex() not in repr(FIRST)
    assert repr(FIRST.secret) not in repr(KeyRing({Purpose.VAULT: [FIRST]}))
