"""Checking the audit log against itself, against its seal and against its anchors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from codometer.access import chain
from codometer.access.actions import Action
from codometer.access.audit import AuditLog, Recorded, recorded
from codometer.store.control_tables import AUDIT_ENTRY, AUDIT_HEAD, AUDIT_SEAL, INSTANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from codometer.access.anchors import Anchor

_MOST_FAULTS: Final = 100
_AT_ONCE: Final = 1000


class FaultKind(StrEnum):
    """What can be wrong with a log."""

    CHANGED = "changed"
    MISSING = "missing"
    END_MISSING = "end_missing"
    SEAL = "seal"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, and at which entry it shows."""

    kind: FaultKind
    seq: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was checked and found. `unanchored` is how many entries came after the last anchor."""

    entries: int
    first: int | None
    last: int | None
    sealed: int
    anchors: int
    unanchored: int
    faults: tuple[Fault, ...]


def verify(log: AuditLog) -> Verification:
    """Compute every hash again and compare; the first hundred faults are told."""
    anchors = log.anchors.list_anchors()  # before the entries, which only become more
    with log.control.read() as connection:
        check = _Check(connection, anchors)
        for each in _read(connection):
            check.take(each)
        return check.finish()


def _read(connection: Connection) -> Iterator[Recorded]:
    statement = select(AUDIT_ENTRY).order_by(AUDIT_ENTRY.c.seq)
    options = {"yield_per": _AT_ONCE}
    for row in connection.execute(statement, execution_options=options).mappings():
        yield recorded(row)


class _Check:
    """Follows the chain from its beginning, or from its seal, to its end."""

    def __init__(self, connection: Connection, anchors: Sequence[Anchor]) -> None:
        installation = connection.execute(select(INSTANCE.c.id)).scalar_one()
        seal = connection.execute(select(AUDIT_SEAL.c.seq, AUDIT_SEAL.c.hash)).first()
        begin = (0, chain.first_hash(installation))
        self._sealed: tuple[int, str] = (seal.seq, seal.hash) if seal else begin
        self._head = connection.execute(select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash)).one()
        self._anchors = anchors
        self._anchored: dict[int, set[str]] = {}
        for anchor in anchors:
            if anchor.is_ours:
                self._anchored.setdefault(anchor.seq, set()).add(anchor.hash)
        self._seq, self._hash = self._sealed
        self._seals_told = {begin}
        self._first: int | None = None
        self._count = 0
        self._faults: list[Fault] = []

    def take(self, each: Recorded) -> None:
        """Check the next entry."""
        entry = each.entry
        self._count += 1
        self._first = self._first or entry.seq
        if entry.seq != self._seq + 1:
            where = f"after entry {self._seq} comes entry {entry.seq}"
            self._fault(FaultKind.MISSING, entry.seq, where)
        elif chain.entry_hash(entry, self._hash) != each.hash:
            text = "the entry, or the one before it, is not what was recorded"
            self._fault(FaultKind.CHANGED, entry.seq, text)
        if self._anchored.get(entry.seq, {each.hash}) != {each.hash}:
            self._fault(FaultKind.ANCHOR, entry.seq, "the anchor has another hash")
        if entry.action == Action.AUDIT_SEAL:
            self._seals_told.add(_told_seal(entry.after))
        self._seq, self._hash = entry.seq, each.hash

    def finish(self) -> Verification:
        """Check the end, the seal and the anchors."""
        if (self._seq, self._hash) != tuple(self._head):
            text = f"the log ends with entry {self._seq}, and {self._head.seq} was the last"
            self._fault(FaultKind.END_MISSING, self._seq, text)
        if self._sealed not in self._seals_told:
            text = f"no entry tells of a seal at {self._sealed[0]}"
            self._fault(FaultKind.SEAL, self._sealed[0], text)
        last_anchor = max(self._anchored, default=0)
        if last_anchor > self._seq:
            text = f"an anchor tells of entry {last_anchor}, and the log ends with {self._seq}"
            self._fault(FaultKind.END_MISSING, last_anchor, text)
        if not self._anchored:
            self._fault(FaultKind.ANCHOR, self._seq, "there are no anchors of this server")
        for anchor in self._anchors:
            if not anchor.is_ours:
                text = "an anchor was not made with this server's key"
                self._fault(FaultKind.ANCHOR, anchor.seq, text)
        if self._sealed[1] not in self._anchored.get(self._sealed[0], {self._sealed[1]}):
            text = "the seal has another hash than the anchor"
            self._fault(FaultKind.ANCHOR, self._sealed[0], text)
        return Verification(
            entries=self._count,
            first=self._first,
            last=self._seq if self._count else None,
            sealed=self._sealed[0],
            anchors=len(self._anchors),
            unanchored=max(self._seq - last_anchor, 0),
            faults=tuple(self._faults),
        )

    def _fault(self, kind: FaultKind, seq: int, text: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(Fault(kind=kind, seq=seq, text=text))


def _told_seal(after: str) -> tuple[int, str]:
    try:
        told: Mapping[str, object] = json.loads(after)
        return int(str(told["seq"])), str(told["hash"])
    except (ValueError, KeyError, TypeError):
        return -1, ""
