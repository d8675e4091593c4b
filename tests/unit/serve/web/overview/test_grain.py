"""What Overview shows where the profile tells of teams by week or by day only."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from codometer.access.permissions import Role
from codometer.analysis.measures.query import Query
from codometer.privacy.profile import Cut
from tests.unit.serve.web.overview.company import Company, by_class, cells, links, text, usual_work

PANELS = ("month", "attention", "figures", "spend", "rhythm", "teams")
GROUPS = ("team", "repository", "cost_center")


def company(
    finest: Cut, *teams: str, until: date = date(2026, 11, 23), role: Role = Role.ADMINISTRATOR
) -> Company:
    return Company(
        usual_work(until=until),
        role=role,
        teams=frozenset(teams) or None,
        finest=finest,
    )


def is_of_a_group(query: Query) -> bool:
    used = (*query.by, *(each.dimension for each in query.conditions))
    return any(each.name in GROUPS for each in used)


@pytest.mark.parametrize("finest", [Cut.DAY, Cut.WEEK])
@pytest.mark.parametrize("teams", [(), ("payments",)])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"range": "7d"},
        {"range": "90d"},
        {"from": "2026-11-23", "to": "2026-11-23"},
        {"from": "2026-11-11", "to": "2026-11-12"},
        {"from": "2025-11-01", "to": "2026-11-20"},
        {"team": "payments"},
        {"team": "payments", "from": "2026-11-11", "to": "2026-11-11"},
        {"team": "payments", "from": "2026-11-23", "to": "2026-11-23"},
    ],
)
def test_no_panel_asks_for_more_than_is_told(
    finest: Cut, teams: tuple[str, ...], given: dict[str, str]
) -> None:
    office = company(finest, *teams)
    page = office.page(**given)
    assert page.count("<section") == len(PANELS)
    assert "Try again" not in page
    asked = [query for query in office.asked if is_of_a_group(query)]
    assert asked
    finer = {"hour", "day"} if finest is Cut.WEEK else {"hour"}
    assert all(each.name not in finer for query in asked for each in query.by)


def test_a_team_is_shown_by_whole_weeks_and_says_so() -> None:
    office = company(Cut.WEEK)
    page = office.page(team="payments")
    assert "Whole weeks, 26 Oct to 22 Nov 2026, compared with the 28 days before" in page
    spend = text(office.panel("spend", team="payments"))
    assert "Spend per week" in spend
    assert "Week of 16 Nov" in spend


def test_a_day_of_a_team_is_shown_in_its_week() -> None:
    office = company(Cut.WEEK, "payments")
    page = office.page(**{"from": "2026-11-11", "to": "2026-11-11"})
    assert "9 to 15 Nov 2026, compared with the 7 days before" in page


def test_a_team_has_the_spend_of_the_weeks_shown_in_place_of_a_month() -> None:
    month = company(Cut.WEEK, "payments").panel("month")
    # 20 working days of eight people who spend $20
    assert text(by_class(month, "v")[0]) == "$3,200 from 26 Oct to 22 Nov 2026"
    assert text(month).startswith("Spend in these weeks")
    assert "by whole weeks" in text(month)


def test_all_are_shown_by_day_and_their_teams_by_week() -> None:
    office = company(Cut.WEEK)
    assert "Spend per day" in text(office.panel("spend"))
    teams = office.panel("teams")
    assert "Whole weeks, 26 Oct to 22 Nov 2026" in text(teams)
    rows = {row[0]: row[1] for row in cells(teams)}
    assert rows["payments"] == "$3,200"
    (total,) = cells(teams, "tfoot")
    # 20 working days of all 19 people: the same days as the rows
    assert total[:2] == ["All", "$7,600"]
    assert text(office.panel("rhythm")).startswith("When people work Developers active")


@pytest.mark.parametrize("finest", [Cut.DAY, Cut.WEEK])
def test_hours_of_a_team_are_not_shown_and_the_panel_says_who_can_change_that(
    finest: Cut,
) -> None:
    whole = company(finest).panel("rhythm", team="payments")
    assert f"tells of a team by {finest}" in text(whole)
    assert links(whole) == {"Show all teams": "/", "Privacy": "/privacy"}
    own = company(finest, "payments").panel("rhythm")
    assert links(own) == {"Privacy": "/privacy"}


def test_by_day_a_team_is_shown_as_ever_but_for_its_hours() -> None:
    office = company(Cut.DAY)
    given = {"team": "payments", "from": "2026-11-20", "to": "2026-11-20"}
    assert "Spend per day" in text(office.panel("spend", **given))
    assert "Spend per day" in text(office.panel("spend", team="payments"))
    assert "Whole weeks" not in text(office.panel("teams"))


def test_four_weeks_that_are_a_month_are_shown_beside_the_four_weeks_before() -> None:
    office = Company(
        usual_work(since=date(2026, 12, 1), until=date(2027, 3, 1)),
        now=datetime(2027, 3, 1, 14, tzinfo=UTC),
        role=Role.ADMINISTRATOR,
        finest=Cut.WEEK,
    )
    page = office.page(team="payments")
    assert "Whole weeks, 1 to 28 Feb 2027, compared with the 28 days before" in page
    assert "Try again" not in page


def test_what_holds_for_teams_changes_what_is_shown_at_once() -> None:
    office = company(Cut.DAY)
    assert "Whole weeks" not in office.page()
    office.grain = office.grain._replace(finest=Cut.WEEK)
    assert "Whole weeks" in office.page()


def test_while_no_week_is_over_a_team_has_nothing_to_show() -> None:
    office = Company(
        usual_work(since=date(2026, 11, 23)),
        role=Role.TEAM_LEAD,
        teams=frozenset({"payments"}),
        finest=Cut.WEEK,
    )
    assert "Nobody worked in these days" in text(office.panel("teams"))
    assert "Try again" not in office.page()
