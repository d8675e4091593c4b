"""Forms that are sent twice, too late, or after the proof of who sends them."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from starlette.responses import Response

from codometer.access.actor import SYSTEM
from codometer.access.permissions import INGEST, Role
from codometer.serve.web.drafts import Drafts
from codometer.serve.web.once import SHOWN_AGAIN, DoneAlready, Once
from tests.forms import find_token
from tests.unit.serve.installation import PASSWORD, Browser, Installation, set_up_factor
from tests.unit.serve.parts import NOW

NEW = "/access/credentials/new"
LAPTOPS = {
    "kind": "ingest",
    "name": "laptops",
    "days": "90",
    **{f"scope {scope}": "1" for scope in INGEST},
}


def open_form(browser: Browser, path: str) -> dict[str, str]:
    """Return what a form of a page brings back beside what is typed."""
    return {"form_token": find_token(browser.get(path).text)}


def list_names(installation: Installation) -> list[str]:
    return [each.name for each in installation.access.credentials.list_credentials()]


def test_a_page_with_a_secret_that_is_loaded_again_makes_no_other(
    installation: Installation, root: Browser
) -> None:
    form = {**LAPTOPS, **open_form(root, NEW)}
    shown, again = root.send(NEW, **form), root.send(NEW, **form)
    assert (shown.status_code, again.status_code) == (200, 200)
    assert again.text == shown.text
    assert list_names(installation) == ["laptops"]


def test_a_secret_is_not_shown_again_after_a_minute(
    installation: Installation, root: Browser
) -> None:
    form = {**LAPTOPS, **open_form(root, NEW)}
    (secret,) = set(re.findall(r"cdm_ing_\w{36}", root.send(NEW, **form).text))
    installation.now += SHOWN_AGAIN
    late = root.send(NEW, **form)
    assert (late.status_code, secret in late.text) == (409, False)
    assert "This was done already" in late.text
    assert list_names(installation) == ["laptops"]


def test_the_same_page_can_be_sent_with_something_else(
    installation: Installation, root: Browser
) -> None:
    form = {**LAPTOPS, **open_form(root, NEW)}
    root.send(NEW, **form)
    assert root.send(NEW, **{**form, "name": "ci"}).status_code == 200
    assert sorted(list_names(installation)) == ["ci", "laptops"]


def test_each_form_that_is_opened_is_another(installation: Installation, root: Browser) -> None:
    for _ in range(2):
        assert root.send(NEW, **LAPTOPS, **open_form(root, NEW)).status_code == 200
    assert list_names(installation) == ["laptops", "laptops"]


def test_what_was_refused_can_be_sent_again(installation: Installation, root: Browser) -> None:
    form = {**LAPTOPS, **open_form(root, NEW)}
    assert root.send(NEW, **{**form, "days": "0"}).status_code == 400
    assert root.send(NEW, **{**form, "days": "0"}).status_code == 400
    assert list_names(installation) == []


def test_invitations_and_recovery_codes_are_made_once(
    installation: Installation, root: Browser
) -> None:
    set_up_factor(installation, root)
    wanted = {"role": "viewer", "sight": "all", "teams": ""}
    for path, page, fields in (
        ("/access/invite", "/access/invite", wanted),
        ("/account/second-factor/codes", "/account", {}),
    ):
        form = {**fields, **open_form(root, page)}
        shown = root.send(path, **form)
        assert shown.status_code == 200
        assert root.send(path, **form).text == shown.text, path


def test_a_link_that_is_used_twice_by_one_form_signs_in(
    installation: Installation, root: Browser
) -> None:
    assert root.get("/account").status_code == 200
    link = installation.access.accounts.invite(Role.VIEWER, SYSTEM).secret
    ada = installation.browser()
    form = {"link": link, "login": "ada", "password": PASSWORD}
    form |= open_form(ada, f"/join?link={link}")
    visit = ada.cookies
    first = ada.send("/join", **form)
    ada.cookies = visit
    second = ada.send("/join", **form)
    assert second.headers["set-cookie"] == first.headers["set-cookie"]
    assert ada.get("/account").status_code == 200


def test_an_authenticator_stays_the_one_that_was_scanned(root: Browser) -> None:
    def find_secret() -> str:
        page = root.get("/account/second-factor").text
        return ",".join(re.findall(r'class="secret">([^<]+)<', page))

    assert find_secret() == find_secret() != ""


def test_an_authenticator_is_proposed_anew_once_one_is_taken(
    installation: Installation, root: Browser
) -> None:
    authenticator, _ = set_up_factor(installation, root)
    installation.now += timedelta(minutes=1)
    page = root.get("/account/second-factor").text
    (secret,) = re.findall(r'class="secret">([^<]+)<', page)
    assert secret.replace(" ", "") != authenticator.secret


def test_of_two_clicks_at_once_the_second_waits_for_the_first() -> None:
    async def click() -> tuple[list[Response], int]:
        once, obeyed, may_end = Once(lambda: NOW), 0, asyncio.Event()

        async def obey() -> Response:
            nonlocal obeyed
            obeyed += 1
            await may_end.wait()
            return Response("made")

        clicks = [asyncio.create_task(once.answer("form", obey)) for _ in range(2)]
        await asyncio.sleep(0)
        clicks[0].cancel()
        may_end.set()
        answers = await asyncio.gather(*clicks, return_exceptions=True)
        return [each for each in answers if isinstance(each, Response)], obeyed

    answers, obeyed = asyncio.run(click())
    assert ([each.body for each in answers], obeyed) == ([b"made"], 1)


def test_only_so_many_forms_are_remembered() -> None:
    async def send() -> list[int]:
        once, obeyed = Once(lambda: NOW, most=2), []

        async def obey() -> Response:
            obeyed.append(1)
            return Response()

        for name in ("a", "b", "c", "c", "a"):
            await once.answer(name, obey)
        return obeyed

    assert len(asyncio.run(send())) == 4


def test_a_form_that_failed_is_tried_again() -> None:
    async def send() -> int:
        once, tries = Once(lambda: NOW), 0

        async def obey() -> Response:
            nonlocal tries
            tries += 1
            raise DoneAlready("somebody else did it")

        for _ in range(2):
            with pytest.raises(DoneAlready):
                await once.answer("form", obey)
        return tries

    assert asyncio.run(send()) == 2


def test_what_was_typed_is_there_after_a_proof_that_was_too_old(
    installation: Installation, root: Browser
) -> None:
    form = {**LAPTOPS, "team": "checkout & co", **open_form(root, NEW)}
    installation.now += timedelta(minutes=11)
    asked = root.send(NEW, **form)
    back = prove(root, asked.headers["location"])
    assert back.startswith(f"{NEW}?draft=")
    page = root.get(back).text
    assert "This was not sent" in page
    assert 'value="laptops"' in page
    assert 'value="checkout &amp; co"' in page
    assert list_names(installation) == []
    assert "This was not sent" not in root.get(NEW).text


def test_what_was_done_is_not_offered_again_after_a_proof_that_was_too_old(
    installation: Installation, root: Browser
) -> None:
    form = {**LAPTOPS, **open_form(root, NEW)}
    installation.now += timedelta(minutes=9, seconds=50)
    assert root.send(NEW, **form).status_code == 200
    installation.now += timedelta(seconds=20)
    again = root.send(NEW, **form)
    assert (again.status_code, "This was done already" in again.text) == (409, True)
    assert "cdm_ing_" not in again.text


def test_a_form_in_a_row_leads_back_to_its_page(installation: Installation, root: Browser) -> None:
    sent = {"kind": "team", "subject": "checkout", "reason": "a claim"}
    form = {**sent, **open_form(root, "/privacy/retention")}
    installation.now += timedelta(minutes=11)
    at = {"referer": "http://127.0.0.1:4319/privacy/retention/lift"}
    asked = root.send("/privacy/retention/hold", at, **form)
    page = root.get(prove(root, asked.headers["location"])).text
    assert 'value="a claim"' in page


def test_nobody_else_reads_what_somebody_typed(installation: Installation, root: Browser) -> None:
    form = {**LAPTOPS, **open_form(root, NEW)}
    installation.now += timedelta(minutes=11)
    back = prove(root, root.send(NEW, **form).headers["location"])
    other = installation.person("grace", Role.ADMINISTRATOR)
    assert 'value="laptops"' not in other.get(back).text
    elsewhere = back.replace(NEW, "/privacy/retention")
    assert "This was not sent" not in root.get(elsewhere).text
    installation.now += timedelta(minutes=16)
    assert root.get("/account").status_code == 200
    prove(root, f"/confirm?next={NEW}")
    assert 'value="laptops"' not in root.get(back).text


def test_a_form_of_another_site_is_no_draft(installation: Installation, root: Browser) -> None:
    installation.now += timedelta(minutes=11)
    asked = root.send(NEW, **LAPTOPS, form_token="0" * 96)
    assert asked.headers["location"] == f"/confirm?next={quote(NEW, safe='')}"


def test_only_so_many_drafts_are_kept() -> None:
    drafts = Drafts(lambda: NOW)
    kept = [drafts.keep("acc_a", "/page", "/form", {"name": str(number)}) for number in range(300)]
    found = [drafts.find(each, "acc_a", "/page")[1] for each in kept]
    assert found[-256:] == [{"name": str(number)} for number in range(44, 300)]
    assert found[:44] == [{}] * 44


def test_the_address_of_a_form_leads_to_the_page_that_holds_it(root: Browser) -> None:
    for path, page in (
        ("/privacy/retention/lift", "/privacy/retention"),
        ("/account/second-factor/codes", "/account"),
        ("/sign-in/code", "/sign-in"),
    ):
        assert root.get(path).headers["location"] == page
    assert root.ask("DELETE", "/privacy/retention/lift").status_code == 405


def test_whoever_signs_in_again_comes_back_to_the_page_of_the_form(
    installation: Installation, root: Browser
) -> None:
    form = open_form(root, "/privacy/retention")
    installation.now += timedelta(days=30)
    asked = root.send("/privacy/retention/lift", hold="x", reason="over", **form)
    assert asked.headers["location"] == "/sign-in?next=%2Fprivacy%2Fretention"


def prove(browser: Browser, address: str) -> str:
    """Show again who it is, as the page at this address asks for, and return where it leads."""
    page = browser.get(address).text
    (leads_to,) = re.findall(r'name="next" value="([^"]*)"', page)
    fields = {"next": unescape(leads_to), "form_token": find_token(page)}
    return browser.send("/confirm", password=PASSWORD, **fields).headers["location"]
