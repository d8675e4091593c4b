from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from codometer.access.actions import Action
from codometer.access.audit import Filter
from codometer.access.permissions import Role
from codometer.errors import BadRequest
from codometer.people.decisions import NOTICE, NewPurpose, NotConfirmed, Notices
from codometer.privacy.profile import Profile
from tests.people.household import ADA, BEGIN, PASSWORD, ROOT, Household


def versions(household: Household) -> list[tuple[int, str]]:
    return [(each.version, each.profile) for each in household.people.decisions.list_decisions()]


def join_first(household: Household) -> None:
    link = household.access.accounts.invite_first()
    assert link is not None
    household.access.accounts.join(link.secret, "root", PASSWORD, ROOT)


def test_a_server_of_one_machine_is_open_and_an_organisation_standard(
    household: Household,
) -> None:
    assert household.people.decisions.find_in_force().profile is Profile.OPEN
    join_first(household)
    household.people.follow()
    assert household.people.decisions.find_in_force().profile is Profile.STANDARD
    assert versions(household) == [(1, "open"), (2, "standard")]
    household.reopen()
    assert versions(household) == [(1, "open"), (2, "standard")]


def test_an_organisation_may_begin_with_what_its_administrator_chooses(
    household: Household,
) -> None:
    household.become(Profile.OPEN)
    assert household.people.decisions.find_in_force().profile is Profile.OPEN
    assert household.people.decisions.find_in_force().purpose == "to see costs"


def test_strict_on_a_machine_of_ones_own_stays_strict_for_the_organisation(
    household: Household,
) -> None:
    household.people.decisions.decide(Profile.STRICT, "curiosity", "caution", ROOT)
    join_first(household)
    in_force = household.people.decisions.find_in_force()
    assert (in_force.profile, in_force.purpose) == (Profile.STRICT, "curiosity")


def test_an_organisation_from_the_first_start_is_standard(household: Household) -> None:
    with household.access.control.write() as connection:
        connection.exec_driver_sql("DELETE FROM privacy_decision")
    join_first(household)
    assert household.people.decisions.find_in_force().profile is Profile.STANDARD


def test_to_know_more_takes_a_notice_that_everybody_can_see(household: Household) -> None:
    household.become(Profile.STRICT)
    decisions = household.people.decisions
    decided = decisions.decide(Profile.STANDARD, None, "we grew", ROOT, confirmed="standard")
    assert decided.effective == BEGIN + NOTICE
    assert decisions.find_upcoming() == decided
    assert decisions.find_in_force().profile is Profile.STRICT
    household.now[0] += NOTICE - timedelta(seconds=1)
    assert decisions.find_in_force().profile is Profile.STRICT
    household.now[0] += timedelta(seconds=1)
    assert decisions.find_in_force() == decided
    assert decisions.find_upcoming() is None


def test_a_later_decision_takes_the_place_of_one_that_waits(household: Household) -> None:
    household.become(Profile.STANDARD)
    decisions = household.people.decisions
    decisions.decide(Profile.OPEN, None, "hm", ROOT, confirmed="open")
    decisions.decide(Profile.STANDARD, None, "no, we stay", ROOT)
    household.now[0] += 2 * NOTICE
    assert decisions.find_in_force().reason == "no, we stay"


def test_to_know_more_must_be_asked_for_twice(household: Household) -> None:
    household.become(Profile.STRICT)
    decisions = household.people.decisions
    for confirmed in ("", "strict", "open"):
        with pytest.raises(NotConfirmed, match="more would be known"):
            decisions.decide(Profile.STANDARD, None, "we grew", ROOT, confirmed=confirmed)
    assert decisions.find_upcoming() is None


def test_what_waits_can_be_called_off_on_the_record(household: Household) -> None:
    household.become(Profile.STANDARD)
    decisions = household.people.decisions
    with pytest.raises(BadRequest, match="nothing"):
        decisions.cancel("by mistake", ROOT)
    decisions.decide(Profile.OPEN, None, "hm", ROOT, confirmed="open")
    with pytest.raises(BadRequest, match="reason"):
        decisions.cancel(" ", ROOT)
    assert decisions.cancel("the council said no", ROOT).profile is Profile.STANDARD
    assert decisions.find_upcoming() is None
    household.now[0] += 2 * NOTICE
    assert decisions.find_in_force().profile is Profile.STANDARD
    assert household.actions()[-1] == "privacy.cancel"


@pytest.mark.parametrize(
    ("purpose", "reason", "complaint"),
    [(None, " ", "needs a reason"), ("x" * 501, "why", "purpose"), (None, "two\nlines", "reason")],
)
def test_a_decision_needs_a_reason_of_one_line(
    household: Household, purpose: str | None, reason: str, complaint: str
) -> None:
    with pytest.raises(BadRequest, match=complaint):
        household.people.decisions.decide(Profile.STRICT, purpose, reason, ROOT)


def test_what_another_server_learned_or_decided_is_taken_over(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.invite(Role.VIEWER, "viewer")
    with household.access.control.write() as connection:
        connection.exec_driver_sql("UPDATE generation SET value = value + 1 WHERE name = 'people'")
    household.send({**ADA, "user.id": "another-machine"}, session="two")
    household.people.follow()
    assert len(household.persons()) == 1


def test_a_vault_that_cannot_be_written_is_written_later(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    household.become(Profile.STANDARD)
    fault = OperationalError("INSERT", {}, Exception("gone"))

    def fail() -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(household.people.vault, "save", fail)
        household.send(ADA, session="one")
    assert household.people.vault.has_news
    household.people.follow()
    assert not household.people.vault.has_news
    household.reopen()
    assert household.requests.show(ADA["user.email"], ROOT).rows.sessions == 1


def test_what_gave_way_while_it_waited_never_comes(household: Household) -> None:
    household.become(Profile.STRICT)
    decisions = household.people.decisions
    decisions.decide(Profile.OPEN, None, "hm", ROOT, confirmed="open")
    household.now[0] += timedelta(days=1)
    decisions.decide(Profile.STANDARD, None, "rather this", ROOT, confirmed="standard")
    household.now[0] += NOTICE - timedelta(hours=1)
    assert decisions.find_in_force().profile is Profile.STRICT
    household.now[0] += timedelta(hours=1)
    assert decisions.find_in_force().profile is Profile.STANDARD


def test_another_purpose_is_told_to_everybody_for_seven_days(household: Household) -> None:
    household.become(Profile.STANDARD)
    decisions = household.people.decisions
    assert decisions.find_notices() == Notices()
    household.now[0] += timedelta(days=1)
    decisions.decide(Profile.STANDARD, "to plan budgets", "we need it", ROOT)
    changed = NewPurpose(
        before="to see costs", after="to plan budgets", since=BEGIN + timedelta(days=1)
    )
    decisions.decide(Profile.STRICT, None, "caution", ROOT)
    household.reopen()
    decisions = household.people.decisions
    assert decisions.find_notices().new_purpose == changed
    household.now[0] += NOTICE - timedelta(seconds=1)
    assert decisions.find_notices().new_purpose == changed
    household.now[0] += timedelta(seconds=1)
    assert decisions.find_notices().new_purpose is None
    entries = [each.entry for each in household.access.audit.list_entries(Filter())]
    (_, entry, *_) = [each for each in entries if each.action == Action.PRIVACY_CHANGE]
    assert "to see costs" in (entry.before or "")
    assert "to plan budgets" in (entry.after or "")


def test_a_purpose_that_comes_with_a_weaker_profile_is_new_when_it_holds(
    household: Household,
) -> None:
    household.become(Profile.STRICT)
    decisions = household.people.decisions
    decisions.decide(Profile.STANDARD, "to plan budgets", "hm", ROOT, confirmed="standard")
    assert decisions.find_notices().new_purpose is None
    household.now[0] += NOTICE
    new = decisions.find_notices().new_purpose
    assert new is not None
    assert new.since == BEGIN + NOTICE


def test_a_purpose_that_is_declared_for_the_first_time_is_no_change(household: Household) -> None:
    decisions = household.people.decisions
    decisions.decide(Profile.OPEN, "curiosity", "why not", ROOT)
    household.become(Profile.STANDARD)
    assert decisions.find_notices().new_purpose is None
