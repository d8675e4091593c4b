from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer
from codometer.errors import BadRequest
from codometer.serve.web.view import View, read_view

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight of the 23rd in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def never(_: Query) -> Answer:
    raise AssertionError("nothing is asked to read an address")


def view_of(given: Mapping[str, str]) -> View:
    return read_view(given, path="/", now=NOW, days_in=BERLIN, ask=never)


def test_without_parameters_four_weeks_are_shown_and_today_is_the_last_day() -> None:
    view = view_of({})
    assert (view.first_day, view.last_day) == (date(2026, 10, 27), date(2026, 11, 23))
    assert view.is_running
    assert view.range == "28d"
    assert view.previous.end - view.previous.start <= timedelta(days=28)
    assert view.team is None
    assert view.where == ()
    assert view.href() == "/"


@pytest.mark.parametrize(
    ("name", "first"),
    [("7d", date(2026, 11, 17)), ("28d", date(2026, 10, 27)), ("90d", date(2026, 8, 26))],
)
def test_a_range_counts_days_of_the_organisation(name: str, first: date) -> None:
    view = view_of({"range": name})
    assert view.first_day == first
    assert view.last_day == date(2026, 11, 23)


def test_days_of_ones_own_are_both_included() -> None:
    view = view_of({"from": "2026-10-24", "to": "2026-10-25"})  # the 25th has 25 hours
    assert view.range == "custom"
    assert view.period.end - view.period.start == timedelta(hours=49)
    assert (view.first_day, view.last_day) == (date(2026, 10, 24), date(2026, 10, 25))
    assert not view.is_running


def test_days_that_reach_into_the_future_end_now() -> None:
    view = view_of({"from": "2026-11-20", "to": "2026-12-31"})
    assert view.is_running
    assert view.period.end - NOW <= timedelta(minutes=15)


def test_the_readers_zone_changes_clocks_and_not_days() -> None:
    view = view_of({"tz": "UTC"})
    assert view.zone.key == "UTC"
    assert view.period == view_of({}).period
    assert view.href(team="data") == "/?team=data&tz=UTC"


def test_an_address_says_only_what_differs_from_the_default() -> None:
    given = {"range": "28d", "tz": "Europe/Berlin", "team": " ", "utm_source": "mail"}
    assert view_of(given).href() == "/"
    assert view_of({"range": "custom", "from": "2026-11-02", "to": "2026-11-08"}).href() == (
        "/?from=2026-11-02&to=2026-11-08"
    )


def test_a_link_keeps_what_it_does_not_change() -> None:
    view = view_of({"range": "7d", "team": "R&D", "tz": "UTC"})
    assert view.where == (("team", "R&D"),)
    assert view.href(range="90d") == "/?range=90d&team=R%26D&tz=UTC"
    assert view.href(range="28d") == "/?team=R%26D&tz=UTC"
    assert view.href(team=None, tz=None) == "/?range=7d"
    assert view.href("/cost", tz=None) == "/cost?range=7d&team=R%26D"


def test_a_range_takes_the_place_of_days() -> None:
    view = view_of({"from": "2026-11-02", "to": "2026-11-08"})
    assert view.href(range="7d") == "/?range=7d"
    assert view.href(range=None, from_="2026-11-01", to="2026-11-03") == (
        "/?from=2026-11-01&to=2026-11-03"
    )


@pytest.mark.parametrize("given", [{}, {"range": "7d"}, {"from": "2026-11-02", "to": "2026-11-08"}])
def test_an_address_leads_back_to_the_same_view(given: dict[str, str]) -> None:
    view = view_of(given)
    query = view.href().partition("?")[2]
    again = view_of(dict(pair.split("=") for pair in query.split("&") if pair))
    assert again == view


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"range": "30d"}, "the range '30d' is not one of 7d, 28d, 90d"),
        ({"range": "custom"}, "the date from is missing"),
        ({"from": "2026-11-02"}, "the date to is missing"),
        ({"from": "yesterday", "to": "2026-11-02"}, "from is 'yesterday', which is not a date"),
        ({"from": "2026-02-30", "to": "2026-11-02"}, "from is '2026-02-30', which is not a date"),
        (
            {"from": "2026-11-08", "to": "2026-11-02"},
            r"the days end \(2026-11-02\) before they begin \(2026-11-08\)",
        ),
        ({"from": "2026-12-01", "to": "2026-12-02"}, "2026-12-01 has not come yet"),
        ({"from": "2020-01-01", "to": "2026-11-02"}, "2020-01-01 to 2026-11-02 is too long"),
        ({"from": "1999-12-01", "to": "1999-12-02"}, "the year 1999 is out of bounds"),
        ({"tz": "Mars/Olympus"}, "unknown time zone 'Mars/Olympus'"),
        ({"tz": "../../etc/passwd"}, "unknown time zone"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(
    given: dict[str, str], message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        view_of(given)
