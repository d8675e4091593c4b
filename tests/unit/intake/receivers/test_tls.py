"""Certificates that cannot be used: said when the server starts, and why."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codometer.errors import BadSettings
from codometer.intake.receivers.tls import ClientCertificates, Tls, read_certificates
from tests.certificates import Authority


@pytest.fixture
def files(tmp_path: Path) -> Path:
    authority = Authority.make(tmp_path)
    authority.issue("good")
    authority.issue("other")
    now = datetime.now(UTC)
    day = timedelta(days=1)
    authority.issue("ended", begins=now - 2 * day, lasts=day)
    authority.issue("begins", begins=now + day, lasts=day)
    (tmp_path / "text").write_text("no certificate", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("certificate", "key", "complaint"),
    [
        ("none.crt", "good.key", r"listen\.tls_certificate: .*none\.crt cannot be read: no such"),
        ("good.crt", "none.key", r"listen\.tls_key: .*none\.key cannot be read: no such"),
        ("text", "good.key", r"listen\.tls_certificate: .*text has no certificate in PEM"),
        ("good.key", "good.key", r"listen\.tls_certificate: .*good\.key has no certificate in PEM"),
        ("good.crt", "text", r"listen\.tls_key: .*text has no key in PEM"),
        ("good.crt", "other.key", r"listen\.tls_key: .*other\.key is not the key of .*good\.crt"),
        ("ended.crt", "ended.key", r"listen\.tls_certificate: .*ended\.crt ended on 20"),
        ("begins.crt", "begins.key", r"listen\.tls_certificate: .*begins\.crt begins on 20"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_said_at_the_start(
    files: Path, certificate: str, key: str, complaint: str
) -> None:
    with pytest.raises(BadSettings, match=complaint):
        Tls(str(files / certificate), str(files / key))


def test_what_stands_between_certificates_may_be_in_any_language(files: Path) -> None:
    issued = (files / "good.crt").read_bytes()
    written = "# Größe Straße, 東京\n".encode() + issued
    (files / "commented").write_bytes(written)
    authority = read_certificates(str(files / "commented"), "ingest.client_ca")
    tls = Tls(str(files / "good.crt"), str(files / "good.key"))
    clients = ClientCertificates(authority=authority, required=True)
    assert tls.make_context(clients).cert_store_stats()["x509"] == issued.count(b"BEGIN CERT")


def test_an_authority_that_is_none_is_said_at_the_start(files: Path) -> None:
    with pytest.raises(BadSettings, match=r"ingest\.client_ca: .*text has no certificate in PEM"):
        read_certificates(str(files / "text"), "ingest.client_ca")
