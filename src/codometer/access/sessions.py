"""Who is signed in, held in memory so that a request costs no look into the database.

Changes of this server are taken over at once, those of others within half a
second. When a session was last used is written down once a minute.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, update

from codometer.access.account import LONGEST_SESSION, Session, read_accounts, read_sessions
from codometer.access.generation import find_generation
from codometer.access.secret import digest
from codometer.store.control_tables import SESSION

if TYPE_CHECKING:
    from codometer.store.control import Control

GENERATION: Final = "accounts"
_USE_IS_NEWS: Final = timedelta(minutes=1)


class KnownSessions:
    """The sessions of an installation, by their digest. Safe to use from several threads."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._generation = -1
        self._sessions: dict[str, Session] = {}
        self._uses: dict[str, datetime] = {}
        self.have_accounts = False
        """Whether anybody could sign in; until then the server is in local mode."""
        self.reload()

    def find(self, secret: str, now: datetime) -> Session | None:
        """Return the session that is good now, and note that it is used."""
        found = self._sessions.get(digest(secret))
        if found is None or not found.is_good(now):
            return None
        if now - found.used >= _USE_IS_NEWS:
            with self._lock:
                self._sessions[found.digest] = replace(found, used=now)
                self._uses[found.digest] = now
        return found

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
        with self._lock, self._control.read() as connection:
            self._generation = find_generation(connection, GENERATION)
            found = {session.digest: session for session in read_sessions(connection)}
            for session, moment in self._uses.items():
                if session in found:
                    found[session] = replace(found[session], used=moment)
            self._sessions = found
            self.have_accounts = bool(read_accounts(connection))
