"""Ids derived from content, so that the same fact has the same id; and who a client says it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import blake2b
from typing import Final, NamedTuple

_SEPARATOR: Final = "\x1f"


def hash64(*parts: object) -> int:
    """Return a 64-bit id of the parts' texts."""
    return int.from_bytes(blake2b(_joined(parts), digest_size=8).digest())


def hash128(*parts: object) -> int:
    """Return a 128-bit id of the parts' texts; its low half is `& LOW_64`."""
    return int.from_bytes(blake2b(_joined(parts), digest_size=16).digest())


def _joined(parts: Iterable[object]) -> bytes:
    # Every event has an id, and `map(str, parts)` would take half as long again.
    return _SEPARATOR.join([f"{part}" for part in parts]).encode("utf-8", "surrogatepass")


LOW_64: Final = 2**64 - 1


SERVICE: Final = "service"
"""The kind of what is no person: a build machine or the like."""


def number_of_person(person: str | None, kind: str | None) -> int | None:
    """Return by which number sums know a person; services are nobody there."""
    return None if person is None or kind == SERVICE else hash64(person)


def number_elsewhere(origin: int, team: str | None, cost_center: str | None) -> int:
    """Return the id of what an origin becomes in another team or cost centre than it said."""
    return hash64(origin, "in", team or "", cost_center or "")


class Identities(NamedTuple):
    """Whom a client names: every identity key that came, and the best of them as the person.

    Pseudonyms, where the privacy profile asks for them. `person_kind` is `subject`,
    `account`, `enduser`, `email` or `installation`, or `SERVICE` where it is no person.
    `repository` is beside them
    because a profile may hide it too. `version` says which policy they were kept under.
    """

    person: str | None = None
    person_kind: str | None = None
    installation: str | None = None
    account_uuid: str | None = None
    account_id: str | None = None
    email: str | None = None
    enduser_id: str | None = None
    repository: str | None = None
    version: int = 0


class Counts(NamedTuple):
    """How much is stored of a person, and from which day to which."""

    sessions: int = 0
    events: int = 0
    readings: int = 0
    first: date | None = None
    last: date | None = None
