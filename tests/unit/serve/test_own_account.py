"""One's own account as browsers see it: proofs, factors, sessions, and forms that are ours."""

import re
import threading
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from starlette.routing import Route

from codometer.access.actor import Actor, ActorKind
from codometer.access.permissions import SENSITIVE, Permission, Role
from tests.forms import find_token
from tests.unit.serve.installation import PASSWORD, Browser, Installation, set_up_factor
from tests.unit.serve.test_api_access import find_permission

WRONG = "marble kettle orbit moss"
NEW = "copper lantern violet moss"
TEMPLATES = Path(__file__).parents[3] / "src/codometer/serve/web/templates"


def test_every_page_says_who_is_signed_in_and_lets_them_out(root: Browser) -> None:
    for path in ("/", "/account", "/nowhere"):
        page = root.get(path).text
        assert "<b>root</b>Administrator" in page
        assert 'action="/sign-out"' in page
    token = find_token(root.get("/").text)
    assert root.send("/sign-out", form_token=token).headers["location"] == "/sign-in"
    assert root.get("/").status_code == 303


def let_root_do_everything(installation: Installation) -> None:
    """Lend root what no role has: to ask for the names behind pseudonyms."""
    vouching = installation.access.vouching
    (root,) = vouching.list_accounts()
    vouching.lend_reveals(root.id, 1, "tests", Actor(kind=ActorKind.ACCOUNT, id="acc_other"))


def test_a_form_without_the_token_of_its_page_is_refused(
    installation: Installation, root: Browser
) -> None:
    let_root_do_everything(installation)
    stranger = installation.browser()
    foreign = find_token(stranger.get("/sign-in").text)
    checked = 0
    for route in installation.app.routes:
        assert isinstance(route, Route)
        if "POST" not in (route.methods or ()) or route.path.startswith("/api/"):
            continue
        for token in (
            "",
            "0" * 96,
            foreign[::-1],
            foreign,
            "\ud800".encode("utf-8", "replace").decode(),
        ):
            answer = root.send(route.path, form_token=token)
            assert answer.status_code == 403, route.path
            assert "is too old, or is of another site" in answer.text
        checked += 1
    assert checked >= 9
    assert root.get("/account").status_code == 200


def test_before_sign_in_a_token_is_good_in_its_own_browser_alone(
    installation: Installation, root: Browser
) -> None:
    one, other = installation.browser(), installation.browser()
    token = find_token(one.get("/sign-in").text)
    assert token != find_token(one.get("/sign-in").text)  # each form has its own
    assert other.get("/sign-in").status_code == 200
    form = {"login": "root", "password": PASSWORD, "form_token": token}
    assert other.send("/sign-in", **form).status_code == 403
    assert one.send("/sign-in", **form).status_code == 303
    assert find_token(one.get("/account").text) not in {token, find_token(root.get("/").text)}


def test_forms_are_made_in_one_place() -> None:
    templates = {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")}
    assert {name for name, text in templates.items() if 'method="post"' in text} == {"forms.html"}
    careless = {
        name
        for name, text in templates.items()
        if '"forms.html"' in text and '"forms.html" as forms with context' not in text
    }
    assert careless == set()


def test_a_credential_never_comes_with_cookies(installation: Installation, root: Browser) -> None:
    bearer = {"authorization": f"Bearer {installation.access.operator_secret}", "accept": "*/*"}
    answer = root.ask("GET", "/api/v1/accounts", headers=bearer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert installation.browser().ask("GET", "/api/v1/accounts", headers=bearer).is_success


def test_much_is_for_who_proved_lately_who_they_are(
    installation: Installation, root: Browser
) -> None:
    let_root_do_everything(installation)
    installation.now += timedelta(minutes=10)
    checked = 0
    for route in installation.app.routes:
        assert isinstance(route, Route)
        if find_permission(route) in SENSITIVE:
            path = re.sub(r"{\w+}", "x", route.path)
            answer = root.ask("POST", path, json={}, headers={"accept": "*/*"})
            assert answer.json()["error"]["code"] == "proof_too_old", path
            checked += 1
    assert checked >= 10
    bearer = {"authorization": f"Bearer {installation.access.operator_secret}", "accept": "*/*"}
    body = {"role": "viewer"}
    program = installation.browser()
    assert program.ask("POST", "/api/v1/accounts/invite", json=body, headers=bearer).is_success


def test_in_local_mode_nobody_proves_anything(installation: Installation) -> None:
    browser = installation.browser()
    body = {"kind": "ingest", "name": "laptops"}
    assert browser.ask("POST", "/api/v1/credentials", json=body).status_code == 201
    for path in ("/account", "/account/second-factor", "/confirm"):
        assert browser.get(path).headers["location"] == "/"


def test_whoever_must_prove_it_is_asked_and_led_back(
    installation: Installation, root: Browser
) -> None:
    installation.now += timedelta(minutes=10)
    answer = root.get("/account/second-factor")
    assert answer.headers["location"] == "/confirm?next=%2Faccount%2Fsecond-factor"
    page = root.get(answer.headers["location"])
    assert "Password of root" in page.text
    before = root.cookies["codometer"]
    wrong = root.submit("/confirm", password=WRONG, next="/account/second-factor")
    assert (wrong.status_code, "The password is wrong." in wrong.text) == (401, True)
    done = root.submit("/confirm", password=PASSWORD, next="/account/second-factor")
    assert done.headers["location"] == "/account/second-factor"
    assert root.cookies["codometer"] != before
    assert root.get("/account/second-factor").status_code == 200


def test_from_a_form_the_way_back_is_to_its_page(installation: Installation, root: Browser) -> None:
    installation.now += timedelta(minutes=10)
    for referer in ("", "http://127.0.0.1:4319/account/password", "https://evil.example//evil"):
        answer = root.submit("/account/second-factor/remove", {"referer": referer})
        assert answer.headers["location"] == "/confirm?next=%2Faccount"


def test_the_event_loop_never_waits_for_the_database(
    installation: Installation, root: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, loop = installation.access.control.read, threading.current_thread()

    def watch() -> AbstractContextManager[Connection]:
        assert threading.current_thread() is not loop
        return read()

    monkeypatch.setattr(installation.access.control, "read", watch)
    assert root.get("/account").status_code == 200
    assert root.get("/confirm?next=/").status_code == 200
    assert root.submit("/confirm", password=WRONG, next="/").status_code == 401
    assert root.submit("/account/password", password=PASSWORD, new="short").status_code == 400
    assert root.submit("/account/sessions", session="others").is_redirect
    assert root.submit("/account/second-factor/codes").status_code == 400


def test_a_second_factor_is_set_up_and_then_asked_for(
    installation: Installation, root: Browser
) -> None:
    authenticator, codes = set_up_factor(installation, root)
    assert len(codes) == 8
    assert "8 recovery codes are left" in root.get("/account").text
    browser = installation.browser()
    asked = browser.sign_in("root")
    assert asked.status_code == 200
    assert "set-cookie" not in asked.headers
    ticket = re.search(r'name="ticket" value="([^"]+)"', asked.text)
    assert ticket
    step = {"ticket": ticket[1], "form_token": find_token(asked.text), "next": "/?range=7d"}
    wrong = browser.send("/sign-in/code", code="000000", **step)
    assert (wrong.status_code, "The code is wrong" in wrong.text) == (401, True)
    done = browser.send("/sign-in/code", code=authenticator.at(installation.now), **step)
    assert (done.status_code, done.headers["location"]) == (303, "/?range=7d")
    assert browser.get("/account").status_code == 200


def test_a_picture_tells_an_authenticator_all_it_needs(root: Browser) -> None:
    page = root.get("/account/second-factor").text
    picture = re.search(r'<svg[^>]* class="segno">.*?</svg>', page, re.DOTALL)
    assert picture
    assert "style" not in picture[0]
    assert 'stroke="#000"' in picture[0]


def test_a_code_that_is_none_shows_the_same_secret_again(root: Browser) -> None:
    page = root.get("/account/second-factor").text
    secret = re.search(r'class="secret">([^<]+)<', page)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert secret
    assert ticket
    form = {"form_token": find_token(page), "ticket": ticket[1]}
    wrong = root.send("/account/second-factor", code="000000", **form)
    assert wrong.status_code == 400
    assert secret[1] in wrong.text
    lost = root.send("/account/second-factor", code="0", form_token=form["form_token"], ticket="x")
    assert lost.status_code == 410


def test_recovery_codes_and_the_factor_can_be_replaced_and_removed(
    installation: Installation, root: Browser
) -> None:
    none = root.submit("/account/second-factor/codes")
    assert (none.status_code, "no second factor" in none.text) == (400, True)
    _, codes = set_up_factor(installation, root)
    new = root.submit("/account/second-factor/codes")
    assert new.status_code == 200
    assert not [code for code in codes if code in new.text]
    assert root.submit("/account/second-factor/remove").headers["location"] == "/account"
    assert "Set up an authenticator" in root.get("/account").text


def test_a_password_is_changed_and_the_browser_stays(
    installation: Installation, root: Browser
) -> None:
    other = installation.browser()
    other.sign_in("root")
    wrong = root.submit("/account/password", password=WRONG, new=NEW)
    assert (wrong.status_code, "The password is wrong." in wrong.text) == (401, True)
    assert root.submit("/account/password", password=PASSWORD, new=NEW).status_code == 303
    assert root.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert installation.browser().sign_in("root").status_code == 401


def test_sessions_are_listed_and_ended_by_their_owner_alone(
    installation: Installation, root: Browser
) -> None:
    ada = installation.person("ada", Role.VIEWER)
    second = installation.browser()
    second.sign_in("ada")
    page = ada.get("/account").text
    (found,) = re.findall(r'name="session" value="(ses_\w+)"', page)
    assert "203.0.113.0/24" in page
    assert root.submit("/account/sessions", session=found).status_code == 404
    assert second.get("/account").status_code == 200
    assert ada.submit("/account/sessions", session=found).status_code == 303
    assert second.get("/account").status_code == 303
    second.sign_in("ada")
    assert ada.submit("/account/sessions", session="others").status_code == 303
    assert second.get("/account").status_code == 303
    assert ada.get("/account").status_code == 200


def test_a_link_for_a_new_password_says_for_whom(installation: Installation, root: Browser) -> None:
    ada = installation.person("ada", Role.VIEWER)
    listed = root.get("/api/v1/accounts").json()["accounts"]
    made = root.ask("POST", f"/api/v1/accounts/{listed[1]['id']}/reset", json={})
    assert made.status_code == 201
    link = made.json()["link"].partition("link=")[2]
    browser = installation.browser()
    page = browser.get(f"/join?link={link}").text
    assert "For <b>ada</b>" in page
    assert 'name="login"' not in page
    done = browser.submit("/join", link=link, password=NEW)
    assert done.headers["location"] == "/account"
    assert ada.get("/account").status_code == 303
    assert browser.get(f"/join?link={link}").status_code == 410


def test_administrators_change_roles_end_sessions_and_remove_factors_over_the_api(
    installation: Installation, root: Browser
) -> None:
    ada = installation.person("ada", Role.VIEWER)
    set_up_factor(installation, ada)
    account = root.get("/api/v1/accounts").json()["accounts"][1]
    assert (account["has_second_factor"], account["has_password"]) == (True, True)
    path = f"/api/v1/accounts/{account['id']}"
    (session,) = root.get(f"/api/v1/account-sessions?account={account['id']}").json()["sessions"]
    assert set(session) == {"id", "account", "created", "address"}
    ended = root.ask("POST", f"/api/v1/account-sessions/{session['id']}/end", json={})
    assert ended.json() == {"ended": 1}
    assert ada.get("/account").status_code == 303
    removed = root.ask("POST", f"{path}/second-factor/remove", json={})
    assert removed.json()["account"]["has_second_factor"] is False
    assert ada.sign_in("ada").status_code == 303
    assert root.ask("POST", f"{path}/sign-out", json={}).json() == {"ended": 1}
    body = {"role": "team_lead", "teams": ["checkout"]}
    changed = root.ask("POST", f"{path}/change", json=body).json()["account"]
    assert (changed["role"], changed["teams"]) == ("team_lead", ["checkout"])
    assert root.ask("POST", f"{path}/change", json={}).status_code == 400


def test_ones_own_account_is_for_people_alone(root: Browser) -> None:
    body = {"kind": "personal", "name": "mine", "scopes": [Permission.OWN_ACCOUNT]}
    assert root.ask("POST", "/api/v1/credentials", json=body).status_code == 400
