"""Who objects is nobody, and what is no person is counted apart; cost is kept of both."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.errors import BadRequest
from codometer.model.identity import Identities
from codometer.model.period import Period
from codometer.people.requests import NoSuchPerson
from codometer.people.services import find_services
from codometer.people.vault import Treatment
from codometer.privacy.encryption import Purpose
from codometer.privacy.profile import Profile
from codometer.settings import Privacy
from tests.people.household import ADA, BEGIN, GRACE, NAMES_OF_ADA, ROOT, Household

EMAIL = ADA["user.email"]
BOT = {"user.id": "runner-7", "user.email": "release[bot]@users.noreply.github.com"}
EVERY = [Profile.OPEN, Profile.STANDARD, Profile.STRICT]


@pytest.fixture(params=EVERY)
def told(household: Household, request: pytest.FixtureRequest) -> Household:
    if request.param is not Profile.OPEN:
        household.become(request.param)
    return household


def people_in_sums(household: Household) -> int:
    household.store.roll_up()
    found = household.store.fetch("SELECT count(DISTINCT person_id) FROM session_day")
    return int(found[0][0])


def ask(household: Household, *measures: str, by: Sequence[str] = (), minimum: int = 1) -> Answer:
    household.store.roll_up()
    period = Period.covering(BEGIN, BEGIN + timedelta(days=1), ZoneInfo("UTC"))
    query = parse_query(measures, period=period, by=by)
    zone = period.zone
    return run_query(household.store, query, organisation_zone=zone, minimum_people=minimum)


def requests_counted(household: Household) -> int:
    return int(household.totals()[0][0])


def test_of_who_objects_only_what_it_cost_is_kept(told: Household) -> None:
    told.requests.treat(EMAIL, Treatment.EXCLUDED, "she objects", ROOT)
    told.send(ADA, session="session-of-ada")
    told.send(GRACE, session="session-of-grace")
    assert requests_counted(told) == 2
    assert people_in_sums(told) == 1
    assert told.find_in_files(*NAMES_OF_ADA[:3]) == set()
    assert ("session-of-grace",) in told.store.fetch("SELECT session FROM origin")
    assert told.store.fetch("SELECT 1 FROM origin WHERE session LIKE '%of-ada%'") == []
    assert told.actions()[-1] == "person.treat"
    told.reopen()
    told.send({"user.email": EMAIL}, session="session-of-ada-2")
    assert requests_counted(told) == 3
    assert people_in_sums(told) == 1
    assert told.find_in_files(*NAMES_OF_ADA[:3]) == set()
    assert ("session-of-grace",) in told.store.fetch("SELECT session FROM origin")
    assert told.store.fetch("SELECT 1 FROM origin WHERE session LIKE '%of-ada%'") == []


def test_sessions_of_who_objects_stay_apart(told: Household) -> None:
    told.requests.treat(EMAIL, Treatment.EXCLUDED, "she objects", ROOT)
    for session in ("one", "one", "two"):
        told.send(ADA, session=session)
    assert told.totals()[-1] == (2,)


def test_an_objection_outlives_the_key_that_was_there_then(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.requests.treat(EMAIL, Treatment.EXCLUDED, "she objects", ROOT)
    household.people.rotate(Purpose.PSEUDONYM, ROOT)
    household.send(ADA, session="one")
    household.people.delete_key(1, ROOT, confirmed=True)
    household.reopen()
    household.send(ADA, session="two")
    assert requests_counted(household) == 2
    assert people_in_sums(household) == 0


def test_an_objection_holds_for_whatever_came_with_the_address(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.requests.treat(EMAIL, Treatment.EXCLUDED, "she objects", ROOT)
    household.send(ADA, session="one")
    household.reopen()
    household.send({"user.account_uuid": ADA["user.account_uuid"]}, session="two")
    assert people_in_sums(household) == 0
    household.requests.treat(EMAIL, Treatment.PERSON, "not any more", ROOT)
    household.send(ADA, session="three")
    household.send({"user.account_uuid": ADA["user.account_uuid"]}, session="four")
    assert people_in_sums(household) == 1
    assert requests_counted(household) == 4


def test_an_objection_can_be_taken_back(told: Household) -> None:
    told.requests.treat(EMAIL, Treatment.EXCLUDED, "she objects", ROOT)
    told.requests.treat(EMAIL, Treatment.PERSON, "not any more", ROOT)
    told.send(ADA, session="one")
    assert people_in_sums(told) == 1


@pytest.mark.parametrize(
    ("one", "other", "people"),
    [
        (Treatment.EXCLUDED, Treatment.SERVICE, 0),
        (Treatment.EXCLUDED, Treatment.PERSON, 0),
        (Treatment.SERVICE, Treatment.PERSON, 0),
        (Treatment.PERSON, Treatment.PERSON, 1),
    ],
)
def test_of_two_treatments_the_strictest_holds(
    household: Household, one: Treatment, other: Treatment, people: int
) -> None:
    household.become(Profile.STANDARD)
    for number in range(8):
        names = {
            "user.email": f"ada-{number}@example.com",
            "user.account_uuid": f"0add-ada-{number}",
        }
        for name, treatment in zip(names.values(), (one, other), strict=True):
            household.requests.treat(name, treatment, "as it is", ROOT)
        household.send(names, session=f"session-{number}")
    assert requests_counted(household) == 8
    assert people_in_sums(household) == people * 8
    excluded = household.store.fetch("SELECT count(*) FROM origin WHERE person IS NULL")
    assert excluded == [(8 if one is Treatment.EXCLUDED else 0,)]


def test_what_calls_itself_a_bot_is_no_person(told: Household) -> None:
    told.send(BOT, session="one")
    told.send(ADA, session="two")
    told.send({**GRACE, "app.entrypoint": "claude-code-github-action"}, session="three")
    assert requests_counted(told) == 3
    assert people_in_sums(told) == 1
    kinds = {each.kind: each.count for each in told.store.read_status().people}
    assert kinds == {"account": 1, "service": 2}
    names = ("active_people", "active_services")
    for by in ([], ["model"], ["day"]):
        (group,) = ask(told, *names, by=by).groups
        assert [group.values[name] for name in names] == [1, 2]
    answer = ask(told, "active_services", "cost", minimum=2)
    assert answer.withheld
    assert answer.groups[0].values["active_services"] is None


def test_an_administrator_knows_better_than_the_rule(told: Household) -> None:
    told.send(BOT, session="one")
    told.send(GRACE, session="two")
    bot, grace = BOT["user.email"], GRACE["user.email"]
    assert told.requests.treat(bot, Treatment.PERSON, "it is Ada", ROOT) == 1
    assert people_in_sums(told) == 2
    assert told.requests.treat(grace, Treatment.SERVICE, "a build machine", ROOT) == 1
    assert people_in_sums(told) == 1
    told.send(BOT, session="three")
    told.send(GRACE, session="four")
    assert people_in_sums(told) == 1
    told.reopen()
    told.send(GRACE, session="five")
    assert people_in_sums(told) == 1
    assert requests_counted(told) == 5


def test_a_treatment_needs_a_reason_and_somebody(household: Household) -> None:
    with pytest.raises(BadRequest, match="reason"):
        household.requests.treat(EMAIL, Treatment.EXCLUDED, " ", ROOT)
    with pytest.raises(NoSuchPerson):
        household.requests.treat("p_aaaaaaaaaaaaaaaaaaaa", Treatment.SERVICE, "because", ROOT)


@pytest.mark.parametrize(
    ("email", "is_service"),
    [
        ("dependabot[bot]@users.noreply.github.com", True),
        ("CI@example.com", True),
        ("ada@example.com", False),
        ("cindy@example.com", False),
        ("talbot@example.com", False),
    ],
)
def test_services_are_told_by_their_address(email: str, *, is_service: bool) -> None:
    rule = find_services(Privacy().services)
    assert rule(Identities(email=email)) is is_service
    assert not find_services(())(Identities(email=email))
