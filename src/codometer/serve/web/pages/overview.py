"""Overview: what is spent, whether use grows, and whether it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codometer.analysis.measures.query import parse_query
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.view import View

_FIGURES: Final = ("active_people", "sessions", "tokens", "cost")


def _build_figures(view: View) -> Mapping[str, object]:
    query = parse_query(_FIGURES, period=view.period, where=view.where, compare="previous")
    answer = view.ask(query)
    (group,) = answer.groups
    return {"measures": answer.measures, "values": group.values, "previous": group.previous}


OVERVIEW: Final = Page(
    path="/",
    name="overview",
    title="Overview",
    template="overview/page.html",
    panels=(
        Panel(
            name="figures",
            title="Figures",
            template="overview/figures.html",
            build=_build_figures,
            classes="sheet",
        ),
    ),
)
