"""A period that somebody chose tells nothing that days, weeks and months do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, run_query
from codometer.errors import BadRequest
from codometer.model.period import Period, parse_period
from tests.measures.test_small_groups import (
    ENGINES,
    MINIMUM,
    Engine,
    Fleet,
    duckdb,
    is_safe,
    rows_of,
    shown,
)
from tests.measures.uses import MONDAY, ZONE, Use, fill

NOW: Final = datetime(2026, 12, 31, tzinfo=UTC)
DAYS: Final = 42
"""Six weeks from Monday, 2 November: most of a month, and the beginning of the next."""

FLEETS: Final = st.lists(
    st.builds(
        Use,
        st.none() | st.integers(0, 6),
        st.sampled_from(["a", "b"]),
        st.sampled_from([0, 2, 6, 7, 9, 13, 14, 28, 29, 35]),
    ),
    max_size=40,
)


@st.composite
def crowded(draw: st.DrawFn) -> list[Use]:
    """Most people work on most days; some days have few."""
    fleet = draw(FLEETS)
    days = draw(st.sets(st.sampled_from([0, 1, 8, 14, 28, 30]), min_size=2))
    return [*fleet, *(Use(person, "ab"[person % 2], day) for person in range(7) for day in days)]


def chosen(first: int, last: int) -> Period:
    """Return the period from one day up to another, as somebody asks for it."""
    ends = (MONDAY + timedelta(days=each) for each in (first, last))
    start, end = (each.isoformat() for each in ends)
    return parse_period(start, end, now=NOW, zone=ZONE)


def ask(engine: Engine, period: Period, by: Sequence[str], **rights: bool) -> Answer:
    query = replace(parse_query(["tokens"], period=period, by=by), **rights)  # type: ignore[arg-type] # flags of a query
    return run_query(engine, query, organisation_zone=ZONE, minimum_people=MINIMUM)


def in_period(fleet: Fleet, rows: set[int], period: Period) -> set[int]:
    first, last = period.start.date(), period.end.date()
    return {at for at in rows if first <= MONDAY + timedelta(days=fleet[at].day) < last}


def calendar() -> Iterator[Period]:
    """Return the weeks and months, as they are asked for."""
    for week in range(0, DAYS, 7):
        yield chosen(week, week + 7)
    for first, end in (
        (date(2026, 11, 1), date(2026, 12, 1)),
        (date(2026, 12, 1), date(2027, 1, 1)),
    ):
        yield chosen((first - MONDAY).days, (end - MONDAY).days)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=25, deadline=None)
@given(
    fleet=crowded(),
    ends=st.sets(st.integers(0, DAYS), min_size=2, max_size=2),
    by=st.sampled_from([[], ["team"]]),
)
def test_no_difference_from_a_week_or_month_is_about_few(
    engine: Callable[[], Engine], fleet: Fleet, ends: set[int], by: list[str]
) -> None:
    fill(engine(), fleet)
    period = chosen(*sorted(ends))
    for group in shown(ask(engine(), period, by)):
        everywhere = rows_of(fleet, group.key)
        rows = in_period(fleet, everywhere, period)
        assert is_safe(fleet, rows)
        for fixed in calendar():
            if group.key not in [each.key for each in shown(ask(engine(), fixed, by))]:
                continue
            beside = in_period(fleet, everywhere, fixed)
            if rows < beside:
                assert is_safe(fleet, beside - rows)


@settings(max_examples=40, deadline=None)
@given(fleet=crowded(), first=st.integers(0, 20), last=st.integers(22, DAYS - 1))
def test_two_that_differ_by_a_day_do_not_tell_of_few(fleet: Fleet, first: int, last: int) -> None:
    fill(duckdb(), fleet)
    periods = [chosen(first, end) for end in (last, last + 1)]
    if all(period.is_chosen and shown(ask(duckdb(), period, [])) for period in periods):
        assert is_safe(fleet, {at for at, use in enumerate(fleet) if use.day == last})


def office() -> list[Use]:
    """Six people on three days of two weeks, and one on a Sunday between them."""
    weekdays = [Use(person, "a", day) for person in range(6) for day in (0, 1, 2, 7, 8, 9)]
    return [*weekdays, Use(0, "a", 6)]


def test_a_chosen_period_is_told_where_its_days_or_weeks_are() -> None:
    fill(duckdb(), office())

    def tokens(first: int, last: int) -> int | None:
        found = ask(duckdb(), chosen(first, last), []).groups[0].values["tokens"]
        return None if found is None else int(found)

    assert tokens(0, 7) == 190
    assert tokens(7, 9) == 120
    assert tokens(0, 9) == 310
    assert tokens(0, 6) is None
    assert tokens(6, 9) is None
    assert ask(duckdb(), chosen(0, 6), [], owns_totals=True).groups[0].values["tokens"] == 180


def test_a_chosen_period_up_to_now_is_told_like_its_week_so_far() -> None:
    fill(duckdb(), office())
    now = datetime(2026, 11, 11, 20, tzinfo=UTC)
    since_tuesday = parse_period("2026-11-03", None, now=now, zone=ZONE)
    assert since_tuesday.is_chosen
    assert ask(duckdb(), since_tuesday, []).withheld
    since_monday = parse_period("2026-11-02", None, now=now, zone=ZONE)
    assert not since_monday.is_chosen
    assert ask(duckdb(), since_monday, []).groups[0].values["tokens"] == 370


def test_a_period_that_splits_a_day_is_refused_to_whom_it_could_tell_of_few() -> None:
    fill(duckdb(), office())
    period = parse_period("2026-11-02T09:00Z", "2026-11-04", now=NOW, zone=ZONE)
    with pytest.raises(BadRequest, match="within a day"):
        ask(duckdb(), period, [])
    assert not ask(duckdb(), period, [], owns_totals=True).withheld
    assert not ask(duckdb(), period, [], sees_people=True).withheld


@pytest.mark.parametrize(
    ("since", "until", "is_chosen"),
    [
        ("30d", None, False),
        ("29d", None, True),
        ("2026-11-01", None, False),
        ("2026-11-02", "2026-11-30", False),
        ("2026-11-01", "2026-12-01", False),
        ("2026-11-04", "2026-11-05", False),
        ("2026-11-04", "2026-11-06", True),
        ("30d", "2026-12-30", True),
        ("24h", None, False),
    ],
)
def test_what_is_usual_and_what_is_of_the_calendar_is_not_chosen(
    since: str, until: str | None, *, is_chosen: bool
) -> None:
    assert parse_period(since, until, now=NOW, zone=ZONE).is_chosen is is_chosen
