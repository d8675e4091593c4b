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


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 129, "aaaaaaaaaaaaaaaa", "MyCodometer2026!", "Password12345", "ada.lovelace99"],
)
def test_a_password_that_is_soon_guessed_is_refused(password: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_password(password, "Ada.Lovelace@example.com")
    assert password not in refused.value.message
    assert "12 to 128" in refused.value.hint


def test_words_without_rules_will_do() -> None:
    check_password(GOOD, "ada")
