"""Where a month's spend will end, as a range.

Spend follows the week and drifts. The forecast is a level, times a profile of
weekdays, times a damped drift, each from the last eight weeks. How far it may be
off, its own past tells: it is made again at every recent day from what was known
then, and how far it missed gives the range. Nothing is known of
holidays. Every result is an estimate and must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, log, pow, sqrt  # noqa: A004 - always a float, unlike the built-in
from statistics import fmean, median
from typing import Final

MIN_DAYS: Final = 14
"""With fewer complete days there is no forecast."""

LEVEL: Final = 0.8
"""The share of months that end within the range, if the future errs as the past did."""

WINDOW_DAYS: Final = 56
HISTORY_DAYS: Final = 2 * WINDOW_DAYS
"""How many complete days are of use: a window to fit at each day of the window before."""

_WEEK: Final = 7
_HALF_LIFE_DAYS: Final = 14
_LEAST_SHARE: Final = 0.02
"""A weekday has at least this share of a mean day, so that a level can be read from it."""

_MIN_WEEKS: Final = 4
_MAX_DRIFT: Final = 0.15
_DAMPING: Final = 0.8
_SURE: Final = 2.0
_NORMAL: Final = 1.4826
_MIN_ERRORS: Final = 5
_LEAST_DAYS: Final = 3
_STUDENT: Final = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
"""Quantiles of Student's t at 0.9, by degrees of freedom: four in five lie between both signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The expected end of a month, and the range in which it most likely lies."""

    expected: float
    low: float
    high: float


def forecast_month(
    spend: Sequence[float],
    *,
    usual: Sequence[float] | None = None,
    before_today: float,
    today: float,
    days_left: int,
) -> Forecast | None:
    """Forecast a month of which today is the first day that is not complete.

    `spend` are the complete days, oldest first, up to yesterday; `usual` the same with
    unusual days smoothed, to learn from. `before_today` is what the month has cost up to
    then, `today` what today has cost so far, `days_left` how many days come after today.
    None where too few days are known, or all were free.
    """
    spend = spend[-HISTORY_DAYS:]
    learned = (usual or spend)[-len(spend) :]
    horizon = days_left + 1
    ahead = _predict(learned, horizon)
    errors = _past_errors(spend, learned, horizon)
    if len(spend) < MIN_DAYS or not sum(ahead) or len(errors) < _MIN_ERRORS:
        return None
    rest = sum(ahead) + max(0.0, today - ahead[0])
    factor = exp(_spread(errors, horizon))
    return Forecast(
        expected=before_today + rest,
        low=before_today + max(rest / factor, today),
        high=before_today + rest * factor,
    )


def _past_errors(spend: Sequence[float], learned: Sequence[float], horizon: int) -> list[float]:
    """Return by how much forecasts made at every day of the last window erred, as logarithms.

    Where less than the horizon has passed since, at least three days of it must have.
    """
    count = len(spend)
    errors = []
    for origin in range(max(_WEEK, count - WINDOW_DAYS), count):
        days = min(horizon, count - origin)
        if days < min(horizon, _LEAST_DAYS):
            continue
        known = learned[max(0, origin - WINDOW_DAYS) : origin]
        expected, actual = sum(_predict(known, days)), sum(spend[origin : origin + days])
        if expected and actual:
            errors.append(log(actual / expected))
    return errors


def _predict(spend: Sequence[float], days: int) -> list[float]:
    """Return what is expected of the days that follow, from the last window."""
    spend = spend[-WINDOW_DAYS:]
    if len(spend) < _WEEK:
        return [0.0] * days
    profile = _profile(spend)
    weights = [pow(0.5, age / _HALF_LIFE_DAYS) for age in range(len(spend))]
    recent = list(reversed(spend))
    level = sum(weight * amount for weight, amount in zip(weights, recent, strict=True)) / sum(
        weight * profile[-1 - age % _WEEK] for age, weight in enumerate(weights)
    )
    drift = _drift(spend)
    lag = min(_HALF_LIFE_DAYS / log(2) / _WEEK, len(spend) // _WEEK / 2)
    return [
        level * profile[ahead % _WEEK] * exp(drift * (_DAMPING * lag + _damped(ahead + 1)))
        for ahead in range(days)
    ]


def _profile(spend: Sequence[float]) -> list[float]:
    """Return the share of a mean day that each day of the week has; the first is the next day."""
    mean = fmean(spend)
    if not mean:
        return [1.0] * _WEEK
    first = len(spend) % _WEEK
    return [
        max(fmean(spend[(first + day) % _WEEK :: _WEEK]) / mean, _LEAST_SHARE)
        for day in range(_WEEK)
    ]


def _drift(spend: Sequence[float]) -> float:
    """Return the growth a week, as a logarithm: the median of slopes, where it is clear."""
    weeks = len(spend) // _WEEK
    totals = [sum(spend[len(spend) - _WEEK * back :][:_WEEK]) for back in range(weeks, 0, -1)]
    if weeks < _MIN_WEEKS or min(totals) <= 0:
        return 0.0
    logs = [log(total) for total in totals]
    pairs = combinations(enumerate(logs), 2)
    slope = median((later - earlier) / (j - i) for (i, earlier), (j, later) in pairs)
    middle = median(each - slope * week for week, each in enumerate(logs))
    spread = _NORMAL * median(abs(each - slope * week - middle) for week, each in enumerate(logs))
    error = spread * sqrt(12) / pow(weeks, 1.5)
    if abs(slope) <= _SURE * error:
        return 0.0
    return max(-_MAX_DRIFT, min(slope, _MAX_DRIFT))


def _damped(days: int) -> float:
    """Return for how many weeks a drift still counts after so many days."""
    return _DAMPING * (1 - pow(_DAMPING, days / _WEEK)) / (1 - _DAMPING)


def _spread(errors: Sequence[float], horizon: int) -> float:
    """Return how far off four in five forecasts are at most, as a logarithm.

    Forecasts of one stretch err together: only as many errors are independent as there
    are stretches, and the fewer, the wider the range (Student's t).
    """
    deviation = sqrt(fmean(error * error for error in errors))
    stretches = 1 + len(errors) // horizon
    return deviation * _STUDENT[min(stretches, len(_STUDENT)) - 1]
