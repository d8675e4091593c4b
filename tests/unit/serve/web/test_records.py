"""The pages without a period, as people of each role are answered."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest

from codometer.access.actor import SYSTEM
from codometer.access.permissions import Role
from codometer.people.decisions import Decisions
from codometer.privacy.profile import POLICIES, Profile
from tests.forms import list_marked
from tests.unit.serve.installation import PASSWORD, Browser, Installation
from tests.unit.serve.web.test_keeping import ask_to_be_forgotten

WORDS = "We agreed on this"


def decisions(installation: Installation) -> Decisions:
    return Decisions(installation.access.audit, installation.access.sessions)


def navigation(text: str) -> list[str]:
    (main,) = re.findall(r'<nav class="side".*?</nav>', text, re.DOTALL)
    return re.findall(r"<li><a [^>]*>([^<]+)</a>", main)


def actions(text: str) -> list[str]:
    """Return the actions of the entries that are shown."""
    return re.findall(r'<span class="mono sub">(\w+\.\w+)</span></summary>', text)


@pytest.mark.parametrize(
    ("role", "places"),
    [
        (Role.VIEWER, ["Overview", "My data", "Privacy"]),
        (Role.DEVELOPER, ["Overview", "My data", "Privacy"]),
        (Role.AUDITOR, ["My data", "Privacy", "Access", "Credentials", "Audit log"]),
        (
            Role.ADMINISTRATOR,
            ["Overview", "My data", "Privacy", "Access", "Credentials", "Audit log"],
        ),
    ],
)
def test_the_navigation_leads_only_where_its_reader_may_go(
    installation: Installation, root: Browser, role: Role, places: list[str]
) -> None:
    assert root.get("/privacy").status_code == 200
    person = installation.person("ada", role)
    shown = person.get("/privacy").text
    assert navigation(shown) == places
    for path in re.findall(r'<li><a href="([^"]+)"', shown):
        assert person.get(path).status_code == 200


def tabs(text: str) -> dict[str, str]:
    """Return where the pages beside a page are, and which of them says that it is this one."""
    shown = re.findall(r'<nav class="tabs" aria-label="Privacy">.*?</nav>', text, re.DOTALL)
    links = re.findall(r'<a href="([^"]+)"(?: aria-current="(\w+)")?>', "".join(shown))
    return dict(links)


def test_every_page_of_privacy_leads_to_all_others_that_its_reader_may_open(
    installation: Installation, root: Browser
) -> None:
    paths = list(tabs(root.get("/privacy").text))
    assert paths == [
        "/privacy",
        *(f"/privacy/{name}" for name in ("record", "requests", "retention", "reveals")),
        "/privacy/redaction",
    ]
    for path in paths:
        shown = root.get(path).text
        expected = {each: "page" if each == path else "" for each in paths}
        assert tabs(shown) == expected, path
        assert '<a href="/privacy" aria-current="' in shown
    assert tabs(root.get("/privacy/change?profile=open").text)["/privacy"] == "true"
    asked = ask_to_be_forgotten(installation)[1].id
    erasing = root.get(f"/privacy/requests/erase?request={asked}").text
    assert tabs(erasing)["/privacy/requests"] == "true"
    viewer = installation.person("ada", Role.VIEWER)
    assert tabs(viewer.get("/privacy").text) == {}


def test_an_auditor_is_led_from_the_front_page_to_what_they_may_see(
    installation: Installation, root: Browser
) -> None:
    auditor = installation.person("ada", Role.AUDITOR)
    assert auditor.get("/").headers["location"] == "/me"
    assert root.get("/").status_code == 200


def test_nobody_who_has_not_signed_in_is_shown_where_things_are(
    installation: Installation, root: Browser
) -> None:
    assert root.get("/account").text.count("Audit log") == 2
    for path in ("/sign-in", "/nowhere"):
        assert "Audit log" not in installation.browser().get(path).text


def test_in_local_mode_no_data_is_anybodys_in_particular(installation: Installation) -> None:
    browser = installation.browser()
    assert "My data" not in navigation(browser.get("/privacy").text)
    assert "Nobody has signed in" in browser.get("/me").text
    assert "(on this machine only you look)" in browser.get("/privacy").text


def test_privacy_says_first_what_is_collected_and_what_is_not(
    installation: Installation, root: Browser
) -> None:
    assert root.get("/privacy").status_code == 200
    page = installation.person("ada", Role.VIEWER).get("/privacy").text
    leads = re.findall(r'<p class="lead">([^<]+)</p>', page)
    assert [each.split(":")[0] for each in leads] == ["Collected", "Not collected"]
    assert "Administrators change the profile" in page
    assert 'action="/privacy/change"' not in page


def test_a_change_of_privacy_is_looked_at_and_confirmed(
    installation: Installation, root: Browser
) -> None:
    review = root.get(f"/privacy/change?profile=open&reason={WORDS}&purpose=to+learn")
    assert "takes seven days" in review.text
    assert f'value="{WORDS}"' in review.text
    assert decisions(installation).find_upcoming() is None
    fields = {"profile": "open", "purpose": "to learn", "reason": WORDS}
    refused = root.submit("/privacy/change", None, **fields, confirm="strict")
    assert (refused.status_code, "This was not confirmed" in refused.text) == (400, True)
    assert f'value="{WORDS}"' in refused.text
    assert decisions(installation).find_upcoming() is None
    done = root.submit("/privacy/change", None, **fields, confirm="Open ")
    assert done.headers["location"] == "/privacy#upcoming"
    upcoming = decisions(installation).find_upcoming()
    assert upcoming is not None
    assert (upcoming.profile, upcoming.purpose) == (Profile.OPEN, "to learn")


def test_every_page_says_that_more_will_be_known_until_that_is_off(
    installation: Installation, root: Browser
) -> None:
    decisions(installation).decide(Profile.OPEN, None, WORDS, SYSTEM, confirmed="open")
    viewer = installation.person("ada", Role.VIEWER)
    for path in ("/", "/me", "/privacy", "/account", "/nowhere"):
        assert viewer.get(path).text.count('class="banner"') == 1, path
    assert installation.browser().get("/sign-in").text.count('class="banner"') == 0
    assert WORDS in viewer.get("/privacy").text
    kept = root.submit(
        "/privacy/change", profile="standard", reason="we changed our minds", confirm="standard"
    )
    assert kept.headers["location"] == "/privacy"
    assert viewer.get("/privacy").text.count('class="banner"') == 0


def test_every_page_says_for_seven_days_that_the_purpose_is_another(
    installation: Installation, root: Browser
) -> None:
    fields = {"profile": "standard", "reason": WORDS, "confirm": "standard"}
    done = root.submit("/privacy/change", None, **fields, purpose="to plan <budgets>")
    assert done.headers["location"] == "/privacy"
    viewer = installation.person("ada", Role.VIEWER)
    for path in ("/", "/me", "/privacy", "/account", "/nowhere"):
        (banner,) = re.findall(r'<p class="banner">.*?</p>', viewer.get(path).text)
        assert "the numbers are for another purpose: <b>to plan &lt;budgets&gt;</b>" in banner
        assert "Before, it was: to see costs" in banner
        assert "Since Mon 23 Nov" in banner
    assert 'class="banner"' not in installation.browser().get("/sign-in").text
    assert "to plan &lt;budgets&gt;" in root.get("/audit?action=privacy.change").text
    installation.now += timedelta(days=7)
    viewer = installation.browser()
    viewer.sign_in("ada")
    assert 'class="banner"' not in viewer.get("/").text


def test_a_profile_that_is_none_is_refused_in_the_page(
    installation: Installation, root: Browser
) -> None:
    assert installation.office.fault is None
    assert "no profile" in root.get("/privacy/change?profile=lax").text
    refused = root.submit("/privacy/change", profile="<b>lax", confirm="<b>lax")
    assert refused.status_code == 400
    assert "<b>lax" not in refused.text


def test_the_record_of_processing_tells_of_what_is_in_force(
    installation: Installation, root: Browser
) -> None:
    assert root.get("/").status_code == 200
    decisions(installation).decide(Profile.STRICT, "to know what it costs", WORDS, SYSTEM)
    record = installation.person("ada", Role.AUDITOR).get("/privacy/record").text
    assert "to know what it costs" in record
    assert re.search(r"Single events</dt><dd>14 days", record)
    assert "It listens on this machine only." in record
    assert installation.person("grace", Role.VIEWER).get("/privacy/record").status_code == 403


@pytest.mark.parametrize(
    ("profile", "identity", "content"),
    [
        (Profile.STRICT, "as a pseudonym only", "Content</dt><dd>None is kept."),
        (
            Profile.STANDARD,
            "as a pseudonym; the e-mail",
            "where a project and the person agreed</dt><dd>At most 7 days.",
        ),
        (
            Profile.OPEN,
            "as the client names them",
            "where a project is open for it</dt><dd>At most 7 days.",
        ),
    ],
)
def test_the_record_of_processing_says_what_the_profile_does(
    installation: Installation, root: Browser, profile: Profile, identity: str, content: str
) -> None:
    assert root.get("/").status_code == 200
    decisions(installation).decide(profile, "to learn", WORDS, SYSTEM, confirmed=profile)
    installation.now += timedelta(days=8)
    record = installation.person("ada", Role.AUDITOR).get("/privacy/record").text
    assert re.search(rf"Identity</dt><dd>A person is stored {identity}", record)
    assert content in record
    has_content = profile is not Profile.STRICT
    for words in (
        "Content</dt><dd>What people and models write is kept only where",
        "for content; the keys",
        "is kept apart from the numbers",
        "projects that they were named for",
    ):
        assert (words in record) is has_content


def test_entries_of_the_audit_log_are_filtered_and_paged(
    installation: Installation, root: Browser
) -> None:
    for number in range(30):
        installation.access.accounts.invite(Role.VIEWER, SYSTEM, teams=frozenset({f"t{number}"}))
    page = root.get("/audit?action=account.invite").text
    assert actions(page) == ["account.invite"] * 25
    (older,) = re.findall(r'href="(/audit\?[^"]*before=\d+)"', page)
    assert actions(root.get(older.replace("&amp;", "&")).text) == ["account.invite"] * 5
    assert "The log is whole." in page
    assert "No entry fits." in root.get("/audit?until=2020-01-01").text
    assert len(actions(root.get("/audit?since=2026-11-23&until=2026-11-23").text)) == 25
    refused = root.get("/audit?action=nothing").text
    assert "is no action" in refused
    assert '<a href="/audit">Show all</a>' in refused


def test_what_was_refused_is_found_by_its_outcome(installation: Installation) -> None:
    root = installation.set_up()
    installation.browser().submit("/sign-in", login="root", password=PASSWORD[1:], next="/")
    page = root.get("/audit?outcome=refused").text
    assert actions(page) == ["session.sign_in"]
    assert actions(root.get("/audit?outcome=refused&action=account.invite").text) == []


def test_a_log_that_somebody_was_at_says_so(installation: Installation, root: Browser) -> None:
    with installation.access.control.write() as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET reason = 'nothing' WHERE seq = 2")
    page = root.get("/audit").text
    assert "The log is not whole." in page
    assert "Entry 2" in page


def test_the_audit_log_is_given_out_as_a_file_and_that_is_an_entry(
    installation: Installation, root: Browser
) -> None:
    decisions(installation).decide(Profile.STRICT, None, "=cmd|' /C calc'!A0", SYSTEM)
    answer = root.submit("/audit/export", format="csv", action="privacy.change")
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-2026-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["action"] for row in rows} == {"privacy.change"}
    assert rows[0]["reason"] == "'=cmd|' /C calc'!A0"
    answer = root.submit("/audit/export", format="json")
    entries = json.loads(answer.content)["entries"]
    assert entries[0]["action"] == "audit.export"
    assert entries[0]["after"] == {
        "entries": len(rows),
        "format": "csv",
        "filter": {"action": "privacy.change"},
    }
    assert root.submit("/audit/export", format="exe").status_code == 400
    assert installation.person("ada", Role.VIEWER).submit("/audit/export").status_code == 403
    for _ in range(7):
        assert root.submit("/audit/export", format="json").status_code == 200
    often = root.submit("/audit/export", format="json")
    assert (often.status_code, "more than 10 exports an hour" in often.text) == (429, True)


def test_names_are_lent_asked_for_and_told_on_one_page(
    installation: Installation, root: Browser
) -> None:
    installation.people.in_force.policy = POLICIES[Profile.STANDARD]
    dana = installation.person("dana", Role.AUDITOR)
    account = next(
        each for each in installation.access.vouching.list_accounts() if each.login == "dana"
    )
    assert "You may not ask for names" in dana.get("/privacy/reveals").text
    assert dana.submit("/privacy/reveals", pseudonym="p_x", reason=WORDS).status_code == 403
    lent = root.submit("/privacy/reveals/lend", account=account.id, hours="4", reason=WORDS)
    assert lent.headers["location"] == "/privacy/reveals"
    assert "You may ask until" in dana.get("/privacy/reveals").text
    refused = dana.submit("/privacy/reveals", pseudonym="p_x", reason=WORDS)
    assert (refused.status_code, "no person" in refused.text) == (400, True)
    assert f'value="{WORDS}"' in refused.text
    assert list_marked(refused.text) == ["pseudonym"]
    assert root.submit("/privacy/reveals/decide", reveal="x").status_code == 400
    assert root.submit("/privacy/reveals/lend", account=account.id, hours="²").status_code == 400
    root.submit("/privacy/reveals/end", account=account.id)
    assert "You may not ask for names" in dana.get("/privacy/reveals").text


def test_an_account_sees_no_data_before_somebody_vouched_for_it(
    installation: Installation, root: Browser
) -> None:
    ada = installation.person("ada@example.com", Role.DEVELOPER)
    page = ada.get("/me").text
    assert "Nobody has confirmed yet that <b>ada@example.com</b>" in page
    (account,) = re.findall(r"codometer person link (acc_\w+)", page)
    refused = ada.submit("/me/export")
    assert refused.status_code == 403
    body = {"account": account, "reason": "invited in person"}
    headers = {"accept": "*/*"}
    done = root.ask("POST", "/api/v1/people/link", json=body, headers=headers)
    assert done.json()["linked"]
    assert "Nothing is stored of ada@example.com" in ada.get("/me").text
    assert PASSWORD not in page
    undone = root.ask("POST", "/api/v1/people/unlink", json=body, headers=headers)
    assert undone.json()["linked"] is None


@pytest.mark.parametrize(
    ("profile", "words", "asks"),
    [
        (Profile.STRICT, "lets nobody agree", 0),
        (Profile.STANDARD, "only if you agree", 1),
        (Profile.OPEN, "does not ask you", 0),
    ],
)
def test_people_are_told_whether_content_needs_their_consent(
    installation: Installation, root: Browser, profile: Profile, words: str, asks: int
) -> None:
    ada = installation.person("ada@example.com", Role.DEVELOPER)
    (account,) = re.findall(r"codometer person link (acc_\w+)", ada.get("/me").text)
    installation.access.vouching.link(account, "invited in person", SYSTEM)
    installation.people.in_force.policy = POLICIES[Profile.STANDARD]
    installation.people.contents.open_project("team:payments", "to learn", (), SYSTEM)
    installation.people.in_force.policy = POLICIES[profile]
    page = ada.get("/me").text
    assert words in page
    assert page.count('action="/me/agree"') == page.count("you have not agreed") == asks
    assert "team:payments" in page
    assert root.get("/privacy").status_code == 200


def test_another_site_cannot_have_a_form_sent(installation: Installation, root: Browser) -> None:
    fields = {"profile": "strict", "reason": "x", "confirm": "strict"}
    before = decisions(installation).find_in_force()
    answer = root.submit("/privacy/change", {"sec-fetch-site": "cross-site"}, **fields)
    assert answer.status_code == 403
    assert decisions(installation).find_in_force() == before
