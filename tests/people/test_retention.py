"""What grows old loses its session, then its person, and goes; no sum of what stays changes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from codometer.access.permissions import EVERYTHING, Subject
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.errors import BadRequest
from codometer.model.period import Period
from codometer.people.holds import HoldKind, NoSuchHold, OnHold
from codometer.people.requests import NoSuchPerson
from codometer.people.retention import Retention, Run
from codometer.privacy.profile import Profile
from codometer.privacy.pseudonym import IdentityKind
from codometer.serve.web.assets import Assets
from codometer.serve.web.frame import Frame
from codometer.serve.web.pages.privacy.retention import retention_page
from codometer.serve.web.visitor import Visitor
from codometer.settings import Retention as RetentionSettings
from codometer.store.retention import Held
from tests.people.household import ADA, ADA_ELSEWHERE, BEGIN, GRACE, NAMES_OF_ADA, ROOT, Household

UTC_ZONE = ZoneInfo("UTC")
WHY = "a claim before a court"


def retention(household: Household, **days: int) -> Retention:
    return Retention(household.people, RetentionSettings(**days), UTC_ZONE)


def go_on(household: Household, days: int) -> None:
    household.now[0] += timedelta(days=days)


def ask(household: Household, *measures: str, by: tuple[str, ...] = (), minimum: int = 1) -> Answer:
    household.store.roll_up()
    period = Period.covering(BEGIN - timedelta(days=2), BEGIN + timedelta(days=1), UTC_ZONE)
    query = replace(parse_query(measures, period=period, by=by), sees_people=minimum == 1)
    return run_query(household.store, query, organisation_zone=UTC_ZONE, minimum_people=minimum)


@pytest.fixture(params=[Profile.OPEN, Profile.STANDARD, Profile.STRICT])
def told(household: Household, request: pytest.FixtureRequest) -> Household:
    """Give a server under each profile, to which two people sent something."""
    if request.param is not Profile.OPEN:
        household.become(request.param)
    household.send(ADA, session="session-of-ada", number=1)
    household.send(ADA_ELSEWHERE, session="session-of-ada-2", number=2)
    household.send(GRACE, session="session-of-grace", number=3)
    return household


def test_a_session_loses_its_name_and_no_sum_changes(told: Household) -> None:
    totals, persons = told.totals(), told.persons()
    go_on(told, 70)
    run = retention(told, person_days=400).run()
    is_open = told.people.policy.profile is Profile.OPEN
    assert (run.detail, run.sessions) == (0 if is_open else 6, 0)
    go_on(told, 21)
    run = retention(told, person_days=400).run()
    assert run.sessions == 3
    assert told.totals() == totals
    assert told.find_in_files("session-of-ada", "session-of-grace", "4f1ada00") == set()
    if told.people.policy.profile is not Profile.STRICT:
        assert told.persons() == persons
    assert retention(told).run().sessions == 0


def test_rows_by_day_lose_their_person_and_still_tell_how_many_they_are_of(
    told: Household,
) -> None:
    totals = told.totals()
    before = ask(told, "active_people", "sessions", "cost", "tokens").groups
    go_on(told, 401)
    assert retention(told).run().persons > 0
    assert told.totals() == totals
    assert told.persons() == set()
    assert told.find_in_files(*NAMES_OF_ADA) == set()
    assert ask(told, "active_people", "sessions", "cost", "tokens").groups == before
    assert ask(told, "active_people", by=("model",)).groups[0].values["active_people"] == 2
    assert told.store.fetch("SELECT person FROM origin WHERE person IS NOT NULL") == []


def test_services_keep_their_names_and_go_on_being_counted(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send({"user.email": "ci[bot]@users.noreply.github.com"}, session="build")
    household.send(ADA, session="session-of-ada")
    for days in (0, 100, 401):
        household.now[0] = BEGIN + timedelta(days=days)
        retention(household).run()
        for by in ((), ("model",), ("hour",), ("day",)):
            (group,) = ask(household, "active_services", "active_people", by=by).groups
            assert group.values == {"active_services": 1, "active_people": 1}


def test_the_month_that_runs_keeps_its_persons_however_short_the_settings(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="session-of-ada")
    persons = household.persons()
    go_on(household, 6)
    assert retention(household, session_days=1, person_days=1).run().persons == 0
    household.send(ADA, session="session-of-ada-2")
    go_on(household, 1)
    assert retention(household, session_days=1, person_days=1).run().persons == 0
    assert household.persons() == persons
    assert ask(household, "active_people").groups[0].values["active_people"] == 1
    go_on(household, 1)
    assert retention(household, session_days=1, person_days=1).run().persons > 0
    assert household.persons() == set()


def test_small_groups_stay_small_when_nobody_knows_who_they_were(told: Household) -> None:
    assert ask(told, "requests", minimum=3).withheld
    assert not ask(told, "requests", minimum=2).withheld
    go_on(told, 401)
    retention(told).run()
    assert ask(told, "requests", minimum=3).withheld
    assert not ask(told, "requests", minimum=2).withheld


def test_one_person_of_two_months_is_not_taken_for_two(household: Household) -> None:
    household.become(Profile.STANDARD)
    for _ in range(2):
        household.send(ADA, session=f"session-{household.now[0]}")
        go_on(household, 31)
    go_on(household, 500)
    retention(household).run()
    period = Period.covering(BEGIN - timedelta(days=2), BEGIN + timedelta(days=60), UTC_ZONE)

    def people(*by: str) -> list[object]:
        query = replace(parse_query(["active_people"], period=period, by=by), sees_people=True)
        answer = run_query(household.store, query, organisation_zone=UTC_ZONE)
        return [group.values["active_people"] for group in answer.groups]

    assert people() == [None]
    assert people("month") == [1, 1]
    query = parse_query(["tokens"], period=period)
    answer = run_query(household.store, query, organisation_zone=UTC_ZONE, minimum_people=2)
    assert answer.withheld


def test_what_is_late_for_a_month_without_persons_is_of_nobody(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one", number=1)
    go_on(household, 401)
    retention(household).run()
    household.now[0] = BEGIN
    household.send(ADA, session="late", number=2)
    go_on(household, 402)
    requests = household.totals()[0][0]
    retention(household).run()
    assert household.totals()[0][0] == requests == 2
    assert household.persons() == set()
    assert ask(household, "active_people").groups[0].values["active_people"] == 1


def test_the_same_late_delivery_adds_nothing(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one", number=1)
    totals = household.totals()
    go_on(household, 401)
    retention(household).run()
    household.now[0] = BEGIN
    household.send(ADA, session="one", number=1)
    assert household.totals() == totals


def test_the_oldest_sums_go_and_the_others_stay(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="old")
    go_on(household, 1000)
    household.send(GRACE, session="new")
    go_on(household, 200)
    run = retention(household).run()
    assert run.sums > 0
    assert household.totals()[0][0] == 1
    assert household.store.fetch("SELECT count(*) FROM workplace") == [(1,)]
    household.now[0] -= timedelta(days=200)
    household.send(GRACE, session="new", number=9)
    assert household.totals()[0][0] == 2


def test_a_run_is_on_the_record_once_a_day_and_at_once_under_another_profile(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    keeping = retention(household)
    assert keeping.find_last() is None
    done = keeping.run_if_due()
    assert done == Run(BEGIN, household.people.in_force.version)
    assert keeping.find_last() == done
    assert keeping.run_if_due() is None
    household.become(Profile.STRICT)
    assert keeping.run_if_due() is not None
    go_on(household, 1)
    assert keeping.run_if_due() is not None
    assert household.actions().count("retention.run") == 3


def test_settings_keep_less_than_the_profile_and_never_more(household: Household) -> None:
    household.become(Profile.STRICT)
    assert retention(household).kept == (14, 90, 90, 1127)
    assert retention(household, detail_days=7, person_days=30).kept == (7, 90, 30, 1127)


def test_the_teams_that_can_be_held_are_offered_as_they_are_spelt(household: Household) -> None:
    household.become(Profile.STANDARD)
    for number, team in enumerate(("search", "R&D", "search")):
        household.send({**ADA, "team": team}, session=f"{number}")
    household.send(GRACE, session="of-no-team")
    assert household.people.list_teams() == ["R&D", "search"]
    page = retention_page(retention(household))
    visitor = Visitor(
        subject=Subject(actor=ROOT, granted=EVERYTHING),
        account=None,
        path=page.path,
        given={},
        now=household.now[0],
        zone=UTC_ZONE,
    )
    shown = Frame([page], Assets.read()).render_record(page, visitor)
    assert '<datalist id="subject-options"><option value="R&amp;D"><option value="search">' in shown


@pytest.mark.parametrize("kind", [*HoldKind])
def test_what_is_held_stays_whatever_its_age(household: Household, kind: HoldKind) -> None:
    household.become(Profile.STANDARD)
    team = {"team": "checkout"}
    household.send({**ADA, **team}, session="session-of-ada")
    household.send(GRACE, session="session-of-grace")
    ada = household.requests.show(ADA["user.email"], ROOT).person
    subject = {HoldKind.PERSON: ada, HoldKind.TEAM: "checkout", HoldKind.EVERYTHING: ""}[kind]
    hold = household.people.holds.set(kind, subject, WHY, ROOT)
    go_on(household, 2000)
    retention(household).run()
    shown = household.requests.show(ADA["user.email"], ROOT)
    assert (shown.rows.sessions, shown.rows.events) == (1, 1)
    assert ("session-of-grace" in household.texts()) is (kind is HoldKind.EVERYTHING)
    with pytest.raises(OnHold):
        household.requests.forget(ADA["user.email"], ada, "she asked", ROOT)
    household.people.holds.lift(hold.id, "settled", ROOT)
    retention(household).run()
    assert household.totals()[0][0] is None
    assert "session-of-ada" not in household.texts()
    assert household.actions().count("hold.set") == household.actions().count("hold.lift") == 1


@pytest.mark.parametrize(
    ("kind", "name", "days"),
    [
        (IdentityKind.EMAIL, ADA["user.email"], 0),
        (IdentityKind.ACCOUNT_UUID, ADA["user.account_uuid"], 0),
        (IdentityKind.ACCOUNT_UUID, ADA["user.account_uuid"], 91),
    ],
)
def test_a_hold_on_a_pseudonym_keeps_what_is_stored_under_the_plain_name(
    household: Household, kind: IdentityKind, name: str, days: int
) -> None:
    household.become(Profile.OPEN)
    household.send(ADA, session="one")
    household.send({**GRACE, "user.id": ADA["user.id"]}, session="two")
    go_on(household, days)
    retention(household).run()
    pseudonym = household.people.identifier.pseudonym(kind, name)
    household.people.holds.set(HoldKind.PERSON, pseudonym, WHY, ROOT)
    go_on(household, 2000)
    retention(household).run()
    assert household.requests.show(ADA["user.account_uuid"], ROOT).rows.sessions == 1
    assert household.store.fetch("SELECT sum(requests) FROM session_day") == [(1,)]
    with pytest.raises(OnHold):
        household.requests.forget(
            ADA["user.account_uuid"], ADA["user.account_uuid"], "she asked", ROOT
        )


@pytest.mark.parametrize(
    ("kind", "subject", "reason"),
    [
        (HoldKind.PERSON, "ada@example.com", WHY),
        (HoldKind.TEAM, "", WHY),
        (HoldKind.EVERYTHING, "all", WHY),
        (HoldKind.TEAM, "checkout", " "),
    ],
)
def test_a_hold_names_what_it_is_about_and_why(
    household: Household, kind: HoldKind, subject: str, reason: str
) -> None:
    with pytest.raises(BadRequest):
        household.people.holds.set(kind, subject, reason, ROOT)
    with pytest.raises(NoSuchHold):
        household.people.holds.lift("hold_none", WHY, ROOT)


def test_a_person_of_whom_only_days_are_left_is_merged_shown_and_forgotten(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.send(GRACE, session="two")
    totals = household.totals()
    go_on(household, 91)
    retention(household).run()
    ada, grace = (household.requests.show(who["user.email"], ROOT).person for who in (ADA, GRACE))
    household.requests.merge(ada, grace, "one person", ROOT)
    assert len(household.persons()) == 1
    household.requests.split(grace, "two after all", ROOT)
    preview = household.requests.forget(ADA["user.email"], "", "", ROOT)
    household.requests.forget(ADA["user.email"], preview.person, "asked", ROOT)
    assert household.totals() == totals
    assert preview.person not in household.texts()


def test_an_erasure_while_a_run_is_on_misses_nothing(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="session-of-ada")
    go_on(household, 91)
    email, people, find_held = ADA["user.email"], household.people, household.people.find_held
    preview = household.requests.forget(email, "", "", ROOT)
    lock, goes_on = threading.Lock(), threading.Event()

    @contextmanager
    def pause() -> Iterator[None]:
        if lock.locked():
            goes_on.set()  # somebody else has to wait
        with lock:
            yield

    def run_retention() -> None:
        retention(household).run()
        goes_on.set()

    run = threading.Thread(target=run_retention)

    def find_held_as_a_run_begins() -> Held | None:
        monkeypatch.setattr(people, "find_held", find_held)
        run.start()
        assert goes_on.wait(60)
        return find_held()

    people.attach(pause, lambda: None)
    monkeypatch.setattr(people, "find_held", find_held_as_a_run_begins)
    household.requests.forget(email, preview.person, "asked", ROOT)
    run.join(60)
    assert not run.is_alive()
    assert preview.person not in household.texts()


def test_who_is_in_no_row_any_more_goes_from_the_vault(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    go_on(household, 300)
    household.send(GRACE, session="two")
    go_on(household, 150)
    run = retention(household).run()
    known = {each.kind for each in household.people.vault.people.identities.values()}
    assert run.pseudonyms == 3
    assert len(household.people.vault.people.identities) == len(known) == 3
    with pytest.raises(NoSuchPerson):
        household.requests.show(ADA["user.email"], ROOT)
    assert household.requests.show(GRACE["user.email"], ROOT).rows.sessions == 1
    household.reopen()
    household.send(ADA, session="three")
    assert household.requests.show(ADA["user.email"], ROOT).rows.sessions == 1


def due(household: Household, **days: int) -> dict[str, int]:
    household.store.roll_up()
    stocks = retention(household, **days).list_stocks()
    return {stock.kind: stock.due for stock in stocks}


@pytest.mark.parametrize("held", [None, *HoldKind])
def test_what_the_next_run_lets_go_is_told_before(told: Household, held: HoldKind | None) -> None:
    told.send({**ADA, "team.id": "checkout"}, session="of-a-team", number=4)
    if held is not None:
        subjects = {HoldKind.TEAM: "checkout", HoldKind.EVERYTHING: ""}
        named = told.people.identifier.list_pseudonyms(IdentityKind.EMAIL, ADA["user.email"])
        told.people.holds.set(held, subjects.get(held, next(iter(named))), WHY, ROOT)
    went = 0
    for day in (0, 15, 40, 60, 300, 900):
        go_on(told, day)
        told.send(GRACE, session=f"of-day-{day}", number=1 + day)
        told.store.roll_up()
        before = due(told)
        run = retention(told).run()
        done = {"detail": run.detail, "sessions": run.sessions, "persons": run.persons}
        done |= {"sums": run.sums}
        assert {kind: before[kind] for kind in done} == done, day
        went += sum(done.values())
    assert (went > 0) is (held is not HoldKind.EVERYTHING)


def test_what_there_is_of_each_kind_is_counted(household: Household) -> None:
    household.become(Profile.STRICT)
    nothing = {stock.kind: stock for stock in retention(household).list_stocks()}
    assert {kind: (stock.rows, stock.oldest) for kind, stock in nothing.items()} == {
        **dict.fromkeys(("content", "detail", "sessions", "persons", "sums"), (0, None)),
        "audit": (len(household.actions()), BEGIN),
    }
    household.send(ADA, session="one", number=1)
    household.send(GRACE, session="two", number=2)
    household.store.roll_up()
    stocks = {stock.kind: stock for stock in retention(household, sum_days=500).list_stocks()}
    assert (stocks["detail"].rows, stocks["sessions"].rows) == (4, 2)
    oldest = stocks["detail"].oldest
    assert oldest is not None
    assert oldest - BEGIN == timedelta(seconds=1)
    assert {stock.kind: (stock.days, stock.decided_by) for stock in stocks.values()} == {
        "content": (7, "retention.content_days"),
        "detail": (14, "profile strict"),
        "sessions": (90, "retention.session_days"),
        "persons": (90, "profile strict"),
        "sums": (500, "retention.sum_days"),
        "audit": (400, "retention.audit_days"),
    }
    assert (stocks["content"].bytes, stocks["detail"].bytes) == (0, None)


def test_the_next_run_is_due_now_or_with_the_next_day(household: Household) -> None:
    household.become(Profile.STANDARD)
    keeping = retention(household)
    assert keeping.find_next() == BEGIN
    keeping.run()
    assert keeping.find_next() == BEGIN.replace(hour=0) + timedelta(days=1)
    go_on(household, 401)
    assert due(household)["audit"] == len(household.actions())
    household.people.holds.set(HoldKind.EVERYTHING, "", WHY, ROOT)
    assert due(household)["audit"] == 0
