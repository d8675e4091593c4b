"""Forms in a real browser: sent twice, sent too late, confirmed, and filled in by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from codometer.access.actor import SYSTEM
from codometer.people.holds import HoldKind
from codometer.people.queue import Asked, Queue, Right
from codometer.people.requests import Requests
from tests.browser.office import PASSWORD, ROOT, Office
from tests.browser.test_access import check_fits
from tests.browser.test_records import PLACES, WIDTHS, Open, go, sign_in
from tests.browser.visit import THEMES, Theme, find_unreached, text_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

NEW = "/access/credentials/new"


@pytest.fixture(scope="module")
def erasure(office: Office) -> Asked:
    """Give the request of somebody to be forgotten."""
    queue = Queue(Requests(office.served.server.people))
    queue.ask(office.pseudonym, Right.ERASURE, "I leave")
    return queue.list_open()[0]


@pytest.fixture
def hold(office: Office) -> Iterator[str]:
    """Give what is said of a legal hold."""
    holds = office.served.server.people.holds
    made = holds.set(HoldKind.EVERYTHING, "", "a claim", SYSTEM)
    yield made.reason
    if made in holds.list_holds():
        holds.lift(made.id, "over", SYSTEM)


def list_names(office: Office) -> list[str]:
    return [each.name for each in office.served.server.access.credentials.list_credentials()]


def find_secrets(page: Page) -> set[str]:
    return set(re.findall(r"cdm_ing_\w{36}", page.content()))


def forget_proof(office: Office) -> None:
    """Have everybody show again who they are before anything that needs it."""
    access = office.served.server.access
    with access.control.write() as connection:
        connection.exec_driver_sql("UPDATE session SET proved = NULL")
    access.sessions.reload()


def prove(page: Page) -> None:
    assert text_of(page, "h1") == "Confirm that it is you"
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def list_places(office: Office, erasure: Asked) -> list[str]:
    account = office.accounts[office.ada].id
    return [
        *PLACES,
        f"/privacy/requests/erase?request={erasure.id}",
        "/access",
        "/access/invite",
        f"/access/account?id={account}",
        f"/access/account/change?id={account}",
        f"/access/account/act?id={account}&act=disable",
        "/access/credentials",
        NEW,
        "/account",
        "/account/second-factor",
    ]


@pytest.mark.parametrize("width", [1440, 390])
def test_every_action_of_privacy_and_access_is_reached_by_keys_in_order(
    open_page: Open, office: Office, erasure: Asked, hold: str, width: int
) -> None:
    page = sign_in(open_page, office, ROOT, "/privacy", width=width)
    for path in list_places(office, erasure):
        go(page, office, path)
        assert find_unreached(page) == [], path
    go(page, office, "/privacy/retention")
    assert hold in text_of(page, "#holds")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_page_of_an_erasure_fits_and_keeps_nobody_out(
    open_page: Open, office: Office, erasure: Asked, theme: Theme, width: int
) -> None:
    page = sign_in(open_page, office, ROOT, "/privacy/requests", theme=theme, width=width)
    check_fits(page, width)
    page.get_by_role("link", name="See what would go").click()
    page.wait_for_url(f"**/privacy/requests/erase?request={erasure.id}")
    check_fits(page, width)


def test_the_pages_of_privacy_are_gone_through_by_keys(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, ROOT, "/privacy", width=390)
    tabs = page.get_by_role("navigation", name="Privacy")
    tabs.get_by_role("link", name="What is collected").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/privacy/retention")
    assert tabs.locator("[aria-current=page]").inner_text() == "Retention"


def test_a_page_with_a_secret_is_loaded_again_and_the_button_clicked_twice(
    open_page: Open, office: Office
) -> None:
    page = sign_in(open_page, office, ROOT, NEW)
    page.locator("[name=name]").fill("laptops")
    page.get_by_role("button", name="Make the credential").dblclick()
    page.get_by_role("heading", name="The secret of laptops").wait_for()
    (secret,) = find_secrets(page)
    page.reload()
    assert find_secrets(page) == {secret}
    assert list_names(office).count("laptops") == 1


def test_what_was_typed_outlives_an_old_proof(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, ROOT, NEW)
    page.locator("[name=name]").fill("ci & co")
    page.locator("[name=addresses]").fill("10.1.0.0/16\n10.2.0.0/16")
    page.get_by_label("Use this team even").check()
    forget_proof(office)
    page.get_by_role("button", name="Make the credential").click()
    prove(page)
    page.get_by_text("This was not sent").wait_for()
    check_fits(page, 1440)
    assert page.locator("[name=name]").input_value() == "ci & co"
    assert page.locator("[name=addresses]").input_value() == "10.1.0.0/16\n10.2.0.0/16"
    page.locator("[name=team]").fill("payments")
    page.get_by_role("button", name="Make the credential").click()
    page.get_by_role("heading", name="The secret of ci & co").wait_for()


def test_a_hold_that_could_not_be_lifted_says_so_in_its_own_row(
    open_page: Open, office: Office, hold: str
) -> None:
    page = sign_in(open_page, office, ROOT, "/privacy/retention", faults=("status of 400",))
    lifting = page.get_by_label("Why it is lifted")
    lifting.fill("   ")
    page.get_by_role("button", name="Lift").click()
    assert "A hold needs a reason" in text_of(page, "[role=alert]")
    assert lifting.get_attribute("aria-describedby") == "problem"
    assert page.locator("form [name=subject]").input_value() == ""
    lifting.fill("it was settled")
    forget_proof(office)
    page.get_by_role("button", name="Lift").click()
    prove(page)
    page.wait_for_url("**/privacy/retention?draft=*")
    assert lifting.input_value() == "it was settled"
    page.get_by_role("button", name="Lift").click()
    page.get_by_text("Nothing is under a legal hold").wait_for()
    assert hold not in text_of(page, "#holds")


def test_somebody_is_forgotten_who_asked_for_it_and_only_when_that_is_confirmed(
    open_page: Open, office: Office, erasure: Asked
) -> None:
    page = sign_in(
        open_page, office, ROOT, "/privacy/requests", script=False, faults=("status of 400",)
    )
    page.get_by_role("link", name="See what would go").click()
    assert f"{erasure.person} asked for it" in text_of(page, "main")
    page.get_by_label("What is done").fill("they left")
    page.get_by_label("To confirm").fill("yes")
    page.get_by_role("button", name="Erase for good").click()
    assert "This was not confirmed" in text_of(page, "[role=alert]")
    page.get_by_label("To confirm").fill(erasure.person)
    page.get_by_role("button", name="Erase for good").click()
    page.get_by_text("Nobody waits for anything").wait_for()
    assert office.served.server.people.vault.people.find_person(erasure.person) is None
