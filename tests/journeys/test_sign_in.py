"""From local mode to a server that other machines reach: the link, sign-in, the commands."""

import json
import re
from pathlib import Path
from typing import Final

import httpx
import pytest

from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer
from tests.journeys.test_credentials import send
from tests.running import RunningServer, running

pytestmark = pytest.mark.slow

PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test
HTML: Final = {"accept": "text/html"}


def set_up(server: RunningServer) -> httpx.Client:
    """Open the link that the server printed, and make the first administrator."""
    found = re.search(r"/join\?link=(\S+)", server.read_log())
    assert found, server.read_log()
    client = httpx.Client(base_url=server.url, headers=HTML, trust_env=False)
    form = {"link": found[1], "login": "root", "password": PASSWORD}
    assert client.post("/join", data=form).status_code == 303
    return client


def test_with_the_first_administrator_local_mode_ends(server: RunningServer) -> None:
    assert httpx.get(server.url, headers=HTML, trust_env=False).status_code == 200
    root = set_up(server)
    assert root.get("/").status_code == 200
    root.close()
    answer = httpx.get(f"{server.url}/", headers=HTML, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F")
    without = run_codometer("status", url=server.url, environ={"CODOMETER_DATA": "/nowhere"})
    assert without.exit_code == ExitStatus.WRONG_USAGE
    assert "nobody is signed in" in without.stderr
    server.stop()
    server.start()
    assert "People sign in at" in server.read_log().rpartition("Stop with Ctrl-C")[2]
    assert not httpx.get(server.url, headers=HTML, trust_env=False).is_success


def test_whoever_can_read_the_data_folder_keeps_the_commands(server: RunningServer) -> None:
    set_up(server).close()
    key = server.data / "operator.key"
    assert key.stat().st_mode & 0o777 == 0o600
    mine = {"CODOMETER_DATA": str(server.data)}
    made = run_codometer("credential", "create", "--name=ci", url=server.url, environ=mine)
    assert made.exit_code == ExitStatus.DONE, made.output
    invited = run_codometer(
        *("account", "invite", "--role=viewer", "--team=checkout", "--format=json"),
        url=server.url,
        environ=mine,
    )
    link = json.loads(invited.stdout)["link"].partition("link=")[2]
    form = {"link": link, "login": "ada", "password": PASSWORD}
    with httpx.Client(base_url=server.url, headers=HTML, trust_env=False) as ada:
        assert ada.post("/join", data=form).status_code == 303
        assert "checkout" in ada.get("/account").text
        listed = run_codometer("account", "list", "--format=json", url=server.url, environ=mine)
        ada_id = json.loads(listed.stdout)["accounts"][1]["id"]
        run_codometer("account", "disable", ada_id, url=server.url, environ=mine)
        assert ada.get("/account").status_code == 303
    shown = run_codometer("account", "list", url=server.url, environ=mine)
    assert "root" in shown.stdout
    assert run_codometer(
        "account", "list", "--format=csv", url=server.url, environ=mine
    ).stdout.startswith("id,login,role")
    wrong = {**mine, "CODOMETER_CREDENTIAL": "cdm_pat_wrong"}
    assert run_codometer("status", url=server.url, environ=wrong).exit_code != ExitStatus.DONE
    assert run_codometer("audit", "verify", url=server.url, environ=mine).exit_code == 0
    server.stop()
    assert not key.exists()
    server.start()


def test_with_the_first_administrator_few_people_are_withheld(server: RunningServer) -> None:
    assert send(server, None, **{"user.id": "ada"}).is_success
    question = "/api/v1/query?measures=requests,tokens&by=day"
    alone = httpx.get(server.url + question, trust_env=False).json()
    assert (alone["rows"][0]["requests"], alone["minimum_people"]) == (1, 1)
    root = set_up(server)
    few = root.get(question).json()
    assert (few["rows"][0]["requests"], few["minimum_people"]) == (None, 5)
    assert few["rows"][0]["withheld"] is True
    total = root.get("/api/v1/query?measures=tokens&by=day").json()
    assert total["withheld"] is False
    refused = root.get("/api/v1/query?measures=tokens&where=agent:claude_code")
    assert refused.json()["error"]["code"] == "too_few_people"
    root.close()


def test_no_accounts_yet_is_said(server: RunningServer) -> None:
    assert "nobody needs to sign in" in run_codometer("account", "list", url=server.url).stdout


def test_with_all_that_it_needs_a_server_listens_beyond_loopback(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        set_up(server).close()
        mine = {"CODOMETER_DATA": str(server.data)}
        made = run_codometer(
            "credential", "create", "--name=ci", "--format=csv", url=server.url, environ=mine
        )
        secret = made.stdout.splitlines()[1].split(",")[1]
    wide = {"CODOMETER_LISTEN_HOST": "0.0.0.0", "CODOMETER_LISTEN_URL": "https://codometer.example"}  # noqa: S104 - what is tested
    with running(tmp_path, environment=wide) as server:
        logs = f"{server.otlp_url}/v1/logs"
        assert httpx.post(logs, json={}, trust_env=False).status_code == 401
        bearer = {"authorization": f"Bearer {secret}"}
        assert httpx.post(logs, json={}, headers=bearer, trust_env=False).status_code == 200
        page = httpx.get(server.url, headers={**HTML, "host": "codometer.example"}, trust_env=False)
        assert page.status_code == 303
        assert "max-age" in page.headers["strict-transport-security"]
        foreign = httpx.get(server.url, headers={"host": "evil.example"}, trust_env=False)
        assert foreign.status_code == 421
