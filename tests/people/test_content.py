"""Content is kept where a project and a person agreed, and nowhere else, and read by few."""

import io
import json
import logging
import zipfile
from collections.abc import Mapping
from typing import Final

import pytest

from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.audit import Filter
from codometer.access.chain import Entry
from codometer.access.permissions import Role
from codometer.errors import BadRequest, Forbidden
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.intake.receivers.otlp_content import read_content
from codometer.model.signal import SignalKind
from codometer.people.consents import LONGEST, NoSuchConsent
from codometer.privacy.encryption import CannotDecrypt, Purpose
from codometer.privacy.policy import CONTENT_PARTS, MAX_CONTENT_LENGTH, Part
from codometer.privacy.profile import Profile
from tests import capture
from tests.people.desk import (
    MARKED_EMAIL,
    MARKED_KEY,
    PROJECT,
    PROMPT,
    WHO_ADA,
    WHO_GRACE,
    WITH_CONTENT,
    Desk,
    logs,
)
from tests.people.household import ROOT, Household

EMAIL: Final = WHO_ADA["user.email"]
WORDS: Final = "the unreleased product is called Zephyr"


@pytest.fixture
def desk(household: Household) -> Desk:
    """Give an organisation's server under `standard`, to which two people sent something."""
    household.become(Profile.STANDARD)
    desk = Desk.at(household)
    desk.prompt("before anybody agreed", WHO_ADA, number=100)
    desk.prompt("before anybody agreed", WHO_GRACE, number=101)
    return desk


def list_entries(desk: Desk, *actions: Action) -> list[Entry]:
    """Return entries of the audit log, the oldest first."""
    found = desk.household.access.audit.list_entries(Filter(actions=actions))
    return [each.entry for each in reversed(found)]


def agreed(desk: Desk) -> Desk:
    desk.open()
    desk.agree()
    return desk


# Who must agree.


def test_nothing_is_kept_of_anybody_who_did_not_agree(desk: Desk) -> None:
    desk.open()
    desk.prompt(WORDS)
    assert desk.count() == 0
    desk.agree()
    desk.prompt(WORDS, WHO_GRACE, number=2)
    assert desk.count() == 0
    desk.prompt(WORDS, number=3)
    assert desk.count() == 1
    assert desk.texts(desk.person()) == WORDS


def test_nothing_is_kept_of_another_project(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS, {**WHO_ADA, "team.id": "search"})
    desk.prompt(WORDS, {**WHO_ADA, "vcs.repository.name": "shop/checkout"}, number=2)
    desk.prompt(WORDS, {"user.email": EMAIL}, number=3)
    assert desk.count() == 0


def test_a_repository_is_a_project_before_its_team_is(desk: Desk) -> None:
    desk.open("repository:shop/checkout")
    desk.agree(project="repository:shop/checkout")
    desk.prompt(WORDS, {**WHO_ADA, "vcs.repository.name": "shop/checkout"})
    desk.prompt(WORDS, number=2)
    assert [fact.project for fact in desk.views.content_of(desk.person())] == [
        "repository:shop/checkout"
    ]


def test_under_the_strict_profile_nobody_can_agree(household: Household) -> None:
    household.become(Profile.STRICT)
    desk = Desk.at(household)
    with pytest.raises(BadRequest, match="nobody can agree"):
        desk.open()
    desk.deliver_recorded("2.1.330-http-json")
    assert desk.count() == 0


def test_under_the_open_profile_the_project_alone_agrees(household: Household) -> None:
    desk = Desk.at(household)
    desk.prompt(WORDS)
    assert desk.count() == 0
    desk.open()
    desk.prompt(WORDS, number=2)
    assert [each.text for each in desk.read(ROOT)] == [WORDS]


def test_a_stricter_profile_deletes_what_was_kept_and_ends_what_was_agreed(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    desk.household.become(Profile.STRICT)
    assert desk.count() == 0
    assert desk.contents.consents.list_projects() == []
    desk.prompt(WORDS, number=2)
    assert desk.count() == 0


def test_who_agrees_has_read_the_words(desk: Desk) -> None:
    desk.open()
    with pytest.raises(BadRequest, match="not the words"):
        desk.contents.agree(desk.person(), PROJECT, "0" * 64, "signed in")
    _, text = desk.contents.text_for(PROJECT)
    for said in ("to learn from it", "7 days", "Nobody else can read it", "no consequence"):
        assert said in text.text
    desk.agree()
    with pytest.raises(BadRequest, match="already"):
        desk.agree()
    (consent,) = desk.contents.consents_of(desk.person())
    assert (consent.text_hash, consent.channel) == (text.hash, "signed in")


def test_a_project_that_is_opened_for_something_else_asks_everybody_again(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    desk.open(reviewers=(desk.account("lead@example.com").id,))
    assert desk.count() == 0
    desk.prompt(WORDS, number=2)
    assert desk.count() == 0
    desk.agree()
    desk.prompt(WORDS, number=3)
    assert desk.count() == 1


def test_a_consent_ends_by_itself(desk: Desk) -> None:
    desk.open(days=10)
    desk.agree()
    (consent,) = desk.contents.consents_of(desk.person())
    assert (consent.expires - consent.granted).days == 10
    desk.wait(days=9, hours=23)
    desk.household.people.follow()
    desk.prompt(WORDS)
    assert desk.count() == 1
    desk.wait(hours=1)
    desk.household.people.follow()
    desk.prompt(WORDS, number=2)
    assert desk.count() == 1
    assert desk.contents.sweep() == 1
    with pytest.raises(BadRequest, match="180 days"):
        desk.open(days=LONGEST.days + 1)


@pytest.mark.parametrize("project", ["payments", "team:", "person:ada", "team:a\nb", ""])
def test_what_names_no_project_is_refused(desk: Desk, project: str) -> None:
    with pytest.raises(BadRequest, match="names no project"):
        desk.open(project)


def test_a_project_needs_a_purpose_and_reviewers_an_account(desk: Desk) -> None:
    with pytest.raises(BadRequest, match="purpose"):
        desk.contents.open_project(PROJECT, " ", (), ROOT)
    with pytest.raises(BadRequest, match="no account"):
        desk.open(reviewers=("stranger@example.com",))


# What is kept, and how.


@pytest.mark.parametrize("encoding", Encoding)
def test_the_marked_key_and_address_are_nowhere_in_clear(
    desk: Desk, encoding: Encoding, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, (project, email) in WITH_CONTENT.items():
        desk.deliver_recorded(name)
        desk.open(project)
        desk.agree(email, project)
    for name in capture.NAMES:
        desk.deliver_recorded(name, encoding)
    kept = "".join(desk.texts(desk.person(email)) for _, email in WITH_CONTENT.values())
    assert PROMPT in kept
    assert MARKED_KEY not in kept
    assert MARKED_EMAIL not in kept
    assert "[REDACTED:aws:" in kept
    assert "[REDACTED:email:" in kept
    assert desk.household.find_in_files(MARKED_KEY, MARKED_EMAIL, PROMPT, "def mul(") == set()
    assert not any(text in caplog.text for text in (MARKED_KEY, MARKED_EMAIL, PROMPT))


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("name", WITH_CONTENT)
def test_prompts_answers_and_tools_are_kept_from_wherever_they_are(
    desk: Desk, name: str, encoding: Encoding
) -> None:
    project, email = WITH_CONTENT[name]
    desk.deliver_recorded(name)
    desk.open(project)
    desk.agree(email, project)
    desk.deliver_recorded(name, encoding)
    facts = desk.views.content_of(desk.person(email))
    assert {fact.part for fact in facts} == set(Part)
    kept = desk.texts(desk.person(email))
    for text in (PROMPT[:-1], "Done: the module is written", "git add -A", "return a * b"):
        assert text in kept
    assert "/home/dev/" not in kept
    assert "<REDACTED>" not in kept
    count = desk.count()
    desk.deliver_recorded(name, encoding)
    assert desk.count() == count


NESTED: Final = {
    "arrayValue": {
        "values": [
            {
                "kvlistValue": {
                    "values": [
                        {"key": "content", "value": {"stringValue": f"my key: {MARKED_KEY}"}},
                        {"key": "n", "value": {"intValue": "7"}},
                        {"key": "none", "value": {}},
                    ]
                }
            }
        ]
    }
}


def nested(encoding: Encoding) -> ExportRequest:
    told = {"service.name": "claude-code", "event.name": "user_prompt", **WHO_ADA}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    attributes += [
        {"key": "gen_ai.input.messages", "value": NESTED},
        {"key": "system_prompt", "value": {"stringValue": "never kept"}},
        {"key": "response", "value": {"boolValue": True}},
        {"key": "tool_input", "value": {"bytesValue": "AAAA"}},
    ]
    record = {"timeUnixNano": "1795435200000000000", "attributes": attributes}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    message = capture.MESSAGES[SignalKind.LOGS]()
    body = json.dumps(document).encode()
    if encoding is Encoding.PROTOBUF:
        from google.protobuf.json_format import Parse  # noqa: PLC0415 - of this one test

        body = Parse(body, message).SerializeToString()
    return ExportRequest(kind=SignalKind.LOGS, encoding=encoding, body=body)


@pytest.mark.parametrize("encoding", Encoding)
def test_nested_messages_are_kept_as_json(desk: Desk, encoding: Encoding) -> None:
    agreed(desk)
    assert desk.deliver(nested(encoding)) == 1
    (told,) = json.loads(desk.texts(desk.person()))
    assert told["content"].startswith("my key: [REDACTED:")
    assert (told["n"] in (7, "7"), told["none"]) == (True, None)


def test_a_long_text_is_cut_and_what_is_too_much_is_dropped(desk: Desk) -> None:
    agreed(desk)
    desk.prompt("word " * MAX_CONTENT_LENGTH + MARKED_KEY)
    kept = desk.texts(desk.person())
    assert len(kept) == MAX_CONTENT_LENGTH
    assert not desk.contents.dropped


def test_a_request_that_has_too_much_is_kept_in_part(desk: Desk) -> None:
    agreed(desk)
    told = {"service.name": "claude-code", "event.name": "tool_result", **WHO_ADA}
    told |= {name: f"{name} " * 20_000 for name in CONTENT_PARTS}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    record = {"timeUnixNano": "1795435200000000000", "attributes": attributes}
    assert desk.deliver(logs({"logRecords": [record]})) == 1
    assert desk.contents.dropped["too_much"] == len(CONTENT_PARTS) - desk.count()
    assert 0 < desk.count() < len(CONTENT_PARTS)


def test_metrics_have_no_content() -> None:
    for name in capture.NAMES:
        for recorded in capture.recorded(name):
            if recorded.kind is SignalKind.METRICS:
                assert read_content(recorded.export(), CONTENT_PARTS) == []


def test_what_cannot_be_redacted_is_dropped_and_its_event_is_not(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    agreed(desk)
    deep: object = WORDS
    for _ in range(200):
        deep = [deep]
    desk.prompt(json.dumps(deep))
    assert desk.count() == 0
    assert desk.contents.dropped == {"redaction": 1}
    assert "agreed to: 1 redaction" in caplog.text
    assert WORDS not in caplog.text
    assert desk.household.store.fetch("SELECT count(*) FROM event") == [(3,)]


def test_a_body_that_cannot_be_read_twice_costs_no_event(desk: Desk) -> None:
    agreed(desk)
    request = nested(Encoding.JSON)
    broken = request.body.replace(b'"arrayValue"', b'"arrayValue": 7, "x"')
    made = ExportRequest(kind=request.kind, encoding=request.encoding, body=broken)
    assert desk.deliver(made) == 1
    assert desk.count() == 0
    assert desk.contents.dropped == {"unreadable": 1}


def test_a_text_is_bound_to_its_row_and_its_key_can_be_replaced(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS, number=1)
    desk.household.people.rotate(Purpose.CONTENT, ROOT)
    desk.prompt("another one", number=2)
    assert set(desk.texts(desk.person()).splitlines()) == {"another one", WORDS}
    with desk.household.access.control.write() as connection:
        rows = connection.exec_driver_sql("SELECT id, text FROM content ORDER BY time, id").all()
        connection.exec_driver_sql(
            "UPDATE content SET text = ? WHERE id = ?", (rows[0][1], rows[1][0])
        )
    with pytest.raises(CannotDecrypt):
        desk.texts(desk.person())


# How long.


def test_content_is_deleted_after_its_days(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    desk.wait(days=6, hours=23)
    assert desk.contents.sweep() == 0
    desk.wait(hours=2)
    assert desk.contents.sweep() == 1
    assert desk.count() == 0
    assert desk.household.actions()[-1] == "content.delete"


def test_who_takes_it_back_is_obeyed_at_once(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    assert desk.contents.withdraw(desk.person(), PROJECT) == 1
    assert desk.count() == 0
    desk.prompt(WORDS, number=2)
    assert desk.count() == 0
    with pytest.raises(NoSuchConsent):
        desk.contents.withdraw(desk.person(), PROJECT)
    (consent,) = desk.contents.consents_of(desk.person())
    assert consent.withdrawn is not None


def test_an_administrator_can_take_it_back_for_somebody(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    with pytest.raises(BadRequest, match="reason"):
        desk.household.requests.withdraw_content(EMAIL, PROJECT, " ", ROOT)
    assert desk.household.requests.withdraw_content(EMAIL, PROJECT, "she asked", ROOT) == 1
    assert desk.household.actions()[-1] == "content.withdraw"


def test_a_project_that_is_closed_keeps_nothing(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    desk.contents.close_project(PROJECT, "it is done", ROOT)
    assert desk.count() == 0
    with pytest.raises(NoSuchConsent):
        desk.contents.close_project(PROJECT, "it is done", ROOT)


def test_another_server_of_the_installation_follows(desk: Desk) -> None:
    agreed(desk)
    desk.household.reopen()
    desk.prompt(WORDS)
    assert desk.count() == 1


# Who reads.


def test_a_person_reads_their_own_and_that_is_on_the_record(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    ada = desk.account(EMAIL)
    (read,) = desk.read(ada)
    assert (read.text, read.fact.person, read.fact.part) == (
        WORDS, desk.person(), Part.PROMPT,
    )  # fmt: skip
    (viewed,) = list_entries(desk, Action.CONTENT_VIEW)
    assert (viewed.actor, viewed.object) == (ada.id, ada.id)


def test_the_record_never_says_whose_pseudonym_an_account_has(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    desk.household.people.contents.withdraw(desk.person(), PROJECT)
    agreed_to, withdrawn = list_entries(desk, Action.CONTENT_AGREE, Action.CONTENT_WITHDRAW)
    for entry in (agreed_to, withdrawn):
        assert (entry.actor_kind, entry.actor) == ("system", "")
        assert entry.object == desk.person()


def test_a_person_is_shown_that_content_and_consents_are_stored(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    newest = desk.household.requests.find_stored(EMAIL).newest
    (content,), (consent,) = newest["content"], newest["consents"]
    assert (content["project"], content["part"]) == (PROJECT, Part.PROMPT)
    assert WORDS not in str(newest)
    assert (consent["project"], consent["channel"]) == (PROJECT, "signed in")


def test_nobody_else_reads_it_whatever_their_role(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    for role in Role:
        other = desk.account(f"{role}@example.com", role)
        assert desk.read(other) == []
    for kind in (ActorKind.LOCAL, ActorKind.CREDENTIAL, ActorKind.SYSTEM):
        with pytest.raises(Forbidden):
            desk.read(Actor(kind=kind, id="x"))
    assert desk.views.access_log_of(desk.person()) == []


def test_a_reviewer_reads_what_was_opened_to_them_with_a_reason_that_the_person_sees(
    desk: Desk,
) -> None:
    lead = desk.account("lead@example.com", Role.TEAM_LEAD)
    desk.open(reviewers=("lead@example.com",))
    desk.open("team:search")
    desk.agree()
    desk.agree(project="team:search")
    desk.prompt(WORDS, number=1)
    desk.prompt("of another project", {**WHO_ADA, "team.id": "search"}, number=2)
    with pytest.raises(BadRequest, match="reason"):
        desk.read(lead)
    (read,) = desk.read(lead, reason="to write better instructions")
    assert read.text == WORDS
    (looked,) = desk.views.access_log_of(desk.person())
    assert (looked.actor, looked.reason) == (lead.id, "to write better instructions")
    assert json.loads(looked.after) == {"project": PROJECT, "texts": 1}


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"project": PROJECT}, 2),
        ({"project": "team:search"}, 0),
        ({"session": "session-1"}, 1),
        ({"session": "session-9"}, 0),
        ({"person": "p_bbbbbbbbbbbbbbbbbbbb"}, 0),
    ],
)
def test_a_reading_can_be_narrowed(desk: Desk, wanted: Mapping[str, str], count: int) -> None:
    agreed(desk)
    desk.prompt(WORDS, number=1)
    desk.prompt("another", number=2)
    assert len(desk.read(desk.account(EMAIL), **wanted)) == count


def test_content_follows_persons_who_turn_out_to_be_one(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    people, grace = desk.household.requests, desk.person(WHO_GRACE["user.email"])
    people.merge(desk.person(), grace, "one person", ROOT)
    assert len(desk.views.content_of(grace)) == 1
    desk.prompt("of the same person", WHO_GRACE, number=2)
    assert len(desk.views.content_of(grace)) == 2
    people.split(grace, "two after all", ROOT)
    assert desk.person() != desk.person(WHO_GRACE["user.email"])
    assert [desk.texts(desk.person(who["user.email"])) for who in (WHO_ADA, WHO_GRACE)] == [
        WORDS, "of the same person",
    ]  # fmt: skip
    desk.prompt("not any more", WHO_GRACE, number=3)
    assert desk.count() == 2


# What people may ask for.


def test_content_is_in_the_file_that_a_person_gets(desk: Desk) -> None:
    lead = desk.account("lead@example.com", Role.TEAM_LEAD)
    desk.open(reviewers=("lead@example.com",))
    desk.agree()
    desk.prompt(WORDS)
    desk.read(lead, reason="to learn")
    packed = desk.household.requests.export(EMAIL, "she asked for it", ROOT, is_own=True)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        told = json.loads(archive.read("data.json"))
        assert WORDS in archive.read("content.csv").decode()
    assert [row["text"] for row in told["content"]] == [WORDS]
    assert [row["project"] for row in told["consents"]] == [PROJECT]
    assert [row["action"] for row in told["looks"]] == ["content.view"]


def test_who_exports_another_person_reads_no_content_by_it(desk: Desk) -> None:
    agreed(desk)
    desk.prompt(WORDS)
    packed = desk.household.requests.export(EMAIL, "she asked for it", ROOT)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert WORDS not in "".join(files.values())
    (fact,) = json.loads(files["data.json"])["content"]
    assert (fact["project"], "text" in fact) == (PROJECT, False)


@pytest.mark.parametrize("profile", [Profile.OPEN, Profile.STANDARD])
def test_content_of_the_erased_is_gone_and_stays_out(
    household: Household, profile: Profile
) -> None:
    desk = Desk.at(household)
    if profile is not Profile.OPEN:
        household.become(profile)
    desk.prompt("before", WHO_ADA, number=100)
    desk.prompt("before", WHO_GRACE, number=101)
    desk.open()
    if profile is not Profile.OPEN:
        desk.agree()
        desk.agree(WHO_GRACE["user.email"])
    desk.prompt(WORDS, number=1)
    desk.prompt("of somebody else", WHO_GRACE, number=2)
    before = desk.count()
    preview = household.requests.forget(EMAIL, "", "", ROOT)
    household.requests.forget(EMAIL, preview.person, "she asked for it", ROOT)
    assert desk.count() == before - 1
    desk.prompt(WORDS, number=3)
    assert desk.count() == before - 1
    with household.access.control.read() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM personal_consent").scalar()
    assert rows == (0 if profile is Profile.OPEN else 1)
