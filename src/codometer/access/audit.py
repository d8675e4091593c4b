"""The audit log: what was done, written in the transaction that does it.

    with audit.change(actor) as change:
        change.connection.execute(…)
        change.record(Action.CREDENTIAL_REVOKE, object=credential_id)

Nothing changes without an entry, and no entry stays of what did not happen.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sqlalchemy import and_, delete, func, insert, select, update

from codometer.access import chain
from codometer.access.actions import Action, Outcome
from codometer.access.actor import SYSTEM, Actor
from codometer.errors import BadRequest, CodometerError
from codometer.store.control_tables import AUDIT_ENTRY, AUDIT_HEAD, AUDIT_SEAL, INSTANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import ColumnElement, Connection, RowMapping

    from codometer.access.anchors import Anchors
    from codometer.access.chain import Entry, Json
    from codometer.store.control import Control

_log: Final = logging.getLogger(__name__)

MOST_LISTED: Final = 1000
_INSTALLATION_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An entry as it is read, with its hash."""

    entry: Entry
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries to list: the newest `limit` before the entry `before` that fit all else.

    `actions` and `objects` are alternatives; none of them are all.
    """

    actions: tuple[str, ...] = ()
    actor: str | None = None
    objects: tuple[str, ...] = ()
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 100


class Change:
    """One transaction of the control plane, with what it says of itself."""

    def __init__(self, connection: Connection, actor: Actor, time: datetime) -> None:
        """Become the only writer there is, for as long as the transaction lasts."""
        self.connection = connection
        self.time = time
        self.actor = actor
        row = connection.execute(select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash).with_for_update())
        found = row.first()
        self.head: tuple[int, str] = (found.seq, found.hash) if found else (0, "")
        """Number and hash of the last entry, and no hash before the first."""
        self.has_entries = False
        self.refusal: Callable[[Change], None] | None = None
        """What writes the entry of a change that was refused, after it is undone."""

    def record(
        self,
        action: Action,
        *,
        object: str,  # noqa: A002 - the word of the entry
        outcome: Outcome = Outcome.DONE,
        reason: str = "",
        before: Mapping[str, Json] | None = None,
        after: Mapping[str, Json] | None = None,
    ) -> None:
        """Add an entry. What looks like a secret of ours is cut out of its texts."""
        seq, previous = self.head
        actor = self.actor
        entry = chain.Entry(
            seq=seq + 1,
            time=instant_text(self.time),
            actor_kind=actor.kind,
            actor=chain.safe_text(actor.id),
            address=chain.safe_text(actor.address),
            request=chain.safe_text(actor.request),
            action=action,
            object=chain.safe_text(object),
            outcome=outcome,
            reason=chain.safe_text(reason),
            before=chain.difference(before),
            after=chain.difference(after),
        )
        found = chain.entry_hash(entry, previous)
        self.connection.execute(insert(AUDIT_ENTRY).values(**asdict(entry), hash=found))
        self.connection.execute(update(AUDIT_HEAD).values(seq=entry.seq, hash=found))
        self.head = entry.seq, found
        self.has_entries = True

    def refuse(
        self,
        error: CodometerError,
        action: Action,
        *,
        object: str,  # noqa: A002 - the word of the entry
        reason: str,
    ) -> NoReturn:
        """Undo all of this, record that it was refused, and raise the error."""
        self.refusal = lambda change: change.record(
            action, object=object, reason=reason, outcome=Outcome.REFUSED
        )
        raise error


@dataclass
class AuditLog:
    """The log of one installation. Safe to use from several threads and servers."""

    control: Control
    anchors: Anchors
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Begin the log, if this is the installation's first start."""
        with self.change(SYSTEM) as change:
            if not change.head[1]:
                _begin(change)
        if self.anchors.are_new and not change.has_entries:  # one more server of an installation
            self._anchor(change)

    @contextmanager
    def change(self, actor: Actor) -> Iterator[Change]:
        """Give a transaction that is written when the `with` ends, with its entries, or undone."""
        with self._lock:
            change: Change | None = None
            try:
                with self.control.write() as connection:
                    change = Change(connection, actor, self.now())
                    yield change
            except CodometerError:
                if change is not None and change.refusal is not None:
                    self._record_refusal(change.refusal, actor)
                raise
            if change.has_entries:
                self._anchor(change)

    def _record_refusal(self, refusal: Callable[[Change], None], actor: Actor) -> None:
        with self.control.write() as connection:
            change = Change(connection, actor, self.now())
            refusal(change)
        self._anchor(change)

    def _anchor(self, change: Change) -> None:
        try:
            self.anchors.add(*change.head, instant_text(change.time))
        except OSError:
            # It is done, and must not look as if it were not; a verification tells.
            _log.exception("the audit log could not be anchored")

    def list_entries(self, wanted: Filter) -> list[Recorded]:
        """Return the entries that fit, the newest first, at most `MOST_LISTED`."""
        statement = select(AUDIT_ENTRY).order_by(AUDIT_ENTRY.c.seq.desc())
        statement = statement.where(*_conditions(wanted)).limit(min(wanted.limit, MOST_LISTED))
        with self.control.read() as connection:
            return [recorded(row) for row in connection.execute(statement).mappings()]

    def read_entries(self, wanted: Filter, most: int) -> list[Recorded]:
        """Return the newest `most` entries that fit, however many at a time are listed."""
        found: list[Recorded] = []
        while len(found) < most:
            before = found[-1].entry.seq if found else wanted.before
            limit = min(MOST_LISTED, most - len(found))
            more = self.list_entries(replace(wanted, before=before, limit=limit))
            found += more
            if len(more) < limit:
                break
        return found

    def count(self, before: datetime) -> tuple[int, datetime | None, int]:
        """Return how many entries there are, the time of the oldest, and how many `seal` takes."""
        is_older = AUDIT_ENTRY.c.time < instant_text(before)
        with self.control.read() as connection:
            total = select(func.count(), func.min(AUDIT_ENTRY.c.time)).select_from(AUDIT_ENTRY)
            rows, oldest = connection.execute(total).one()
            due = connection.execute(total.where(is_older)).one()[0]
        return rows, datetime.fromisoformat(oldest) if oldest else None, due

    def seal(self, before: datetime) -> int:
        """Let the entries go that are older than an instant; return how many.

        The last entry always stays, so that the chain has an end to grow at.
        """
        table = AUDIT_ENTRY.c
        with self.change(SYSTEM) as change:
            find = change.connection.execute
            old = and_(table.time < instant_text(before), table.seq < change.head[0])
            seq = find(select(func.max(table.seq)).where(old)).scalar()
            if seq is None:
                return 0
            sealed = find(select(table.hash).where(table.seq == seq)).scalar_one()
            count = find(delete(AUDIT_ENTRY).where(table.seq <= seq)).rowcount
            find(delete(AUDIT_SEAL))
            find(insert(AUDIT_SEAL).values(seq=seq, hash=sealed, sealed=change.time))
            after: dict[str, Json] = {"seq": seq, "hash": sealed, "entries": count}
            change.record(Action.AUDIT_SEAL, object="audit", after=after)
            return count


def check_reason(reason: str) -> None:
    """Refuse what has no reason.

    Raises:
        BadRequest: there is none.
    """
    if not reason.strip():
        raise BadRequest("this needs a reason", hint="it is kept in the audit log", field="reason")


def instant_text(moment: datetime) -> str:
    """Write an instant as entries do: UTC with milliseconds, so that texts sort as times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    table = AUDIT_ENTRY.c
    if wanted.actions:
        yield table.action.in_(wanted.actions)
    if wanted.actor is not None:
        yield table.actor == wanted.actor
    if wanted.objects:
        yield table.object.in_(wanted.objects)
    if wanted.outcome is not None:
        yield table.outcome == wanted.outcome
    if wanted.since is not None:
        yield table.time >= instant_text(wanted.since)
    if wanted.until is not None:
        yield table.time < instant_text(wanted.until)
    if wanted.before is not None:
        yield table.seq < wanted.before


def recorded(row: RowMapping) -> Recorded:
    """Return a row of the table as an entry and its hash."""
    fields: dict[str, Any] = dict(row)
    found: str = fields.pop("hash")
    return Recorded(entry=chain.Entry(**fields), hash=found)


def _begin(change: Change) -> None:
    installation = secrets.token_hex(_INSTALLATION_BYTES)
    change.head = 0, chain.first_hash(installation)
    execute = change.connection.execute
    execute(insert(INSTANCE).values(one=1, id=installation, created=change.time))
    execute(insert(AUDIT_HEAD).values(one=1, seq=0, hash=change.head[1]))
    change.record(Action.AUDIT_BEGIN, object="audit", after={"installation": installation})
