"""A whole server with a certificate of its own: pages, telemetry, commands."""

import asyncio
import http.client
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest

from codometer.errors import BadSettings
from codometer.operate.simulator.exporter import Endpoint, Exporter, Protocol, ServerGone
from tests.certificates import Authority
from tests.installed import install
from tests.receiving import EXPORT_LOGS, PROTOBUF
from tests.running import CODOMETER, HOST, RunningServer

NAME = "codometer.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    server: RunningServer
    authority: Authority
    environment: dict[str, str]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the server, with the settings of the server and no more."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("CODOMETER_")
        }
        ports = self.server.ports
        own = {
            "CODOMETER_DATA": str(self.server.data),
            "CODOMETER_LISTEN_PORT": str(ports.api),
            **self.environment,
        }
        return subprocess.run(
            [*CODOMETER, *arguments],
            cwd=self.authority.file.parent,
            env={**inherited, **(variables or own)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give a server that only this machine reaches."""
    with securing(tmp_path_factory.mktemp("secured")) as made:
        yield made


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give a server that others reach by its name."""
    folder = tmp_path_factory.mktemp("named")
    install(folder / "data")
    with securing(folder, CODOMETER_LISTEN_URL=f"https://{NAME}") as made:
        yield made


@contextmanager
def securing(folder: Path, **variables: str) -> Iterator[Secured]:
    """Run a server with a certificate for a `with` block."""
    authority = Authority.make(folder)
    own = authority.issue("server", [NAME, "127.0.0.1", "localhost"])
    environment = {
        "CODOMETER_LISTEN_TLS_CERTIFICATE": str(own.certificate),
        "CODOMETER_LISTEN_TLS_KEY": str(own.key),
        **variables,
    }
    trust = ssl.create_default_context(cafile=authority.file)
    server = RunningServer(folder, environment=environment, trust=trust)
    server.start()
    try:
        yield Secured(server=server, authority=authority, environment=environment)
    finally:
        server.stop()


def ask(secured: Secured, host: str) -> http.client.HTTPResponse:
    trust = ssl.create_default_context(cafile=secured.authority.file)
    connection = http.client.HTTPSConnection(
        HOST, secured.server.ports.api, timeout=20, context=trust
    )
    connection.request("GET", "/", headers={"host": host})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_pages_tell_browsers_to_come_with_tls_only(named: Secured) -> None:
    answer = ask(named, NAME)
    assert answer.status == 401
    hsts = answer.headers["strict-transport-security"]
    assert hsts == "max-age=31536000; includeSubDomains"


def test_the_name_of_every_machine_itself_is_not_bound_to_tls(secured: Secured) -> None:
    answer = ask(secured, f"localhost:{secured.server.ports.api}")
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] is None


def test_a_foreign_host_is_refused_over_tls_too(secured: Secured) -> None:
    assert ask(secured, "elsewhere.example").status == 421


def test_telemetry_is_taken_over_tls(secured: Secured) -> None:
    trust = ssl.create_default_context(cafile=secured.authority.file)
    answer = httpx.post(
        f"{secured.server.otlp_url}/v1/logs",
        content=b"",
        headers={"content-type": PROTOBUF},
        verify=trust,
        trust_env=False,
    )
    assert answer.status_code == 200
    credentials = grpc.ssl_channel_credentials(secured.authority.file.read_bytes())
    with grpc.secure_channel(secured.server.grpc_target, credentials) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
        assert call(b"", timeout=20) == b""


def test_what_is_printed_leads_to_tls(named: Secured) -> None:
    log = named.server.read_log()
    ports = named.server.ports
    assert f"Pages      https://{NAME}\n" in log
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT=https://{NAME}:{ports.otlp}" in log
    assert f"OTLP/gRPC  https://{NAME}:{ports.grpc}" in log


def test_commands_beside_the_server_know_it_by_its_certificate(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    own = authority.issue("server", [NAME])  # not the address that they ask
    environment = {
        "CODOMETER_LISTEN_TLS_CERTIFICATE": str(own.certificate),
        "CODOMETER_LISTEN_TLS_KEY": str(own.key),
    }
    trust = ssl.create_default_context(cafile=authority.file)
    trust.check_hostname = False
    server = RunningServer(tmp_path, environment=environment, trust=trust)
    server.start()
    try:
        secured = Secured(server=server, authority=authority, environment=environment)
        done = secured.run("status")
        assert done.returncode == 0, done.stderr
        other = Authority.make(tmp_path, "other").issue("impostor", [NAME])
        changed = {**environment, "CODOMETER_LISTEN_TLS_CERTIFICATE": str(other.certificate)}
        done = Secured(server=server, authority=authority, environment=changed).run("status")
        assert done.returncode == 3
        assert "certificate verify failed" in done.stderr
    finally:
        server.stop()


def test_commands_elsewhere_trust_the_authority_that_they_are_told(secured: Secured) -> None:
    url = secured.server.url
    known = {"CODOMETER_URL": url, "CODOMETER_CA_FILE": str(secured.authority.file)}
    done = secured.run("status", **known)
    assert done.returncode == 0, done.stderr
    done = secured.run("status", CODOMETER_URL=url)
    assert done.returncode == 3
    assert "CODOMETER_CA_FILE=FILE" in done.stderr
    done = secured.run("status", CODOMETER_URL=url, CODOMETER_CA_FILE="/none.pem")
    assert done.returncode == 2
    assert "/none.pem cannot be used" in done.stderr


def test_the_simulator_trusts_the_authority_that_it_is_told(secured: Secured) -> None:
    async def check(ca_file: str) -> None:
        endpoint = Endpoint(
            http=secured.server.otlp_url,
            grpc=f"https://{secured.server.grpc_target}",
            ca_file=ca_file,
        )
        async with Exporter(endpoint, list(Protocol)) as exporter:
            await exporter.check()

    asyncio.run(check(str(secured.authority.file)))
    with pytest.raises(ServerGone, match="nobody takes OTLP over grpc"):
        asyncio.run(check(""))
    with pytest.raises(BadSettings, match="cannot be used"):
        asyncio.run(check("/none.pem"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CODOMETER_LISTEN_TRUSTED_PROXIES", "127.0.0.1"),
        ("CODOMETER_LISTEN_URL", f"https://{NAME}"),
        ("CODOMETER_LISTEN_OTLP_URL", f"https://{NAME}:4318"),
    ],
)
def test_a_server_behind_a_proxy_needs_what_one_on_the_network_does(
    tmp_path: Path, name: str, value: str
) -> None:
    done = serve(tmp_path, **{name: value})
    assert done.returncode == 2
    assert "needs an administrator and a credential for ingest" in done.stderr


def serve(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Try to start a server that cannot start."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("CODOMETER_")
    }
    return subprocess.run(
        [*CODOMETER, "serve", f"--data={folder / 'data'}"],
        cwd=folder,
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bad_certificate_ends_the_start_with_the_reason(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    own, other = authority.issue("server"), authority.issue("other")
    done = serve(
        tmp_path,
        CODOMETER_LISTEN_TLS_CERTIFICATE=str(own.certificate),
        CODOMETER_LISTEN_TLS_KEY=str(other.key),
    )
    assert done.returncode == 2
    assert f"{other.key} is not the key of {own.certificate}" in done.stderr
    assert not (tmp_path / "data").exists()
