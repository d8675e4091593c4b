"""The pages of accounts and credentials, in a real browser: by keys, and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from codometer.access.actor import SYSTEM
from codometer.access.credential import Credential, Wanted
from codometer.access.secret import Kind
from tests.browser.office import DANA, ROOT, Office
from tests.browser.test_records import WIDTHS, Open, go, sign_in
from tests.browser.visit import THEMES, Theme, find_barriers, text_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

LIST: Final = "/access/credentials"


@pytest.fixture(scope="module")
def laptops(office: Office) -> Iterator[Credential]:
    """Give a credential that ends soon, and a name as long as names can be."""
    credentials = office.served.server.access.credentials
    wanted = Wanted(
        kind=Kind.INGEST,
        name="laptops-of-the-platform-team-" + "x" * 71,
        team="payments-and-" + "y" * 80,
        binds_team=True,
        lifetime=timedelta(days=5),
        addresses=("10.1.0.0/16", "2001:db8::/32"),
    )
    made = credentials.create(wanted, SYSTEM).credential
    yield made
    credentials.revoke(made.id, SYSTEM)


def list_places(office: Office, laptops: Credential) -> list[str]:
    account = office.accounts[office.ada].id
    return [
        "/access",
        "/access/invite",
        f"/access/account?id={account}",
        f"/access/account/change?id={account}",
        f"/access/account/act?id={account}&act=disable",
        LIST,
        f"{LIST}/new",
        f"{LIST}/new?kind=service",
        f"/access/credential?id={laptops.id}",
        f"/access/credential/rotate?id={laptops.id}",
        f"/access/credential/revoke?id={laptops.id}",
    ]


def check_fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == width, page.url
    assert find_barriers(page) == [], page.url
    assert page.get_by_label("Failed").count() == 0, page.url
    assert page.locator("h1").count() == 1, page.url


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_every_page_of_access_fits_and_keeps_nobody_out(
    open_page: Open, office: Office, laptops: Credential, theme: Theme, width: int
) -> None:
    page = sign_in(open_page, office, ROOT, "/access", theme=theme, width=width)
    for path in list_places(office, laptops):
        go(page, office, path)
        check_fits(page, width)


def test_a_credential_is_made_by_keys_and_its_secret_is_there_once(
    open_page: Open, office: Office
) -> None:
    page = sign_in(open_page, office, ROOT, LIST, width=390)
    page.get_by_role("link", name="New credential").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LIST}/new")
    page.get_by_role("link", name="Ingest").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LIST}/new?kind=service")
    page.locator("input[name=name]").focus()
    page.keyboard.type("grafana")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert not page.get_by_label("Ask for measures").is_checked()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="The secret of grafana").wait_for()
    (secret,) = set(re.findall(r"cdm_svc_\w{36}", page.content()))
    assert page.get_by_role("button", name="Copy").count() == 2
    check_fits(page, 390)
    page.get_by_role("link", name="On to the credential").click()
    assert secret not in page.content()
    assert f"cdm_svc_…{secret[-4:]}" in text_of(page, "tbody")


def test_an_account_is_disabled_without_script(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, ROOT, "/access", script=False, faults=("status of 400",))
    page.get_by_role("link", name=DANA).click()
    page.get_by_role("link", name="Disable the account").click()
    page.get_by_label("To confirm").fill("somebody else")
    page.get_by_role("button", name="Disable the account").click()
    assert "This was not confirmed" in text_of(page, "[role=alert]")
    assert page.get_by_role("heading", name=f"Disable the account: {DANA}").count() == 1
    page.get_by_label("To confirm").fill(DANA)
    page.get_by_role("button", name="Disable the account").click()
    page.wait_for_url("**/access/account?**")
    assert "nobody signs in to it" in text_of(page, "main")
    go(page, office, "/access")
    assert page.locator("tbody tr", has_text=DANA).get_by_text("disabled").count() == 1
