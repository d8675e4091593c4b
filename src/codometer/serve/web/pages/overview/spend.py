"""What drives spend: each bucket by model, with what is unusual or unfinished marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from codometer.analysis.anomalies import find_unusual_days
from codometer.analysis.dates import format_days
from codometer.analysis.growth import describe_shift
from codometer.analysis.measures.groups import OTHER as SMALL
from codometer.analysis.measures.run import Answer
from codometer.analysis.numbers import Value, format_axis, format_money_exact
from codometer.privacy.profile import Cut
from codometer.serve.web.buckets import Buckets, Key
from codometer.serve.web.charts import Series, key, stacked_columns
from codometer.serve.web.naming import OTHER, name_model
from codometer.serve.web.pages.overview.coverage import describe_gaps
from codometer.serve.web.pages.overview.questions import (
    Costs,
    History,
    Questions,
    buckets_of,
    find_wider,
)
from codometer.serve.web.view import View

_COLOURS: Final = ("s1", "s2", "s3", "s4")
_OTHER_COLOUR: Final = "so"
_RANKED_DAYS: Final = 90
"""Colours go to what cost most over so many days."""

_DAY: Final = timedelta(days=1)
_SIX_DAYS: Final = timedelta(days=6)
_TITLES: Final = {
    "hour": "Spend per hour",
    "day": "Spend per day",
    "week": "Spend per week",
    "month": "Spend per month",
}


def build_spend(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the chart, its key and what it shows."""
    buckets, history = buckets_of(view), questions.history(view)
    costs = questions.costs(view) if buckets.dimension != "day" else _within(history, buckets)
    title = _TITLES[buckets.dimension]
    if not any(costs.values()):
        return {
            "heading": title,
            "chart": None,
            "nearest": _find_nearest(view, history),
            "wider": find_wider(view),
        }
    unusual = _find_unusual(view, buckets, history)
    series = _make_series(costs, buckets, _rank(history))
    chart = stacked_columns(
        title=f"{title} by model, {format_days(view.first_day, view.last_day)}",
        axis=buckets.axis(unusual),
        series=series,
        write_tick=_tick,
        write_value=format_money_exact,
    )
    entries = [(each.name, each.css) for each in series]
    return {
        "heading": title,
        "chart": chart,
        "key": key([*entries, ("Unusual", "ring")] if unusual else entries),
        "finding": _describe(questions.models(view), buckets),
        "has_small": any(view.first_day <= day <= view.last_day for day in history.withheld),
        "gaps": describe_gaps(questions.figures(view).coverage),
    }


def _within(history: History, buckets: Buckets) -> Costs:
    """Return the costs of the buckets, which are days."""
    shown = set(buckets.keys)
    return {
        model: {day: amount for day, amount in found.items() if day in shown}
        for model, found in history.costs.items()
    }


def _rank(history: History) -> list[str | None]:
    """Return the models by what they cost in the last 90 days: a model keeps its colour."""
    since = history.last - _RANKED_DAYS * _DAY
    totals = {
        model: sum((amount for day, amount in found.items() if _day(day) > since), Decimal(0))
        for model, found in history.costs.items()
        if model != SMALL
    }
    return sorted(totals, key=lambda model: (-totals[model], str(model)))


def _make_series(costs: Costs, buckets: Buckets, ranked: Sequence[str | None]) -> list[Series]:
    """Return a series for each of the four dearest models, and one for all others."""
    totals = {model: sum(found.values(), Decimal(0)) for model, found in costs.items()}
    spent = sorted(
        (model for model in totals if totals[model]), key=lambda model: (-totals[model], str(model))
    )
    named = [model for model in spent if model != SMALL]
    main = named[: len(_COLOURS)]
    others = [model for model in spent if model not in main]
    series = [
        Series(
            name=name_model(model),
            css=css,
            values=[costs[model].get(each) for each in buckets.keys],
        )
        for model, css in _colour(main, ranked)
    ]
    if others:
        values = [_sum([costs[model].get(each) for model in others]) for each in buckets.keys]
        series.append(Series(name=OTHER, css=_OTHER_COLOUR, values=values))
    return series


def _colour(
    models: Sequence[str | None], ranked: Sequence[str | None]
) -> list[tuple[str | None, str]]:
    """Give each model the colour of its rank, or one that is free; return them by colour."""
    own = dict(zip(ranked, _COLOURS, strict=False))
    colours = {model: own[model] for model in models if model in own}
    free = [css for css in _COLOURS if css not in colours.values()]
    others = [model for model in models if model not in own]
    colours.update(zip(others, free, strict=False))
    return sorted(colours.items(), key=lambda entry: entry[1])


def _find_unusual(view: View, buckets: Buckets, history: History) -> set[Key]:
    if buckets.dimension != "day":
        return set()
    return set(find_unusual_days(history.told(view.today), since=view.first_day))


def _describe(models: Answer | None, buckets: Buckets) -> str:
    """Say which model's share moved, and why the last column is pale."""
    now: dict[str, float] = {}
    before: dict[str, float] = {}
    for group in models.groups if models else ():
        model = group.key["model"]
        name = name_model(None if model is None else str(model))
        now[name] = float(group.values["cost"] or 0)
        before[name] = float((group.previous or {}).get("cost") or 0)
    sentences = [describe_shift(now, before, of="spend")]
    if buckets.running:
        now_running = {"hour": "This hour", "day": "Today", "week": "This week"}
        what = now_running.get(buckets.dimension, "This month")
        sentences.append(f"{what} is still running, so its column is faded.")
    return " ".join(sentence for sentence in sentences if sentence)


def _find_nearest(view: View, history: History) -> Mapping[str, object] | None:
    """Return the nearest days with data, as long as those that are shown."""
    last = max((_day(at) for found in history.costs.values() for at in found), default=None)
    if last is None:
        return None
    if view.finest is Cut.WEEK:
        last += _SIX_DAYS
    first = last - (view.last_day - view.first_day)
    href = view.href(range=None, from_=first.isoformat(), to=last.isoformat())
    return {"text": format_days(first, last), "href": href}


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _day(at: Key) -> date:
    return at if type(at) is date else date.fromisoformat(at.isoformat()[:10])


def _tick(value: Value) -> str:
    return format_axis(value, "money")
