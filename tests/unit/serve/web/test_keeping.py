"""How long what is kept, legal holds, and the box to try redaction in, as pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from codometer.access.permissions import Role
from codometer.model.identity import Identities
from codometer.people.queue import Asked, Queue, Right
from codometer.people.requests import Requests
from codometer.serve.web.pages.privacy.redaction import MOST_CHARACTERS
from tests.forms import list_marked
from tests.unit.serve.installation import Browser, Installation

WHY = "a claim before a court"
MARKED_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_TEXT = f"the orchard is sold, says ada@example.com; {MARKED_KEY} opens it"


def list_forms(page: str) -> list[str]:
    """Return the forms in the text of a page, but for those of its frame."""
    return re.findall(r'<form method="post" action="/privacy.*?</form>', page, re.DOTALL)


def ask_to_be_forgotten(installation: Installation) -> tuple[Queue, Asked]:
    """Have somebody who is known here by a pseudonym ask for it."""
    people = installation.people
    pseudonym = people.identifier.learn(Identities(email="ada@example.com"))
    people.vault.save()
    queue = Queue(Requests(people))
    queue.ask(pseudonym, Right.ERASURE, "I leave")
    return queue, queue.list_open()[0]


def test_a_hold_is_set_and_lifted_with_reasons_by_an_administrator(
    installation: Installation, root: Browser
) -> None:
    path = "/privacy/retention"
    assert "Nothing is under a legal hold" in root.get(path).text
    person = ask_to_be_forgotten(installation)[1].person
    done = root.submit(f"{path}/hold", kind="person", subject=person, reason=WHY)
    assert done.headers["location"] == f"{path}#holds"
    shown = root.get(path).text
    assert person in shown
    assert WHY in shown
    (hold,) = installation.people.holds.list_holds()
    refused = root.submit(f"{path}/lift", hold=hold.id, reason="")
    assert (refused.status_code, "A hold needs a reason" in refused.text) == (400, True)
    lifting, holding = list_forms(refused.text)
    assert 'aria-invalid="true" aria-describedby="problem" autofocus' in lifting
    assert "aria-invalid" not in holding
    refused = root.submit(f"{path}/lift", hold="none", reason="it was settled")
    assert "it was settled" not in "".join(list_forms(refused.text))
    root.submit(f"{path}/lift", hold=hold.id, reason="it was settled")
    assert installation.people.holds.list_holds() == []


@pytest.mark.parametrize(
    ("kind", "subject"), [("planet", "mars"), ("team", ""), ("person", "ada"), ("everything", "x")]
)
def test_a_hold_on_what_there_is_not_is_refused_in_the_page(
    installation: Installation, root: Browser, kind: str, subject: str
) -> None:
    path = "/privacy/retention"
    refused = root.submit(f"{path}/hold", kind=kind, subject=subject, reason=WHY)
    assert refused.status_code == 400
    assert f'value="{WHY}"' in refused.text
    assert list_marked(refused.text) == (["subject"] if kind != "planet" else [])
    assert installation.people.holds.list_holds() == []


def test_an_auditor_sees_what_is_kept_and_changes_nothing(
    installation: Installation, root: Browser
) -> None:
    root.submit("/privacy/retention/hold", kind="everything", subject="", reason=WHY)
    auditor = installation.person("ada", Role.AUDITOR)
    shown = auditor.get("/privacy/retention").text
    assert "Single events" in shown
    assert "retention.sum_days" in shown
    assert "There was none yet" in shown
    assert WHY in shown
    assert "/privacy/retention/lift" not in shown
    (hold,) = installation.people.holds.list_holds()
    refused = auditor.submit("/privacy/retention/lift", hold=hold.id, reason="I want to")
    assert refused.status_code == 403
    assert installation.person("grace", Role.DEVELOPER).get("/privacy/retention").status_code == 403


def test_what_would_be_stored_of_a_text_is_shown_and_nothing_of_it_is_kept(
    installation: Installation, root: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/privacy/redaction"
    assert f'maxlength="{MOST_CHARACTERS}"' in root.get(path).text
    before = installation.access.audit.count(installation.now)[0]
    shown = root.submit(path, text=SECRET_TEXT)
    assert shown.status_code == 200
    assert "the orchard is sold, says [REDACTED:email:" in shown.text
    assert "Cut out: AWS key, e-mail address." in shown.text
    answer, box = shown.text.split("<textarea")
    assert MARKED_KEY not in answer
    assert MARKED_KEY in box  # what was typed is there to be changed
    assert "Telephone number" not in answer
    assert "telephone number" in box
    assert "All of it" in root.submit(path, text="the orchard").text
    assert installation.access.audit.count(installation.now)[0] == before
    files = [each for each in installation.settings.data.rglob("*") if each.is_file()]
    assert files
    for word in ("orchard", "ada@example.com", MARKED_KEY):
        assert word not in caplog.text
        assert not [each for each in files if word.encode() in each.read_bytes()]


def test_a_text_that_cannot_be_redacted_is_said_to_be_dropped(root: Browser) -> None:
    shown = root.submit("/privacy/redaction", text="[" * 40 + f'"{MARKED_KEY}"' + "]" * 40)
    assert "it could not be redacted, and such a text is dropped" in shown.text
    assert MARKED_KEY not in shown.text.partition("<textarea")[0]


@pytest.mark.parametrize(("text", "status"), [(" ", 400), ("x" * (MOST_CHARACTERS + 1), 413)])
def test_no_text_and_too_much_of_it_are_refused(root: Browser, text: str, status: int) -> None:
    assert root.submit("/privacy/redaction", text=text).status_code == status


def test_who_may_not_see_the_settings_cannot_try_it(
    installation: Installation, root: Browser
) -> None:
    root.get("/privacy")
    viewer = installation.person("ada", Role.VIEWER)
    assert viewer.get("/privacy/redaction").status_code == 403
    assert viewer.submit("/privacy/redaction", text="x").status_code == 403


def test_what_people_asked_for_is_decided_on_a_page_and_marked_when_it_waits_too_long(
    installation: Installation, root: Browser
) -> None:
    path, queue = "/privacy/requests", Queue(Requests(installation.people))
    assert "Nobody waits for anything" in root.get(path).text
    assert "Nobody waits for anything" in root.get("/privacy").text
    queue.ask("p_aaaaaaaaaaaaaaaaaaaa", Right.CORRECTION, "those are not mine")
    (asked,) = queue.list_open()
    shown = root.get(path).text
    assert "p_aaaaaaaaaaaaaaaaaaaa" in shown
    assert "those are not mine" in shown
    assert 'tag bad">overdue' not in shown
    assert "1 request waits, none for too long" in root.get("/privacy").text
    refused = root.submit(f"{path}/do", request="req_none", reason=WHY)
    assert refused.status_code == 404
    auditor = installation.person("ada", Role.AUDITOR)
    assert f"{path}/do" not in auditor.get(path).text
    assert "Administrators decide" in auditor.get(path).text
    assert "Administrators decide" not in shown
    assert auditor.submit(f"{path}/decline", request=asked.id, reason=WHY).status_code == 403
    assert root.submit(f"{path}/decline", request=asked.id, reason=WHY).status_code == 303
    queue.ask("p_aaaaaaaaaaaaaaaaaaaa", Right.CORRECTION, "they still are not")
    installation.now += timedelta(days=31)
    root = installation.browser()
    root.sign_in("root")
    assert "1 overdue" in root.get(path).text
    assert "1 request of people waits, 1 of them for too long" in root.get("/privacy").text
    (asked,) = queue.list_open()
    assert root.submit(f"{path}/do", request=asked.id, reason="they were split").is_redirect
    assert queue.list_open() == []


def test_an_erasure_is_looked_at_and_confirmed_before_it_is_done(
    installation: Installation, root: Browser
) -> None:
    queue, asked = ask_to_be_forgotten(installation)
    waiting = root.get("/privacy/requests").text
    (way,) = re.findall(r'href="(/privacy/requests/erase[^"]*)"', waiting)
    assert 'action="/privacy/requests/do"' not in waiting
    at_once = root.submit("/privacy/requests/do", request=asked.id, reason=WHY)
    assert (at_once.status_code, "is looked at first" in at_once.text) == (400, True)
    preview = root.get(way).text
    assert f'<span class="mono">{asked.person}</span> asked for it' in preview
    assert "0 sessions, 0 events and 0 readings" in preview
    assert "I leave" in preview
    typed = {"request": asked.id, "reason": WHY}
    refused = root.submit("/privacy/requests/erase", None, **typed, confirm="p_somebody")
    assert (refused.status_code, "This was not confirmed" in refused.text) == (400, True)
    assert f'value="{WHY}"' in refused.text
    assert list_marked(refused.text) == ["confirm"]
    assert queue.list_open() == [asked]
    done = root.submit("/privacy/requests/erase", None, **typed, confirm=asked.person)
    assert done.headers["location"] == "/privacy/requests"
    assert queue.list_open() == []
    assert installation.people.vault.people.find_person(asked.person) is None


def test_an_erasure_is_looked_at_by_nobody_who_may_not_do_it(
    installation: Installation, root: Browser
) -> None:
    assert root.get("/privacy").status_code == 200
    _, asked = ask_to_be_forgotten(installation)
    auditor = installation.person("dana", Role.AUDITOR)
    assert "/privacy/requests/erase" not in auditor.get("/privacy/requests").text
    way = f"/privacy/requests/erase?request={asked.id}"
    assert auditor.get(way).status_code == 403
    assert "No such request waits" in root.get("/privacy/requests/erase").text
