"""What a server holds of the credentials in memory, to check thousands of requests a second.

Changes of this server are taken over at once, those of others within half a
second (`follow`). What is noted of their use is written down once a minute.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import update

from codometer.access.actions import Action, Outcome
from codometer.access.actor import SYSTEM, truncate_address
from codometer.access.credential import Credential, Secret
from codometer.access.credential_rows import GENERATION, read_credentials
from codometer.access.generation import find_generation
from codometer.access.secret import Kind
from codometer.store.control_tables import CREDENTIAL_SECRET

if TYPE_CHECKING:
    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json

_USE_IS_NEWS: Final = timedelta(minutes=5)
_MOST_REFUSALS: Final = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What a server holds of one secret, to check it without a database."""

    credential: Credential
    secret: Secret


class KnownCredentials:
    """The secrets of all credentials, by their digest. Safe to use from several threads."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._generation = -1
        self._known: dict[str, Known] = {}
        self._lock = threading.Lock()
        self._reloading = threading.Lock()
        self._uses: dict[str, tuple[datetime, str]] = {}
        self._refusals: Counter[tuple[str, str, str]] = Counter()
        self.reload()

    def find(self, secret_digest: str) -> Known | None:
        """Return what is known of a secret, revoked ones included; from memory."""
        return self._known.get(secret_digest)

    def list_known(self) -> list[Known]:
        """Return all that is known; from memory."""
        return list(self._known.values())

    def has_ingest(self, now: datetime) -> bool:
        """Tell whether any client can prove itself."""
        return any(
            known.credential.kind is Kind.INGEST
            and known.credential.revoked is None
            and known.secret.expires > now
            for known in self._known.values()
        )

    def note_use(self, known: Known, address: str, now: datetime) -> None:
        """Remember that a secret was used; `save_uses` writes it down."""
        noted = self._uses.get(known.secret.digest)
        last = noted[0] if noted else known.secret.last_used
        if last is None or now - last >= _USE_IS_NEWS:
            with self._lock:
                self._uses[known.secret.digest] = (now, truncate_address(address))

    def note_refusal(self, reason: str, credential_id: str, address: str) -> None:
        """Count that somebody was refused; `save_uses` writes it down."""
        key = (reason, credential_id, truncate_address(address))
        with self._lock:
            if key not in self._refusals and len(self._refusals) >= _MOST_REFUSALS:
                key = (reason, "", "")
            self._refusals[key] += 1

    def save_uses(self) -> None:
        """Write down what was noted since the last time."""
        with self._lock:
            uses, self._uses = self._uses, {}
            refusals, self._refusals = self._refusals, Counter()
        if not uses and not refusals:
            return
        with self._audit.change(SYSTEM) as change:
            for secret_digest, (moment, address) in uses.items():
                self._save_use(change, secret_digest, moment, address)
            for (reason, credential_id, address), count in refusals.items():
                change.record(
                    Action.CREDENTIAL_REFUSED,
                    object=credential_id or "credential",
                    outcome=Outcome.REFUSED,
                    reason=reason,
                    after={"address": address, "requests": count},
                )
        if uses:
            self.reload()

    def follow(self) -> None:
        """Take over what other servers changed, if they did."""
        with self._audit.control.read() as connection:
            found = find_generation(connection, GENERATION)
        if found != self._generation:
            self.reload()

    def reload(self) -> None:
        """Read all of them into memory."""
        with self._reloading, self._audit.control.read() as connection:
            self._generation = find_generation(connection, GENERATION)
            self._known = {
                secret.digest: Known(credential, secret)
                for credential in read_credentials(connection)
                for secret in credential.secrets
            }

    def _save_use(self, change: Change, secret_digest: str, moment: datetime, address: str) -> None:
        known = self._known.get(secret_digest)
        if known is None:
            return
        table = CREDENTIAL_SECRET.c
        mine = update(CREDENTIAL_SECRET).where(table.digest == secret_digest)
        used = mine.values(last_used=moment, last_address=address)
        if change.connection.execute(used.where(table.last_used.is_(None))).rowcount:
            after: dict[str, Json] = {"hint": known.secret.hint, "address": address}
            change.record(Action.CREDENTIAL_FIRST_USE, object=known.credential.id, after=after)
        else:
            change.connection.execute(used)
