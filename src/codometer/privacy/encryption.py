"""Encryption at rest: one main key locks the other keys, and those lock values.

    main key (a file, a variable or a command)
      └─ a key for each purpose, stored wrapped, numbered so that it can be replaced
           └─ values, each bound to the place where it is stored

A value and a wrapped key look alike:

    0x01 ‖ number of the key (4 bytes) ‖ nonce (12 random bytes) ‖ AES-256-GCM's output

The place is authenticated too, so that nobody can move a value to another row.
A key serves for 2**32 values at most; the vault's has one for each identity,
that of content one for each text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from codometer.errors import CodometerError

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_NUMBER_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = len(_VERSION) + _NUMBER_BYTES
_MAIN_NUMBER: Final = 0


class CannotDecrypt(CodometerError):
    """A value was not locked with this key, was changed, or belongs to another place."""

    code = "cannot_decrypt"


class Purpose(StrEnum):
    """What a key is for. Each has keys of its own."""

    VAULT = "vault"
    """Encrypts what names a person."""
    PSEUDONYM = "pseudonym"
    """Makes pseudonyms."""
    FINGERPRINT = "fingerprint"
    """Makes the ids of content that has identities in it. Never replaced: twice must stay once."""
    CONTENT = "content"
    """Encrypts what people and models wrote, where both sides agreed that it is kept."""
    TOMBSTONE = "tombstone"
    """Makes what is kept of the erased, so that their late data stays out. Never replaced."""
    SECOND_FACTOR = "second_factor"
    """Encrypts what authenticators share with us."""
    TICKET = "ticket"
    """Signs what browsers carry for us for some minutes."""


REPLACEABLE: Final = (Purpose.VAULT, Purpose.PSEUDONYM, Purpose.CONTENT)
"""The purposes whose key can be rotated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key and its number among those of its purpose."""

    number: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of every purpose, the newest last; older ones only open what they locked."""

    keys: Mapping[Purpose, Sequence[Key]]

    def newest(self, purpose: Purpose) -> Key:
        """Return the key that locks from now on."""
        return self.keys[purpose][-1]

    def encrypt(self, text: str, place: str, purpose: Purpose = Purpose.VAULT) -> bytes:
        """Lock a text for the place where it is stored."""
        return lock(self.newest(purpose), text.encode("utf-8", "surrogatepass"), place)

    def decrypt(self, blob: bytes, place: str, purpose: Purpose = Purpose.VAULT) -> str:
        """Return the text that was locked for a place.

        Raises:
            CannotDecrypt: no key of ours locked it, or not for this place.
        """
        number = key_number(blob)
        for key in self.keys[purpose]:
            if key.number == number:
                return unlock(key, blob, place).decode("utf-8", "surrogatepass")
        raise CannotDecrypt(f"the key {number} is gone")


def make_key(number: int = 1) -> Key:
    """Return a key that nobody had before."""
    return Key(number=number, secret=os.urandom(KEY_BYTES))


def main_key(secret: bytes) -> Key:
    """Return the main key, which has no number of its own."""
    return Key(number=_MAIN_NUMBER, secret=secret)


def wrap(main: Key, purpose: Purpose, key: Key, installation: str) -> bytes:
    """Lock a key with the main key, for one installation."""
    return lock(main, key.secret, _place_of(purpose, key.number, installation))


def unwrap(main: Key, purpose: Purpose, number: int, blob: bytes, *, installation: str) -> Key:
    """Return a key that was locked with the main key.

    Raises:
        CannotDecrypt: it was another main key.
    """
    secret = unlock(main, blob, _place_of(purpose, number, installation))
    return Key(number=number, secret=secret)


def lock(key: Key, plain: bytes, place: str) -> bytes:
    """Encrypt bytes for a place."""
    nonce = os.urandom(_NONCE_BYTES)
    head = _VERSION + key.number.to_bytes(_NUMBER_BYTES)
    return head + nonce + AESGCM(key.secret).encrypt(nonce, plain, place.encode())


def unlock(key: Key, blob: bytes, place: str) -> bytes:
    """Decrypt what was encrypted for a place.

    Raises:
        CannotDecrypt: the key, the place or a byte is another one.
    """
    nonce = blob[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
    try:
        if blob[:1] != _VERSION:
            raise ValueError  # noqa: TRY301 - as what is too short to have a nonce
        return AESGCM(key.secret).decrypt(nonce, blob[_HEAD_BYTES + _NONCE_BYTES :], place.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt("this was not locked with this key, for this place") from error


def key_number(blob: bytes) -> int:
    """Return the number of the key that locked a value."""
    return int.from_bytes(blob[len(_VERSION) : _HEAD_BYTES])


def _place_of(purpose: Purpose, number: int, installation: str) -> str:
    return f"wrapped_key|wrapped|{purpose}:{number}|{installation}"
