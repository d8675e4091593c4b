"""Ids derived from content, so that the same fact has the same id however often it arrives."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

_SEPARATOR: Final = "\x1f"


def hash64(*parts: object) -> int:
    """Return a 64-bit id of the parts' texts."""
    text = _SEPARATOR.join(map(str, parts))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def hash128(*parts: object) -> int:
    """Return a 128-bit id of the parts' texts; its low half is `& LOW_64`."""
    text = _SEPARATOR.join(map(str, parts))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())


LOW_64: Final = 2**64 - 1
