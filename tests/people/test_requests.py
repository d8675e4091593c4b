"""What people may ask for, and what an administrator decides of identities."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest

from codometer.access.credential import Wanted
from codometer.access.permissions import Role
from codometer.access.secret import Kind
from codometer.access.verification import verify
from codometer.errors import BadRequest
from codometer.people.people import KeyInUse
from codometer.people.requests import NoSuchPerson
from codometer.privacy.encryption import Purpose
from codometer.privacy.profile import Profile
from codometer.store.people import ERASED
from tests.people.household import (
    ADA,
    ADA_ELSEWHERE,
    GRACE,
    NAMES_OF_ADA,
    ROOT,
    Household,
    is_pseudonymous,
)

EMAIL = ADA["user.email"]
EVERY = [Profile.OPEN, Profile.STANDARD, Profile.STRICT]
ONLY_MACHINE = {"user.id": ADA["user.id"]}


@pytest.fixture(params=EVERY)
def told(household: Household, request: pytest.FixtureRequest) -> Household:
    """Give a server under each profile, to which two people sent something."""
    if request.param is not Profile.OPEN:
        household.become(request.param)
    household.send(ADA, session="session-of-ada", number=1)
    household.send(ADA_ELSEWHERE, session="session-of-ada-2", number=2)
    household.send(GRACE, session="session-of-grace", number=3)
    return household


def forget(household: Household, subject: str = EMAIL) -> None:
    preview = household.requests.forget(subject, "", "", ROOT)
    household.requests.forget(subject, preview.person, "she asked for it", ROOT)


@pytest.mark.parametrize("subject", [EMAIL, "ADA.lovelace@EXAMPLE.com ", ADA["user.account_uuid"]])
def test_a_person_is_found_by_whatever_the_client_called_them(
    told: Household, subject: str
) -> None:
    found = told.requests.show(subject, ROOT)
    assert (found.rows.sessions, found.rows.events, found.rows.readings) == (2, 2, 2)
    assert told.actions()[-1] == "person.show"


def test_nobody_is_found_who_was_never_seen(told: Household) -> None:
    for subject in ("nobody@example.com", "p_aaaaaaaaaaaaaaaaaaaa"):
        with pytest.raises(NoSuchPerson):
            told.requests.show(subject, ROOT)
    for subject in (" ", "a" * 201):
        with pytest.raises(BadRequest):
            told.requests.show(subject, ROOT)


def test_an_export_has_everything_of_one_person_and_nothing_of_another(told: Household) -> None:
    packed = told.requests.export(EMAIL, "she asked for it", ROOT)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    tables = json.loads(files["data.json"])
    assert {row["session"] for row in tables["events"]} == {"session-of-ada", "session-of-ada-2"}
    assert {row["session"] for row in tables["origins"]} == {"session-of-ada", "session-of-ada-2"}
    assert len(tables["readings"]) == len(tables["days"]) == 2
    assert "session-of-ada-2" in files["days.csv"]
    assert "grace" not in "".join(files.values())
    assert all(f"{name}.csv" in files["readme.txt"] for name in tables)
    assert len(list(csv.DictReader(io.StringIO(files["events.csv"])))) == 2
    if told.people.policy.profile is Profile.STANDARD:
        assert "ada.lovelace@example.com" in files["identities.csv"]
    assert told.actions()[-1] == "person.export"


def test_an_erased_person_is_nowhere_and_the_totals_stay(told: Household) -> None:
    totals = told.totals()
    before = told.requests.show(EMAIL, ROOT)
    known = [known.pseudonym for known in before.pseudonyms]
    forget(told)
    assert told.totals() == totals
    assert told.find_in_files(*NAMES_OF_ADA) == set()
    assert not [name for name in known if name in told.texts()]
    assert ERASED in told.persons()
    assert len(told.persons()) == 2
    told.reopen()
    assert told.totals() == totals
    assert told.find_in_files(*NAMES_OF_ADA) == set()
    assert told.actions()[-1] in {"person.forget", "privacy.change"}
    assert verify(told.access.audit).faults == ()
    with pytest.raises(NoSuchPerson):
        told.requests.show(EMAIL, ROOT)
    assert told.requests.show(GRACE["user.email"], ROOT).rows.events == 1


def test_what_a_killed_process_had_put_aside_goes_at_the_next_start(told: Household) -> None:
    told.close()
    spilled = told.folder / "spill" / "duckdb_temp_storage-0.tmp"
    spilled.parent.mkdir(exist_ok=True)
    spilled.write_text("session-of-ada and lovelace")
    fresh = told.folder / "codometer.duckdb.fresh"
    fresh.write_text("lovelace")
    told.reopen()
    assert not spilled.exists()
    assert not fresh.exists()


def test_late_data_of_the_erased_stays_out_and_that_of_others_does_not(told: Household) -> None:
    forget(told)
    totals = told.totals()
    told.send(ADA, session="late")
    told.send({"user.email": EMAIL}, session="later")
    assert told.refused == 4
    assert told.totals() == totals
    told.access.keys.rotate(Purpose.PSEUDONYM, ROOT)
    told.reopen()
    told.send(ADA, session="latest")
    assert told.refused == 6
    assert told.find_in_files(*NAMES_OF_ADA) == set()
    told.send(GRACE, session="session-of-grace-2")
    told.send({**GRACE, "user.id": ADA["user.id"]}, session="her-laptop-now")
    assert told.refused == 6
    assert told.requests.show(GRACE["user.email"], ROOT).rows.events == 3


def test_later_work_of_others_leaves_the_sums_of_the_erased_as_they_are(told: Household) -> None:
    totals = told.totals()
    forget(told)
    told.send(GRACE, session="session-of-grace", number=4)
    requests = told.totals()[0][0]
    assert requests == totals[0][0] + 1


def test_a_preview_erases_nothing_and_a_wrong_confirmation_neither(told: Household) -> None:
    texts = told.texts()
    preview = told.requests.forget(EMAIL, "", "", ROOT)
    assert preview.rows.events == 2
    with pytest.raises(BadRequest, match="another person"):
        told.requests.forget(EMAIL, "somebody", "because", ROOT)
    with pytest.raises(BadRequest, match="reason"):
        told.requests.forget(EMAIL, preview.person, " ", ROOT)
    assert told.texts() == texts


def test_credentials_forget_the_name_too_and_accounts_are_told_of(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.invite(Role.DEVELOPER, EMAIL)
    made = household.access.credentials.create(
        Wanted(kind=Kind.INGEST, name="ci", person=EMAIL), ROOT
    )
    found = household.requests.show(EMAIL, ROOT)
    assert found.credentials == (made.credential.id,)
    assert len(found.accounts) == 1
    forget(household)
    household.access.known.follow()
    (credential,) = household.access.credentials.list_credentials()
    assert credential.person is None


def test_machines_of_one_account_are_one_person_also_when_that_is_learned_later(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.send(ONLY_MACHINE, session="one")
    household.send({"user.id": ADA_ELSEWHERE["user.id"]}, session="two")
    assert len(household.persons()) == 2
    kinds = household.store.fetch("SELECT DISTINCT person_kind FROM origin")
    assert kinds == [("installation",)]
    totals = household.totals()
    household.send(ADA, session="three")
    household.send(ADA_ELSEWHERE, session="four")
    household.people.follow()
    assert household.totals()[0][0] == totals[0][0] + 2
    assert len(household.persons()) == 1
    kinds = household.store.fetch("SELECT DISTINCT person_kind FROM origin")
    assert kinds == [("account",)]
    household.reopen()
    household.send(ONLY_MACHINE, session="five")
    assert len(household.persons()) == 1


def test_a_machine_of_two_people_is_nobodys_but_their_records_are_theirs(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.send(ONLY_MACHINE, session="two")
    assert len(household.persons()) == 1
    household.send({**GRACE, "user.id": ADA["user.id"]}, session="three")
    household.people.follow()
    assert len(household.persons()) == 3
    assert household.requests.show(EMAIL, ROOT).rows.sessions == 1
    assert household.requests.show(GRACE["user.email"], ROOT).rows.sessions == 1


def test_what_is_to_be_told_to_the_telemetry_survives_a_restart(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ONLY_MACHINE, session="one")
    household.send(ADA, session="two")
    household.reopen()
    assert len(household.persons()) == 1


def test_an_administrator_merges_and_splits_on_the_record(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.send(GRACE, session="two")
    totals = household.totals()
    requests = household.requests
    ada, grace = (requests.show(who["user.email"], ROOT).person for who in (ADA, GRACE))
    merged = requests.merge(grace, ada, "one person with two accounts", ROOT)
    assert merged.rows.sessions == 2
    assert household.persons() == {merged.person}
    with pytest.raises(BadRequest, match="already"):
        requests.merge(ada, grace, "again", ROOT)
    household.reopen()
    household.send(GRACE, session="three")
    assert household.persons() == {merged.person}
    split = household.requests.split(grace, "they are two after all", ROOT)
    assert split.person == grace
    assert household.persons() == {ada, grace}
    with pytest.raises(BadRequest, match="alone"):
        household.requests.split(grace, "again", ROOT)
    household.send(GRACE, session="four")
    assert household.persons() == {ada, grace}
    assert household.requests.merge(ada, grace, "no, one", ROOT).rows.sessions == 4
    assert household.totals()[0][0] == totals[0][0] + 2
    assert [each for each in household.actions() if each in {"person.merge", "person.split"}] == [
        "person.merge",
        "person.split",
        "person.merge",
    ]
    for bad in ("", "  "):
        with pytest.raises(BadRequest, match="reason"):
            household.requests.merge(ada, grace, bad, ROOT)
    with pytest.raises(NoSuchPerson):
        household.requests.split("p_aaaaaaaaaaaaaaaaaaaa", "because", ROOT)


def test_people_stay_the_same_people_under_a_new_key(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.send(ONLY_MACHINE, session="two")
    persons = household.persons()
    household.now[0] += timedelta(hours=1)
    household.people.rotate(Purpose.PSEUDONYM, ROOT)
    household.send(ADA, session="three")
    household.send(ONLY_MACHINE, session="four")
    household.people.follow()
    assert household.persons() == persons
    assert is_pseudonymous(persons)
    assert household.requests.show(EMAIL, ROOT).rows.sessions == 4
    installations = household.store.fetch("SELECT DISTINCT installation FROM origin")
    assert len(installations) == 2
    household.people.rotate(Purpose.VAULT, ROOT)
    packed = household.requests.export(EMAIL, "she asked", ROOT)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert b"ada.lovelace@example.com" in archive.read("identities.csv")


def test_a_key_that_was_replaced_can_go_and_who_came_back_stays_one_person(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.send(GRACE, session="two")
    grace = household.requests.show(GRACE["user.email"], ROOT).person
    household.now[0] += timedelta(hours=1)
    household.people.rotate(Purpose.PSEUDONYM, ROOT)
    household.send(ADA, session="three")
    totals = household.totals()
    with pytest.raises(KeyInUse, match="pseudonyms"):
        household.people.delete_key(1, ROOT, confirmed=False)
    for number in (2, 7):
        with pytest.raises(BadRequest, match="no pseudonym key"):
            household.people.delete_key(number, ROOT, confirmed=True)
    household.people.delete_key(1, ROOT, confirmed=True)
    assert household.totals() == totals
    assert len(household.persons()) == 2
    assert household.requests.show(EMAIL, ROOT).rows.sessions == 2
    with pytest.raises(NoSuchPerson):
        household.requests.show(GRACE["user.email"], ROOT)
    household.reopen()
    assert household.requests.show(EMAIL, ROOT).rows.sessions == 2
    household.send(GRACE, session="four")
    assert household.requests.show(GRACE["user.email"], ROOT).person != grace
    assert household.actions().count("key.delete") == 1
    numbers = [
        key.number for key in household.access.keys.list_keys() if key.purpose == "pseudonym"
    ]
    assert numbers == [2]


def test_a_vault_key_that_was_replaced_locks_nothing_and_goes(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.people.rotate(Purpose.VAULT, ROOT)
    numbers = [key.number for key in household.access.keys.list_keys() if key.purpose == "vault"]
    assert numbers == [2]
    household.reopen()
    packed = household.requests.export(EMAIL, "she asked", ROOT)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert b"ada.lovelace@example.com" in archive.read("identities.csv")
