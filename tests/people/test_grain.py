"""A profile that is weakened shows no more of what was collected before."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.grain import Grain
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.errors import TooFine
from codometer.model.period import parse_period
from codometer.people.decisions import NOTICE
from codometer.privacy.profile import Cut, Profile
from tests.people.household import ADA, BEGIN, GRACE, ROOT, Household

UTC_ZONE = ZoneInfo("UTC")
WEEK = timedelta(weeks=1)


def cut(household: Household, since: datetime) -> Cut:
    return household.people.find_strictest(since).finest_cut


def by_day(household: Household, since: str, until: str) -> Answer:
    """Ask for repositories by day, of whatever number of people."""
    household.store.roll_up()
    now = household.now[0]
    period = parse_period(since, until, now=now, zone=UTC_ZONE)
    return run_query(
        household.store,
        parse_query(["requests"], by=["day", "repository"], period=period),
        organisation_zone=UTC_ZONE,
        find_grain=lambda start: Grain(household.people.find_strictest(start).finest_cut, now),
    )


def test_what_was_collected_under_strict_is_told_by_week_for_good(household: Household) -> None:
    household.become(Profile.STRICT)
    household.send(ADA, session="before")
    household.become(Profile.STANDARD)  # in force on Monday, 30 November, at noon
    assert household.people.find_strictest(BEGIN).min_people == 10
    assert cut(household, BEGIN) is Cut.WEEK
    household.now[0] += NOTICE + WEEK
    household.people.follow()
    assert household.people.policy.profile is Profile.STANDARD
    household.send(GRACE, session="after")
    for since, until in (
        ("2026-11-23", "2026-11-30"),
        ("2026-11-23", "2026-12-08"),
        # The days after the change, beside their week, would tell of the days before.
        ("2026-12-01", "2026-12-08"),
        ("2026-12-03", "2026-12-04"),
    ):
        with pytest.raises(TooFine):
            by_day(household, since, until)
    (group,) = by_day(household, "2026-12-07", "2026-12-08").groups
    assert group.values["requests"] == 1
    household.reopen()
    with pytest.raises(TooFine):
        by_day(household, "2026-11-23", "2026-11-30")


def test_a_stricter_profile_holds_at_once_for_all_there_is(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    assert by_day(household, "2026-11-23", "2026-11-24").groups
    household.become(Profile.STRICT)
    with pytest.raises(TooFine):
        by_day(household, "2026-11-23", "2026-11-24")


def test_what_came_while_a_profile_was_strict_stays_so_whatever_time_it_is_of(
    household: Household,
) -> None:
    household.become(Profile.STANDARD)
    household.now[0] += 4 * WEEK
    household.become(Profile.STRICT)
    household.become(Profile.STANDARD)
    household.now[0] += 4 * WEEK
    household.people.follow()
    assert cut(household, BEGIN) is Cut.WEEK
    assert cut(household, BEGIN - 52 * WEEK) is Cut.WEEK
    assert cut(household, household.now[0]) is Cut.DAY


def test_a_decision_that_was_called_off_changes_nothing(household: Household) -> None:
    household.become(Profile.STRICT)
    household.become(Profile.OPEN)
    household.people.decisions.cancel("the works council said no", ROOT)
    household.now[0] += 2 * NOTICE
    household.people.follow()
    assert cut(household, household.now[0]) is Cut.WEEK
