import pytest

from codometer.access.password import check_password, hash_password, is_password
from codometer.errors import BadRequest

GOOD = "marble kettle orbit fern"


def test_a_password_is_kept_as_argon2id_with_a_salt() -> None:
    kept = hash_password(GOOD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert kept != hash_password(GOOD)
    assert is_password(GOOD, kept)
    assert not is_password(GOOD + " ", kept)


def test_nobody_has_no_password_and_a_broken_hash_fits_none() -> None:
    assert not is_password("nobody has this password", None)
    assert not is_password(GOOD, "garbage")


def refuses(password: str, login: str = "ada", host: str = "") -> bool:
    try:
        check_password(password, login, host)
    except BadRequest:
        return True
    return False


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "aaaaaaaaaaaaaaaa",
        "MyCodometer2026!",
        "ada.lovelace99",
        "lovelace kettle orbit",
        "kettle of Acme Ltd",
        "odometers at acmecloud",
    ],
)
def test_a_password_that_is_soon_guessed_is_refused(password: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_password(password, "Ada.Lovelace@acme.example", "numbers.acmecloud.example")
    assert password not in refused.value.message
    assert "12 to 128" in refused.value.hint


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "5 characters"),
        ("abababababababab", "repeats"),
        ("password12345678", "many people"),
        ("lovelace kettle orbit", "lovelace in it"),
        ("odometers at acmecloud", "acme in it"),
    ],
)
def test_what_is_wrong_with_a_password_is_said(password: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        check_password(password, "Ada.Lovelace@acme.example", "numbers.acmecloud.example")


def test_words_without_rules_will_do() -> None:
    check_password(GOOD, "ada", "codometer.example")


def test_short_names_and_the_last_part_of_a_domain_may_be_in_a_password() -> None:
    check_password("ada kettle orbit fern", "ada@orbit", "127.0.0.1")


@pytest.mark.parametrize(
    "password",
    # From the beginning, the middle and the end of the 3,000 most common of 12 characters and
    # more in the "10 million password list": words, walks on a keyboard, names, other alphabets.
    [
        "qwertyuiop[]",
        "1q2w3e4r5t6y",
        "unbelievable",
        "Password1234",
        "PASSWORD1234",
        "trustno1trustno1",
        "ghjcnhfycndj",
        "perasperaadastra",
        "findaupair007",
    ],
)
def test_a_password_that_many_have_is_refused(password: str) -> None:
    assert refuses(password)
