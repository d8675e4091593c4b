"""The name behind a pseudonym: who is told, after what, and what is left of it."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from codometer.access.account import Account, NoSuchAccount
from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.permissions import Permission, Role
from codometer.access.verification import verify
from codometer.errors import BadRequest, Forbidden
from codometer.people.access_log import REVEALS
from codometer.people.decisions import NOTICE
from codometer.people.own import OwnData
from codometer.people.requests import NoSuchPerson
from codometer.people.reveals import LIFETIME, NoSuchReveal, Reveals
from codometer.privacy.profile import Profile
from tests.people.household import ADA, GRACE, PASSWORD, ROOT, Household

EMAIL = ADA["user.email"]
WHY = "a key of theirs was found in a public place"


class Office:
    """A household in which people have accounts."""

    def __init__(self, household: Household, profile: Profile) -> None:
        self.household = household
        household.become(profile)
        household.send(ADA, session="one", number=1)
        household.send(GRACE, session="two", number=2)
        self.reveals = Reveals(household.people)
        self.vouching = household.access.vouching
        self.root = self.join("root@example.com", Role.ADMINISTRATOR)
        self.dana = self.join("dana@example.com", Role.AUDITOR)

    def join(self, login: str, role: Role) -> Account:
        link = self.household.access.accounts.invite(role, ROOT)
        return self.household.access.accounts.join(link.secret, login, PASSWORD, ROOT)

    def actor(self, account: Account) -> Actor:
        return Actor(kind=ActorKind.ACCOUNT, id=account.id)

    def pseudonym(self) -> str:
        return self.household.requests.show(EMAIL, ROOT).person

    def reread(self, account: Account) -> Account:
        return next(each for each in self.vouching.list_accounts() if each.id == account.id)


def test_names_are_told_to_whom_that_was_lent_and_on_the_record(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    pseudonym, dana = office.pseudonym(), office.actor(office.dana)
    made = office.reveals.ask(pseudonym, WHY, dana)
    assert made.is_approved
    assert office.reveals.open(made.id, dana) == ["ada.lovelace@example.com"]
    assert household.actions()[-2:] == ["reveal.ask", "reveal.open"]
    with pytest.raises(NoSuchReveal):
        office.reveals.open(made.id, office.actor(office.root))
    assert verify(household.access.audit).faults == ()


def test_any_pseudonym_of_a_person_leads_to_their_name(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    dana = office.actor(office.dana)
    for known in household.requests.show(EMAIL, ROOT).pseudonyms:
        made = office.reveals.ask(known.pseudonym, WHY, dana)
        assert made.person == office.pseudonym()
        assert office.reveals.open(made.id, dana) == ["ada.lovelace@example.com"]


def test_under_strict_a_second_person_must_agree(household: Household) -> None:
    office = Office(household, Profile.STRICT)
    ada = office.join(EMAIL, Role.DEVELOPER)
    office.vouching.link(ada.id, "invited in person", ROOT)
    dana, root = office.actor(office.dana), office.actor(office.root)
    made = office.reveals.ask(office.pseudonym(), WHY, dana)
    assert made.is_approved is None
    with pytest.raises(Forbidden, match="nobody has agreed"):
        office.reveals.open(made.id, dana)
    with pytest.raises(Forbidden, match="whoever asks"):
        office.reveals.decide(made.id, "I am sure", dana, agrees=True)
    with pytest.raises(BadRequest, match="reason"):
        office.reveals.decide(made.id, " ", root, agrees=True)
    assert office.reveals.decide(made.id, "agreed", root, agrees=True).approver == office.root.id
    assert office.reveals.open(made.id, dana) == [EMAIL.lower()]
    with pytest.raises(NoSuchReveal, match="decided already"):
        office.reveals.decide(made.id, "again", root, agrees=False)


def test_what_a_second_person_refuses_is_not_told(household: Household) -> None:
    office = Office(household, Profile.STRICT)
    dana, root = office.actor(office.dana), office.actor(office.root)
    made = office.reveals.ask(office.pseudonym(), WHY, dana)
    office.reveals.decide(made.id, "no need", root, agrees=False)
    with pytest.raises(Forbidden):
        office.reveals.open(made.id, dana)
    assert [each.is_approved for each in office.reveals.list_waiting()] == [False]


def test_where_nothing_is_kept_of_a_name_none_is_told(household: Household) -> None:
    office = Office(household, Profile.STRICT)
    dana, root = office.actor(office.dana), office.actor(office.root)
    made = office.reveals.ask(office.pseudonym(), WHY, dana)
    office.reveals.decide(made.id, "agreed", root, agrees=True)
    assert office.reveals.open(made.id, dana) == []


def test_a_request_is_over_after_a_day(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    dana = office.actor(office.dana)
    made = office.reveals.ask(office.pseudonym(), WHY, dana)
    household.now[0] += LIFETIME
    assert office.reveals.list_waiting() == []
    with pytest.raises(NoSuchReveal):
        office.reveals.open(made.id, dana)
    office.reveals.ask(office.pseudonym(), WHY, dana)
    with household.access.control.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM reveal").scalar() == 1


@pytest.mark.parametrize("asked", ["", "p_aaaaaaaaaaaaaaaaaaaa", "ada.lovelace@example.com", "*"])
def test_only_pseudonyms_that_are_somebodys_can_be_asked_for(
    household: Household, asked: str
) -> None:
    office = Office(household, Profile.STANDARD)
    with pytest.raises(BadRequest, match="no person's pseudonym"):
        office.reveals.ask(asked, WHY, office.actor(office.dana))
    for reason in ("", "a" * 501):
        with pytest.raises(BadRequest, match="reason"):
            office.reveals.ask(office.pseudonym(), reason, office.actor(office.dana))


def test_there_is_nothing_to_ask_for_where_names_are_plain(household: Household) -> None:
    office = Office(household, Profile.OPEN)
    with pytest.raises(Forbidden, match="nothing to reveal"):
        office.reveals.ask(EMAIL, WHY, office.actor(office.dana))


def test_what_was_asked_under_standard_needs_a_second_person_once_it_is_strict(
    household: Household,
) -> None:
    office = Office(household, Profile.STANDARD)
    ada = office.join(EMAIL, Role.DEVELOPER)
    office.vouching.link(ada.id, "invited in person", ROOT)
    dana, root = office.actor(office.dana), office.actor(office.root)
    made = office.reveals.ask(office.pseudonym(), WHY, dana)
    household.become(Profile.STRICT)
    with pytest.raises(Forbidden, match="nobody has agreed"):
        office.reveals.open(made.id, dana)
    again = office.reveals.ask(office.pseudonym(), WHY, dana)
    office.reveals.decide(again.id, "agreed", root, agrees=True)
    assert office.reveals.open(again.id, dana) == [EMAIL.lower()]


def test_what_was_asked_before_is_not_told_where_names_are_plain_now(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    dana = office.actor(office.dana)
    household.become(Profile.OPEN)
    household.now[0] += NOTICE - timedelta(hours=1)
    made = office.reveals.ask(office.pseudonym(), WHY, dana)
    household.now[0] += timedelta(hours=1)
    household.people.follow()
    with pytest.raises(Forbidden, match="nothing to reveal"):
        office.reveals.open(made.id, dana)
    assert household.actions()[-1] != "reveal.open"


def test_no_program_and_nobody_at_the_server_is_told_a_name(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    for kind in (ActorKind.LOCAL, ActorKind.CREDENTIAL, ActorKind.SYSTEM):
        actor = Actor(kind=kind, id="crd_1")
        with pytest.raises(Forbidden, match="signed in"):
            office.reveals.ask(office.pseudonym(), WHY, actor)
        with pytest.raises(Forbidden, match="signed in"):
            office.vouching.lend_reveals(office.dana.id, 4, WHY, actor)


def test_it_is_lent_by_another_for_some_hours_and_ends_by_itself(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    root, lent = office.actor(office.root), Permission.REVEAL_PEOPLE
    with pytest.raises(Forbidden, match="themselves"):
        office.vouching.lend_reveals(office.root.id, 4, WHY, root)
    for hours in (0, 25):
        with pytest.raises(BadRequest, match="hours"):
            office.vouching.lend_reveals(office.dana.id, hours, WHY, root)
    with pytest.raises(BadRequest, match="reason"):
        office.vouching.lend_reveals(office.dana.id, 4, "", root)
    with pytest.raises(NoSuchAccount):
        office.vouching.lend_reveals("acc_none", 4, WHY, root)
    now = household.now[0]
    dana = office.vouching.lend_reveals(office.dana.id, 4, WHY, root)
    assert lent in dana.granted(now + timedelta(hours=3, minutes=59))
    assert lent not in dana.granted(now + timedelta(hours=4))
    assert lent not in office.reread(office.root).granted(now)
    assert lent not in office.vouching.end_reveals(office.dana.id, "done", root).granted(now)
    assert household.actions()[-2:] == ["reveal.lend", "reveal.end"]


def test_nobody_sees_anothers_data_by_choosing_their_name(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    own = OwnData(household.requests)
    ada = office.join(EMAIL, Role.DEVELOPER)
    with pytest.raises(Forbidden, match="confirmed"):
        own.find(ada)
    with pytest.raises(Forbidden, match="confirmed"):
        own.export(ada, office.actor(ada))
    with pytest.raises(Forbidden, match="themselves"):
        office.vouching.link(ada.id, "it is me", office.actor(ada))
    program = Actor(kind=ActorKind.CREDENTIAL, id="crd_of_ada")
    with pytest.raises(Forbidden, match="no credential"):
        office.vouching.link(ada.id, "it is me", program)
    linked = office.vouching.link(ada.id, "invited in person", office.actor(office.root))
    with pytest.raises(BadRequest, match="already"):
        office.vouching.link(ada.id, "again", office.actor(office.root))
    stored = own.find(linked)
    assert stored is not None
    assert stored.persons == (office.pseudonym(),)
    with pytest.raises(Forbidden):
        own.find(office.vouching.unlink(ada.id, "left", ROOT))


@pytest.mark.parametrize("profile", [Profile.OPEN, Profile.STANDARD, Profile.STRICT])
def test_people_see_what_is_stored_of_them_and_who_looked(
    household: Household, profile: Profile
) -> None:
    office = Office(household, profile)
    own = OwnData(household.requests)
    ada = office.join(EMAIL, Role.DEVELOPER)
    ada = office.vouching.link(ada.id, "invited in person", ROOT)
    stored = own.find(ada)
    assert stored is not None
    assert stored.found.rows.events == 1
    assert {row["session"] for rows in stored.newest.values() for row in rows} == {"one"}
    assert own.list_looks(stored) == []
    office.household.requests.export(EMAIL, "she asked", office.actor(office.root))
    own.export(ada, office.actor(ada))
    household.requests.show(GRACE["user.email"], ROOT)
    seen = [(each.recorded.entry.action, each.who) for each in own.list_looks(stored)]
    assert seen == [
        ("person.export", "root@example.com"),
    ]
    nobody = office.vouching.link(office.join("new@example.com", Role.VIEWER).id, "new", ROOT)
    assert own.find(nobody) is None


def test_an_export_tells_a_name_to_the_person_and_to_whoever_gave_it(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    ada = office.join(EMAIL, Role.DEVELOPER)
    ada = office.vouching.link(ada.id, "invited in person", ROOT)

    def told(packed: bytes) -> set[str | None]:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            tables = json.loads(archive.read("data.json"))
        return {row["stands_for"] for row in tables["identities"]}

    root, export = office.actor(office.root), household.requests.export
    for known in household.requests.show(EMAIL, ROOT).pseudonyms:
        assert told(export(known.pseudonym, "she asked", root)) == {None}
    assert told(export(ADA["user.account_uuid"], "she asked", root)) == {None}
    assert told(export(EMAIL, "she asked", root)) == {None, EMAIL.lower()}
    own = OwnData(household.requests).export(ada, office.actor(ada))
    assert told(own) == {None, EMAIL.lower()}


def test_the_newest_session_is_that_of_the_newest_day(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="z", number=1)
    household.now[0] += timedelta(days=1)
    household.send(ADA, session="a", number=2)
    household.store.roll_up()
    newest = household.requests.find_stored(EMAIL).newest
    assert [row["session"] for row in newest["origins"]] == ["a"]


def test_no_reveal_is_hidden_by_what_was_done_since(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    own = OwnData(household.requests)
    pseudonym, dana = office.pseudonym(), office.actor(office.dana)
    made = office.reveals.ask(pseudonym, WHY, dana)
    office.reveals.open(made.id, dana)
    with household.access.audit.change(ROOT) as change:
        for _ in range(1500):
            change.record(Action.PERSON_TREAT, object=pseudonym)
    ada = office.vouching.link(office.join(EMAIL, Role.DEVELOPER).id, "invited", ROOT)
    stored = own.find(ada)
    assert stored is not None
    told = [each.recorded.entry.action for each in own.list_looks(stored, REVEALS)]
    assert told == ["reveal.open", "reveal.ask"]
    looked = household.people.content_views.access_log_of(pseudonym)
    assert [each.action for each in looked[:2]] == told
    tables = household.people.content_views.export([pseudonym], with_texts=False)
    assert [each["action"] for each in tables["looks"]][-2:] == told[::-1]


def test_people_agree_to_what_is_theirs_and_take_it_back(household: Household) -> None:
    office = Office(household, Profile.STANDARD)
    own = OwnData(household.requests)
    ada = office.join(EMAIL, Role.DEVELOPER)
    with pytest.raises(Forbidden, match="confirmed"):
        own.list_consents(ada)
    ada = office.vouching.link(ada.id, "invited in person", ROOT)
    assert own.find_person(office.actor(ada)) == office.pseudonym()
    assert own.find_person(office.actor(office.root)) is None
    assert own.find_person(ROOT) is None
    project = household.people.contents.open_project("team:payments", "to learn", (), ROOT)
    (offered,) = own.list_consents(ada)
    assert (offered.offer.id, offered.given) == (project.id, None)
    with pytest.raises(BadRequest):
        own.agree(ada, "team:payments", "other words")
    own.agree(ada, "team:payments", offered.text.hash)
    (agreed,) = own.list_consents(ada)
    assert agreed.given is not None
    assert own.withdraw(ada, "team:payments") == 0
    (again,) = own.list_consents(ada)
    assert again.given is None
    new = office.vouching.link(office.join("new@example.com", Role.VIEWER).id, "new", ROOT)
    with pytest.raises(NoSuchPerson):
        own.agree(new, "team:payments", offered.text.hash)
