"""Sign-in with a real provider of identities, in a real browser, between two sites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.browser.visit import launch, text_of
from tests.certificates import Authority
from tests.forms import find_token
from tests.npm import InstallFailed, leave_out
from tests.openid.provider import CLIENT_ID, CLIENT_SECRET, RealProvider
from tests.running import Ports, RunningServer, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.needs("npm"),
    pytest.mark.needs("chromium"),
]

PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test
GROUPS: Final = {"ada": ["staff", "checkout-devs"], "eve": ["guests"]}


@dataclass(frozen=True, slots=True)
class Office:
    """A server whose people sign in with the provider."""

    server: RunningServer
    provider: RealProvider


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    provider = RealProvider(
        port=Ports.find_free().api, folder=folder, authority=Authority.make(folder)
    )
    environment = {
        "CODOMETER_OIDC_COMPANY_LABEL": "Company",
        "CODOMETER_OIDC_COMPANY_ISSUER": provider.issuer,
        "CODOMETER_OIDC_COMPANY_CLIENT_ID": CLIENT_ID,
        "CODOMETER_OIDC_COMPANY_CLIENT_SECRET": CLIENT_SECRET,
        "CODOMETER_OIDC_COMPANY_ROLES": "staff=developer",
        "CODOMETER_OIDC_COMPANY_TEAMS": "checkout-devs=checkout",
        "CODOMETER_OIDC_COMPANY_JOINING": "role",
        "CODOMETER_OUTGOING_ALLOW": "localhost",
        "CODOMETER_OUTGOING_PORTS": str(provider.port),
        "CODOMETER_OUTGOING_CA_FILE": str(provider.authority.file),
    }
    with running(folder, environment=environment) as server:
        _set_up(server)
        return_to = f"{server.url}/sign-in/return/company"
        try:
            with provider.running(return_to, GROUPS):
                yield Office(server, provider)
        except InstallFailed as fault:
            leave_out("the provider", fault)


def _set_up(server: RunningServer) -> None:
    """Make the first administrator."""
    found = re.search(r"/join\?link=(\S+)", server.read_log())
    assert found
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        page = client.get(f"/join?link={found[1]}").text
        form = {"link": found[1], "login": "root", "password": PASSWORD, "purpose": "to try it"}
        answer = client.post("/join", data={**form, "form_token": find_token(page)})
        assert answer.is_redirect, answer.text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, office: Office) -> Iterator[Page]:
    """Give a page of a browser that is new, and can go to the two sites alone."""
    sites = {urlsplit(office.server.url).netloc, urlsplit(office.provider.issuer).netloc}

    def keep_inside(route: Route) -> None:
        if urlsplit(route.request.url).netloc in sites:
            route.continue_()
        else:
            route.abort()  # the provider's own forms ask for a font

    context = browser.new_context(ignore_https_errors=True)
    context.route("**/*", keep_inside)
    yield context.new_page()
    context.close()


def go_there_and_back(page: Page, login: str) -> None:
    """Say to the provider who one is, agree to be told of, and come back."""
    assert "localhost" in page.url
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    if "localhost" in page.url:
        page.locator("button[type=submit]").click()
    page.wait_for_url("http://127.0.0.1:*/**")


def test_whoever_has_a_role_signs_in_with_their_company(office: Office, page: Page) -> None:
    page.goto(f"{office.server.url}/account")
    page.get_by_role("link", name="Continue with Company").click()
    go_there_and_back(page, "ada")
    assert page.url == f"{office.server.url}/account"
    said = text_of(page, "main")
    assert "signed in as ada@example.com, with the role developer" in said
    assert "You see the numbers of checkout." in said
    cookies = {each["name"]: each for each in page.context.cookies(office.server.url)}
    assert cookies["codometer"]["httpOnly"]
    assert "codometer-ticket" not in cookies


def test_a_fresh_proof_is_one_that_the_provider_asked_for(office: Office, page: Page) -> None:
    page.goto(f"{office.server.url}/sign-in/with/company?next=/account/second-factor")
    go_there_and_back(page, "ada")
    assert text_of(page, "h1") == "Confirm that it is you"
    page.get_by_role("link", name="Continue with Company").click()
    go_there_and_back(page, "ada")  # it knows who is there, and asks again
    assert page.url == f"{office.server.url}/account/second-factor"


def test_whoever_has_no_role_is_told_so(office: Office, page: Page) -> None:
    page.goto(f"{office.server.url}/sign-in/with/company")
    go_there_and_back(page, "eve")
    assert "Nobody here knows you yet." in text_of(page, "main")
    page.goto(f"{office.server.url}/account")
    assert "/sign-in?" in page.url


def test_whoever_turns_back_at_the_provider_is_not_signed_in(office: Office, page: Page) -> None:
    page.goto(f"{office.server.url}/sign-in/with/company")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("http://127.0.0.1:*/**")
    assert "Company: it did not let you in." in text_of(page, "main")


def test_an_account_with_a_password_is_connected(office: Office, page: Page) -> None:
    page.goto(f"{office.server.url}/sign-in?next=/account")
    page.get_by_label("Name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Connect Company").click()
    page.wait_for_url("https://localhost:*/**")
    go_there_and_back(page, "root")
    assert page.url == f"{office.server.url}/account"
    assert "Connected with Company, since" in text_of(page, "main")
