"""Pseudonyms: the same person, the same word, and no way back without the key.

    p_ + base32(HMAC-SHA-256(key, installation ‖ 0 ‖ kind ‖ 0 ‖ normalised identity))[:20]

A plain hash would be none: there are few enough e-mail addresses to try them all.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from codometer.privacy.encryption import Key

_LENGTH: Final = 20
PREFIX: Final = "p_"
_SHAPE: Final = re.compile(rf"p_[a-z2-7]{{{_LENGTH}}}")


class IdentityKind(StrEnum):
    """What an identity is of. The first is the strongest."""

    SUBJECT = "subject"
    ACCOUNT_UUID = "account_uuid"
    ACCOUNT_ID = "account_id"
    ENDUSER = "enduser"
    EMAIL = "email"
    INSTALLATION = "installation"
    REPOSITORY = "repository"


_CASELESS: Final = (IdentityKind.EMAIL,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymiser:
    """Makes the pseudonyms of one installation with one key."""

    key: Key
    installation: str

    def pseudonym(self, kind: IdentityKind, identity: str) -> str:
        """Return the pseudonym of an identity."""
        told = "\0".join((self.installation, kind, normalise(kind, identity)))
        digest = hmac.digest(self.key.secret, told.encode("utf-8", "surrogatepass"), sha256)
        return PREFIX + base64.b32encode(digest).decode()[:_LENGTH].lower()


def is_pseudonym(text: str) -> bool:
    """Tell whether a text looks like a pseudonym."""
    return text.startswith(PREFIX) and _SHAPE.fullmatch(text) is not None


def normalise(kind: IdentityKind, identity: str) -> str:
    """Return the one spelling of an identity."""
    text = unicodedata.normalize("NFKC", identity).strip()  # codespell:ignore normalize
    return text.lower() if kind in _CASELESS else text


def tombstone(key: Key, pseudonym: str) -> str:
    """Return what is kept of a pseudonym that was erased, so that it is known again."""
    return hmac.digest(key.secret, pseudonym.encode(), sha256).hex()
