"""An administrator says where people belong: for what comes, and for what is stored."""

import tempfile
from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.errors import BadRequest, Erased
from codometer.model.identity import Identities
from codometer.people.census import Census, take_census
from codometer.people.holds import HoldKind
from codometer.people.memberships import Membership
from codometer.people.requests import NoSuchPerson
from codometer.people.retention import Retention
from codometer.people.teams import Corrected, Stretch, Teams
from codometer.people.vault import Treatment
from codometer.privacy.encryption import Purpose
from codometer.privacy.profile import Profile
from codometer.settings import Retention as RetentionSettings
from codometer.store.duckdb_engine import Connection
from codometer.store.people import find_told
from tests.people.household import (
    ADA,
    ADA_ELSEWHERE,
    BEGIN,
    GRACE,
    NAMES_OF_ADA,
    ROOT,
    Household,
    is_pseudonymous,
)

EMAIL = ADA["user.email"]
EVERY = [Profile.OPEN, Profile.STANDARD, Profile.STRICT]
TODAY = BEGIN.date()
WHY = "she changed teams"
IN_SEARCH = {**ADA, "team.id": "search", "cost_center": "CC-1"}
_TIERS = ("rollup_15m", "session_15m", "session_day", "workplace_day", "latency_15m")


@pytest.fixture(params=EVERY)
def told(household: Household, request: pytest.FixtureRequest) -> Household:
    if request.param is not Profile.OPEN:
        household.become(request.param)
    return household


def assign(
    household: Household,
    team: str,
    since: date = TODAY,
    until: date | None = None,
    *,
    subject: str = EMAIL,
    cost_center: str | None = None,
) -> Corrected:
    teams = Teams(household.requests)
    stretch = Stretch(since, until)
    return teams.assign(subject, team, cost_center, stretch, reason=WHY, actor=ROOT)


def remove(
    household: Household, since: date = TODAY, until: date | None = None, subject: str = EMAIL
) -> Corrected:
    return Teams(household.requests).remove(subject, Stretch(since, until), reason=WHY, actor=ROOT)


def on(household: Household, day: date) -> None:
    """Move the clock to noon of a day."""
    household.now[0] = BEGIN + (day - TODAY)


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


def requests_by_team(household: Household) -> dict[tuple[str, str | None], int]:
    """Return the requests by day and team, which every tier of the sums must say alike."""
    household.store.roll_up()
    found = [
        {
            (day, team): count
            for day, team, count in household.store.fetch(
                f"SELECT CAST(CAST({time} AS DATE) AS VARCHAR), team, {what} "
                f"FROM {tier} JOIN workplace USING (workplace) GROUP BY ALL HAVING {what} > 0"
            )
        }
        for tier, time, what in (
            ("rollup_15m", "bucket", "sum(requests)"),
            ("session_15m", "bucket", "sum(requests)"),
            ("session_day", "day", "sum(requests)"),
            ("workplace_day", "day", "sum(requests)"),
            ("(SELECT time, workplace FROM event JOIN origin USING (origin))", "time", "count(*)"),
        )
    ]
    assert all(each == found[0] for each in found[1:-1]), found
    detail = found[-1]
    assert all(found[0][key] == detail[key] for key in detail)
    return found[0]


def teams_of(household: Household) -> set[str | None]:
    return {team for _, team in requests_by_team(household)}


def cost_centers(household: Household) -> set[str | None]:
    household.store.roll_up()
    sql = "SELECT DISTINCT cost_center FROM workplace_day JOIN workplace USING (workplace)"
    return {row[0] for row in household.store.fetch(sql)}


def test_what_comes_belongs_to_the_team_that_an_administrator_says(told: Household) -> None:
    told.send(IN_SEARCH, session="before")
    assign(told, "checkout", days(1))
    on(told, days(1))
    told.send(IN_SEARCH, session="after")
    told.send({**GRACE, "team.id": "search"}, session="of-grace")
    assert requests_by_team(told) == {
        ("2026-11-23", "search"): 1,
        ("2026-11-24", "checkout"): 1,
        ("2026-11-24", "search"): 1,
    }
    assert cost_centers(told) == {"CC-1", None}


def test_the_team_is_the_one_of_when_it_happened_and_not_of_when_it_came(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    assign(told, "checkout", days(1), days(3), cost_center="CC-2")
    for day in (2, 0, 3, 1):
        on(told, days(day))
        told.send(IN_SEARCH, session="one")
    assert requests_by_team(told) == {
        ("2026-11-23", "search"): 2,
        ("2026-11-24", "checkout"): 1,
        ("2026-11-25", "checkout"): 1,
        ("2026-11-26", "search"): 1,
    }
    assert cost_centers(told) == {"CC-1", "CC-2"}
    assert told.totals()[-1] == (1,)


def test_one_request_with_signals_of_two_days_is_split_between_the_teams(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    assign(told, "checkout", days(1))
    on(told, days(0))
    noon_to_noon = 86_400
    told.send(IN_SEARCH, session="two", number=noon_to_noon)
    assert requests_by_team(told)["2026-11-24", "checkout"] == 1


def test_somebody_can_be_assigned_before_they_send_anything(told: Household) -> None:
    assign(told, "checkout")
    told.send(IN_SEARCH, session="one")
    told.reopen()
    told.send({"user.email": EMAIL}, session="two")
    assert teams_of(told) == {"checkout"}
    with pytest.raises(NoSuchPerson):
        assign(told, "checkout", subject="0add-nobody")


def test_the_past_is_corrected_and_no_total_changes(told: Household) -> None:
    for day in range(-4, 1):
        on(told, days(day))
        told.send(IN_SEARCH, session="long")
        told.send(ADA_ELSEWHERE, session=f"of-{day}")
        told.send({**GRACE, "team.id": "search"}, session=f"of-grace-{day}")
    before, totals, persons = requests_by_team(told), told.totals(), told.persons()
    done = assign(told, "checkout", days(-3), days(-1), cost_center="CC-2")
    assert (done.sessions, done.held, done.since) == (3, 0, None)
    assert told.totals() == totals
    assert told.persons() == persons
    after = requests_by_team(told)
    assert {day: n for (day, team), n in after.items() if team == "checkout"} == {
        "2026-11-20": 2,
        "2026-11-21": 2,
    }
    assert assign(told, "checkout", days(-3), days(-1), cost_center="CC-2").sessions == 0
    assert remove(told, days(-30)).sessions == 3
    assert requests_by_team(told) == before
    assert told.totals() == totals
    assert cost_centers(told) == {"CC-1", None}


def test_what_goes_on_and_what_is_sent_twice_stays_right_after_a_correction(
    told: Household,
) -> None:
    told.send(IN_SEARCH, session="one", number=1)
    told.send(IN_SEARCH, session="one", number=2)
    totals = told.totals()
    assign(told, "checkout")
    told.send(IN_SEARCH, session="one", number=1)
    assert told.totals() == totals
    told.send(IN_SEARCH, session="one", number=3)
    assert requests_by_team(told) == {("2026-11-23", "checkout"): 3}
    told.reopen()
    told.send(IN_SEARCH, session="one", number=4)
    assert requests_by_team(told) == {("2026-11-23", "checkout"): 4}


def test_what_has_expired_is_corrected_as_long_as_its_sessions_are_named(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    on(told, days(80))
    Retention(told.people, RetentionSettings(detail_days=14), ZoneInfo("UTC")).run()
    assert told.store.fetch("SELECT 1 FROM event") == []
    totals = told.totals()
    done = assign(told, "checkout", days(-5))
    assert (done.sessions, done.since) == (1, None)
    assert teams_of(told) == {"checkout"}
    assert told.totals() == totals


def test_days_of_sessions_without_names_stay_and_the_answer_says_from_when_on_it_is_right(
    told: Household,
) -> None:
    told.send(IN_SEARCH, session="one")
    on(told, days(100))
    told.send(IN_SEARCH, session="two")
    Retention(told.people, RetentionSettings(), ZoneInfo("UTC")).run()
    totals = told.totals()
    done = assign(told, "checkout", days(-5))
    assert (done.sessions, done.since) == (1, days(1))
    assert requests_by_team(told) == {("2026-11-23", "search"): 1, ("2027-03-03", "checkout"): 1}
    assert told.totals() == totals
    assert assign(told, "checkout", days(1)).since is None
    on(told, days(600))
    Retention(told.people, RetentionSettings(), ZoneInfo("UTC")).run()
    assert told.persons() == set()
    assert assign(told, "search", days(-5)).since == days(101)


def test_what_is_held_stays_where_it_is_and_the_answer_says_so(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    hold = told.people.holds.set(HoldKind.TEAM, "search", "a claim", ROOT)
    done = assign(told, "checkout")
    assert (done.sessions, done.held) == (0, 1)
    assert teams_of(told) == {"search"}
    told.people.holds.lift(hold.id, "settled", ROOT)
    told.people.holds.set(HoldKind.EVERYTHING, "", "a claim", ROOT)
    done = assign(told, "checkout")
    assert (done.sessions, done.held) == (0, 1)
    told.send(IN_SEARCH, session="one")
    assert teams_of(told) == {"search", "checkout"}


@pytest.mark.parametrize("kind", [*HoldKind])
def test_what_was_corrected_under_a_hold_moves_when_it_is_lifted(
    told: Household, kind: HoldKind
) -> None:
    told.send(IN_SEARCH, session="one")
    assign(told, "platform", days(-9), days(-8))  # so that she has a pseudonym under every profile
    person, _ = Teams(told.requests).show_history(EMAIL, ROOT)
    subject = {HoldKind.PERSON: person, HoldKind.TEAM: "search", HoldKind.EVERYTHING: ""}[kind]
    hold = told.people.holds.set(kind, subject, "a claim", ROOT)
    other = told.people.holds.set(HoldKind.TEAM, "search", "another claim", ROOT)
    assert assign(told, "checkout").held == 1
    assert assign(told, "mobile", days(1)).held == 1
    told.reopen()
    assert not told.people.vault.has_news
    told.people.holds.lift(hold.id, "settled", ROOT)
    told.people.follow()
    assert teams_of(told) == {"search"}
    told.people.holds.lift(other.id, "settled", ROOT)
    told.people.follow()
    assert teams_of(told) == {"checkout"}
    assert not told.people.vault.has_news


def test_what_waited_for_a_hold_moves_before_it_is_let_go(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    hold = told.people.holds.set(HoldKind.EVERYTHING, "", "a claim", ROOT)
    assign(told, "checkout")
    on(told, days(200))
    told.people.holds.lift(hold.id, "settled", ROOT)
    Retention(told.people, RetentionSettings(), ZoneInfo("UTC")).run()
    assert teams_of(told) == {"checkout"}
    assert told.store.fetch("SELECT 1 FROM origin WHERE session IS NOT NULL") == []


def test_a_later_word_replaces_an_earlier_one_for_its_days_only(told: Household) -> None:
    assign(told, "checkout", days(0))
    assign(told, "search", days(10), days(20), cost_center="CC-2")
    remove(told, days(15), days(16))
    _, found = Teams(told.requests).show_history(EMAIL, ROOT)
    assert [(each.team, each.cost_center, each.first, each.until) for each in found] == [
        ("checkout", None, days(0), days(10)),
        ("search", "CC-2", days(10), days(15)),
        ("search", "CC-2", days(16), days(20)),
        ("checkout", None, days(20), None),
    ]
    assert told.actions()[-4:] == ["team.assign", "team.assign", "team.remove", "person.show"]
    assert told.find_in_files(*NAMES_OF_ADA[:2]) == set()


@pytest.mark.parametrize(
    ("team", "until", "reason"),
    [("", None, WHY), ("two\nlines", None, WHY), ("checkout", TODAY, WHY), ("checkout", None, " ")],
)
def test_what_makes_no_sense_changes_nothing(
    household: Household, team: str, until: date | None, reason: str
) -> None:
    household.become(Profile.STANDARD)
    with pytest.raises(BadRequest):
        Teams(household.requests).assign(
            EMAIL, team, None, Stretch(TODAY, until), reason=reason, actor=ROOT
        )
    assert household.people.memberships.changes == ()


def test_teams_are_counted_by_who_belongs_to_them_today(told: Household) -> None:
    assign(told, "checkout", days(-1))
    assign(told, "checkout", days(0), subject=GRACE["user.email"])
    assign(told, "search", days(1))
    teams = Teams(told.requests)
    assert teams.count_by_team() == {"checkout": 2}
    on(told, days(1))
    assert teams.count_by_team() == {"checkout": 1, "search": 1}


def test_who_objects_is_in_no_team_but_the_one_that_the_client_says(told: Household) -> None:
    assign(told, "checkout")
    told.requests.treat(EMAIL, Treatment.EXCLUDED, "she objects", ROOT)
    told.send(IN_SEARCH, session="one")
    assert teams_of(told) == {"search"}


def test_a_merge_gives_the_rows_of_both_to_the_team_of_the_one_and_a_split_takes_them_back(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.send(IN_SEARCH, session="one")
    on(household, days(1))  # so that hers is the older name
    household.send({**GRACE, "team.id": "platform"}, session="two")
    assign(household, "checkout")
    hers, other = (
        household.requests.show(who, ROOT).person for who in (EMAIL, GRACE["user.email"])
    )
    totals = household.totals()
    household.requests.merge(hers, other, "one person", ROOT)
    assert teams_of(household) == {"checkout"}
    assign(household, "mobile", subject=GRACE["user.email"])
    assert teams_of(household) == {"mobile"}
    household.requests.split(other, "two people", ROOT)
    assert requests_by_team(household) == {
        ("2026-11-23", "mobile"): 1,
        ("2026-11-24", "platform"): 1,
    }
    assert household.totals() == totals


def test_a_newer_pseudonym_key_keeps_where_people_belong(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(IN_SEARCH, session="one")
    assign(household, "checkout")
    household.people.rotate(Purpose.PSEUDONYM, ROOT)
    household.send(IN_SEARCH, session="two")
    household.people.delete_key(1, ROOT, confirmed=True)
    household.reopen()
    household.send(IN_SEARCH, session="three")
    assert teams_of(household) == {"checkout"}
    _, found = Teams(household.requests).show_history(EMAIL, ROOT)
    assert [each.team for each in found] == ["checkout"]


def test_where_somebody_belonged_goes_with_a_key_under_which_alone_they_were_known(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    assign(household, "checkout")
    household.people.rotate(Purpose.PSEUDONYM, ROOT)
    household.people.delete_key(1, ROOT, confirmed=True)
    household.send(IN_SEARCH, session="one")
    assert teams_of(household) == {"search"}
    assert household.people.memberships.list_people() == set()


def test_a_stricter_profile_leaves_people_where_they_belong(household: Household) -> None:
    household.send(IN_SEARCH, session="one")
    assign(household, "checkout")
    household.become(Profile.STANDARD)
    household.send(IN_SEARCH, session="two")
    assert teams_of(household) == {"checkout"}
    assert remove(household).sessions == 2
    assert teams_of(household) == {"search"}


def test_the_teams_of_a_person_are_shown_exported_and_forgotten(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    assign(told, "checkout")
    assert [each.team for each in told.requests.show(EMAIL, ROOT).teams] == ["checkout"]
    assert told.requests.find_stored(EMAIL).newest["teams"][0]["team"] == "checkout"
    assert b"teams.csv" in told.requests.export(EMAIL, WHY, ROOT)
    preview = told.requests.forget(EMAIL, "", "", ROOT)
    told.requests.forget(EMAIL, preview.person, WHY, ROOT)
    assert told.people.memberships.changes == ()
    with told.access.control.read() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM team_membership").scalar_one()
    assert found == 0


def test_a_stay_that_ended_long_ago_goes_and_the_nightly_run_says_so(told: Household) -> None:
    assign(told, "checkout", days(0), days(10))
    assign(told, "search", days(10))
    assign(told, "checkout", days(0), days(10), subject=GRACE["user.email"])
    grace, _ = Teams(told.requests).show_history(GRACE["user.email"], ROOT)
    told.people.holds.set(HoldKind.PERSON, grace, "a claim", ROOT)
    retention = Retention(told.people, RetentionSettings(person_days=90), ZoneInfo("UTC"))
    on(told, days(100))
    told.send(IN_SEARCH, session="one")
    assert retention.run().memberships == 0
    on(told, days(101))
    run = retention.run()
    assert (run.memberships, run.pseudonyms) == (1, 0)
    _, found = Teams(told.requests).show_history(EMAIL, ROOT)
    assert [each.team for each in found] == ["search"]


def test_only_who_is_assigned_is_known_from_then_on(told: Household) -> None:
    teams = Teams(told.requests)
    for subject in ("new@example.com", "0add-nobody"):
        for ask in (
            lambda who: teams.show_history(who, ROOT),
            lambda who: remove(told, subject=who),
        ):
            with pytest.raises(NoSuchPerson):
                ask(subject)
    told.send(IN_SEARCH, session="one")
    known = set(told.people.vault.people.identities)
    person, found = teams.show_history(EMAIL, ROOT)
    assert found == ()
    assert is_pseudonymous({person})
    assert remove(told).sessions == 0
    assert set(told.people.vault.people.identities) == known
    assign(told, "checkout", subject="new@example.com")
    assert teams.show_history("new@example.com", ROOT)[1]


def test_who_was_erased_is_not_assigned_and_does_not_come_back(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    preview = told.requests.forget(EMAIL, "", "", ROOT)
    told.requests.forget(EMAIL, preview.person, WHY, ROOT)
    known = set(told.people.vault.people.identities)
    with pytest.raises(Erased) as refused:
        assign(told, "checkout")
    assert refused.value.hint
    for ask in (lambda: Teams(told.requests).show_history(EMAIL, ROOT), lambda: remove(told)):
        with pytest.raises(NoSuchPerson):
            ask()
    assert set(told.people.vault.people.identities) == known
    assert told.people.memberships.changes == ()


def test_an_open_stay_goes_once_nothing_is_stored_of_its_person(told: Household) -> None:
    told.send(IN_SEARCH, session="one")
    assign(told, "checkout")
    assign(told, "checkout", subject="new@example.com")
    on(told, days(90))
    assign(told, "search", subject=GRACE["user.email"])
    retention = Retention(told.people, RetentionSettings(person_days=90), ZoneInfo("UTC"))
    assert retention.run().memberships == 0
    on(told, days(91))
    told.send(IN_SEARCH, session="two")
    run = retention.run()
    assert (run.memberships, run.pseudonyms) == (1, 1)
    assert told.people.memberships.count_by_team(days(91)) == {"checkout": 1, "search": 1}
    on(told, days(400))
    retention.run()
    assert told.people.memberships.changes == ()
    assert told.people.vault.people.identities == {}


def test_many_are_found_where_they_are_stored_plainly_in_one_pass(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"person-{number}@example.com" for number in range(4)]
    for number, email in enumerate(people):
        household.send({"user.email": email, "team.id": "search"}, session=f"session-{number}")
    persons = [Teams(household.requests).learn(email) for email in people]
    with household.access.control.write() as connection:
        for person in persons:
            stay = Membership(
                person=person, team="checkout", cost_center=None, first=TODAY, until=None,
                decided=BEGIN,
            )  # fmt: skip
            household.people.memberships.change(connection, [person], TODAY, None, stay)
            household.people.vault.tell_anew(connection, person)
    passes: list[set[Identities]] = []

    def find(connection: Connection) -> set[Identities]:
        passes.append(find_told(connection))
        return passes[-1]

    monkeypatch.setattr("codometer.people.people.find_told", find)
    assert household.people.settle().sessions == len(people)
    assert teams_of(household) == {"checkout"}
    assert len(passes) == 1


def test_people_are_counted_and_a_part_is_not_told_that_leaves_few_beside_it(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    for number in range(9):
        who = {"user.id": f"machine-{number}"}
        if number < 6:
            who["user.email"] = f"person-{number}@example.com"
        household.send(who, session=f"session-{number}")
    household.send({"user.id": "machine-0", "user.email": "person-1@example.com"}, session="shared")
    household.send({"user.email": "bot[bot]@users.noreply.github.com"}, session="bot")
    household.requests.treat("other@example.com", Treatment.EXCLUDED, "he objects", ROOT)
    for number in range(5):
        assign(household, "checkout", subject=f"person-{number}@example.com")
    exact = take_census(household.people, 1)
    assert exact == Census(
        people=9, installations=3, addresses=6, in_teams=5, excluded=1, shared=1, services=1
    )
    told = take_census(household.people, 5)
    assert told == Census(
        people=9, installations=None, addresses=None, in_teams=None, excluded=None, shared=None,
        services=1,
    )  # fmt: skip


def test_who_is_known_and_of_whom_nothing_is_stored_is_no_part_of_those_who_are(
    told: Household,
) -> None:
    told.send(ADA, session="one")
    bot = {"user.email": "bot[bot]@users.noreply.github.com"}
    told.send(bot, session="bot")
    for subject in (EMAIL, "new@example.com", "newer@example.com", bot["user.email"]):
        assign(told, "checkout", subject=subject)
    census = take_census(told.people, 1)
    keeps_addresses = told.people.policy.profile is Profile.STANDARD
    assert (census.people, census.in_teams) == (1, 1)
    assert census.addresses == (1 if keeps_addresses else 0)
    assert take_census(told.people, 5).in_teams is None


class Sent(NamedTuple):
    """One request: whose, of which session, on which day, and the team that the client says."""

    who: int
    session: int
    day: int
    team: str | None


class Said(NamedTuple):
    """An administrator's word; without a team, that the client's holds again."""

    who: int
    team: str | None
    first: int
    days: int | None


PEOPLE = (ADA, GRACE)
SENT = st.builds(
    Sent,
    st.integers(0, 1),
    st.integers(0, 1),
    st.integers(-4, 0),
    st.sampled_from(["search", "platform", None]),
)
SAID = st.builds(
    Said,
    st.integers(0, 1),
    st.sampled_from(["checkout", "search", None]),
    st.integers(-5, 1),
    st.one_of(st.none(), st.integers(1, 4)),
)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.lists(st.one_of(SENT, SAID), min_size=4, max_size=14))
def test_whatever_the_order_rows_are_where_the_last_word_says_and_totals_stay(
    steps: list[Sent | Said],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        household = Household.open(Path(folder) / "data")
        try:
            follow(household, steps)
        finally:
            household.close()


def follow(household: Household, steps: list[Sent | Said]) -> None:
    """Do all of it, and compare with what it must come to."""
    household.become(Profile.STANDARD)
    words: dict[tuple[int, int], str | None] = {}
    sent: list[Sent] = []
    for step in steps:
        if isinstance(step, Sent):
            on(household, days(step.day))
            told = {"team.id": step.team} if step.team else {}
            household.send({**PEOPLE[step.who], **told}, session=f"{step.who}-{step.session}")
            sent.append(step)
            continue
        on(household, days(0))
        totals = household.totals()
        first, until = step.first, 9 if step.days is None else step.first + step.days
        words.update({(step.who, day): step.team for day in range(first, until)})
        stretch = days(first), None if step.days is None else days(until)
        subject = PEOPLE[step.who]["user.email"]
        if step.team:
            assign(household, step.team, *stretch, subject=subject)
        else:
            with suppress(NoSuchPerson):  # nothing was sent or said of them yet
                remove(household, *stretch, subject=subject)
        assert household.totals() == totals
    expected = Counter(
        (str(days(each.day)), words.get((each.who, each.day)) or each.team) for each in sent
    )
    household.people.follow()  # as the server does all the time
    assert requests_by_team(household) == expected


def test_what_a_hold_kept_is_told_anew_when_it_was_lifted_meanwhile(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    person = household.requests.show(ADA["user.email"], ROOT).person
    vault = household.people.vault
    with household.access.control.write() as connection:
        vault.tell_anew(connection, person)
    vault.reload()
    assert person in vault.moves
    vault.settle_moves({person}, waiting={person}, holds={"hold_lifted"})
    assert person in vault.moves
    vault.reload()
    assert person in vault.moves
    vault.settle_moves({person}, waiting={person}, holds=set())
    vault.reload()
    assert person not in vault.moves
