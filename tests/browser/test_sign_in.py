"""Sign-in and one's own account, in a real browser: whole, readable and operable everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pyotp
import pytest

from codometer.access.actor import SYSTEM
from codometer.access.permissions import Role
from codometer.settings import SignIn
from tests.browser.fleet import Served, serve
from tests.browser.visit import THEMES, Theme, find_barriers, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

Open = Callable[..., "Page"]

WIDTHS: Final = (1440, 390, 320)
PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test
NEW: Final = "copper lantern violet moss"
REFUSED: Final = ("401", "400", "403")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server with an administrator, who has two sessions."""
    with serve(tmp_path_factory.mktemp("office")) as served:
        accounts = served.server.access.accounts
        first = accounts.invite_first()
        assert first is not None
        accounts.join(first.secret, "root", PASSWORD, SYSTEM)
        served.server.access.signing_in.with_password("root", PASSWORD, SYSTEM, address="")
        yield served


@pytest.fixture
def newcomer(office: Served) -> str:
    """Give the name of an account of one test's own."""
    accounts = office.server.access.accounts
    link = accounts.invite(Role.VIEWER, SYSTEM)
    login = f"ada{len(accounts.list_accounts())}@example.com"
    accounts.join(link.secret, login, PASSWORD, SYSTEM)
    return login


def sign_in(page: Page, login: str = "root", password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def fits(page: Page, width: int) -> None:
    """Check what every page must be, in each theme and width."""
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert find_barriers(page) == []
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_of_sign_in_fit_and_keep_nobody_out(
    open_page: Open, office: Served, theme: Theme, width: int
) -> None:
    link = office.server.access.accounts.invite(Role.VIEWER, SYSTEM)
    page = open_page(f"{office.url}/sign-in?next=/account", theme=theme, width=width)
    fits(page, width)
    sign_in(page)
    assert page.url == f"{office.url}/account"
    assert page.get_by_role("row").count() >= 3
    fits(page, width)
    for path in ("/account/second-factor", "/confirm", f"/join?link={link.secret}"):
        page.goto(office.url + path)
        fits(page, width)


# Once for each theme: after five failures in a minute the server has everybody wait.
@pytest.mark.parametrize("theme", THEMES)
def test_what_was_wrong_is_said_where_everybody_finds_it(
    open_page: Open, office: Served, theme: Theme
) -> None:
    page = open_page(f"{office.url}/sign-in", theme=theme, faults=REFUSED)
    sign_in(page, password="a wrong one")  # noqa: S106 - of a test
    assert page.get_by_role("alert").is_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        fits(page, width)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1440, 390])
def test_the_menu_of_a_person_is_reached_by_keys_and_signs_out(
    open_page: Open, office: Served, theme: Theme, width: int
) -> None:
    page = open_page(f"{office.url}/sign-in?next=/account", theme=theme, width=width)
    sign_in(page)
    menu = page.locator(".who summary, .mob summary").locator("visible=true")
    menu.focus()
    page.keyboard.press("Enter")
    assert find_barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    out = page.locator(".who .out, .mob .out").locator("visible=true")
    box = out.bounding_box()
    assert box
    assert 0 <= box["y"] <= 900 - box["height"]
    out.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    page.goto(f"{office.url}/account")
    assert "/sign-in?next=" in page.url


def test_signing_in_needs_no_pointer_and_no_script(
    open_page: Open, office: Served, newcomer: str
) -> None:
    page = open_page(f"{office.url}/sign-in", script=False)
    assert page.locator(":focus").get_attribute("name") == "login"
    page.keyboard.type(newcomer)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(office.url + "/")
    page.goto(f"{office.url}/account")
    assert newcomer in text_of(page, "main")


def test_an_authenticator_is_set_up_used_and_lost(
    open_page: Open, office: Served, newcomer: str
) -> None:
    page = open_page(f"{office.url}/sign-in?next=/account", faults=REFUSED)
    sign_in(page, newcomer)
    page.get_by_role("link", name="Set up an authenticator").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    styles = "e => getComputedStyle(e).stroke"
    assert page.locator(".qr .qrline").evaluate(styles) == "rgb(0, 0, 0)"  # in every theme
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    page.get_by_role("button", name="Use this authenticator").click()
    assert find_barriers(page) == []
    codes = page.locator("pre").inner_text().split()
    assert len(codes) == 8
    page.get_by_role("link", name="I have kept them").click()
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{office.url}/sign-in?next=/account")
    sign_in(page, newcomer)
    assert find_barriers(page) == []
    assert page.locator(":focus").get_attribute("name") == "code"
    page.keyboard.type(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office.url}/account")
    assert "7 recovery codes are left" in text_of(page, "main")


def test_a_browser_that_was_left_alone_asks_again_and_leads_back(
    open_page: Open, office: Served, newcomer: str
) -> None:
    page = open_page(f"{office.url}/sign-in?next=/account", faults=REFUSED)
    sign_in(page, newcomer)
    access = office.server.access
    with access.control.write() as connection:
        connection.exec_driver_sql("UPDATE session SET proved = NULL")
    access.sessions.reload()
    page.get_by_role("link", name="Set up an authenticator").click()
    assert text_of(page, "h1") == "Confirm that it is you"
    page.locator("input[name=password]:focus").wait_for()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/second-factor")
    assert text_of(page, "h1") == "Set up an authenticator"


def test_a_password_is_changed_and_other_browsers_are_out(
    open_page: Open, office: Served, newcomer: str
) -> None:
    here = open_page(f"{office.url}/sign-in?next=/account", faults=REFUSED)
    there = open_page(f"{office.url}/sign-in?next=/account")
    for page in (here, there):
        sign_in(page, newcomer)
    here.reload()
    assert here.get_by_role("button", name="End", exact=True).count() == 1
    here.get_by_label("Password that you have").fill(PASSWORD)
    here.get_by_label("New password").fill(NEW)
    here.get_by_role("button", name="Change the password").click()
    assert here.get_by_role("button", name="End", exact=True).count() == 0
    there.reload()
    assert "/sign-in" in there.url


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1440, 390])
def test_where_a_second_factor_is_demanded_everybody_is_led_to_it_and_then_on(
    open_page: Open, tmp_path: Path, theme: Theme, width: int
) -> None:
    with serve(tmp_path, sign_in=SignIn(second_factor="everyone")) as served:
        accounts = served.server.access.accounts
        first = accounts.invite_first()
        assert first is not None
        accounts.join(first.secret, "root", PASSWORD, SYSTEM)
        page = open_page(f"{served.url}/sign-in?next=/audit", theme=theme, width=width)
        sign_in(page)
        assert page.url == f"{served.url}/account/second-factor"
        assert "Set up an authenticator on your telephone" in text_of(page, "main")
        fits(page, width)
        page.goto(f"{served.url}/account")
        assert page.url == f"{served.url}/account/second-factor"
        secret = page.locator(".secret").inner_text().replace(" ", "")
        page.get_by_label("Code").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
        page.get_by_label("Code").press("Enter")
        page.get_by_role("link", name="I have kept them").click()
        assert page.url == f"{served.url}/account"
        page.goto(f"{served.url}/audit")
        assert page.url == f"{served.url}/audit"
