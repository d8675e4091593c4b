"""A second factor that is demanded: whoever has none sets one up before anything else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.routing import Route

from codometer.access.permissions import Permission, Role
from codometer.access.signing_in import Demand
from codometer.settings import SignIn
from tests.forms import find_token
from tests.security.cases import CASES, fill_in
from tests.unit.serve.company import Company
from tests.unit.serve.installation import PASSWORD, Installation, set_up_factor
from tests.unit.serve.test_api_access import find_permission

FACTOR = "/account/second-factor"
JSON = {"accept": "*/*", "content-type": "application/json"}
BEFORE = {FACTOR, "/confirm", "/confirm/{provider}"}

Open = Callable[[Demand], Installation]


@pytest.fixture
def open_with(tmp_path: Path) -> Iterator[Open]:
    opened = []

    def open_one(demand: Demand) -> Installation:
        opened.append(Installation(tmp_path, sign_in=SignIn(second_factor=demand)))
        return opened[-1]

    yield open_one
    for each in opened:
        each.access.close()


def test_who_has_none_can_do_nothing_else_and_is_led_to_it(open_with: Open) -> None:
    installation = open_with(Demand.EVERYONE)
    root = installation.set_up()
    checked = 0
    for route in installation.app.routes:
        assert isinstance(route, Route)
        (method,) = (route.methods or set()) - {"HEAD"}
        if find_permission(route) is Permission.PUBLIC or route.path in BEFORE:
            continue
        path = CASES[method, route.path].path or fill_in(route.path)
        if not path.startswith("/api/"):
            answer = root.ask(method, path)
            assert (answer.status_code, answer.headers["location"]) == (303, FACTOR), path
        refused = root.ask(method, path, headers=JSON)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "second_factor_needed"
        checked += 1
    assert checked > 50


def test_after_it_is_set_up_all_is_open_and_the_code_is_asked_for(open_with: Open) -> None:
    installation = open_with(Demand.EVERYONE)
    root = installation.set_up()
    page = root.get(FACTOR).text
    assert "Here a password alone does not sign you in." in page
    assert 'href="/audit"' not in page
    set_up_factor(installation, root)
    assert root.get("/account").status_code == 200
    assert root.get("/audit").status_code == 200
    browser = installation.browser()
    asked = browser.sign_in("root")
    assert (asked.status_code, "One more step" in asked.text) == (200, True)


def test_whoever_waited_too_long_to_set_it_up_confirms_first(open_with: Open) -> None:
    installation = open_with(Demand.EVERYONE)
    root = installation.set_up()
    installation.now += timedelta(minutes=10)
    assert root.get(FACTOR).headers["location"].startswith("/confirm?")
    page = root.get("/confirm?next=/account/second-factor")
    token = find_token(page.text)
    done = root.send("/confirm", form_token=token, password=PASSWORD, next=FACTOR)
    assert done.headers["location"] == FACTOR
    page = root.get(FACTOR)
    assert page.status_code == 200
    out = root.send("/sign-out", form_token=find_token(page.text))
    assert out.headers["location"] == "/sign-in"


def test_it_can_be_demanded_of_administrators_alone(open_with: Open) -> None:
    installation = open_with(Demand.ADMINISTRATORS)
    root = installation.set_up()
    ada = installation.person("ada", Role.VIEWER)
    assert ada.get("/account").status_code == 200
    assert root.get("/account").headers["location"] == FACTOR


def test_offered_is_offered(open_with: Open) -> None:
    installation = open_with(Demand.OFFERED)
    assert installation.set_up().get("/account").status_code == 200


def test_who_takes_it_away_must_set_up_another_one(open_with: Open) -> None:
    installation = open_with(Demand.EVERYONE)
    root = installation.set_up()
    set_up_factor(installation, root)
    assert root.submit(f"{FACTOR}/remove").headers["location"] == "/account"
    assert root.get("/account").headers["location"] == FACTOR


def test_programs_and_commands_beside_the_server_are_not_asked(open_with: Open) -> None:
    installation = open_with(Demand.EVERYONE)
    installation.set_up()
    bearer = {"authorization": f"Bearer {installation.access.operator_secret}", "accept": "*/*"}
    assert installation.browser().ask("GET", "/api/v1/accounts", headers=bearer).is_success


def test_how_somebody_signs_in_with_a_provider_is_its_part(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.configure(demand=Demand.EVERYONE, roles=("staff=viewer",), joining="role")
    company.set_up()
    company.fake.claims = {"groups": ["staff"]}
    browser = company.browser()
    assert company.sign_in(browser).is_redirect
    assert browser.get("/account").status_code == 200
    company.access.close()
