"""When load is highest. Never about few people: see `analysis.rhythm`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from codometer.analysis.dates import WEEKDAYS
from codometer.analysis.numbers import Value, format_value
from codometer.analysis.rhythm import MIN_PEOPLE, QUIET, find_busiest, week_of_hours
from codometer.privacy.profile import Cut
from codometer.serve.web.charts import heat
from codometer.serve.web.pages.overview.questions import Questions, find_wider
from codometer.serve.web.view import View

_HOURS: Final = tuple(f"{hour:02}:00" for hour in range(24))
_SHOWN: Final = {hour: f"{hour:02}" for hour in range(0, 24, 3)}


def build_rhythm(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the hours of the week; nothing of fewer people than the minimum."""
    if view.finest is not Cut.HOUR:
        return {"chart": None, "refused": view.finest}
    (figures,) = questions.figures(view).groups
    people, least = figures.values["active_people"], max(MIN_PEOPLE, view.minimum_people)
    if not people or people < least:
        return {
            "chart": None,
            "refused": None,
            "people": people or figures.withheld,
            "least": least,
            "wider": find_wider(view),
        }
    answer = questions.hours(view)
    active = {
        at: _whole(group.values["active_people"])
        for group in answer.groups
        if isinstance(at := group.key["hour"], datetime)
    }
    week = week_of_hours(active, answer.period, least=least)
    busiest = find_busiest(week)
    chart = heat(
        title="Developers active, by weekday and hour",
        corner="Day",
        rows=[day[:3] for day in WEEKDAYS],
        columns=_HOURS,
        shown=_SHOWN,
        values=week,
        write_value=_write,
    )
    return {
        "chart": chart if busiest else None,
        "refused": None,
        "people": people,
        "least": least,
        "wider": find_wider(view),
        "busiest": busiest
        and f"Most on {WEEKDAYS[busiest.weekday]}s at {busiest.hour:02}:00:"
        f" {format_value(round(busiest.people), 'count')} developers on average.",
        "zone": view.period.zone.key,
    }


def _write(value: Value) -> str:
    if value == QUIET:
        return f"under {MIN_PEOPLE}"
    return format_value(value if value is None else round(float(value)), "count")


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
