from datetime import date, timedelta

import pytest

from codometer.analysis.anomalies import (
    expected_spend,
    find_silent_days,
    find_unusual_days,
    usual_spend,
)

FIRST = date(2026, 9, 7)  # a Monday
WEEK = (1000, 1100, 1150, 1050, 900, 100, 120)
WOBBLE = (1.0, 1.06, 0.95, 1.03, 0.98, 1.05, 0.96, 1.01, 1.04, 0.97)


def days(weeks: int, scale: float = 1.0) -> dict[date, float]:
    """Return weeks that differ a little, each day by its own part."""
    return {
        FIRST + timedelta(days=7 * week + day): scale * WEEK[day] * WOBBLE[(week + day) % 10]
        for week in range(weeks)
        for day in range(7)
    }


def on(week: int, day: int) -> date:
    return FIRST + timedelta(days=7 * week + day)


def test_ordinary_weeks_have_no_unusual_day() -> None:
    assert find_unusual_days(days(20)) == {}


def test_a_day_of_twice_the_usual_stands_out_with_what_is_usual() -> None:
    spend = days(9)
    thursday = on(8, 3)
    comparable = [spend[on(week, 3)] for week in range(8)]
    spend[thursday] = 2_400
    (found,) = find_unusual_days(spend).values()
    assert (found.day, found.spend) == (thursday, 2_400)
    assert (found.low, found.high) == (min(comparable), max(comparable))
    assert found.expected == pytest.approx(1060, rel=0.02)
    assert found.excess == pytest.approx(2_400 - found.expected)


def test_a_weekend_like_a_weekday_stands_out_though_it_is_not_the_highest() -> None:
    spend = days(9)
    spend[on(8, 5)] = 700
    assert list(find_unusual_days(spend)) == [on(8, 5)]


def test_four_comparable_days_are_needed() -> None:
    spend = days(5)
    spend[on(3, 3)] = 9_000
    assert find_unusual_days(spend) == {}
    spend[on(4, 3)] = 50_000
    assert list(find_unusual_days(spend)) == [on(4, 3)]


def test_an_unusual_day_is_not_usual_afterwards() -> None:
    spend = days(10)
    for week in (8, 9):
        spend[on(week, 3)] = 2_400
    found = find_unusual_days(spend)
    assert list(found) == [on(8, 3), on(9, 3)]
    assert found[on(9, 3)].high < 1_200


def test_half_more_is_not_enough() -> None:
    spend = days(9)
    spend[on(8, 1)] *= 1.4
    assert find_unusual_days(spend) == {}


def test_small_amounts_are_not_worth_a_word() -> None:
    spend = days(9, scale=0.01)
    spend[on(8, 3)] = 30
    assert find_unusual_days(spend) == {}
    spend[on(8, 3)] = 60
    assert list(find_unusual_days(spend)) == [on(8, 3)]


def test_a_tenth_of_a_usual_day_is_the_least_where_that_is_under_a_hundred_dollars() -> None:
    spend = days(9, scale=0.5)
    spend[on(8, 6)] = 60 + 40  # usual: about 60, and a median day costs about 500
    assert find_unusual_days(spend) == {}
    spend[on(8, 6)] = 60 + 90
    assert list(find_unusual_days(spend)) == [on(8, 6)]


def test_a_wild_series_needs_twice_its_highest_day() -> None:
    spend = days(9, scale=0.1)
    for at, day in enumerate(spend):
        spend[day] *= (0.2, 1.0, 3.0)[at % 3]
    highest = max(spend.values())
    spend[on(8, 3)] = 1.9 * highest
    assert on(8, 3) not in find_unusual_days(spend)
    spend[on(8, 3)] = 2.1 * highest
    assert on(8, 3) in find_unusual_days(spend)


def test_few_weekends_tell_nothing_about_spread() -> None:
    spend = {day: amount for day, amount in days(5).items() if day.weekday() != 6}
    spend[on(4, 5)] = 400
    assert find_unusual_days(spend) == {}


def test_smoothed_spend_has_the_expected_amount_on_unusual_days() -> None:
    spend = days(9)
    spend[on(8, 3)] = 2_400
    smoothed = usual_spend(spend)
    assert smoothed[on(8, 3)] == pytest.approx(1060, rel=0.02)
    assert {day for day in spend if spend[day] != smoothed[day]} == {on(8, 3)}


def test_a_day_without_any_data_is_silent_where_data_are_usual() -> None:
    spend = days(9)
    spend[on(8, 3)] = 0
    (silent,) = find_silent_days(spend)
    assert (silent.day, silent.spend) == (on(8, 3), 0)
    assert silent.expected == pytest.approx(1060, rel=0.02)
    assert usual_spend(spend)[on(8, 3)] == silent.expected
    assert find_unusual_days(spend) == {}


def test_silence_is_no_news_where_little_is_usual() -> None:
    spend = days(9, scale=0.01)
    spend[on(8, 3)] = 0
    assert find_silent_days(spend) == []
    early = days(4)
    early[on(3, 3)] = 0
    assert find_silent_days(early) == []


def test_what_is_expected_of_a_day_is_the_median_of_its_weekday() -> None:
    assert expected_spend(days(9), on(8, 3)) == pytest.approx(1060, rel=0.02)
    assert expected_spend({}, on(8, 3)) == 0


def test_what_was_unusual_before_is_known_without_being_told() -> None:
    spend = days(16)
    for week in (14, 15):
        spend[on(week, 3)] = 2_400
    assert list(find_unusual_days(spend, since=on(15, 0))) == [on(15, 3)]
    assert find_unusual_days(spend, since=on(15, 0))[on(15, 3)].high < 1_200
