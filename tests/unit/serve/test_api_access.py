"""Credentials and the audit log over the API, and the gate before every route."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.routing import Route

from codometer.access.access import Access
from codometer.access.permissions import Permission
from codometer.settings import Settings
from codometer.store.control_tables import AUDIT_ENTRY
from tests.unit.serve.parts import NOW, Office, build_office_app

CREDENTIALS = "/api/v1/credentials"
WRONG = "cdm_pat_wrong"


@dataclass
class Programs:
    """Programs that ask one server, whose clock can be moved."""

    access: Access
    app: Starlette
    now: list[datetime]

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        secret: str = "",
        content: bytes | None = None,
    ) -> httpx.Response:
        bearer = {"authorization": f"Bearer {secret}"} if secret else {}
        sent = {"json": body} if content is None and body is not None else {"content": content}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("203.0.113.77", 5))
            base = "http://127.0.0.1:4319"
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                given = {**bearer, **(headers or {})}
                return await client.request(method, path, headers=given, **sent)

        return asyncio.run(send())

    def create(self, **wanted: object) -> dict[str, Any]:
        answer = self.ask("POST", CREDENTIALS, body={"kind": "ingest", "name": "n", **wanted})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def entries(self, question: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/api/v1/audit{question}").json()["entries"]
        return found


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    settings = Settings(data=tmp_path)
    now = [NOW]
    access = Access(settings, now=lambda: now[0])
    yield Programs(access, build_office_app(Office(), settings, access), now)
    access.close()


def test_every_route_names_its_permission(programs: Programs) -> None:
    routes = [route for route in programs.app.routes if isinstance(route, Route)]
    assert len(routes) == len(programs.app.routes)
    assert {route.path for route in routes if not find_permission(route)} == set()
    public = {route.path for route in routes if find_permission(route) is Permission.PUBLIC}
    own = {"/sign-in", "/sign-in/code", "/join", "/sign-out"}
    ways = {"/sign-in/with/{provider}", "/sign-in/return/{provider}"}
    assert public == {"/healthz", "/readyz", "/assets/{name}"} | own | ways


def find_permission(route: Route) -> Permission | None:
    """Look through the wrappers of an endpoint for what its gate asks."""
    waiting, seen = [route.endpoint], 0
    while waiting and seen < 50:
        handle, seen = waiting.pop(), seen + 1
        if found := getattr(handle, "permission", None):
            assert isinstance(found, Permission)
            return found
        cells = getattr(handle, "__closure__", None) or ()
        waiting += [cell.cell_contents for cell in cells if callable(cell.cell_contents)]
    return None


@pytest.mark.parametrize(
    ("scopes", "path", "status"),
    [
        (["read:aggregates"], "/api/v1/query?measures=cost", 200),
        (["read:aggregates"], "/api/v1/status", 403),
        (["read:aggregates"], "/", 200),
        (["read:aggregates"], CREDENTIALS, 403),
        (["read:status"], "/api/v1/status", 200),
        (["read:status"], "/api/v1/measures", 403),
        (["read:status"], "/", 403),
        (["read:settings"], "/api/v1/config", 200),
        (["read:credentials"], CREDENTIALS, 200),
        (["read:credentials"], "/api/v1/audit", 403),
        (["read:audit"], "/api/v1/audit", 200),
        (["read:audit"], "/api/v1/audit/verification", 200),
    ],
)
def test_a_credential_that_asks_may_do_what_its_scopes_say(
    programs: Programs, scopes: list[str], path: str, status: int
) -> None:
    made = programs.create(kind="service", scopes=scopes)
    answer = programs.ask("GET", path, secret=made["secret"])
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["error"]["code"] == "forbidden"


@pytest.mark.parametrize("path", ["/", "/events", "/api/v1/query?measures=cost", CREDENTIALS])
def test_a_credential_for_ingest_can_never_read(programs: Programs, path: str) -> None:
    assert programs.ask("GET", path, secret=programs.create()["secret"]).status_code == 403


def test_a_credential_that_is_not_good_is_no_better_in_local_mode(programs: Programs) -> None:
    answer = programs.ask("GET", "/api/v1/status", secret=WRONG)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert programs.ask("GET", "/healthz", secret=WRONG).status_code == 200


def test_whoever_tries_credentials_is_slowed_down_and_written_down(programs: Programs) -> None:
    for _ in range(20):
        assert programs.ask("GET", "/api/v1/status", secret=WRONG).status_code == 401
    refused = programs.ask("GET", "/api/v1/status", secret=WRONG)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_tries")
    programs.access.known.save_uses()
    (entry,) = programs.entries("?action=credential.refused")
    assert entry["after"] == {"address": "203.0.113.0/24", "requests": 21}


def test_bad_credentials_keep_no_good_one_out_that_comes_from_the_same_address(
    programs: Programs,
) -> None:
    good = programs.create(kind="service")["secret"]
    for _ in range(30):
        programs.ask("GET", "/api/v1/status", secret=WRONG)
    assert programs.ask("GET", "/api/v1/status", secret=good).status_code == 200


def test_a_credential_may_ask_600_times_a_minute(programs: Programs) -> None:
    one, other = (programs.create(kind="service")["secret"] for _ in range(2))

    async def ask_until_refused() -> tuple[int, httpx.Response]:
        transport = httpx.ASGITransport(programs.app)
        headers = {"authorization": f"Bearer {one}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for count in range(5_000):  # ten are added a second, while a slow machine asks
                answer = await client.get("/api/v1/measures", headers=headers)
                if not answer.is_success:
                    return count, answer
        pytest.fail("nothing was refused")

    count, refused = asyncio.run(ask_until_refused())
    assert count >= 600
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert refused.headers["retry-after"] == "1"
    assert programs.ask("GET", "/api/v1/measures", secret=other).status_code == 200


def test_whole_copies_are_taken_ten_times_an_hour(programs: Programs) -> None:
    body = {"subject": "nobody@example.com", "reason": "she asked"}
    for _ in range(10):
        assert programs.ask("POST", "/api/v1/people/export", body=body).status_code == 404
    refused = programs.ask("POST", "/api/v1/people/export", body=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_exports")
    assert refused.headers["retry-after"] == "360"
    assert programs.ask("POST", "/api/v1/people/show", body={"subject": "x"}).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/status?token={}", "/{}", "/api/v1/query?where=x:{}"])
def test_a_credential_in_an_address_is_refused_and_not_repeated(
    programs: Programs, path: str
) -> None:
    secret = programs.create(kind="service")["secret"]
    answer = programs.ask("GET", path.format(secret))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "secret_in_address")
    assert secret not in answer.text


def test_a_credential_for_a_network_is_refused_elsewhere(programs: Programs) -> None:
    near = programs.create(kind="service", addresses=["203.0.113.0/24"])
    assert near["credential"]["addresses"] == ["203.0.113.0/24"]
    far = programs.create(kind="service", addresses=["198.51.100.0/24"])["secret"]
    assert programs.ask("GET", "/api/v1/status", secret=near["secret"]).status_code == 200
    refused = programs.ask("GET", "/api/v1/status", secret=far)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")


def test_the_status_names_credentials_that_end_soon(programs: Programs) -> None:
    made = programs.create(name="of ada", expires_in_days=5)["credential"]
    programs.create(expires_in_days=50)
    assert made["ends_within_days"] == 7
    (told,) = programs.ask("GET", "/api/v1/status").json()["ending_credentials"]
    assert (told["id"], told["within_days"]) == (made["id"], 7)
    assert "of ada" not in str(told)


def test_a_server_that_starts_says_which_credentials_end_soon(
    programs: Programs, caplog: pytest.LogCaptureFixture
) -> None:
    made = programs.create(expires_in_days=5)["credential"]
    programs.access.start()
    deadline = time.monotonic() + 20
    while made["id"] not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert f"{made['id']}, a credential for ingest, ends on" in caplog.text


def test_a_secret_is_shown_once(programs: Programs) -> None:
    made = programs.create(name="laptops", team="checkout", cost_center="4711", person="ada")
    listed = programs.ask("GET", CREDENTIALS)
    (credential,) = listed.json()["credentials"]
    assert credential == made["credential"]
    assert made["secret"] not in listed.text
    assert (credential["state"], credential["team"]) == ("active", "checkout")


def test_a_credential_is_rotated_and_revoked(programs: Programs) -> None:
    made = programs.create(kind="service", expires_in_days=30)
    path = f"{CREDENTIALS}/{made['credential']['id']}"
    newer = programs.ask("POST", f"{path}/rotate", body={"overlap_days": 1}).json()
    assert programs.ask("GET", "/api/v1/status", secret=made["secret"]).status_code == 200
    programs.now[0] += timedelta(days=1)
    assert len(newer["credential"]["secrets"]) == 2
    assert programs.access.known.find("no such digest") is None
    revoked = programs.ask("POST", f"{path}/revoke", body={})
    assert revoked.json()["credential"]["state"] == "revoked"
    assert programs.ask("GET", "/api/v1/status", secret=newer["secret"]).status_code == 401
    again = programs.ask("POST", f"{path}/revoke", body={})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "credential_revoked")


def test_a_credential_whose_secrets_ended_is_expired(programs: Programs) -> None:
    programs.create(expires_in_days=1)
    programs.now[0] += timedelta(days=1)
    # The application's own clock stands still in these tests; ask one that knows the time.
    app = build_office_app(Office(), Settings(), programs.access, now=lambda: programs.now[0])
    answer = Programs(programs.access, app, programs.now).ask("GET", CREDENTIALS)
    assert answer.json()["credentials"][0]["state"] == "expired"


def test_without_days_of_overlap_there_are_seven(programs: Programs) -> None:
    path = f"{CREDENTIALS}/{programs.create()['credential']['id']}/rotate"
    old = programs.ask("POST", path, body={}).json()["credential"]["secrets"][0]
    assert datetime.fromisoformat(old["expires"]) == NOW + timedelta(days=7)
    old = programs.ask("POST", path, body={"overlap_days": 0}).json()["credential"]["secrets"][0]
    assert datetime.fromisoformat(old["expires"]) == NOW


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "no kind"),
        ({"kind": "gold", "name": "x"}, "no kind"),
        ({"kind": 3, "name": "x"}, "kind is 3"),
        ({"kind": "ingest"}, "name"),
        ({"kind": "ingest", "name": 4}, "name is 4"),
        ({"kind": "ingest", "name": "x", "secret": "mine"}, "no field secret"),
        ({"kind": "ingest", "name": "x", "scopes": ["read:aggregates"]}, "scopes"),
        ({"kind": "service", "name": "x", "scopes": ["everything"]}, "no scope"),
        ({"kind": "service", "name": "x", "scopes": "read:status"}, "scopes is"),
        ({"kind": "ingest", "name": "x", "expires_in_days": 366}, "expires_in_days"),
        ({"kind": "ingest", "name": "x", "expires_in_days": True}, "expires_in_days"),
        ({"kind": "ingest", "name": "x", "expires_in_days": 0}, "365"),
        ({"kind": "ingest", "name": "x", "binds_team": "yes"}, "binds_team"),
        ([], "no"),
        ("x", "no"),
    ],
)
def test_what_is_not_understood_makes_nothing(
    programs: Programs, body: object, complaint: str
) -> None:
    answer = programs.ask("POST", CREDENTIALS, body=body)
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]
    actions = {each["action"] for each in programs.entries()}
    assert actions == {"privacy.change", "key.create", "audit.begin"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:4318"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:4319"}, 201),
        ({"sec-fetch-site": "none"}, 201),
        ({"origin": "http://127.0.0.1:4319"}, 201),
        ({}, 201),
    ],
)
def test_a_page_of_another_site_cannot_change_anything(
    programs: Programs, headers: dict[str, str], status: int
) -> None:
    body = {"kind": "ingest", "name": "x"}
    assert programs.ask("POST", CREDENTIALS, body=body, headers=headers).status_code == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_cannot_change_anything(programs: Programs, kind: str) -> None:
    content = b'{"kind":"ingest","name":"x"}'
    answer = programs.ask("POST", CREDENTIALS, content=content, headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"null"])
def test_what_is_no_json_object_is_refused(programs: Programs, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = programs.ask("POST", CREDENTIALS, content=content[:60_000], headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_with_a_character_that_is_none_is_refused(programs: Programs, text: str) -> None:
    headers = {"content-type": "application/json"}
    for body in (
        {"kind": "ingest", "name": text},
        {"kind": "ingest", "name": "x", "scopes": [text]},
    ):
        content = json.dumps(body).encode()
        answer = programs.ask("POST", CREDENTIALS, content=content, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == "a text has a character that is none"


def test_a_body_that_is_too_large_is_refused(programs: Programs) -> None:
    headers = {"content-type": "application/json"}
    answer = programs.ask("POST", CREDENTIALS, content=b" " * 70_000, headers=headers)
    assert answer.status_code == 413


def test_a_credential_that_is_not_there_is_said_so(programs: Programs) -> None:
    answer = programs.ask("POST", f"{CREDENTIALS}/crd_no/revoke", body={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_credential")


def test_the_log_says_who_did_it(programs: Programs) -> None:
    admin = programs.create(kind="personal", scopes=["write:credentials"])
    body = {"kind": "ingest", "name": "x"}
    made = programs.ask("POST", CREDENTIALS, body=body, secret=admin["secret"]).json()
    newest, second, *_ = programs.entries()
    assert newest["object"] == made["credential"]["id"]
    assert (newest["actor_kind"], newest["actor"]) == ("credential", admin["credential"]["id"])
    assert (newest["address"], len(newest["request"])) == ("203.0.113.0/24", 16)
    assert (second["actor_kind"], second["actor"]) == ("local", "")


def test_the_log_is_read_page_by_page(programs: Programs) -> None:
    for _ in range(2):
        programs.create()
    first = programs.ask("GET", "/api/v1/audit?limit=3").json()
    rest = programs.ask("GET", f"/api/v1/audit?limit=3&before={first['next']}").json()
    assert [entry["seq"] for entry in first["entries"] + rest["entries"]] == [5, 4, 3, 2, 1]
    assert (first["next"], rest["next"]) == (3, None)


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("?action=audit.begin", 1),
        ("?action=credential.revoke", 0),
        ("?object=audit", 1),
        ("?actor=nobody", 0),
        ("?since=1d", 4),
        ("?until=2026-11-01", 0),
    ],
)
def test_the_log_is_narrowed_down(programs: Programs, question: str, count: int) -> None:
    programs.create()
    assert len(programs.entries(question)) == count


@pytest.mark.parametrize(
    "question", ["action=nothing", "limit=0", "limit=1001", "limit=x", "before=-1", "since=soon"]
)
def test_a_question_about_the_log_that_is_none_is_refused(
    programs: Programs, question: str
) -> None:
    assert programs.ask("GET", f"/api/v1/audit?{question}").status_code == 400


def test_a_log_that_was_tampered_with_is_told(programs: Programs) -> None:
    assert programs.ask("GET", "/api/v1/audit/verification").json()["whole"] is True
    with programs.access.control.write() as connection:
        connection.execute(update(AUDIT_ENTRY).values(after="{not json"))
    found = programs.ask("GET", "/api/v1/audit/verification").json()
    assert found["whole"] is False
    assert [fault["kind"] for fault in found["faults"]] == ["changed"] * 3
    assert programs.entries()[0]["after"] == {"unreadable": "{not json"}
