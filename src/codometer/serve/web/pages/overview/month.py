"""What this month costs, and where it will end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from codometer.analysis.anomalies import usual_spend
from codometer.analysis.dates import format_days, format_month
from codometer.analysis.forecast import LEVEL, MIN_DAYS, Forecast, forecast_month
from codometer.analysis.measures.measure import Number
from codometer.analysis.numbers import Value, format_axis, format_money, format_rate, format_short
from codometer.analysis.workdays import last_working_days
from codometer.model.words import counted
from codometer.privacy.profile import Cut
from codometer.serve.web.buckets import days_of
from codometer.serve.web.charts import Outlook, ruler
from codometer.serve.web.pages.overview.questions import History, Questions
from codometer.serve.web.view import View

_LONG: Final = 1_000
"""Dollars from which on a mark on the ruler is written short."""


def build_month(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the month's spend, its outlook and what working days cost.

    A part of the organisation that is told of by week has what the weeks shown cost instead.
    """
    (figures,) = questions.figures(view).groups
    change = {"change": figures.change and figures.change["cost"], **_lengths(view)}
    if view.finest is Cut.WEEK:
        days = format_days(view.first_day, view.last_day)
        values, withheld = figures.values, figures.withheld
        costs = {"cost": values["cost"], "savings": values["cache_savings"]}
        return {"month": days, "is_of_weeks": True, **costs, "withheld": withheld, **change}
    (group,) = questions.month(view).groups
    history = questions.history(view, up_to_now=True)
    complete = history.complete(view.today)
    days_left = (_next_month(view.today) - view.today).days - 1
    forecast = _forecast(view, history, days_left=days_left) if history.is_whole else None
    return {
        "month": format_month(view.today),
        "is_of_weeks": False,
        "cost": group.values["cost"],
        "savings": group.values["cache_savings"],
        "days_left": days_left,
        "forecast": forecast,
        "level": format_rate(LEVEL),
        "withheld": group.withheld or not history.is_whole,
        "days_known": len(complete),
        "days_needed": MIN_DAYS,
        "ruler": _draw(group.values["cost"], forecast),
        "last_month": _last_month(view, complete) if history.is_whole else None,
        "working_days": last_working_days(complete),
        **change,
    }


def _last_month(view: View, complete: Mapping[date, float]) -> Mapping[str, object] | None:
    """Return what last month cost in all, if it is known from its first day on."""
    last = view.today.replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    if first not in complete:
        return None
    cost = sum(amount for day, amount in complete.items() if first <= day <= last)
    return {"name": format_month(last), "cost": cost}


def _forecast(view: View, history: History, *, days_left: int) -> Forecast | None:
    complete = history.complete(view.today)
    usual = usual_spend(complete)
    return forecast_month(
        list(complete.values()),
        usual=[usual[day] for day in complete],
        before_today=sum(
            amount
            for day, amount in complete.items()
            if (day.year, day.month) == (view.today.year, view.today.month)
        ),
        today=history.total().get(view.today, 0.0),
        days_left=days_left,
    )


def _lengths(view: View) -> dict[str, str]:
    """Return the lengths of both periods, in words."""
    count = len(days_of(view.period))
    days = counted(count, "day")
    return {"days_shown": days, "days_before": "day" if count == 1 else str(count)}


def _draw(cost: Number | None, forecast: Forecast | None) -> Markup:
    spent = f"Spent {format_money(cost)}"
    if forecast is None:
        return ruler(title=spent, amount=cost, outlook=None, write_tick=_tick)
    low, high = format_money(forecast.low), format_money(forecast.high)
    title = (
        f"{spent}, expected to end at {format_money(forecast.expected)},"
        f" with an estimated {format_rate(LEVEL)} range of {low} to {high}"
    )
    outlook = Outlook(
        expected=forecast.expected,
        low=forecast.low,
        high=forecast.high,
        label=f"Expected {_short(forecast.expected)}",
    )
    return ruler(title=title, amount=cost, outlook=outlook, write_tick=_tick)


def _short(amount: float) -> str:
    return f"${format_short(amount)}" if amount >= _LONG else format_money(amount)


def _tick(value: Value) -> str:
    return format_axis(value, "money")


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
