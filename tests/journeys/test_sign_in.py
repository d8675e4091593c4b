"""From local mode to a server that other machines reach: the link, sign-in, the commands."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from click.testing import Result

from codometer.cli.edge import ExitStatus
from tests.forms import find_token
from tests.journeys.office import run_codometer
from tests.journeys.test_credentials import send
from tests.running import RunningServer, running

pytestmark = pytest.mark.slow

PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test
NEW: Final = "copper lantern violet moss"
HTML: Final = {"accept": "text/html"}


def set_up(server: RunningServer) -> httpx.Client:
    """Open the link that the server printed, and make the first administrator."""
    found = re.search(r"/join\?link=(\S+)", server.read_log())
    assert found, server.read_log()
    client = httpx.Client(base_url=server.url, headers=HTML, trust_env=False)
    join(client, found[1], "root")
    return client


def join(client: httpx.Client, link: str, login: str, password: str = PASSWORD) -> None:
    """Open a link and do what its page asks for."""
    token = find_token(client.get(f"/join?link={link}").text)
    form = {"link": link, "login": login, "password": password, "form_token": token}
    form["purpose"] = "to see costs"
    assert client.post("/join", data=form).status_code == 303


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
    assert "People sign in at" in server.read_log().rpartition("Codometer listens on")[2]
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
    with httpx.Client(base_url=server.url, headers=HTML, trust_env=False) as ada:
        join(ada, link, "ada")
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
    elsewhere = run_codometer("account", "list", url=server.url, environ={"CODOMETER_DATA": "."})
    assert elsewhere.exit_code == ExitStatus.WRONG_USAGE
    assert "CODOMETER_DATA" in elsewhere.output
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


def test_a_provider_is_taken_away_by_a_command(server: RunningServer) -> None:
    set_up(server).close()
    mine, issuer = {"CODOMETER_DATA": str(server.data)}, "https://login.example.com/tenant"

    def run(*words: str) -> Result:
        return run_codometer("account", *words, url=server.url, environ=mine)

    account = json.loads(run("list", "--format=json").stdout)["accounts"][0]["id"]
    with closing(sqlite3.connect(server.data / "control.sqlite")) as database, database:
        values = (issuer, "sub-1", account, "2026-11-01 00:00:00")
        database.execute("INSERT INTO account_identity VALUES (?, ?, ?, ?)", values)
    listed = run("list", "--format=csv").stdout
    assert issuer in listed
    done = run("disconnect", account, issuer)
    assert (done.exit_code, issuer in done.stdout) == (ExitStatus.DONE, False)
    again = run("disconnect", account, issuer)
    assert again.exit_code == ExitStatus.WRONG_USAGE
    assert "nobody signs in to this account with that provider" in again.stderr


def test_the_commands_help_those_who_cannot_sign_in(server: RunningServer) -> None:
    root = set_up(server)
    mine = {"CODOMETER_DATA": str(server.data)}

    def run(*words: str) -> Any:  # noqa: ANN401 - what click's runner returns
        return run_codometer("account", *words, url=server.url, environ=mine)

    invited = json.loads(run("invite", "--role=viewer", "--format=json").stdout)
    ada = httpx.Client(base_url=server.url, headers=HTML, trust_env=False)
    join(ada, invited["link"].partition("link=")[2], "ada")
    ada_id = json.loads(run("list", "--format=json").stdout)["accounts"][1]["id"]

    changed = run("change", ada_id, "--role=team_lead", "--team=checkout")
    assert "team_lead" in changed.stdout
    assert ada.get("/account").status_code == 303

    reset = json.loads(run("reset", ada_id, "--format=json").stdout)
    join(ada, reset["link"].partition("link=")[2], "", NEW)
    assert ada.get("/account").status_code == 200
    assert "It is good for one person" in run("reset", ada_id).stdout
    assert run("reset", ada_id, "--format=csv").stdout.startswith("link,expires\n")

    assert run("invitations").stdout.count(ada_id) == 2  # of the three, one was used
    open_ = json.loads(run("invitations", "--format=json").stdout)["invitations"][0]
    assert run("invitations", "--format=csv").stdout.startswith("id,account,role")
    assert f"Withdrawn: {open_['id']}." in run("withdraw", open_["id"]).stdout
    assert run("invitations").stdout.count(ada_id) == 1
    assert "no such link" in run("withdraw", open_["id"]).output

    (session,) = json.loads(run("sessions", ada_id, "--format=json").stdout)["sessions"]
    assert run("sessions", "--format=csv").stdout.count("ses_") == 2
    assert session["id"] in run("sessions").stdout
    assert "ended: 1" in run("sign-out", ada_id, f"--session={session['id']}").stdout
    assert ada.get("/account").status_code == 303
    assert json.loads(run("sign-out", ada_id, "--format=json").stdout) == {"ended": 0}
    assert run("sign-out", ada_id, "--format=csv").stdout == "ended\n0\n"
    assert "Nobody is signed in." in run("sessions", ada_id).stdout

    assert run("remove-second-factor", ada_id).exit_code == ExitStatus.WRONG_USAGE
    assert run("sign-out", "acc_none").exit_code == ExitStatus.WRONG_USAGE
    assert "disabled" in run("disable", ada_id, "--format=json").stdout
    assert "There is no link that is good." in run("invitations").stdout
    ada.close()
    root.close()


def test_with_a_provider_the_settings_are_shown_and_no_secret(tmp_path: Path) -> None:
    secret = "shared with the provider only"  # noqa: S105 - of a test
    environment = {
        "CODOMETER_OIDC_COMPANY_ISSUER": "https://127.0.0.1:8443",
        "CODOMETER_OIDC_COMPANY_CLIENT_ID": "codometer",
        "CODOMETER_OIDC_COMPANY_CLIENT_SECRET": secret,
    }
    with running(tmp_path, environment=environment) as server:
        shown = run_codometer("config", "show", url=server.url)
        assert "oidc.company.issuer" in shown.stdout
        assert "https://127.0.0.1:8443" in shown.stdout
        assert secret not in shown.stdout + server.read_log()
        set_up(server).close()
        page = httpx.get(f"{server.url}/sign-in", headers=HTML, trust_env=False)
        assert "Continue with company" in page.text
        away = httpx.get(f"{server.url}/sign-in/with/company", headers=HTML, trust_env=False)
        assert "127.0.0.1" in away.text  # the settings do not let it go inside
        assert "outgoing.allow" in away.text
