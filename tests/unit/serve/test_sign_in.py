"""Sign-in as browsers see it, and what of the numbers each role sees."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from codometer.access.actor import SYSTEM
from codometer.access.permissions import Permission, Role
from codometer.serve.gate import Gate
from codometer.settings import Listen
from tests.unit.serve.installation import PASSWORD, Installation
from tests.unit.serve.parts import NOW


def test_until_there_is_an_account_nobody_signs_in(installation: Installation) -> None:
    browser = installation.browser()
    assert browser.get("/").status_code == 200
    assert "no sign-in" in browser.get("/").text
    answer = browser.get("/sign-in")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_first_link_leads_to_an_account_that_is_signed_in(installation: Installation) -> None:
    first = installation.access.accounts.invite_first()
    assert first is not None
    browser = installation.browser()
    page = browser.get(f"/join?link={first.secret}")
    assert f'value="{first.secret}"' in page.text
    answer = browser.submit(
        "/join", link=first.secret, login="root", password=PASSWORD, purpose="to see costs"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    account = browser.get("/account").text
    assert "<b>root</b>" in account
    assert "administrator" in account
    assert "no sign-in" not in account


def test_a_purpose_that_will_not_do_makes_no_account(installation: Installation) -> None:
    first = installation.access.accounts.invite_first()
    assert first is not None
    browser = installation.browser()
    form = {"link": first.secret, "login": "root", "password": PASSWORD, "profile": "strict"}
    for purpose, said in (("x" * 501, "at most 500 characters"), (" ", "here is no purpose")):
        refused = browser.submit("/join", **form, purpose=purpose)
        assert refused.status_code == 400
        assert said in refused.text
    assert installation.access.accounts.list_accounts() == []
    assert browser.submit("/join", **form, purpose="to see costs").is_redirect
    decided = installation.people.decisions.find_in_force()
    assert decided is not None
    assert (decided.profile, decided.purpose) == ("strict", "to see costs")


def test_a_cookie_is_kept_from_scripts_and_from_other_sites(installation: Installation) -> None:
    first = installation.access.accounts.invite_first()
    assert first is not None
    answer = installation.browser().submit(
        "/join", link=first.secret, login="root", password=PASSWORD, purpose="to see costs"
    )
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "codometer"
    assert set(rest.split("; ")[1:]) == {"HttpOnly", "Path=/", "SameSite=lax"}


def test_behind_tls_a_cookie_is_for_tls_and_this_host_alone(tmp_path: Path) -> None:
    made = Installation(tmp_path, Listen(host="127.0.0.1", url="https://codometer.example"))
    first = made.access.accounts.invite_first()
    assert first is not None
    answer = made.browser().submit(
        "/join", link=first.secret, login="root", password=PASSWORD, purpose="to see costs"
    )
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "__Host-codometer"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} == set(rest.split("; ")[1:])
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    made.access.close()


def test_without_a_session_pages_lead_to_sign_in_and_back(installation: Installation) -> None:
    installation.set_up()
    browser = installation.browser()
    answer = browser.get("/?range=7d&team=a%26b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Frange%3D7d%26team%3Da%2526b"
    form = browser.get(answer.headers["location"])
    assert 'name="next" value="/?range=7d&amp;team=a%26b"' in form.text
    signed_in = browser.submit(
        "/sign-in", login="root", password=PASSWORD, next="/?range=7d&team=a%26b"
    )
    assert signed_in.headers["location"] == "/?range=7d&team=a%26b"
    assert browser.get("/").status_code == 200


def test_without_a_session_programs_are_told_so(installation: Installation) -> None:
    installation.set_up()
    answer = installation.browser().ask(
        "GET", "/api/v1/query?measures=cost", headers={"accept": "*/*"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "leads_to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil",
        "",
    ],
)
def test_sign_in_leads_nowhere_else(installation: Installation, leads_to: str) -> None:
    installation.set_up()
    answer = installation.browser().submit(
        "/sign-in", login="root", password=PASSWORD, next=leads_to
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_wrong_password_shows_the_form_again_without_it(installation: Installation) -> None:
    installation.set_up()
    wrong = "marble kettle orbit moss"
    answer = installation.browser().submit("/sign-in", login='<b>"root', password=wrong, next="/x")
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "&lt;b&gt;&#34;root" in answer.text
    assert wrong not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/sign-in", "/join", "/sign-out"])
def test_forms_of_other_sites_are_refused(installation: Installation, path: str, site: str) -> None:
    browser = installation.set_up()
    answer = browser.submit(path, {"sec-fetch-site": site}, login="root", password=PASSWORD)
    assert answer.status_code == 403
    assert browser.get("/account").status_code == 200


def test_what_is_no_form_or_too_much_of_one_is_refused(installation: Installation) -> None:
    installation.set_up()
    browser = installation.browser()
    assert browser.submit("/sign-in", {"content-type": "text/plain"}).status_code == 415
    assert browser.submit("/sign-in", login="x" * 10_000).status_code == 413
    many = {f"f{number}": "x" for number in range(40)}
    assert browser.submit("/sign-in", None, **many).status_code == 413


def test_a_form_with_a_null_character_is_refused(installation: Installation) -> None:
    installation.set_up()
    answer = installation.browser().submit("/sign-in", login="ro\0ot", password=PASSWORD)
    assert answer.status_code == 400
    assert "a character that is none" in answer.text


def test_a_session_is_new_with_every_sign_in(installation: Installation) -> None:
    browser = installation.set_up()
    planted = browser.cookies["codometer"]
    browser.sign_in("root")
    assert browser.cookies["codometer"] != planted
    stranger = installation.browser()
    stranger.cookies.set("codometer", "planted", domain="127.0.0.1")
    assert stranger.get("/").status_code == 303
    stranger.sign_in("root")
    assert stranger.cookies["codometer"] != "planted"


def test_whoever_signs_out_is_out(installation: Installation) -> None:
    browser = installation.set_up()
    kept = browser.cookies["codometer"]
    answer = browser.submit("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "codometer" not in browser.cookies
    browser.cookies.set("codometer", kept, domain="127.0.0.1")
    assert browser.get("/").status_code == 303
    assert browser.submit("/sign-out").status_code == 303


def test_accounts_are_invited_listed_and_disabled_over_the_api(installation: Installation) -> None:
    root = installation.set_up()
    body = {"role": "team_lead", "teams": ["checkout"]}
    link = root.ask("POST", "/api/v1/accounts/invite", json=body).json()["link"]
    secret = re.fullmatch(r"http://127\.0\.0\.1:4319/join\?link=(\S+)", link)
    assert secret
    ada = installation.browser()
    ada.submit("/join", link=secret[1], login="ada", password=PASSWORD)
    assert "checkout" in ada.get("/account").text
    listed = root.get("/api/v1/accounts").json()["accounts"]
    assert [each["login"] for each in listed] == ["root", "ada"]
    assert listed[1]["teams"] == ["checkout"]
    disabled = root.ask("POST", f"/api/v1/accounts/{listed[1]['id']}/disable", json={})
    assert datetime.fromisoformat(disabled.json()["account"]["disabled"]) == NOW
    assert ada.get("/").status_code == 303
    missing = root.ask("POST", "/api/v1/accounts/acc_none/disable", json={})
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"role": "king"}, {"role": "viewer", "teams": "x"}, {"role": "viewer", "teams": [1]}],
)
def test_an_invitation_that_is_not_understood_is_refused(
    installation: Installation, body: dict[str, object]
) -> None:
    root = installation.set_up()
    assert root.ask("POST", "/api/v1/accounts/invite", json=body).status_code == 400


def test_the_key_in_the_data_folder_does_for_whoever_can_read_it(
    installation: Installation,
) -> None:
    installation.set_up()
    key = installation.access.operator_secret
    headers = {"authorization": f"Bearer {key}", "accept": "*/*"}
    browser = installation.browser()
    assert browser.ask("GET", "/api/v1/accounts", headers=headers).status_code == 200
    by_person = "/api/v1/query?measures=cost&by=person"
    assert browser.ask("GET", by_person, headers=headers).status_code == 403


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
@pytest.mark.parametrize(
    "question",
    ["by=person", "by=session", "where=person:ada", "where=session:s-1", "by=team,person"],
)
def test_no_role_sees_single_people(installation: Installation, role: Role, question: str) -> None:
    installation.set_up()
    person = installation.person("ada", role)
    answer = person.ask("GET", f"/api/v1/query?measures=cost&{question}", headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert installation.office.asked == []


def test_whoever_is_of_a_team_is_not_told_what_was_refused_of_others(
    installation: Installation,
) -> None:
    installation.set_up()
    attention = "/?panel=attention&range=7d"
    ada, grace = (
        installation.person("ada", Role.VIEWER),
        installation.person("grace", Role.VIEWER, "checkout"),
    )
    assert "1 signal was refused" in ada.get(attention).text
    page = grace.get(attention)
    assert (page.status_code, "refused" in page.text) == (200, False)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "&by=team",
        "&where=team:checkout",
        "&where=team:search",
        "&where=team:",
        "&where=team:search&where=team:checkout",
        "&where=model:claude-next",
    ],
)
def test_whoever_is_of_a_team_sees_that_team_alone(
    installation: Installation, question: str
) -> None:
    installation.set_up()
    lead = installation.person("ada", Role.TEAM_LEAD, "checkout")
    answer = lead.ask("GET", f"/api/v1/query?measures=tokens{question}", headers={"accept": "*/*"})
    assert answer.status_code == 200, answer.text
    (query,) = installation.office.asked
    assert [(each.dimension.name, each.values) for each in query.within] == [
        ("team", ("checkout",))
    ]
    assert {row.get("team", "checkout") for row in answer.json()["rows"]} <= {"checkout"}


def test_pages_too_show_a_team_that_team_alone(installation: Installation) -> None:
    installation.set_up()
    everything = installation.person("grace", Role.VIEWER)
    assert everything.get("/").status_code == 200
    assert any(not query.conditions for query in installation.office.asked)
    lead = installation.person("ada", Role.TEAM_LEAD, "checkout")
    counted = [query for query in installation.office.asked if not query.conditions]
    installation.office.asked.clear()
    assert lead.get("/?range=7d").status_code == 200
    assert counted
    for query in installation.office.asked:
        assert [each.values for each in query.within] == [("checkout",)]


def test_what_goes_on_for_long_ends_with_the_session(installation: Installation) -> None:
    browser = installation.set_up()
    kept: list[Callable[[], bool]] = []

    async def handle(request: Request) -> Response:
        kept.append(request.state.is_still_allowed)
        return Response()

    gate = Gate(installation.access, now=lambda: installation.now)
    cookie = f"{gate.cookie}={browser.cookies[gate.cookie]}".encode()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie)]}
    endpoint = gate.require(Permission.READ_NUMBERS, handle)

    async def ask() -> Response:
        return await endpoint(Request(scope))

    asyncio.run(ask())
    assert kept[0]() is True
    (account,) = installation.access.accounts.list_accounts()
    installation.access.accounts.end_sessions(account.id, SYSTEM)
    assert kept[0]() is False
