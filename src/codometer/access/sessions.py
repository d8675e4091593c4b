"""Who is signed in, held in memory so that a request costs no look into the database.

Changes of this server are taken over at once, those of others within half a
second. When a session was last used is written down once a minute.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, update

from codometer.access.account import LONGEST_SESSION, Session, read_accounts, read_sessions
from codometer.access.generation import bump_generation, find_generation
from codometer.access.secret import digest
from codometer.errors import Unauthenticated
from codometer.store.control_tables import SESSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement

    from codometer.access.actor import Actor
    from codometer.access.audit import AuditLog, Change
    from codometer.store.control import Control

GENERATION: Final = "accounts"
_USE_IS_NEWS: Final = timedelta(minutes=1)
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 5


class KnownSessions:
    """The sessions of an installation, by their digest. Safe to use from several threads."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._reloading = threading.Lock()
        self._generation = -1
        self._sessions: dict[str, Session] = {}
        self._uses: dict[str, datetime] = {}
        self.have_accounts = False
        """Whether anybody could sign in; until then the server is in local mode."""
        self.reload()

    def find(self, secret: str, now: datetime, *, is_use: bool = True) -> Session | None:
        """Return the session that is good now, and note that it is used, if it is."""
        found = self._sessions.get(digest(secret))
        if found is None or not found.is_good(now):
            return None
        if is_use and now - found.used >= _USE_IS_NEWS:
            return self._note_use(found.digest, now)
        return found

    def list_sessions(self, now: datetime, *, account_id: str | None = None) -> list[Session]:
        """Return the sessions that are good now, of one account or of all, the oldest first."""
        return [
            each
            for each in self._sessions.values()
            if each.is_good(now) and account_id in {None, each.account.id}
        ]

    @contextmanager
    def changing(self, audit: AuditLog, actor: Actor) -> Iterator[Change]:
        """Give a change of accounts or sessions that every server notices."""
        with audit.change(actor) as change:
            yield change
            bump_generation(change.connection, GENERATION)
        self.reload()

    def save_uses(self, now: datetime) -> None:
        """Write down which were used, and let those go that are over."""
        with self._lock:
            uses, self._uses = self._uses, {}
        with self._control.write() as connection:
            for session, moment in uses.items():
                mine = SESSION.c.digest == session
                connection.execute(update(SESSION).where(mine).values(used=moment))
            connection.execute(delete(SESSION).where(SESSION.c.created < now - LONGEST_SESSION))

    def follow(self) -> None:
        """Take over what other servers changed, if they did."""
        with self._control.read() as connection:
            found = find_generation(connection, GENERATION)
        if found != self._generation:
            self.reload()

    def reload(self) -> None:
        """Read all of them into memory."""
        with self._reloading, self._control.read() as connection:
            self._generation = find_generation(connection, GENERATION)
            found = {session.digest: session for session in read_sessions(connection)}
            self.have_accounts = bool(read_accounts(connection))
            with self._lock:
                for session, moment in self._uses.items():
                    if session in found:
                        found[session] = replace(found[session], used=moment)
                self._sessions = found

    def _note_use(self, session: str, now: datetime) -> Session | None:
        with self._lock:
            found = self._sessions.get(session)  # it may have ended since
            if found is None or not found.is_good(now):
                return None
            self._sessions[session] = replace(found, used=now)
            self._uses[session] = now
            return found


def begin_session(
    change: Change,
    account_id: str,
    address: str,
    *,
    proved: datetime | None,
    created: datetime,
    issuer: str = "",
) -> str:
    """Begin a session and return its secret. `created` is older for one that takes over.

    `issuer` is of the provider that somebody came by.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    change.connection.execute(
        insert(SESSION).values(
            digest=digest(secret),
            id=f"ses_{secrets.token_hex(_ID_BYTES)}",
            account=account_id,
            created=created,
            used=change.time,
            proved=proved,
            address=address,
            issuer=issuer,
        )
    )
    return secret


def renew_session(change: Change, session: Session, *, proved: datetime | None) -> str:
    """Have a session go on under another secret, as after all that raises what it may.

    Raises:
        Unauthenticated: it has ended since.
    """
    if not end_sessions(change, SESSION.c.digest == session.digest):
        raise Unauthenticated("this session is over", hint="sign in again")
    return begin_session(
        change,
        session.account.id,
        session.address,
        proved=proved,
        created=session.created,
        issuer=session.issuer,
    )


def end_sessions(change: Change, which: ColumnElement[bool]) -> int:
    """End sessions and return how many."""
    return change.connection.execute(delete(SESSION).where(which)).rowcount
