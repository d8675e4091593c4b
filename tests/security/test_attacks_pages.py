"""Cross-site scripting, tried in a real Chromium in every place that repeats what others wrote.

The browser itself is the judge: no dialog, no element out of a name, no breach of
the policy on the console, and the name is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from playwright.sync_api import sync_playwright

from codometer.access.actor import SYSTEM
from codometer.access.permissions import Role
from codometer.privacy.profile import Profile
from tests.browser.fleet import Served, serve
from tests.browser.visit import Visit, launch, visit
from tests.security.firm import PASSWORD
from tests.security.local import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

SCRIPTS: Final = (
    '<img src=x onerror="alert(1)" class=evil>',
    '"><svg onload=alert(1) class=evil>',
    "'onmouseover='alert(1)' class='evil",
    "</title></style></script><script class=evil>alert(1)</script>",
    "<a class=evil href=javascript:alert(1)>x</a>",
    "javascript:alert(1)//",
    "--><!--<b class=evil>",
    "{{constructor.constructor('alert(1)')()}}",
)
EVIL: Final = ".evil, [onerror], [onload], [onmouseover], a[href^='javascript:']"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


def send_evil(served: Served) -> None:
    """Have people report scripts in every name that telemetry can carry."""
    otlp_url = f"http://127.0.0.1:{served.server.otlp_http.port}"
    for number, script in enumerate(SCRIPTS):
        resource = {"team.id": script, "department": script, "cost_center": script}
        resource |= {"service.version": script, "deployment.environment.name": script}
        for person in range(6):
            who = {"user.id": f"{number}-{person}", "session.id": f"{number}-{person}"}
            named = {**who, "model": script, "vcs.repository.name": script, "query_source": script}
            tool = {**who, "event.name": "tool_result", "tool_name": script, "success": "false"}
            odd = {**who, "event.name": script, script: script}
            assert report(otlp_url, resource, named, tool, odd).is_success
    served.server.store.roll_up()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("local")) as served:
        send_evil(served)
        yield served


def look(browser: Browser, url: str, *faults: str) -> str:
    """Open a page, wait until it is at rest, and return its text; nothing ran on it."""
    with visit(browser, url, Visit(faults=faults)) as page:
        dialogs: list[str] = []

        def refuse(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", refuse)
        page.wait_for_load_state("load")
        poke(page)
        assert page.locator(EVIL).count() == 0
        assert dialogs == []
        return page.content()


def poke(page: Page) -> None:
    """Open every menu and point at every name, where a handler would run."""
    for menu in page.locator("summary:visible").all():
        menu.click()
    for cell in page.locator("th:visible").all()[:20]:
        cell.hover()


def test_scripts_in_names_of_telemetry(browser: Browser, local: Served) -> None:
    held = "".join(look(browser, f"{local.url}/{asked}") for asked in ("", "?range=7d"))
    shown = [
        script
        for script in SCRIPTS
        if script.replace("<", "&lt;").replace(">", "&gt;")[:20] in held
    ]
    assert len(shown) == len(SCRIPTS)


@pytest.mark.parametrize(
    "path",
    ["?team=X", "?tz=X", "?range=X", "?panel=X", "?from=X&to=X", "join?link=X", "X", "assets/X"],
)
def test_scripts_in_addresses(browser: Browser, local: Served, path: str) -> None:
    text = quote(" ".join(SCRIPTS), safe="")
    look(browser, f"{local.url}/{path.replace('X', text)}", "Failed to load resource")


def test_scripts_in_names_of_accounts_and_their_teams(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serve(tmp_path_factory.mktemp("accounts")) as served:
        accounts = served.server.access.accounts
        link = accounts.invite_first()
        assert link is not None
        with served.server.access.audit.change(SYSTEM) as change:
            served.server.people.decisions.choose_first(Profile.STANDARD, SCRIPTS[0], change)
        accounts.join(link.secret, "root", PASSWORD, SYSTEM)
        advised = Visit(faults=("should have (optionally hidden) username fields",))
        for script in SCRIPTS[:4]:
            login = script.replace(" ", "/")
            invited = accounts.invite(Role.VIEWER, SYSTEM, teams=frozenset({script}))
            accounts.join(invited.secret, login, PASSWORD, SYSTEM)
            with visit(browser, f"{served.url}/sign-in?next=/account", advised) as page:
                page.fill("input[name=login]", login)
                page.fill("input[name=password]", PASSWORD)
                page.click("main button")
                page.wait_for_url("**/account")
                assert login.casefold() in page.inner_text("main")
                assert page.locator(EVIL).count() == 0


def test_a_script_that_got_into_a_page_would_be_stopped_by_its_policy(
    browser: Browser, local: Served
) -> None:
    with visit(browser, local.url, Visit(faults=("Content Security Policy",))) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.evaluate(
            """() => { document.body.insertAdjacentHTML("beforeend",
            '<img src="data:," onerror="window.ran = 1"><a href="javascript:window.ran=2">x</a>');
            const script = document.createElement("script");
            script.textContent = "window.ran = 3"; document.body.append(script); }"""
        )
        page.get_by_role("link", name="x", exact=True).click()
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None
        assert len([text for text in said if "Content Security Policy" in text]) >= 3
