"""The parts of access, opened together, and the work that keeps them true."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select

from codometer.access.accounts import Accounts
from codometer.access.anchors import ANCHORS_NAME, KEY_NAME, Anchors
from codometer.access.audit import AuditLog
from codometer.access.credentials import Credentials
from codometer.access.federation import Federation, make_rules
from codometer.access.keys import Keys
from codometer.access.known import KnownCredentials
from codometer.access.second_factor import SecondFactors
from codometer.access.sessions import KnownSessions
from codometer.access.settings_record import record_settings
from codometer.access.signing_in import Demand, SigningIn
from codometer.access.tickets import Tickets
from codometer.access.vouching import Vouching
from codometer.configuration import find_client_secret, find_main_keys
from codometer.errors import BadSettings
from codometer.jobs import Periodic
from codometer.privacy.main_key import main_key_source
from codometer.settings import OPERATOR_KEY_NAME, Listen, Settings, pages_url
from codometer.store.control import Control
from codometer.store.control_tables import EVERYTHING, LEGAL_HOLD

_log: Final = logging.getLogger(__name__)

_SECRET_BYTES: Final = 32
_FOLLOW_SECONDS: Final = 0.5
"""Twice in the second that a revocation may take to reach every server."""
_SAVE_SECONDS: Final = 60.0
_SEAL_SECONDS: Final = 86_400.0
_NOTICE_SECONDS: Final = 86_400.0


class NotReadyToListen(BadSettings):
    """The server would be reached from other machines without anybody to prove themselves."""

    code = "not_ready_to_listen"


class Access:
    """Credentials, accounts, keys and the audit log of one installation, on its own database."""

    def __init__(
        self, settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Open the database and begin the log; nothing runs yet.

        Raises:
            StoreUnusable: the database, or the log's key, cannot be used.
            MainKeyUnusable: the main key is missing, or is another one.
            SchemaTooNew: a newer version wrote the database.
        """
        self._now = now
        self._settings = settings
        self._operator_path = settings.data / OPERATOR_KEY_NAME
        self.operator_secret = secrets.token_urlsafe(_SECRET_BYTES)
        """What commands of whoever can read the data folder prove themselves with."""
        self._kept = timedelta(days=settings.retention.audit_days)
        self._closing = ExitStack()
        self.control = Control(settings.data, settings.control.database)
        self._closing.callback(self.control.close)
        try:
            self.audit = AuditLog(self.control, _anchors(settings), now)
            variable, previous = find_main_keys()
            source = main_key_source(
                settings.keys, settings.data, variable=variable, previous=previous
            )
            self.keys = Keys(self.audit, source)
            self.known = KnownCredentials(self.audit)
            self.sessions = KnownSessions(self.control)
        except BaseException:
            self._closing.close()
            raise
        self.credentials = Credentials(self.audit, self.known)
        host = urlsplit(settings.listen.url).hostname or ""
        self.accounts = Accounts(self.audit, self.sessions, SecondFactors(self.keys), host)
        self.vouching = Vouching(self.audit, self.sessions)
        tickets = Tickets(self.audit, self.keys)
        self.signing_in = SigningIn(
            self.accounts,
            tickets,
            has_passwords=settings.sign_in.passwords == "on",
            demand=Demand(settings.sign_in.second_factor),
        )
        try:
            self.federation = self._open_federation(settings, tickets)
        except BaseException:
            self._closing.close()
            raise
        self._jobs = (
            Periodic("credentials", _FOLLOW_SECONDS, self._follow),
            Periodic("uses", _SAVE_SECONDS, self._save_uses),
            Periodic("audit", _SEAL_SECONDS, self._seal),
            Periodic("notices", _NOTICE_SECONDS, self._tell_of_ends),
        )

    def _open_federation(self, settings: Settings, tickets: Tickets) -> Federation:
        base = pages_url(settings.listen)
        providers = {}
        if settings.oidc:
            from codometer.access.openid import Provider  # noqa: PLC0415 - 14 MiB
            from codometer.outgoing import outgoing_client  # noqa: PLC0415 - part of these

            client = outgoing_client(settings.outgoing)
            self._closing.callback(client.close)
            for name, each in settings.oidc.items():
                secret = find_client_secret(name, each)
                provider = Provider(name, each, secret, client, now=self._now)
                providers[name] = (provider, make_rules(name, each))
        return Federation(
            self.accounts,
            tickets,
            providers,
            return_address=lambda name: f"{base}/sign-in/return/{name}",
            has_passwords=self.signing_in.has_passwords,
        )

    def start(self) -> None:
        """Begin to follow other servers, to write down uses, and to let old entries go."""
        self._closing.callback(self._save_uses)
        self._write_operator_key()
        record_settings(self.audit, self._settings)
        for job in self._jobs:
            job.start()
            self._closing.callback(job.stop)

    def close(self) -> None:
        """Write down what is not yet, and let the database go."""
        self._closing.close()

    def check_listening(self, listen: Listen) -> None:
        """Refuse to be reached from other machines, while these could not be told apart.

        Raises:
            NotReadyToListen: it says what to do.
        """
        if not listen.is_public:
            return
        lacking = {
            "an administrator": not self.sessions.have_accounts,
            "a credential for ingest": not self.known.has_ingest(self._now()),
            "an address with https (listen.url)": not listen.url,
        }
        if needed := [what for what, is_lacking in lacking.items() if is_lacking]:
            raise NotReadyToListen(
                "where other machines reach this server, by itself or through a proxy, it needs "
                + " and ".join(needed),
                hint=_HOW_TO_LISTEN,
            )

    def _write_operator_key(self) -> None:
        self._operator_path.unlink(missing_ok=True)
        file = os.open(self._operator_path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "w") as opened:
            opened.write(self.operator_secret)
        self._closing.callback(lambda: self._operator_path.unlink(missing_ok=True))

    def _follow(self) -> None:
        self.known.follow()
        self.sessions.follow()
        self.keys.follow()

    def _save_uses(self) -> None:
        self.known.save_uses()
        self.sessions.save_uses(self._now())

    def _tell_of_ends(self) -> None:
        """Say in the log, at the start and then daily, which credentials end soon."""
        for each in self.credentials.list_ending(self._now()):
            ends = each.secrets[-1].expires.date()
            _log.warning("%s, a credential for %s, ends on %s", each.id, each.kind, ends)
            _log.warning("  renew it: codometer credential rotate %s", each.id)

    def _seal(self) -> None:
        with self.control.read() as connection:
            holds_all = select(LEGAL_HOLD.c.id).where(LEGAL_HOLD.c.kind == EVERYTHING)
            if connection.execute(holds_all).first():
                return
        self.audit.seal(self._now() - self._kept)


_HOW_TO_LISTEN: Final = """start it on this machine first, without listen.url and trusted proxies:
  codometer serve                                  # and open the link that it prints
  codometer credential create --name laptops       # in another terminal
then give it a certificate (listen.tls_certificate, listen.tls_key) or have a proxy with TLS
lead to it, and name the address that people open:
  CODOMETER_LISTEN_URL=https://codometer.example codometer serve --host 0.0.0.0"""


def _anchors(settings: Settings) -> Anchors:
    given = settings.audit
    return Anchors(
        Path(given.anchors_file) if given.anchors_file else settings.data / ANCHORS_NAME,
        Path(given.key_file) if given.key_file else settings.data / KEY_NAME,
    )
