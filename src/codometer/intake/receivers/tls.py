"""The certificate that the ports prove themselves with, and what they ask of their clients.

The files are looked at again while the server runs, for certificates are
renewed every few weeks. New connections get the new one; those that stand are
left alone.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import grpc
from cryptography import x509

from codometer.errors import BadSettings

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Whom the certificate of a client must be signed by, and whether it must have one."""

    authority: bytes
    required: bool


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: bytes
    key: bytes
    ends: datetime


class Tls:
    """A certificate and its key, and what is made of them for each port.

    `renew` may be called from any thread.
    """

    def __init__(
        self,
        certificate: str,
        key: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read both files, in PEM.

        Raises:
            BadSettings: one cannot be used; the message says which and why.
        """
        self._files = (certificate, key)
        self._now = now
        self._pair = self._read()
        self._contexts: list[ssl.SSLContext] = []

    @property
    def ends(self) -> datetime:
        """When the certificate in use ends."""
        return self._pair.ends

    def make_context(self, clients: ClientCertificates | None = None) -> ssl.SSLContext:
        """Return what a port for HTTP needs. It changes when the certificate does."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED if clients.required else ssl.CERT_OPTIONAL
            # Between certificates stands what anybody wrote; they themselves are ASCII.
            authority = clients.authority.decode("ascii", "ignore")
            context.load_verify_locations(cadata=authority)
        _load(context, *self._files)
        self._contexts.append(context)
        return context

    def make_credentials(self, clients: ClientCertificates | None = None) -> grpc.ServerCredentials:
        """Return what a port for gRPC needs. It changes when the certificate does.

        gRPC in Python asks a client for a certificate only where it must have one.
        """
        required = clients if clients and clients.required else None
        told = self._pair

        def configure(pair: _Pair) -> grpc.ServerCertificateConfiguration:
            authority = required.authority if required else None
            chain = [(pair.key, pair.certificate)]
            return grpc.ssl_server_certificate_configuration(chain, root_certificates=authority)

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            nonlocal told
            if told is self._pair:
                return None
            told = self._pair
            return configure(told)

        return grpc.dynamic_ssl_server_credentials(
            configure(told),
            fetch,  # type: ignore[arg-type] # None says that nothing changed
            require_client_authentication=required is not None,
        )

    def renew(self) -> None:
        """Take over files that changed. Those that cannot be used are logged and left alone."""
        try:
            found = self._read()
        except BadSettings as error:
            _log.warning("the certificate stays as it was: %s", error.message)
            return
        if found != self._pair:
            for context in self._contexts:
                _load(context, *self._files)
            self._pair = found
            _log.info("a new certificate is in use, which ends on %s", found.ends.date())

    def _read(self) -> _Pair:
        certificate, key = self._files
        chain = read_certificates(certificate, "listen.tls_certificate")
        content = _read_file(key, "listen.tls_key")
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key)
        first = x509.load_pem_x509_certificates(chain)[0]
        if first.not_valid_after_utc <= self._now():
            raise BadSettings(
                f"listen.tls_certificate: {certificate} ended on"
                f" {first.not_valid_after_utc.date()}",
                hint="renew it",
            )
        if first.not_valid_before_utc > self._now():
            raise BadSettings(
                f"listen.tls_certificate: {certificate} begins on"
                f" {first.not_valid_before_utc.date()}",
                hint="set the clock of this machine, or take another",
            )
        return _Pair(chain, content, first.not_valid_after_utc)


def read_certificates(path: str, setting: str) -> bytes:
    """Return the content of a file of certificates in PEM.

    Raises:
        BadSettings: there is none in it.
    """
    content = _read_file(path, setting)
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise BadSettings(f"{setting}: {path} has no certificate in PEM") from error
    return content


def _read_file(path: str, setting: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise BadSettings(f"{setting}: {path} cannot be read: {reason}") from error


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        # Without a password given OpenSSL would ask for one, at a terminal that nobody sits at.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        why = (
            f"is not the key of {certificate}"
            if error.reason == "KEY_VALUES_MISMATCH"
            else "has no key in PEM, or one that needs a password"
        )
        raise BadSettings(f"listen.tls_key: {key} {why}") from error
