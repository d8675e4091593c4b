"""Tickets: what a browser carries for us for some minutes, and cannot change.

A ticket is signed and not encrypted: whoever carries it can read it. It does for one
errand; `use` makes sure that it does so once, on every server of an installation.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from codometer.access.secret import digest
from codometer.errors import CodometerError
from codometer.privacy.encryption import Purpose
from codometer.store.control_tables import USED_TICKET

if TYPE_CHECKING:
    from codometer.access.audit import AuditLog, Change
    from codometer.access.keys import Keys

_NONCE_BYTES: Final = 16
_LONGEST: Final = 3_000


class TicketNotGood(CodometerError):
    """What the browser brought back is too old, was used, or is not ours."""

    code = "ticket_not_good"
    status = 410


class Errand(StrEnum):
    """What a ticket is for."""

    SECOND_STEP = "second_step"
    PROVIDER = "provider"
    NEW_FACTOR = "new_factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One that is good."""

    content: Mapping[str, str]
    expires: datetime
    digest: str


class Tickets:
    """Issues and reads them. Safe to use from several threads."""

    def __init__(self, audit: AuditLog, keys: Keys) -> None:
        self._audit = audit
        self._keys = keys

    def issue(self, errand: Errand, lifetime: timedelta, **content: str) -> str:
        """Return a ticket, which is fit for a form or a cookie."""
        told = {
            "expires": int((self._audit.now() + lifetime).timestamp()),
            "nonce": secrets.token_hex(_NONCE_BYTES),
            "content": content,
        }
        body = urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()
        return f"{body}.{self._sign(errand, body)}"

    def read(self, errand: Errand, text: str) -> Ticket:
        """Return what a ticket says.

        Raises:
            TicketNotGood: nobody issued it for this, or its time is over.
        """
        body, _, signature = text[:_LONGEST].rpartition(".")
        expected = self._sign(errand, body).encode()
        if not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
            raise TICKET_NOT_GOOD
        told = json.loads(urlsafe_b64decode(body))
        expires = datetime.fromtimestamp(told["expires"], UTC)
        if expires <= self._audit.now():
            raise TICKET_NOT_GOOD
        return Ticket(content=told["content"], expires=expires, digest=digest(text))

    def _sign(self, errand: Errand, body: str) -> str:
        key = self._keys.ring.newest(Purpose.TICKET).secret
        signed = f"{errand}|{body}".encode("utf-8", "replace")
        return hmac.new(key, signed, sha256).hexdigest()


def use_ticket(change: Change, ticket: Ticket) -> None:
    """Let a ticket be good no more, when the change is done.

    Raises:
        TicketNotGood: it was used before.
    """
    run = change.connection.execute
    table = USED_TICKET.c
    run(delete(USED_TICKET).where(table.expires <= change.time))
    if run(select(table.digest).where(table.digest == ticket.digest)).first():
        raise TICKET_NOT_GOOD
    run(insert(USED_TICKET).values(digest=ticket.digest, expires=ticket.expires))


TICKET_NOT_GOOD: Final = TicketNotGood(
    "this page was open for too long, or was used already", hint="begin again"
)
