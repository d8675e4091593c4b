"""Two whole servers on one PostgreSQL: what one decides holds at the other within a second."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.office import run_codometer
from tests.postgresql import Postgresql
from tests.running import RunningServer, running

pytestmark = [pytest.mark.slow, pytest.mark.needs("postgresql")]

WITHIN_SECONDS = 1.0


def command(server: RunningServer, *arguments: str) -> Any:  # noqa: ANN401 - a document
    result = run_codometer(*arguments, "--format", "json", url=server.url)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def send(server: RunningServer, secret: str) -> int:
    headers = {"authorization": f"Bearer {secret}"}
    url = f"{server.otlp_url}/v1/logs"
    return httpx.post(url, json={}, headers=headers, trust_env=False).status_code


def seconds_until(server: RunningServer, secret: str, status: int) -> float:
    began = time.monotonic()
    while send(server, secret) != status:
        assert time.monotonic() - began < WITHIN_SECONDS
        time.sleep(0.01)
    return time.monotonic() - began


def test_servers_that_share_a_database_share_credentials_and_the_log(
    tmp_path: Path, postgresql: Postgresql
) -> None:
    shared = {
        "CODOMETER_CONTROL_DATABASE": postgresql.create_database(),
        "CODOMETER_INGEST_CREDENTIALS": "required",
        "CODOMETER_KEY": "0f" * 32,
    }
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with (
        running(tmp_path / "one", environment=shared) as one,
        running(tmp_path / "other", environment=shared) as other,
    ):
        made = command(one, "credential", "create", "--name=laptops")
        seconds_until(other, made["secret"], 200)
        command(one, "credential", "revoke", made["credential"]["id"])
        seconds_until(other, made["secret"], 401)
        for server in (one, other):
            verified = run_codometer("audit", "verify", url=server.url)
            assert verified.exit_code == 0, verified.output
        listed = command(other, "audit", "list")["entries"]
        assert {"credential.create", "credential.revoke"} <= {each["action"] for each in listed}
        assert not (other.data / "control.sqlite").exists()
