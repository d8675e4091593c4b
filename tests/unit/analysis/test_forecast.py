"""Patterns of a week, continued: the expected sums are worked out beside each case."""

import math
import random

import pytest

from codometer.analysis.forecast import LEVEL, Forecast, forecast_month

WEEK = [100.0, 110.0, 110.0, 100.0, 90.0, 10.0, 10.0]  # Monday first; 530 a week


def forecast(
    spend: list[float], *, days: int = 28, before: float = 0, today: float = 0
) -> Forecast:
    found = forecast_month(spend, before_today=before, today=today, days_left=days - 1)
    assert found is not None
    return found


def test_a_steady_week_goes_on() -> None:
    assert forecast(WEEK * 8).expected == pytest.approx(4 * 530)
    # five days of a week that begins on Monday
    assert forecast(WEEK * 8, days=5, before=1000).expected == pytest.approx(1510)


def test_growth_goes_on_and_slackens() -> None:
    grown = [WEEK[day % 7] * math.exp(0.01 * day) for day in range(56)]
    # 7 % a week, damped to 0.8 of it every week; undamped it would be 4,222.16
    assert forecast(grown).expected == pytest.approx(4033.17, abs=0.01)


def test_a_wave_is_no_growth() -> None:
    wavy = [amount * (1.2 if week % 2 else 0.8) for week in range(8) for amount in WEEK]
    steady = forecast(wavy).expected
    assert 4 * 530 * 0.9 < steady < 4 * 530 * 1.2


def test_a_leap_is_not_taken_for_growth_without_end() -> None:
    leaping = [amount * math.exp(0.5 * week) for week in range(8) for amount in WEEK]
    last = 530 * math.exp(3.5)
    assert forecast(leaping).expected < 4 * last * 1.15 * math.e


def test_what_today_has_cost_already_is_never_lost() -> None:
    quiet = forecast(WEEK * 8, days=1, before=500, today=40)
    assert quiet.expected == pytest.approx(600)
    busy = forecast(WEEK * 8, days=1, before=500, today=160)
    assert busy.expected == pytest.approx(660)
    assert busy.low >= 660 - 1e-9


def test_the_range_widens_with_past_errors() -> None:
    chance = random.Random(7)  # noqa: S311 - noise
    calm, wild = (
        [amount * math.exp(chance.gauss(0, swing)) for _ in range(16) for amount in WEEK]
        for swing in (0.05, 0.3)
    )
    assert width(forecast(wild)) > 2 * width(forecast(calm))
    assert width(forecast(WEEK * 16)) == pytest.approx(0, abs=1e-6)


def test_less_history_gives_a_wider_range() -> None:
    chance = random.Random(7)  # noqa: S311 - noise
    spend = [amount * math.exp(chance.gauss(0, 0.2)) for _ in range(16) for amount in WEEK]
    assert width(forecast(spend[-21:])) > width(forecast(spend))


def test_four_in_five_months_end_within_the_range() -> None:
    chance = random.Random(11)  # noqa: S311 - noise
    ended = []
    for _ in range(60):
        level = 0.0
        spend = []
        for _ in range(20):
            level += chance.gauss(0, 0.05)
            spend += [amount * math.exp(level + chance.gauss(0, 0.15)) for amount in WEEK]
        found = forecast(spend[:-20], days=20)
        ended.append(found.low <= sum(spend[-20:]) <= found.high)
    assert LEVEL - 0.15 <= sum(ended) / len(ended) <= LEVEL + 0.15


def test_an_incident_is_an_error_of_the_past_and_no_part_of_the_future() -> None:
    usual = WEEK * 8
    spend = [*usual[:50], 3000.0, *usual[51:]]
    found = forecast_month(spend, usual=usual, before_today=0, today=0, days_left=27)
    assert found is not None
    assert found.expected == pytest.approx(2120)
    assert width(found) > 100


@pytest.mark.parametrize("spend", [[], WEEK, [100.0] * 13, [0.0] * 60])
def test_too_little_history_gives_no_forecast(spend: list[float]) -> None:
    assert forecast_month(spend, before_today=5, today=1, days_left=10) is None


def test_two_weeks_are_enough() -> None:
    assert forecast(WEEK * 2, days=10).expected == pytest.approx(530 + 320)


def width(found: Forecast) -> float:
    return found.high - found.low
