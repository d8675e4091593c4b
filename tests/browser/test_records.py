"""The pages about privacy, in a real browser: for everybody, operable by keys, fit for paper."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from codometer.access.actor import SYSTEM, Actor, ActorKind
from codometer.privacy.profile import POLICIES, Profile
from tests.browser.office import DANA, PASSWORD, PURPOSE, ROOT, Office
from tests.browser.visit import THEMES, Theme, find_barriers, text_of
from tests.journeys.office import run_codometer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

Open = Callable[..., "Page"]

WIDTHS = (1440, 390, 320)
PLACES = (
    "/privacy",
    "/privacy/change?profile=open&reason=tests",
    "/privacy/record",
    "/privacy/reveals",
    "/privacy/retention",
    "/privacy/redaction",
    "/privacy/requests",
    "/audit",
    "/me",
)


def sign_in(open_page: Open, office: Office, login: str, path: str, **options: object) -> Page:
    page = open_page(f"{office.served.url}/sign-in?next={quote(path, safe='')}", **options)
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{office.served.url}{path}")
    return page


def go(page: Page, office: Office, path: str) -> None:
    page.goto(f"{office.served.url}{path}")


@contextmanager
def lent(office: Office, login: str) -> Iterator[None]:
    """Lend somebody the right to ask for names."""
    vouching = office.served.server.access.vouching
    account = office.accounts[login].id
    root = next(each for each in vouching.list_accounts() if each.login == ROOT)
    actor = _actor_of(root.id)
    vouching.lend_reveals(account, 1, "a leaked key", actor)
    yield
    vouching.end_reveals(account, "over", actor)


def _actor_of(account_id: str) -> Actor:
    return Actor(kind=ActorKind.ACCOUNT, id=account_id)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_a_page_fits_and_keeps_nobody_out(
    open_page: Open, office: Office, theme: Theme, width: int
) -> None:
    page = sign_in(open_page, office, ROOT, "/privacy", theme=theme, width=width)
    for path in PLACES:
        go(page, office, path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert find_barriers(page) == [], path
        assert page.get_by_label("Failed").count() == 0, path
        assert page.locator("h1").count() == 1, path


@pytest.mark.parametrize("theme", THEMES)
def test_ones_own_data_fit_with_every_field_open(
    open_page: Open, office: Office, theme: Theme
) -> None:
    page = sign_in(open_page, office, office.ada, "/me", theme=theme, width=390)
    for field in page.locator("details.field").all():
        field.locator("summary").click()
    assert page.locator("details.field dd:visible").count() > 50
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert find_barriers(page) == []


def test_people_see_what_is_stored_of_them_and_take_it_along(
    open_page: Open, office: Office, tmp_path: Path
) -> None:
    page = sign_in(open_page, office, office.ada, "/me")
    assert office.pseudonym in page.locator("body").inner_text()
    assert page.locator(".kpi").count() == 8
    with page.expect_download() as started:
        page.get_by_role("button", name="Download everything (ZIP)").click()
    file = tmp_path / "mine.zip"
    started.value.save_as(file)
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        assert office.pseudonym in archive.read("identities.csv").decode()
    go(page, office, "/me")
    assert "they asked for it themselves" not in page.locator("[data-panel=looks]").inner_text()


def test_a_change_of_privacy_is_made_by_keys_and_every_page_tells_of_it(
    open_page: Open, office: Office
) -> None:
    page = sign_in(open_page, office, ROOT, "/privacy")
    page.locator("select[name=profile]").focus()
    page.keyboard.type("Open")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("we try it")
    page.keyboard.press("Enter")
    page.wait_for_url("**/privacy/change?**")
    assert "takes seven days" in page.locator("body").inner_text()
    page.locator("input[name=confirm]").focus()
    page.keyboard.type("open")
    page.keyboard.press("Enter")
    page.wait_for_url("**/privacy#upcoming")
    try:
        assert "we try it" in text_of(page, "#upcoming")
        for path in ("/", "/audit", "/me"):
            go(page, office, path)
            assert "the privacy profile becomes open" in text_of(page, ".banner")
        page.get_by_role("link", name="What changes").click()
        assert find_barriers(page) == []
        page.get_by_role("link", name="Keep standard instead").click()
        page.locator("input[name=reason]").fill("we do not")
        page.get_by_role("button", name="Keep standard").click()
        page.wait_for_url("**/privacy")
        assert page.locator(".banner").count() == 0
    finally:
        decisions = office.served.server.people.decisions
        if decisions.find_upcoming():
            decisions.decide(decisions.find_in_force().profile, None, "over", _actor_of("acc_x"))


def test_what_was_wrong_with_a_form_is_said_and_nothing_typed_is_lost(
    open_page: Open, office: Office
) -> None:
    page = sign_in(
        open_page,
        office,
        ROOT,
        "/privacy/change?profile=strict&reason=why",
        faults=("status of 400",),
    )
    page.locator("input[name=confirm]").fill("no")
    page.get_by_role("button", name="Decide on strict").click()
    assert "This was not confirmed" in text_of(page, "[role=alert]")
    assert page.locator("input[name=reason]").input_value() == "why"
    assert find_barriers(page) == []


def test_a_name_is_told_once_and_its_person_sees_that(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, DANA, "/privacy/reveals")
    assert page.locator("input[name=pseudonym]").count() == 0
    with lent(office, DANA):
        go(page, office, "/privacy/reveals")
        page.locator("input[name=pseudonym]").fill(office.pseudonym)
        page.locator("input[name=reason]").fill("a key of theirs leaked")
        page.get_by_role("button", name="Ask for the name").click()
        page.get_by_role("button", name="Show the name").click()
        assert office.ada in page.locator("main").inner_text()
        assert office.ada not in page.url
        assert find_barriers(page) == []
        go(page, office, "/privacy/reveals")
        assert office.ada not in page.locator("main").inner_text()
    hers = sign_in(open_page, office, office.ada, "/me")
    told = hers.locator("[data-panel=told]").inner_text()
    assert f"{DANA} was told the name behind your pseudonym" in told
    assert "a key of theirs leaked" in told
    assert find_barriers(hers) == []


def test_entries_are_filtered_and_read_without_script(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, ROOT, "/audit", script=False)
    assert "The log is whole." in page.locator("main").inner_text()
    page.locator("select[name=action]").select_option("account.link")
    page.get_by_role("button", name="Show", exact=True).click()
    assert page.locator("tbody tr").count() == 1
    page.locator("tbody summary").click()
    assert "hash" in page.locator("tbody details").inner_text().lower()
    page.get_by_role("link", name="Show all").click()
    assert page.url == f"{office.served.url}/audit"


def test_the_record_of_processing_is_fit_for_paper(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, DANA, "/privacy/record", theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for selector in (".side", ".head .tools", ".local a"):
        assert page.locator(selector).first.is_hidden()
    assert PURPOSE in page.locator("main").inner_text()
    assert page.locator(".blank").count() == 3
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_people_agree_and_take_it_back_on_their_own_page(open_page: Open, office: Office) -> None:
    contents = office.served.server.people.contents
    contents.open_project("team:payments", "to write better instructions", (), SYSTEM)
    page = sign_in(open_page, office, office.ada, "/me")
    page.get_by_role("button", name="Agree").click()
    page.wait_for_url("**/me#consents")
    assert "you agreed, until" in text_of(page, "#consents")
    assert find_barriers(page) == []
    in_force = office.served.server.people.in_force
    before, in_force.policy = in_force.policy, POLICIES[Profile.OPEN]
    try:
        page.reload()
        assert "taking that back would not stop anything" in text_of(page, "#consents")
        assert "you agreed, until" not in text_of(page, "#consents")
        assert page.get_by_role("button", name="Take it back").count() == 0
        assert page.get_by_role("button", name="Delete what was kept").count() == 1
    finally:
        in_force.policy = before
    page.reload()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Agree").wait_for()
    assert "you have not agreed" in text_of(page, "#consents")


def test_people_ask_on_their_own_page_and_read_what_became_of_it(
    open_page: Open, office: Office
) -> None:
    page = sign_in(open_page, office, office.ada, "/me")
    page.get_by_label("Why, or what exactly").fill("those commits are not mine")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url("**/me#asked")
    assert "Correction waits asked for" in text_of(page, "[data-panel=rights]")
    mine = {"CODOMETER_CREDENTIAL": office.served.server.access.operator_secret}
    wanted = ("person", "requests", "--format", "table")
    listed = run_codometer(*wanted, url=office.served.url, environ=mine)
    assert "those commits are not mine" in listed.stdout
    assert office.ada not in listed.stdout
    page = sign_in(open_page, office, ROOT, "/privacy/requests")
    page.get_by_label("What was done").fill("they were split")
    page.get_by_role("button", name="It was corrected").click()
    page.get_by_text("Nobody waits for anything").wait_for()
    page = sign_in(open_page, office, office.ada, "/me")
    assert "because: they were split" in text_of(page, "[data-panel=rights]")


def test_redaction_can_be_tried_without_script(open_page: Open, office: Office) -> None:
    page = sign_in(open_page, office, DANA, "/privacy/redaction", script=False)
    page.get_by_label("Text, of at most").fill('{"password": "correct horse", "to": "ada@exam')
    page.get_by_role("button", name="Redact it").click()
    assert "Cut out: password." in text_of(page, "main")
