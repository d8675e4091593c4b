"""Every panel of Overview, in every state, on numbers that are worked out by hand.

Nineteen people in four teams spend $20 on each weekday: $380 a day.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from codometer.access.permissions import Role
from codometer.model.status import RejectStatus
from tests.unit.serve.parts import StoreGone
from tests.unit.serve.web.overview.company import (
    FIRST,
    HAIKU,
    NOW,
    OPUS,
    TEAMS,
    TODAY,
    Company,
    Work,
    by_class,
    cells,
    links,
    people,
    text,
    usual_work,
)

THURSDAY = date(2026, 11, 12)


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(usual_work())


# This month


def test_the_month_is_told_with_where_it_will_end(company: Company) -> None:
    month = text(company.panel("month"))
    # 16 weekdays up to Monday 23, and 5 more; last month had 22. What cannot be told from
    # nothing on weekends has a fiftieth of a day: the estimate is $2 off, and errs by as little.
    assert month.startswith("November spend $6,080 with 7 days to go")
    assert "On course for $7,978 , most likely between $7,965 and $7,991 (estimated, 80%" in month
    assert "Per working day, last 10 $380 October in all $8,360" in month
    assert "Saved by the cache, November $18,240" in month
    assert "spend is as high as over the 28 before" in month


def test_growth_of_spend_is_told() -> None:
    work = usual_work(since=TODAY - timedelta(days=55))
    dear = [
        Work(person=w.person, team=w.team, day=w.day, cost=Decimal(25))
        if w.day > TODAY - timedelta(days=28)
        else w
        for w in work
    ]
    assert "spend is 25% higher than over the 28 before" in text(Company(dear).panel("month"))


def test_a_young_month_says_what_an_estimate_needs() -> None:
    young = Company(usual_work(since=date(2026, 11, 19)))
    month = young.panel("month")
    assert "An estimate of where November ends needs 14 whole days of data." in text(month)
    assert "There are 4 so far." in text(month)
    assert not by_class(month, "exp")
    assert "in all" not in text(month)
    today = text(Company(usual_work(since=TODAY)).panel("month"))
    assert "There are 0 so far." in today
    assert "Per working day –" in today


def test_a_month_without_spend_has_no_ruler() -> None:
    month = Company(usual_work(until=date(2026, 10, 30))).panel("month")
    assert text(month).startswith("November spend – with 7 days to go Nothing was spent in")
    assert not by_class(month, "ruler")


def test_the_last_day_of_a_month_has_no_days_to_go() -> None:
    last = datetime(2026, 11, 30, 14, tzinfo=UTC)
    month = Company(usual_work(until=last.date()), now=last).panel("month")
    assert "on the last day" in text(month)
    assert "1 day to go" in text(Company(usual_work(), now=last - timedelta(days=1)).panel("month"))


# Figures


def test_figures_stand_beside_the_period_before(company: Company) -> None:
    figures = {text(each[0]): text(each) for each in by_class(company.panel("figures"), "kpi")}
    assert figures["Active developers"] == "Active developers 19 → 0% from 19"
    assert figures["Tokens"] == "Tokens 570k → 0% from 570k"
    assert len(figures) == 8


def test_what_no_signal_measures_says_what_to_switch_on(company: Company) -> None:
    figures = {text(each[0]): text(each) for each in by_class(company.panel("figures"), "kpi")}
    assert figures["Commits"] == (
        "Commits – Not measured. Needs metrics: set OTEL_METRICS_EXPORTER=otlp."
    )
    assert figures["Edit acceptance"] == "Edit acceptance – Nothing to count in these days"


def test_nothing_to_count_is_not_the_same_as_nothing_measured() -> None:
    metrics = Work(source="metric", more={"commits": 3})
    company = Company([metrics])
    figures = {text(each[0]): text(each) for each in by_class(company.panel("figures"), "kpi")}
    assert figures["Commits"] == "Commits 3 Nothing before to compare with"
    assert figures["Pull requests"] == "Pull requests – Nothing to count in these days"


def test_figures_have_trends_of_whole_weeks_only(company: Company) -> None:
    (people_, *_) = by_class(company.panel("figures"), "kpi")
    before, now = by_class(people_, "ln")
    assert before.get("class") == "ln sp"
    # The first of 28 days has its week before it, and today, which is not over, has no mean.
    assert now.attrib["d"].startswith("M0.0 ")
    assert not now.attrib["d"].endswith("1000.0 500.0")
    assert now.attrib["d"].count("L") == 26
    young = Company(usual_work(since=date(2026, 11, 19)))
    assert not by_class(young.panel("figures"), "ln")


def test_two_days_have_trends_by_the_hour(company: Company) -> None:
    (people_, *_) = by_class(company.panel("figures", from_="2026-11-19", to="2026-11-20"), "kpi")
    before, now = by_class(people_, "ln")
    assert now.attrib["d"].count("L") == 47
    # Of the hours before the first data that were asked for, nothing is known.
    assert before.attrib["d"].count("L") == 38
    running = by_class(company.panel("figures", from_="2026-11-22", to="2026-11-23"), "kpi")[0]
    # 39 hours up to 15:00 in Berlin, without the one that runs
    assert by_class(running, "ln")[-1].attrib["d"].count("L") == 38


# Spend


def test_spend_is_drawn_by_model_with_the_running_day_faded(company: Company) -> None:
    panel = company.panel("spend")
    assert text(by_class(panel, "ph")[0]) == (
        "Spend per day Opus 4.5 Haiku 4.5 Today is still running, so its column is faded."
    )
    table = cells(panel)
    assert table[-1] == ["Mon 23 Nov, so far", "$360.00", "$20.00", "$380.00"]
    assert table[-2] == ["Sun 22 Nov", "–", "–", "–"]
    assert len(table) == 28
    assert len(by_class(panel, "part")) == 1


def test_an_unusual_day_has_a_ring_and_a_key() -> None:
    spike = Work(person="payments-1", day=THURSDAY, cost=Decimal(900))
    panel = Company([*usual_work(), spike]).panel("spend")
    assert len(by_class(panel, "anom")) == 1
    assert "Unusual" in text(by_class(panel, "key")[0])
    assert ["Thu 12 Nov, unusual", "$1,260.00", "$20.00", "$1,280.00"] in cells(panel)


def test_a_model_keeps_its_colour_and_small_ones_share_one() -> None:
    models = [OPUS, HAIKU, "claude-sonnet-4-5", "gpt-6", "claude-opus-4-1", None]
    work = [
        Work(day=day, model=model, cost=Decimal(100 - 10 * number))
        for day in (TODAY, TODAY - timedelta(days=40))
        for number, model in enumerate(models)
    ]
    key = by_class(Company(work).panel("spend"), "key")[0]
    assert [(text(each), each[0].get("class")) for each in key] == [
        ("Opus 4.5", "s1"),
        ("Haiku 4.5", "s2"),
        ("Sonnet 4.5", "s3"),
        ("gpt-6", "s4"),
        ("Other", "so"),
    ]
    # Last week Opus was not used: the others keep theirs.
    quiet = [*work, Work(day=date(2026, 11, 3), model=HAIKU)]
    shown = Company(quiet).panel("spend", from_="2026-11-02", to="2026-11-08")
    assert [each[0].get("class") for each in by_class(shown, "key")[0]] == ["s1"]
    shown = Company(quiet).panel("spend", range="7d")
    assert [each[0].get("class") for each in by_class(shown, "key")[0]][:2] == ["s1", "s2"]


def test_a_model_that_is_dear_only_now_gets_a_free_colour() -> None:
    before = [
        Work(day=date(2026, 9, 9), model=model, cost=Decimal(900 - number))
        for number, model in enumerate([OPUS, HAIKU, "claude-opus-4-1", "claude-sonnet-4-5"])
    ]
    now = [Work(model=model) for model in (HAIKU, "claude-next")]
    key = by_class(Company([*before, *now]).panel("spend"), "key")[0]
    assert [(text(each), each[0].get("class")) for each in key] == [
        ("Haiku 4.5", "s1"),
        ("claude-next", "s2"),
    ]


def test_a_shift_between_models_is_said() -> None:
    work = usual_work()
    moved = [
        Work(person=w.person, team=w.team, day=w.day, model=HAIKU)
        if w.day > date(2026, 10, 26) and w.team == "platform"
        else w
        for w in work
    ]
    finding = text(by_class(Company(moved).panel("spend"), "ph")[0])
    assert "Haiku 4.5 went from 5% to 37% of spend." in finding


@pytest.mark.parametrize(
    ("first", "last", "title", "running"),
    [
        ("2026-11-22", "2026-11-23", "Spend per hour", "This hour"),
        ("2026-07-01", "2026-11-23", "Spend per week", "This week"),
        ("2025-07-01", "2026-11-23", "Spend per month", "This month"),
    ],
)
def test_longer_ranges_have_wider_columns(
    company: Company, first: str, last: str, title: str, running: str
) -> None:
    panel = company.panel("spend", from_=first, to=last)
    assert text(panel).startswith(title)
    assert f"{running} is still running" in text(panel)
    total = sum(_amount(row[-1]) for row in cells(panel))
    days = {"Spend per hour": 1}.get(title, 61)
    assert total == 380 * days


def test_days_without_spend_lead_to_days_with_some(company: Company) -> None:
    later = company.panel("spend", from_="2026-11-21", to="2026-11-22")
    assert "Nothing was spent in these days." in text(later)
    assert links(later) == {"Show 19 to 20 Nov 2026": "/?from=2026-11-19&to=2026-11-20"}
    early = company.panel("spend", from_="2026-03-01", to="2026-03-10")
    assert links(early) == {"Show the last 90 days": "/?range=90d"}
    nobody = company.panel("spend", team="nobody", range="90d")
    assert "Nothing was spent by nobody in these days." in text(nobody)
    assert links(nobody) == {"Show all teams": "/?range=90d"}
    long = company.panel("spend", from_="2025-01-01", to="2025-06-30")
    assert links(long) == {}


def test_spend_without_a_price_is_marked() -> None:
    unpriced = Work(model="claude-next", cost=None, more={"unpriced_requests": 10})
    panel = Company([*usual_work(), unpriced]).panel("spend")
    assert "Prices missing 10 requests have no list price." in text(panel)
    daily = Work(source="metric_daily", cost=Decimal(5), more={"uncached_input_tokens": 10**6})
    assert "% estimated" in text(Company([*usual_work(), daily]).panel("spend"))


# When people work


def test_hours_have_the_mean_of_the_weeks(company: Company) -> None:
    panel = company.panel("rhythm")
    assert "Most on Mondays at 09:00: 19 developers on average." in text(panel)
    (monday, *_) = cells(panel)
    assert monday[:11] == ["Mon", *["under 5"] * 9, "19"]


def test_the_hours_of_fewer_than_five_look_like_nobodys() -> None:
    night = [Work(person=person, team=team, day=THURSDAY, hour=3) for person, team in people()[:4]]
    panel = Company([*usual_work(), *night]).panel("rhythm")
    assert cells(panel)[3][1:9] == ["under 5"] * 8


def test_hours_need_five_people() -> None:
    few = Company(usual_work({"payments": 4})).panel("rhythm")
    assert "Hours are shown where at least 5 developers work at the same time." in text(few)
    assert not by_class(few, "chart")
    assert links(few) == {"Show the last 90 days": "/?range=90d"}
    apart = [
        Work(person=person, team=team, hour=number)
        for number, (person, team) in enumerate(people({"a": 6}))
    ]
    assert not by_class(Company(apart).panel("rhythm", range="90d"), "chart")
    small = Company(usual_work()).panel("rhythm", team="data")
    assert links(small) == {"Show all teams": "/"}
    nobody = Company(usual_work()).panel("rhythm", team="nobody")
    assert "Nobody worked in these days." in text(nobody)


# Teams


def test_teams_have_spend_change_people_and_share(company: Company) -> None:
    panel = company.panel("teams")
    assert cells(panel) == [
        ["payments", "$3,200", "0%", "", "8", "$400", "", "42%"],
        ["platform", "$2,400", "0%", "", "6", "$400", "", "32%"],
        ["data", "$1,200", "0%", "", "3", "$400", "", "16%"],
        ["ops", "$800", "0%", "", "2", "$400", "", "11%"],
    ]
    assert cells(panel, "tfoot") == [["All", "$7,600", "0%", "", "19", "$400", "", ""]]
    assert links(panel)["payments"] == "/?team=payments"
    assert "Small teams" not in text(panel)
    assert len(by_class(panel, "spark")) == 4


@pytest.mark.parametrize(
    ("sort", "order", "first"),
    [
        ("team", "ascending", ["data", "ops", "payments", "platform"]),
        ("cost", "descending", ["payments", "platform", "data", "ops"]),
        ("people", "descending", ["payments", "platform", "data", "ops"]),
        ("change", "descending", ["payments", "platform", "data", "ops"]),
        ("nothing", "descending", ["payments", "platform", "data", "ops"]),
    ],
)
def test_teams_are_in_the_order_of_a_column(
    company: Company, sort: str, order: str, first: list[str]
) -> None:
    panel = company.panel("teams", sort=sort)
    assert [row[0] for row in cells(panel)] == first
    (head,) = [each for each in panel.iter("th") if "aria-sort" in each.attrib]
    assert head.attrib["aria-sort"] == order
    assert links(panel)["Developers"] == "/?sort=people#teams"
    assert links(panel)["Spend"] == "/#teams"


@pytest.mark.parametrize("role", [Role.FINOPS, Role.VIEWER])
def test_small_teams_are_told_together(role: Role) -> None:
    panel = Company(usual_work(), role=role).panel("teams")
    assert cells(panel) == [
        ["payments", "$3,200", "0%", "", "8", "$400", "", "42%"],
        ["platform", "$2,400", "0%", "", "6", "$400", "", "32%"],
        ["Small teams", "$2,000", "–", "", "5", "$400", "", "26%"],
    ]
    assert cells(panel, "tfoot") == [["All", "$7,600", "0%", "", "19", "$400", "", ""]]
    named = links(next(panel.iter("tbody")))
    assert named == {"payments": "/?team=payments", "platform": "/?team=platform"}
    assert "Small teams are those of fewer than 5 developers" in text(panel)
    assert len(by_class(panel, "spark")) == 2


def test_small_teams_are_named_nowhere() -> None:
    words = Company(usual_work(), role=Role.ADMINISTRATOR).page()
    assert ">payments<" in words
    assert ">data<" not in words
    assert ">ops<" not in words


@pytest.mark.parametrize("team", ["data", "nobody"])
def test_a_page_about_too_few_people_says_so_and_nothing_else(team: str) -> None:
    company = Company(usual_work(), role=Role.ADMINISTRATOR)
    answer = company.client.get(f"/?team={team}", {"accept": "text/html"})
    assert answer.status_code == 403
    assert "Fewer than 5 people." in answer.text
    assert "Widen the period or group." in answer.text
    assert 'href="/?range=90d"' in answer.text
    assert "$" not in answer.text


def test_whoever_is_of_a_team_sees_it_if_it_is_large_enough() -> None:
    of = Company(usual_work(), role=Role.TEAM_LEAD, teams=frozenset({"platform"}))
    assert cells(of.panel("teams"))[0][:2] == ["platform", "$2,400"]
    few = Company(usual_work(), role=Role.TEAM_LEAD, teams=frozenset({"data"}))
    assert few.client.get("/", {"accept": "text/html"}).status_code == 403


def test_readers_who_may_not_see_the_same_share_no_answers() -> None:
    company = Company(usual_work(), role=Role.FINOPS)
    assert cells(company.panel("teams"))[0][1] == "$3,200"
    company.subject = replace(company.subject, teams=frozenset({"platform"}))
    assert cells(company.panel("teams"))[0][1] == "$2,400"
    assert "$2,000" not in company.page()


def test_days_of_few_people_are_left_out_but_for_those_who_own_the_totals() -> None:
    saturday = Work(person="payments-1", day=date(2026, 11, 14), cost=Decimal(73))
    whole = Company([*usual_work(), saturday], role=Role.FINOPS)
    assert "$73" in whole.page()
    assert "are left out" not in text(whole.panel("spend"))
    viewer = Company([*usual_work(), saturday], role=Role.VIEWER)
    assert "$73" not in viewer.page()
    assert "Days on which fewer than 5 people worked are left out" in text(viewer.panel("spend"))
    # What the week leaves for such days counts.
    assert "On course for $8,0" in text(viewer.panel("month"))
    assert "October in all $8,360" in text(viewer.panel("month"))


def test_a_month_of_too_few_people_has_no_outlook() -> None:
    alone = [
        Work(person="payments-1", day=date(2026, 8, 8) + timedelta(days=n), cost=Decimal(9))
        for n in range(9)
    ]
    month = Company([*usual_work(since=date(2026, 9, 1)), *alone], role=Role.VIEWER).panel("month")
    assert "Where November ends cannot be told" in text(month)


def test_too_few_people_have_no_teams() -> None:
    few = Company(usual_work({"a": 2, "b": 2}), role=Role.FINOPS)
    assert "Teams are shown from 5 developers on." in text(few.panel("teams"))
    assert "Fewer than 5 people" in text(few.panel("figures"))
    assert "November spend $1,280" in text(few.panel("month"))
    none = Company(usual_work()).panel("teams", team="nobody")
    assert "Nobody worked in these days." in text(none)


def test_people_without_a_team_have_a_line_without_a_link() -> None:
    work = usual_work({"payments": 8})
    work += [Work(person=f"x{number}", team=None) for number in range(6)]
    panel = Company(work).panel("teams")
    assert [row[0] for row in cells(panel)] == ["payments", "No team"]
    assert list(links(next(panel.iter("tbody")))) == ["payments"]


def test_the_teams_that_grew_are_named() -> None:
    work = [
        Work(person=w.person, team=w.team, day=w.day, cost=Decimal(30))
        if w.team == "platform" and w.day > date(2026, 10, 26)
        else w
        for w in usual_work()
    ]
    assert "platform grew fastest, by 50%." in text(Company(work).panel("teams"))


def test_at_most_25_teams_are_listed() -> None:
    many = {f"team-{number:02}": 5 for number in range(27)}
    panel = Company(usual_work(many, since=date(2026, 11, 20))).panel("teams")
    rows = cells(panel)
    assert len(rows) == 26
    assert rows[-1][0] == "2 more teams"
    assert rows[-1][4] == "10"
    assert sum(_amount(row[1]) for row in rows) == _amount(cells(panel, "tfoot")[0][1])


# Needs attention


def test_a_calm_fleet_is_told_so(company: Company) -> None:
    panel = text(company.panel("attention"))
    assert "Nothing unusual in these days." in panel
    assert "Looked at: unusual and silent days" in panel


def test_an_unusual_day_leads_to_that_day() -> None:
    spike = Work(person="payments-1", day=THURSDAY, cost=Decimal(900))
    panel = Company([*usual_work(), spike]).panel("attention")
    assert "payments spent $1,060 on Thu 12 Nov Usual for a Thursday: $160." in text(panel)
    assert links(panel) == {"Show this day": "/?from=2026-11-12&to=2026-11-12&team=payments"}


def test_an_unusual_day_of_a_small_team_is_told_of_all() -> None:
    spike = Work(person="data-1", team="data", day=THURSDAY, cost=Decimal(900))
    panel = Company([*usual_work(), spike], role=Role.FINOPS).panel("attention")
    assert "$1,280 was spent on Thu 12 Nov Usual for a Thursday: $380." in text(panel)
    assert "data" not in text(panel).split()
    assert list(links(panel).values()) == ["/?from=2026-11-12&to=2026-11-12"]


def test_a_day_on_which_few_of_a_team_worked_is_told_of_all() -> None:
    saturday = date(2026, 11, 14)
    weekend = Work(person="payments-1", day=saturday, cost=Decimal(900))
    work = [
        *usual_work(),
        *(Work(day=saturday - timedelta(weeks=n), cost=Decimal(1)) for n in range(1, 9)),
    ]
    panel = Company([*work, weekend], role=Role.FINOPS).panel("attention")
    assert "$900 was spent on Sat 14 Nov Usual for a Saturday: $1.00." in text(panel)
    assert "payments" not in text(panel)


def test_a_silent_day_is_told() -> None:
    work = [w for w in usual_work() if w.day != THURSDAY]
    assert "No data on Thu 12 Nov" in text(Company(work).panel("attention"))


def test_acceptance_that_fell_leads_to_the_team() -> None:
    def edits(day: date, accepted: int) -> Work:
        decided = {
            "tool": "Edit",
            **dict.fromkeys(("edits_accepted", "edits_accepted_by_people"), accepted),
            **dict.fromkeys(("edits_rejected", "edits_rejected_by_people"), 200 - accepted),
        }
        return Work(person="payments-1", day=day, model=None, cost=None, more=decided)

    work = [*usual_work(), edits(date(2026, 10, 20), 170), edits(THURSDAY, 130)]
    panel = Company(work).panel("attention")
    assert "Edit acceptance fell to 65% in payments It was 85%" in text(panel)
    assert links(panel) == {"Show payments": "/?team=payments"}
    alone = Company(work).panel("attention", team="payments")
    assert links(alone) == {}


def test_a_version_that_fails_is_told() -> None:
    tools = [
        Work(version="2.1.331", more={"tool": "Bash", "tool_calls": 1_000, "tool_failures": 200}),
        Work(version="2.1.330", more={"tool": "Bash", "tool_calls": 1_000, "tool_failures": 20}),
    ]
    work = [Work(person=w.person, version=w.version, day=THURSDAY, more=w.more) for w in tools]
    panel = text(Company([*usual_work(), *work]).panel("attention"))
    assert "20% of tool calls fail in version 2.1.331 2% in all other versions." in panel


def test_refused_signals_of_these_days_are_told() -> None:
    rejects = [
        RejectStatus(reason="no_time", count=3, last=NOW - timedelta(hours=1)),
        RejectStatus(reason="fault", count=9, last=NOW - timedelta(days=200)),
        RejectStatus(reason="fault", count=9, last=None),
    ]
    panel = text(Company(usual_work(), rejects=rejects).panel("attention"))
    assert "3 signals were refused Because they carry no time." in panel
    assert "9 signals" not in panel


# All of them


def test_a_panel_that_fails_fails_alone() -> None:
    company = Company(usual_work())
    company.fault = StoreGone("the store is gone")
    page = company.page()
    assert page.count("Try again") == 1
    assert "$6,080" in page


def test_names_are_escaped() -> None:
    name = '<b>"&'
    work = [
        Work(person=f"p{number}", team=name, model=name, day=day)
        for number in range(6)
        for day in (TODAY, date(2026, 10, 20))
    ]
    company = Company(work)
    assert name not in company.page()
    assert cells(company.panel("teams"))[0][0] == name


def test_a_page_asks_each_question_once_and_the_past_once_a_minute() -> None:
    company = Company(usual_work())
    company.page()
    assert len(company.asked) == len(set(company.asked))
    company.asked.clear()
    company.page()
    assert company.asked == []
    company.changes.prepare()
    # the month, today's models, the figures and the teams
    assert len(company.asked) == 4


def test_a_team_is_shown_alone(company: Company) -> None:
    assert text(company.panel("month", team="payments")).startswith("November spend $2,560")
    assert cells(company.panel("teams", team="payments"))[0][:2] == ["payments", "$3,200"]


def test_days_of_the_past_are_shown_as_they_were(company: Company) -> None:
    panel = company.panel("spend", from_="2026-09-07", to="2026-09-13")
    assert "still running" not in text(panel)
    assert [row[-1] for row in cells(panel)] == ["$380.00"] * 5 + ["–"] * 2
    assert text(company.panel("month", from_="2026-09-07", to="2026-09-13")).startswith(
        "November spend $6,080"
    )
    assert FIRST.isoformat() == "2026-08-31"
    assert sum(TEAMS.values()) == 19


def _amount(text_: str) -> Decimal:
    return Decimal(0) if text_ == "–" else Decimal(text_.replace("$", "").replace(",", ""))
