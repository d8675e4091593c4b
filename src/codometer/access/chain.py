"""The arithmetic of the audit log: each entry's hash covers the one before it.

    h_0 = SHA-256("codometer-audit-v1" ‖ installation's id)
    h_n = SHA-256(canonical JSON of entry n ‖ h_(n-1))

Canonical JSON is RFC 8785 without fractions: keys in order, no spaces, UTF-8.
Anybody can check an exported log with a dozen lines of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]
"""What a difference may hold. No fractions: they have more than one spelling."""

MAX_TEXT_LENGTH: Final = 500
_DOMAIN: Final = b"codometer-audit-v1"
_MAX_WHOLE: Final = 2**53 - 1
_SECRET: Final = re.compile(r"(cdm_[A-Za-z]{3}_)[0-9A-Za-z_-]+")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, as it is hashed. `time` is UTC with milliseconds; the differences are JSON."""

    seq: int
    time: str
    actor_kind: str
    actor: str
    address: str
    request: str
    action: str
    object: str
    outcome: str
    reason: str
    before: str
    after: str


def first_hash(installation: str) -> str:
    """Return what the chain of an installation begins with."""
    return sha256(_DOMAIN + installation.encode()).hexdigest()


def entry_hash(entry: Entry, previous: str) -> str:
    """Return the hash of an entry that follows the one with the hash `previous`."""
    told: dict[str, Any] = asdict(entry) | {"prev": previous}
    return sha256(canonical_json(told).encode() + bytes.fromhex(previous)).hexdigest()


def canonical_json(value: Json) -> str:
    """Write the one spelling of a value.

    Raises:
        TypeError: it holds something that has several.
    """
    _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def difference(values: Mapping[str, Json] | None) -> str:
    """Write one side of a change, made safe as all texts of an entry are."""
    return canonical_json({key: _safe(value) for key, value in (values or {}).items()})


def safe_text(text: str) -> str:
    """Return a text that holds no secret of ours, ends no line, and is not too long."""
    return _UNPRINTABLE.sub("�", _SECRET.sub(r"\1…", text[:MAX_TEXT_LENGTH]))


def _safe(value: Json) -> Json:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, list):
        return [_safe(item) for item in value]
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    return value


def _check(value: Json) -> None:
    match value:
        case None | bool() | str():
            return
        case int() if abs(value) <= _MAX_WHOLE:
            return
        case list():
            for item in value:
                _check(item)
        case dict() if all(key.isascii() for key in value):
            for item in value.values():
                _check(item)
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical spelling here")
