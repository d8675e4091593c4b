"""Content over the API, as whoever asks: administrators, people, reviewers, strangers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette

from codometer.access.actor import Actor
from codometer.access.permissions import Role
from codometer.people.retention import Retention
from codometer.privacy.profile import Profile
from codometer.serve.app import build_app
from codometer.serve.web.events import Changes
from codometer.settings import Settings
from tests.people.desk import PROJECT, WHO_ADA, Desk
from tests.people.household import PASSWORD, ROOT, Household
from tests.unit.serve.parts import Office

EMAIL: Final = WHO_ADA["user.email"]
WORDS: Final = "the unreleased product is called Zephyr"
OPENING: Final = {"project": PROJECT, "purpose": "to learn", "reviewers": ["lead@example.com"]}


@dataclass
class Asking:
    """Somebody who signed in, or the operator of the server."""

    app: Starlette
    headers: Mapping[str, str]

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._send("GET", path))

    def post(self, path: str, **body: object) -> httpx.Response:
        return asyncio.run(self._send("POST", path, json=body))

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4319") as http:
            url = f"/api/v1/content/{path}"
            return await http.request(method, url, headers=dict(self.headers), **content)


@dataclass
class Floor:
    """A desk with its API."""

    desk: Desk
    app: Starlette

    def as_account(self, login: str, role: Role = Role.DEVELOPER) -> Asking:
        self.desk.account(login, role)
        access = self.desk.household.access
        step = access.signing_in.with_password(login, PASSWORD, ROOT, address="127.0.0.1")
        return Asking(self.app, {"cookie": f"codometer={step.session}"})

    def as_operator(self) -> Asking:
        secret = self.desk.household.access.operator_secret
        return Asking(self.app, {"authorization": f"Bearer {secret}"})


@pytest.fixture
def floor(household: Household) -> Floor:
    household.become(Profile.STANDARD)
    desk = Desk.at(household)
    desk.prompt("before anybody agreed", number=100)
    office, settings = Office(), Settings()
    app = build_app(
        settings=settings,
        ask=office.ask,
        look=office.ask,
        status=office,
        check_ready=office.check,
        changes=Changes(lambda: 1),
        access=household.access,
        retention=Retention(household.people, settings.retention, ZoneInfo("UTC")),
        now=lambda: household.now[0],
    )
    return Floor(desk, app)


def test_a_project_is_opened_agreed_to_read_and_taken_back(floor: Floor) -> None:
    root, lead = floor.as_operator(), floor.as_account("lead@example.com", Role.TEAM_LEAD)
    ada = floor.as_account(EMAIL)
    (project,) = root.post("projects/open", **OPENING, days=30).json()["projects"]
    assert (project["reviewers"], project["days"]) == (["lead@example.com"], 7)
    (offer,) = ada.get("own").json()["offers"]
    assert "to learn" in offer["text"]
    assert "lead@example.com" in offer["text"]
    agreed = ada.post("agree", project=PROJECT, text_hash=offer["text_hash"]).json()
    assert [each["project"] for each in agreed["consents"]] == [PROJECT]
    floor.desk.prompt(WORDS)
    assert [each["text"] for each in ada.post("read").json()["texts"]] == [WORDS]
    assert lead.post("read").status_code == 400
    read = lead.post("read", project=PROJECT, reason="to learn").json()
    assert [each["text"] for each in read["texts"]] == [WORDS]
    own = ada.get("own").json()
    assert [(look["action"], look["reason"]) for look in own["looks"]] == [
        ("content.view", "to learn")
    ]  # fmt: skip
    assert [fact["part"] for fact in own["content"]] == ["prompt"]
    assert ada.post("withdraw", project=PROJECT).json() == {"deleted": 1}
    assert lead.post("read", reason="to learn").json() == {"texts": []}
    assert ada.post("withdraw", project=PROJECT).status_code == 404
    assert root.post("projects/close", project=PROJECT, reason="done").json() == {"projects": []}


def test_who_runs_the_server_reads_nothing_and_agrees_for_nobody(floor: Floor) -> None:
    root = floor.as_operator()
    root.post("projects/open", **{**OPENING, "reviewers": []})
    floor.desk.agree()
    floor.desk.prompt(WORDS)
    administrator = floor.as_account("second@example.com", Role.ADMINISTRATOR)
    assert root.post("read", reason="curious").status_code == 403
    assert administrator.post("read", reason="curious").json() == {"texts": []}
    text_hash = floor.desk.contents.text_for(PROJECT)[1].hash
    for somebody in (root, administrator):
        answer = somebody.post("agree", project=PROJECT, text_hash=text_hash)
        assert answer.status_code == 403
    taken_back = {"subject": EMAIL, "project": PROJECT, "reason": "she asked"}
    assert root.post("withdraw_for", **taken_back).json() == {"deleted": 1}


def test_an_account_that_nobody_confirmed_is_nobody(floor: Floor) -> None:
    stranger = floor.as_account("stranger@example.com")

    def nobody(_: Actor) -> None:
        return None

    floor.desk.views.find_own = nobody
    own = stranger.get("own").json()
    assert (own["person"], own["content"]) == (None, [])
    assert stranger.post("agree", project=PROJECT).status_code == 403
    assert stranger.post("read").json() == {"texts": []}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_open_and_close(floor: Floor, role: Role) -> None:
    somebody = floor.as_account(f"{role}@example.com", role)
    assert somebody.post("projects/open", **OPENING).status_code == 403
    assert somebody.post("projects/close", project=PROJECT).status_code == 403
    assert somebody.post("withdraw_for", subject=EMAIL, project=PROJECT).status_code == 403
    assert somebody.get("projects").json() == {"projects": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"project": 7},
        {"reviewers": "lead@example.com"},
        {"reviewers": [7]},
        {"days": "long"},
        {"days": True},
        {"days": 0},
        {"purpose": ""},
        {"project": "payments"},
    ],
)
def test_what_makes_no_sense_is_refused(floor: Floor, wrong: dict[str, object]) -> None:
    answer = floor.as_operator().post("projects/open", **{**OPENING, "reviewers": [], **wrong})
    assert answer.status_code == 400
    assert floor.as_operator().get("projects").json() == {"projects": []}
