"""What people ask for waits until it is done or declined, and they see what became of it."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from codometer.access.actions import Outcome
from codometer.access.permissions import Role
from codometer.errors import BadRequest, Forbidden
from codometer.people.holds import HoldKind, OnHold
from codometer.people.own import OwnData
from codometer.people.queue import KEPT, MOST_WORDS, Asked, NoSuchRequest, Queue, Right
from codometer.people.requests import NoSuchPerson
from codometer.privacy.encryption import Purpose
from codometer.privacy.profile import Profile
from tests.people.household import ADA, GRACE, ROOT, Household

WHY = "she asked for it"
EMAIL = ADA["user.email"]


@pytest.fixture
def office(household: Household) -> Household:
    household.become(Profile.STANDARD)
    household.send(ADA, session="session-of-ada", number=1)
    household.send(GRACE, session="session-of-grace", number=2)
    return household


def person(office: Household) -> str:
    found = office.requests.find_person(EMAIL)
    assert found is not None
    return found


def ask(office: Household, right: Right, words: str = "") -> Asked:
    queue = Queue(office.requests)
    queue.ask(person(office), right, words)
    return queue.list_of(person(office))[-1]


def test_a_request_waits_under_a_pseudonym_with_its_age(office: Household) -> None:
    asked = ask(office, Right.CORRECTION, " those commits are not mine ")
    queue = Queue(office.requests)
    assert queue.list_open() == [asked]
    assert (asked.person, asked.words) == (person(office), "those commits are not mine")
    assert office.find_in_files("lovelace") == set()
    for days, is_overdue in ((29, False), (2, True)):
        office.now[0] += timedelta(days=days)
        assert asked.is_overdue(office.now[0]) is is_overdue
    assert asked.age_days(office.now[0]) == 31


def test_the_same_is_asked_for_once_at_a_time(office: Household) -> None:
    asked = ask(office, Right.CORRECTION)
    with pytest.raises(BadRequest, match="waits already"):
        ask(office, Right.CORRECTION)
    ask(office, Right.OBJECTION)
    Queue(office.requests).decline(asked.id, "nothing is wrong", ROOT)
    ask(office, Right.CORRECTION)
    assert [each.right for each in Queue(office.requests).list_open()] == [
        Right.OBJECTION,
        Right.CORRECTION,
    ]


@pytest.mark.parametrize("words", ["x" * (MOST_WORDS + 1), "two\nlines"])
def test_words_are_one_line(office: Household, words: str) -> None:
    with pytest.raises(BadRequest, match="more than one line"):
        ask(office, Right.ERASURE, words)


def test_an_erasure_that_is_done_takes_the_request_along(office: Household) -> None:
    asked = ask(office, Right.ERASURE, "I have left")
    queue, her = Queue(office.requests), person(office)
    for confirmed in ("", "p_aaaaaaaaaaaaaaaaaaaa"):
        with pytest.raises(BadRequest):
            queue.do(asked.id, WHY, ROOT, confirmed=confirmed)
    assert office.requests.find_person(EMAIL) == her
    queue.do(asked.id, WHY, ROOT, confirmed=her)
    assert office.requests.find_person(EMAIL) is None
    assert Queue(office.requests).list_open() == []
    assert office.find_in_files("I have left", "session-of-ada") == set()
    assert office.actions()[-3:] == ["request.ask", "person.forget", "request.decide"]


def test_an_objection_that_is_done_makes_them_nobody(office: Household) -> None:
    asked = ask(office, Right.OBJECTION)
    Queue(office.requests).do(asked.id, WHY, ROOT)
    office.send(ADA, session="after", number=3)
    office.store.roll_up()
    newest = office.store.fetch(
        "SELECT o.person FROM session_day s JOIN origin o USING (origin) "
        "WHERE s.scope IN (SELECT scope FROM event ORDER BY time DESC LIMIT 1)"
    )
    assert newest == [(None,)]
    (decided,) = Queue(office.requests).list_of(person(office))
    assert (decided.outcome, decided.reason) == (Outcome.DONE, WHY)


def test_who_is_declined_reads_why(office: Household) -> None:
    asked = ask(office, Right.ERASURE)
    queue = Queue(office.requests)
    with pytest.raises(BadRequest, match="reason"):
        queue.decline(asked.id, " ", ROOT)
    queue.decline(asked.id, "a court forbids it", ROOT)
    (decided,) = queue.list_of(person(office))
    assert (decided.outcome, decided.reason) == (Outcome.REFUSED, "a court forbids it")
    assert decided.is_overdue(office.now[0] + timedelta(days=99)) is False
    for decide in (queue.do, queue.decline):
        with pytest.raises(NoSuchRequest):
            decide(asked.id, WHY, ROOT)
    office.now[0] += KEPT + timedelta(days=1)
    queue.sweep()
    assert queue.list_of(person(office)) == []


def test_what_cannot_be_done_goes_on_waiting(office: Household) -> None:
    asked = ask(office, Right.ERASURE)
    queue = Queue(office.requests)
    office.people.holds.set(HoldKind.PERSON, person(office), "a claim", ROOT)
    with pytest.raises(OnHold):
        queue.do(asked.id, WHY, ROOT, confirmed=person(office))
    assert queue.list_open() == [asked]
    office.people.holds.lift(office.people.holds.list_holds()[0].id, "settled", ROOT)
    other = Queue(office.requests)
    other.ask("p_aaaaaaaaaaaaaaaaaaaa", Right.ERASURE, "")
    with pytest.raises(NoSuchPerson):
        other.do(other.list_open()[-1].id, WHY, ROOT, confirmed="p_aaaaaaaaaaaaaaaaaaaa")


def test_a_request_stays_its_persons_when_the_key_of_their_pseudonym_goes(
    office: Household,
) -> None:
    asked = ask(office, Right.ERASURE, "I have left")
    office.people.rotate(Purpose.PSEUDONYM, ROOT)
    office.send(ADA, session="session-of-ada", number=3)
    office.people.delete_key(1, ROOT, confirmed=True)
    office.reopen()
    queue = Queue(office.requests)
    (waiting,) = queue.list_of(person(office))
    assert (waiting.id, waiting.person) == (asked.id, person(office))
    assert waiting.person != asked.person
    queue.do(waiting.id, WHY, ROOT, confirmed=waiting.person)
    assert office.requests.find_person(EMAIL) is None
    assert queue.list_open() == []


def test_a_hold_and_a_consent_stay_their_persons_too(office: Household) -> None:
    hold = office.people.holds.set(HoldKind.PERSON, person(office), "a claim", ROOT)
    office.people.rotate(Purpose.PSEUDONYM, ROOT)
    office.send(ADA, session="session-of-ada", number=3)
    office.people.delete_key(1, ROOT, confirmed=True)
    (kept,) = office.people.holds.list_holds()
    assert (kept.id, kept.subject) == (hold.id, person(office))
    with pytest.raises(OnHold):
        office.requests.forget(EMAIL, person(office), WHY, ROOT)


def test_a_correction_is_made_by_hand_and_then_said_to_be_done(office: Household) -> None:
    asked = ask(office, Right.CORRECTION)
    Queue(office.requests).do(asked.id, "they were split", ROOT)
    (decided,) = Queue(office.requests).list_of(person(office))
    assert (decided.outcome, decided.reason) == (Outcome.DONE, "they were split")


def test_only_whose_account_was_confirmed_can_ask(office: Household) -> None:
    own = OwnData(office.requests)
    office.invite(Role.DEVELOPER, "ada.lovelace@example.com")
    (account,) = [each for each in office.access.accounts.list_accounts() if "ada" in each.login]
    with pytest.raises(Forbidden):
        own.ask(account, Right.ERASURE, "")
    with pytest.raises(Forbidden):
        own.list_asked(account)
    assert Queue(office.requests).list_open() == []
    office.access.vouching.link(account.id, "she showed it", ROOT)
    (account,) = [each for each in office.access.accounts.list_accounts() if "ada" in each.login]
    own.ask(account, Right.ERASURE, "")
    assert [each.right for each in own.list_asked(account)] == [Right.ERASURE]


def test_a_copy_has_what_somebody_asked_for(office: Household) -> None:
    asked = ask(office, Right.CORRECTION, "those are not mine")
    Queue(office.requests).decline(asked.id, "they are", ROOT)
    ask(office, Right.OBJECTION)
    packed = office.requests.export(EMAIL, WHY, ROOT)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        rows = json.loads(archive.read("data.json"))["requests"]
    told = [(row["right"], row["words"], row["outcome"], row["reason"]) for row in rows]
    assert told == [
        ("correction", "those are not mine", "refused", "they are"),
        ("objection", "", None, ""),
    ]
