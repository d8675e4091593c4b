"""How a credential's secret is spelt: `cdm_<kind>_<30 random characters><checksum>`.

The beginning lets scanners find one that leaked; the checksum (CRC32 in 6
characters, as GitHub's has) tells a slip of the pen from an unknown one, even
offline. 30 characters of 62 are 178 bits: nobody guesses one, so a plain
SHA-256 keeps it.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from enum import StrEnum
from hashlib import sha256
from typing import Final

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH: Final = 30
_CHECKSUM_LENGTH: Final = 6
_SHOWN: Final = 4


class Kind(StrEnum):
    """What a credential is for."""

    INGEST = "ingest"
    PERSONAL = "personal"
    SERVICE = "service"
    SCRAPE = "scrape"


PREFIXES: Final = {
    Kind.INGEST: "cdm_ing_",
    Kind.PERSONAL: "cdm_pat_",
    Kind.SERVICE: "cdm_svc_",
    Kind.SCRAPE: "cdm_scr_",
}
_KINDS: Final = {prefix: kind for kind, prefix in PREFIXES.items()}
_SHAPE: Final = re.compile(rf"(cdm_[a-z]{{3}}_)[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECKSUM_LENGTH}}}")


def make_secret(kind: Kind) -> str:
    """Return a secret that nobody had before."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    text = PREFIXES[kind] + random
    return text + _checksum(text)


def find_kind(secret: str) -> Kind | None:
    """Return what a secret is for; None when it is none, or one with a slip in it."""
    shape = _SHAPE.fullmatch(secret)
    if shape is None or _checksum(secret[:-_CHECKSUM_LENGTH]) != secret[-_CHECKSUM_LENGTH:]:
        return None
    return _KINDS.get(shape[1])


def holds_secret(text: str) -> bool:
    """Say whether something spelt like a secret stands in a text."""
    return _SHAPE.search(text) is not None


def digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def hint(secret: str) -> str:
    """Return what may be shown of a secret: how it begins and ends."""
    return f"{secret[: len(PREFIXES[Kind.INGEST])]}…{secret[-_SHOWN:]}"


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
