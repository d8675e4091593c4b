"""Privacy at a running server: what its commands say and do, and what its files hold then."""

import json
import re
import sqlite3
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from codometer.cli.edge import ExitStatus
from tests.forms import find_token
from tests.journeys.office import run_codometer
from tests.journeys.test_sign_in import HTML, PASSWORD
from tests.running import RunningServer

pytestmark = pytest.mark.slow

ADA: Final = {"user.id": "machine-of-ada", "user.account_uuid": "uuid-of-ada"}
GRACE: Final = {"user.id": "machine-of-grace", "user.email": "grace.hopper@example.com"}
TOKENS: Final = 15
"""Of each request."""
NAMES: Final = ("machine-of-", "uuid-of-ada", "grace.hopper")


def send(server: RunningServer, who: dict[str, str], session: str) -> None:
    told = {
        **who,
        "session.id": session,
        "model": "claude-opus-4-5",
        "input_tokens": "10",
        "output_tokens": "5",
        "cost_usd": "0.25",
        "request_id": f"req-{session}",
    }
    record = {
        "timeUnixNano": str(time.time_ns()),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in told.items()
        ],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    answer = httpx.post(f"{server.otlp_url}/v1/logs", json=body, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text


def join(server: RunningServer, profile: str) -> None:
    link = server.read_log().partition("/join?link=")[2].split()[0]
    with httpx.Client(base_url=server.url, headers=HTML, trust_env=False) as client:
        page = client.get(f"/join?link={link}").text
        assert "A person is stored as a pseudonym; the e-mail address is kept encrypted" in page
        token = {"form_token": find_token(page)}
        form = {"link": link, "login": "root", "password": PASSWORD, **token}
        refused = client.post("/join", data={**form, "profile": "nosy"})
        assert refused.status_code == 400
        chosen = {**form, "profile": profile, "purpose": "to see costs"}
        assert client.post("/join", data=chosen).status_code == 303


def command(server: RunningServer, *arguments: str, form: str = "json") -> Any:  # noqa: ANN401 - a document
    mine = {"CODOMETER_DATA": str(server.data)}
    result = run_codometer(*arguments, "--format", form, url=server.url, environ=mine)
    assert result.exit_code == ExitStatus.DONE, result.output
    return json.loads(result.stdout) if form == "json" else result.stdout


def wait_for(server: RunningServer, profile: str) -> None:
    deadline = time.monotonic() + 20
    while command(server, "status")["server"]["privacy"] != profile:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def held(server: RunningServer) -> set[str]:
    files = [path.read_bytes() for path in server.data.parent.rglob("*") if path.is_file()]
    return {name for name in NAMES if any(name.encode() in content for content in files)}


def total(server: RunningServer) -> Any:  # noqa: ANN401 - a number
    """Return what all requests came to, which is exact however few people they are of."""
    found = command(server, "query", "tokens", "cost", "--since", "2d")["rows"][0]
    return found["tokens"], found["cost"]


def test_from_a_machine_of_ones_own_to_an_organisation_that_forgets(
    server: RunningServer, tmp_path: Path
) -> None:
    send(server, ADA, "one")
    send(server, GRACE, "two")
    assert command(server, "privacy", "show")["in_force"]["profile"] == "open"
    before = total(server)
    join(server, "standard")
    wait_for(server, "standard")
    send(server, GRACE, "three")
    server.stop()
    assert held(server) == set()
    server.start()
    assert total(server) == (before[0] + TOKENS, before[1] + before[1] / 2)

    shown = command(server, "person", "show", GRACE["user.email"])["person"]
    assert (shown["sessions"], shown["events"]) == (2, 2)
    file = tmp_path / "grace.zip"
    export = ("person", "export", GRACE["user.email"], "--reason=asked", f"--output={file}")
    assert command(server, *export)["bytes"] == file.stat().st_size
    assert zipfile.is_zipfile(file)
    totals = total(server)
    preview = run_codometer(
        *("person", "forget", GRACE["user.email"], "--reason=asked"),
        url=server.url,
        environ={"CODOMETER_DATA": str(server.data)},
    )
    assert preview.exit_code != 0
    assert shown["person"] in preview.stdout
    forget = ("person", "forget", GRACE["user.email"], "--reason=asked", "--yes")
    assert command(server, *forget)["erased"] is True
    assert total(server) == totals
    send(server, GRACE, "late")
    assert total(server) == totals
    refused = {each["reason"] for each in command(server, "status")["rejects"]}
    assert refused == {"erased"}
    file.unlink()
    server.stop()
    assert held(server) == set()
    server.start()
    assert command(server, "audit", "verify")["whole"] is True


def test_a_hold_is_set_on_what_is_stored_and_lifted(server: RunningServer) -> None:
    send(server, ADA, "one")
    join(server, "strict")
    wait_for(server, "strict")
    reason = "--reason=a claim"
    assert "Nothing is under a legal hold" in command(server, "retention", "show", form="table")
    unknown = ("retention", "hold", "team", "checkout", reason)
    mine = {"CODOMETER_DATA": str(server.data)}
    refused = run_codometer(*unknown, url=server.url, environ=mine)
    assert "nothing is stored of the team checkout" in refused.output
    pseudonym = command(server, "person", "show", "uuid-of-ada")["person"]["person"]
    held = command(server, "retention", "hold", "person", pseudonym, reason)["holds"]
    assert held[0]["subject"] == pseudonym
    assert pseudonym in command(server, "retention", "show", form="csv")
    assert command(server, "retention", "show")["kept"]["detail_days"] == 14
    assert command(server, "retention", "lift", held[0]["id"], reason)["holds"] == []


def test_every_command_says_what_it_did(server: RunningServer) -> None:
    send(server, ADA, "one")
    join(server, "strict")
    wait_for(server, "strict")
    send(server, GRACE, "two")
    assert "strict" in command(server, "status", form="table")
    assert "The privacy profile is strict" in command(server, "config", "show", form="table")
    reason = "--reason=agreed"
    weaker = ("privacy", "change", "--profile=open", reason)
    refused = run_codometer(*weaker, url=server.url, environ={"CODOMETER_DATA": str(server.data)})
    assert refused.exit_code == ExitStatus.WRONG_USAGE
    changed = command(server, *weaker, "--confirm=open", form="table")
    assert "The profile strict is in force" in changed
    assert "Purpose: to see costs" in changed
    assert "the profile becomes open: agreed" in changed
    assert "Not collected" in changed
    called_off = command(server, "privacy", "cancel", reason)
    assert called_off["upcoming"] is None
    assert command(server, "status")["retention"]["detail"] == 0
    assert "2,open" not in command(server, "privacy", "show", form="csv").splitlines()[0]
    ada = command(server, "person", "show", "uuid-of-ada")["person"]
    grace = command(server, "person", "show", GRACE["user.email"])["person"]
    merged = command(server, "person", "merge", ada["person"], grace["person"], reason)["person"]
    assert merged["sessions"] == 2
    split = command(server, "person", "split", grace["person"], reason, form="table")
    assert split.startswith(grace["person"])
    assert "1 session, 1 event and 0 readings" in split
    assert command(server, "person", "show", "uuid-of-ada", form="csv").startswith("person,")
    assert "main.key" in command(server, "keys", "list", form="table")
    assert command(server, "keys", "rotate", "--key=pseudonym", form="csv").count("pseudonym") == 2
    in_use = run_codometer(
        "keys", "delete", "1", url=server.url, environ={"CODOMETER_DATA": str(server.data)}
    )
    assert in_use.exit_code == ExitStatus.WRONG_USAGE
    assert "--yes" in in_use.stderr
    command(server, "keys", "rotate")
    treated = ("person", "treat", GRACE["user.email"], "--as=service", reason)
    assert command(server, *treated)["sessions"] == 1
    assert "as person" in command(server, *treated[:3], "--as=person", reason, form="table")
    server.stop()
    server.start()
    send(server, ADA, "three")
    assert command(server, "person", "show", "uuid-of-ada")["person"]["sessions"] == 2
    answer = run_codometer(
        "person", "show", "nobody", url=server.url, environ={"CODOMETER_DATA": str(server.data)}
    )
    assert answer.exit_code == ExitStatus.WRONG_USAGE


def test_clients_and_readers_only_wait_while_what_is_stored_is_written_anew(
    server: RunningServer,
) -> None:
    for number in range(20):
        send(server, ADA, f"before-{number}")

    def work(number: int) -> None:
        if number % 3:
            send(server, GRACE if number % 2 else ADA, f"meanwhile-{number}")
        else:
            server.query("requests", by="model")

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(work, number) for number in range(120)]
        command(server, "privacy", "change", "--profile=strict", "--reason=caution")
        wait_for(server, "strict")
        command(server, "person", "forget", "uuid-of-ada", "--reason=asked", "--yes")
        for each in done:
            each.result()
    refused = sum(
        each["count"] for each in command(server, "status")["rejects"] if each["reason"] == "erased"
    )
    assert total(server)[0] == (20 + 80 - refused) * TOKENS
    server.stop()
    assert held(server) == set()
    server.start()


def test_commands_confirm_whose_an_account_is_and_tell_who_asked_for_names(
    server: RunningServer,
) -> None:
    join(server, "standard")
    (account,) = command(server, "account", "list")["accounts"]
    link = ("person", "link", account["id"], "--reason=invited in person")
    assert command(server, *link)["linked"]
    again = run_codometer(*link, url=server.url, environ={"CODOMETER_DATA": str(server.data)})
    assert again.exit_code != ExitStatus.DONE
    assert "already" in again.output
    unlink = ("person", "unlink", account["id"], "--reason=has left")
    assert command(server, *unlink, form="table") == f"{account['id']} sees no person's data.\n"
    assert f"{account['id']} is root" in command(server, *link, form="table")
    rows = command(server, *unlink, form="csv").splitlines()
    assert rows == ["account,login,linked", f"{account['id']},root,"]
    assert command(server, "person", "reveals") == {"lent": [], "asked": []}
    told = command(server, "person", "reveals", form="table")
    assert told == "At the moment nobody may ask.\n"
    heads = command(server, "person", "reveals", form="csv").split(",")
    assert heads[:3] == ["asked", "account", "person"]


def test_under_strict_teams_are_told_of_by_weeks_that_are_over(server: RunningServer) -> None:
    send(server, ADA, "one")
    assert command(server, "query", "tokens", "--by", "day", "--by", "team")["rows"]
    join(server, "strict")
    wait_for(server, "strict")
    place = {"CODOMETER_DATA": str(server.data)}
    refused = run_codometer("query", "tokens", "--by", "team", url=server.url, environ=place)
    assert refused.exit_code == ExitStatus.WRONG_USAGE
    said = " ".join(refused.stderr.split())
    assert "Error: a group is told of by whole weeks that are over" in said
    since, until = re.findall(r"(\d{4}-\d\d-\d\d)", said)
    weeks = ("--by", "week", "--by", "team", "--since", since, "--until", until)
    assert command(server, "query", "tokens", *weeks)["minimum_people"] == 10
    assert command(server, "query", "tokens", "--by", "day", "--by", "model")["rows"]
    listed = command(server, "team", "list")
    ends = [date.fromisoformat(listed["period"][name][:10]) for name in ("start", "end")]
    assert [(end.weekday(), (ends[1] - end).days) for end in ends] == [(0, 28), (0, 0)]
    key = (server.data / "operator.key").read_text()
    headers = {"authorization": f"Bearer {key}", "accept": "text/html"}
    page = httpx.get(server.url, headers=headers, trust_env=False, timeout=30)
    assert page.status_code == 200
    assert "<h2>Teams</h2>" in page.text
    assert "Try again" not in page.text
    told = run_codometer("privacy", "show", url=server.url, environ=place).stdout
    assert "by whole weeks that are over" in " ".join(told.split())


def test_what_is_kept_and_what_people_asked_for_are_listed(server: RunningServer) -> None:
    send(server, ADA, "one")
    shown = command(server, "retention", "show", form="table")
    assert "retention.sum_days" in shown
    assert "The next run is due " in shown
    waits = ("person", "requests")
    assert command(server, *waits) == {"requests": []}
    assert "Nobody waits for anything" in command(server, *waits, form="table")
    assert command(server, *waits, form="csv").startswith("id,right,person,asked,")
    mine = {"CODOMETER_DATA": str(server.data)}
    twice = ("--do", "a", "--decline", "b", "--reason", "c")
    for wrong in (("--do", "a"), twice, ("--decline", "a", "--reason", "c")):
        refused = run_codometer(*waits, *wrong, url=server.url, environ=mine)
        assert refused.exit_code == ExitStatus.WRONG_USAGE


def test_an_erasure_that_was_asked_for_is_shown_and_confirmed(server: RunningServer) -> None:
    join(server, "standard")
    wait_for(server, "standard")
    send(server, ADA, "one")
    waits, mine = ("person", "requests"), {"CODOMETER_DATA": str(server.data)}
    pseudonym = command(server, "person", "show", ADA["user.account_uuid"])["person"]["person"]
    with closing(sqlite3.connect(server.data / "control.sqlite")) as control, control:
        control.execute(
            "INSERT INTO subject_request VALUES"
            " ('req_1', 'erasure', ?, 'I leave', '2026-11-02 08:15:00', NULL, NULL, '')",
            [pseudonym],
        )
    erase = (*waits, "--do", "req_1", "--reason", "she left")
    asked = run_codometer(*erase, url=server.url, environ=mine)
    assert "Erase this person for good?" in asked.output
    assert asked.exit_code != ExitStatus.DONE
    assert command(server, *waits)["requests"][0]["person"] == pseudonym
    assert command(server, *erase, "--yes") == {"requests": []}
    gone = run_codometer("person", "show", ADA["user.account_uuid"], url=server.url, environ=mine)
    assert "nothing is stored of such a person" in gone.output
