"""How finely in time a group is told of, whatever period and zone are asked for."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.analysis.measures.dimensions import DIMENSIONS, resource_dimension
from codometer.analysis.measures.grain import Grain
from codometer.analysis.measures.query import Condition, Query, parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.errors import TooFine
from codometer.model.period import Period, parse_period
from codometer.privacy.profile import Cut
from tests.engines.embedded import DuckDBInMemory
from tests.measures.uses import ZONE, Use, fill

NOW: Final = datetime(2026, 11, 18, 14, 3, tzinfo=UTC)
"""A Wednesday."""

BERLIN: Final = ZoneInfo("Europe/Berlin")
TEAM: Final = DIMENSIONS["team"]


class Asker:
    """Asks about a few people of one team, who work on some days of November."""

    def __init__(self, finest: Cut) -> None:
        self._engine = DuckDBInMemory()
        self._finest = finest
        self.since: list[datetime] = []
        fill(self._engine, [Use(person, "a", day) for person in range(6) for day in (1, 3, 8)])

    def ask(self, query: Query) -> Answer:
        return run_query(
            self._engine,
            query,
            organisation_zone=ZONE,
            minimum_people=5,
            find_grain=self._find_grain,
        )

    def _find_grain(self, since: datetime) -> Grain:
        self.since.append(since)
        return Grain(self._finest, NOW)


@pytest.fixture(scope="module")
def strict() -> Asker:
    return Asker(Cut.WEEK)


@pytest.fixture(scope="module")
def standard() -> Asker:
    return Asker(Cut.DAY)


def question(
    *by: str,
    since: str = "2026-11-02",
    until: str | None = "2026-11-16",
    team: str | None = None,
    zone: ZoneInfo = ZONE,
    compare: str | None = None,
) -> Query:
    period = parse_period(since, until, now=NOW, zone=zone)
    where = [("team", team)] if team else []
    return parse_query(["tokens"], by=by, where=where, period=period, compare=compare)


def test_which_dimensions_part_people() -> None:
    parting = {name for name, each in DIMENSIONS.items() if each.parts_people}
    assert parting == {"organisation", "team", "cost_center", "repository", "person", "session"}
    assert resource_dimension("department").parts_people


@pytest.mark.parametrize(
    "asked",
    [
        question("day", "team"),
        question("hour", team="a"),
        question("team", since="2026-11-03"),
        question("team", until="2026-11-15"),
        question("team", since="28d", until=None),
        question("team", since="2026-11-16", until=None),
        question("team", since="2026-11-16", until="2026-11-23"),
        question("team", since="2026-11-02T00:15", until="2026-11-16"),
        question("week", "team", since="2026-10-01", until="2026-11-01"),
        question("month", "team"),
        question("month", "team", since="2026-09-01", until="2026-11-01"),
        question("team", since="2026-10-01", until="2026-11-01"),
        question("month", "team", since="2021-02-01", until="2021-03-01"),
        question("week", "month", "team", since="2025-12-01", until="2026-06-01"),
        question("repository", "day"),
        question("team", zone=BERLIN),
    ],
)
def test_under_weeks_nothing_finer_is_told_of_a_group(strict: Asker, asked: Query) -> None:
    with pytest.raises(TooFine) as refused:
        strict.ask(asked)
    assert "ask" in refused.value.hint


@pytest.mark.parametrize(
    "asked",
    [
        question("team"),
        question("week", "team"),
        question("week", team="a", compare="previous"),
        question("team", since="2021-02-01", until="2021-03-01", compare="previous"),
        question("team", since="2026-10-12", until="2026-11-02", compare="previous"),
        question("week", "team", since="2021-02-01", until="2021-03-01"),
        question("day", "model", since="28d", until=None),
        question("hour", since="24h", until=None),
        question("version", since="2026-11-03", until="2026-11-04", zone=BERLIN),
    ],
)
def test_under_weeks_whole_weeks_and_all_that_is_of_everybody_are_told(
    strict: Asker, asked: Query
) -> None:
    assert strict.ask(asked).groups is not None


def test_who_is_of_some_teams_asks_of_a_group_whatever_they_ask(strict: Asker) -> None:
    within = (Condition(dimension=TEAM, values=("a",)),)
    with pytest.raises(TooFine):
        strict.ask(replace(question("day"), within=within))
    (group,) = strict.ask(replace(question(), within=within)).groups
    assert group.values["tokens"] == 180


def test_of_themselves_people_may_know_every_day(strict: Asker) -> None:
    answer = strict.ask(replace(question("day", team="a"), sees_people=True))
    assert [group.key["day"] for group in answer.groups] == [
        date(2026, 11, 3),
        date(2026, 11, 5),
        date(2026, 11, 10),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        question("hour", "team"),
        question("team", since="24h", until=None),
        question("team", since="2026-11-02T09:00", until="2026-11-16"),
        question("team", since="2026-11-02", until="2026-11-03T09:00"),
        question("day", team="a", zone=BERLIN),
        question("day", team="a", since="12h", until=None, compare="previous"),
    ],
)
def test_under_days_nothing_finer_is_told_of_a_group(standard: Asker, asked: Query) -> None:
    with pytest.raises(TooFine) as refused:
        standard.ask(asked)
    assert refused.value.hint


@pytest.mark.parametrize(
    "asked",
    [
        question("day", "team"),
        question("week", "month", "team"),
        question("team", since="30d", until=None, compare="previous"),
        question("team", since="1d", until=None),
        question("hour"),
    ],
)
def test_under_days_whole_days_and_today_so_far_are_told(standard: Asker, asked: Query) -> None:
    assert standard.ask(asked).groups is not None


def test_what_was_in_force_is_asked_from_the_monday_before_all_that_is_compared(
    standard: Asker,
) -> None:
    standard.ask(question("team", since="2026-11-04", until="2026-11-05", compare="previous"))
    assert standard.since[-1] == datetime(2026, 11, 2, tzinfo=UTC)
    standard.ask(question("team", since="2026-11-02", until="2026-11-05", compare="previous"))
    assert standard.since[-1] == datetime(2026, 10, 26, tzinfo=UTC)


def test_when_a_group_reported_is_told_no_finer(strict: Asker, standard: Asker) -> None:
    weekly = strict.ask(question(team="a")).coverage
    assert weekly.reported_from == datetime(2026, 11, 2, tzinfo=UTC)
    assert weekly.reported_until == datetime(2026, 11, 16, tzinfo=UTC)
    daily = standard.ask(question(team="a")).coverage
    assert daily.reported_from == datetime(2026, 11, 3, tzinfo=UTC)
    assert daily.reported_until == datetime(2026, 11, 11, tzinfo=UTC)


def test_the_hint_names_weeks_that_would_do(strict: Asker) -> None:
    with pytest.raises(TooFine) as refused:
        strict.ask(question("team", since="2026-11-04", until="2026-11-06"))
    assert "such as 2026-11-02 until 2026-11-09" in refused.value.hint
    assert strict.ask(question("team", since="2026-11-02", until="2026-11-09")).groups


def test_under_weeks_no_two_periods_that_are_told_differ_by_days(strict: Asker) -> None:
    days = [date(2026, 9, 24) + timedelta(days=at) for at in range(50)]
    told = set()
    for first, last in itertools.combinations(days, 2):
        with contextlib.suppress(TooFine):
            strict.ask(question("team", since=first.isoformat(), until=last.isoformat()))
            told.add((first, last))
    mondays = [day for day in days if day.weekday() == 0]
    assert told == set(itertools.combinations(mondays, 2))


DAYS: Final = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@given(first=DAYS, length=st.integers(1, 100), now=DAYS, zone=st.sampled_from([ZONE, BERLIN]))
def test_weeks_around_are_whole_over_and_enough(
    first: date, length: int, now: date, zone: ZoneInfo
) -> None:
    moment = datetime(now.year, now.month, now.day, 15, tzinfo=zone)
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    period = Period.covering(start, start + timedelta(days=length), zone)
    grain = Grain(Cut.WEEK, moment)
    weeks = grain.around(period)
    ends = [each.astimezone(zone) for each in (weeks.start, weeks.end)]
    assert all((each.weekday(), each.hour) == (0, 0) for each in ends)
    assert weeks.end <= moment
    assert grain.around(weeks) == weeks
    assert weeks.previous() == grain.around(weeks.previous())
    assert (ends[1].date() - ends[0].date()).days >= length
    if period.end + timedelta(days=6) <= moment:
        assert weeks.start <= period.start
        assert period.end <= weeks.end
