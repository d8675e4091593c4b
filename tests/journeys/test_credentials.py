"""Credentials at a running server: made by commands, used by clients, ended within a second."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import grpc
import httpx
import pytest
from sqlalchemy import update

from codometer.cli.edge import ExitStatus
from codometer.settings import Settings
from codometer.store.control import Control
from codometer.store.control_tables import AUDIT_ENTRY
from tests.journeys.office import run_codometer
from tests.receiving import EXPORT_LOGS
from tests.running import CODOMETER, RunningServer, running

pytestmark = pytest.mark.slow

_EVENT: Final = {
    "event.name": "api_request",
    "session.id": "s-1",
    "user.id": "installation-1",
    "model": "claude-opus-4-5",
    "input_tokens": "10",
    "output_tokens": "5",
}


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[RunningServer]:
    """Give a server that takes telemetry only with a credential."""
    with running(tmp_path, environment={"CODOMETER_INGEST_CREDENTIALS": "required"}) as started:
        yield started


def command(server: RunningServer, *arguments: str) -> Any:  # noqa: ANN401 - a document
    result = run_codometer(*arguments, "--format", "json", url=server.url)
    assert result.exit_code == ExitStatus.DONE, result.output
    return json.loads(result.stdout)


def send(server: RunningServer, secret: str | None, **attributes: str) -> httpx.Response:
    sent = {**_EVENT, **attributes}
    record = {
        "timeUnixNano": str(time.time_ns()),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in sent.items()
        ],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    return httpx.post(f"{server.otlp_url}/v1/logs", json=body, headers=headers, trust_env=False)


def call(server: RunningServer, secret: str) -> grpc.StatusCode:
    with grpc.insecure_channel(server.grpc_target) as channel:
        try:
            metadata = (("authorization", f"Bearer {secret}"),)
            export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
            export(b"", metadata=metadata, timeout=10)
        except grpc.RpcError as refused:
            code: grpc.StatusCode = refused.code()
            return code
    return grpc.StatusCode.OK


def test_a_credential_lets_its_clients_send_and_says_who_they_are(strict: RunningServer) -> None:
    assert send(strict, None).status_code == 401
    made = command(strict, "credential", "create", "--name=ci", "--team=checkout", "--person=ada")
    assert send(strict, made["secret"]).status_code == 200
    assert send(strict, made["secret"], **{"team.id": "search", "session.id": "s-2"}).is_success
    assert call(strict, made["secret"]) is grpc.StatusCode.OK
    rows = strict.query("requests", by="team")
    assert {row["team"]: row["requests"] for row in rows} == {"checkout": 1, "search": 1}
    assert strict.query("requests", by="person") == [{"person": "ada", "requests": 2}]


def test_a_revoked_credential_is_refused_within_a_second(strict: RunningServer) -> None:
    made = command(strict, "credential", "create", "--name=ci")
    assert call(strict, made["secret"]) is grpc.StatusCode.OK
    command(strict, "credential", "revoke", made["credential"]["id"])
    refused = send(strict, made["secret"])
    assert refused.status_code == 401
    assert refused.json()["message"].startswith("the credential is not known, or was revoked")
    assert call(strict, made["secret"]) is grpc.StatusCode.UNAUTHENTICATED


def test_a_rotated_credential_has_two_good_secrets(strict: RunningServer) -> None:
    old = command(strict, "credential", "create", "--name=ci")
    new = command(strict, "credential", "rotate", old["credential"]["id"], "--overlap=1d")
    assert send(strict, old["secret"]).status_code == send(strict, new["secret"]).status_code == 200
    listed = command(strict, "credential", "list")["credentials"]
    assert len(listed[0]["secrets"]) == 2


def test_credentials_outlive_the_server_that_made_them(strict: RunningServer) -> None:
    made = command(strict, "credential", "create", "--name=ci")
    assert send(strict, made["secret"]).status_code == 200
    strict.stop()
    strict.start()
    assert send(strict, made["secret"]).status_code == 200
    (listed,) = command(strict, "credential", "list")["credentials"]
    assert listed["secrets"][0]["last_used"] is not None
    entries = command(strict, "audit", "list")["entries"]
    actions = [each["action"] for each in entries if each["action"].startswith("credential.")]
    assert actions[:2] == ["credential.first_use", "credential.create"]


def test_what_people_read_of_credentials(server: RunningServer) -> None:
    made = run_codometer("credential", "create", "--name", "laptops", url=server.url)
    secret, _, rest = made.stdout.partition("\n")
    assert secret.startswith("cdm_ing_")
    assert "Nobody can show this secret again" in rest
    assert f'OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer {secret}"' in rest
    listed = run_codometer("credential", "list", url=server.url).stdout
    assert "laptops" in listed
    assert secret not in listed
    assert (
        "id,kind,name" in run_codometer("credential", "list", "--format=csv", url=server.url).stdout
    )
    wrong = run_codometer("credential", "create", "--name=x", "--expires=soon", url=server.url)
    assert wrong.exit_code == ExitStatus.WRONG_USAGE
    scoped = run_codometer(
        *("credential", "create", "--kind=service", "--name=bi"),
        *("--scope=read:status", "--format=csv"),
        url=server.url,
    )
    reading = scoped.stdout.splitlines()[1].split(",")[1]
    allowed, refused = (
        run_codometer(*what, url=server.url, environ={"CODOMETER_CREDENTIAL": reading})
        for what in (["status"], ["query", "tokens"])
    )
    assert allowed.exit_code == ExitStatus.DONE
    assert refused.exit_code == ExitStatus.WRONG_USAGE
    assert "read:aggregates" in refused.stderr
    assert secret[8:] not in server.read_log()


def test_a_credential_of_a_network_that_ends_soon_is_listed_so(server: RunningServer) -> None:
    made = run_codometer(
        *("credential", "create", "--name=office", "--expires=5d"),
        *("--from=10.1.0.0/16", "--from=2001:db8::/32", "--format=json"),
        url=server.url,
    )
    credential = json.loads(made.stdout)["credential"]
    assert credential["addresses"] == ["10.1.0.0/16", "2001:db8::/32"]
    assert "(within 7 days)" in run_codometer("credential", "list", url=server.url).stdout
    rows = run_codometer("credential", "list", "--format=csv", url=server.url).stdout
    assert "within" not in rows
    status = run_codometer("status", url=server.url).stdout
    assert "Credentials that end soon: codometer credential rotate ID" in status
    assert credential["id"] in status


def test_no_credentials_yet_says_how_to_make_one(server: RunningServer) -> None:
    listed = run_codometer("credential", "list", url=server.url)
    assert "codometer credential create" in listed.stdout


def test_the_audit_log_is_verified_and_tampering_ends_with_one(server: RunningServer) -> None:
    command(server, "credential", "create", "--name=ci")
    whole = run_codometer("audit", "verify", url=server.url)
    assert (whole.exit_code, whole.stdout) == (ExitStatus.DONE, "The log is whole: 8 entries.\n")
    shown = run_codometer("audit", "list", url=server.url).stdout
    assert "credential.create" in shown
    exported = run_codometer("audit", "list", "--format=csv", "--limit=1", url=server.url).stdout
    assert len(exported.splitlines()) == 2
    nothing = run_codometer("audit", "list", "--object=none", url=server.url)
    assert nothing.stdout == "Nothing of that kind was done.\n"
    with closing(Control(server.data)) as control, control.write() as connection:
        mine = AUDIT_ENTRY.c.seq == 2
        connection.execute(update(AUDIT_ENTRY).where(mine).values(object="another"))
    broken = run_codometer("audit", "verify", url=server.url)
    assert broken.exit_code == ExitStatus.NO
    assert broken.stdout.startswith("entry 2: ")
    assert "The log is not whole" in broken.stdout
    told = run_codometer("audit", "verify", "--format=json", url=server.url)
    assert told.exit_code == ExitStatus.NO
    assert json.loads(told.stdout)["whole"] is False


def test_beyond_loopback_a_server_stops_with_the_commands_to_run(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    result = subprocess.run(
        [*CODOMETER, "serve", "--host=0.0.0.0", f"--data={settings.data}"],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
        cwd=tmp_path,
    )
    assert result.returncode == ExitStatus.WRONG_USAGE
    assert "an administrator and a credential for ingest" in result.stderr
    assert "https" in result.stderr
    assert "codometer credential create --name laptops" in result.stderr
    assert "Traceback" not in result.stderr
