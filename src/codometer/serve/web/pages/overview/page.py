"""The panels of Overview, in their places."""

from __future__ import annotations

from functools import partial

from codometer.serve.api.status import StatusSource
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.pages.overview.attention import build_attention
from codometer.serve.web.pages.overview.figures import build_figures
from codometer.serve.web.pages.overview.month import build_month
from codometer.serve.web.pages.overview.questions import Questions
from codometer.serve.web.pages.overview.rhythm import build_rhythm
from codometer.serve.web.pages.overview.spend import build_spend
from codometer.serve.web.pages.overview.teams import build_teams
from codometer.serve.web.view import View


def overview_page(status: StatusSource) -> Page[View]:
    """Return the page; `status` tells which signals were refused."""
    questions = Questions(status)
    return Page(
        path="/",
        name="overview",
        title="Overview",
        template="overview/page.html",
        panels=(
            Panel(
                name="month",
                title="Spend this month",
                template="overview/month.html",
                build=partial(build_month, questions),
                classes="c7 hero",
                is_shared=True,
            ),
            Panel(
                name="attention",
                title="Needs attention",
                template="overview/attention.html",
                build=partial(build_attention, questions),
                classes="c5",
                is_shared=True,
            ),
            Panel(
                name="figures",
                title="Figures",
                template="overview/figures.html",
                build=partial(build_figures, questions),
                classes="sheet",
                is_shared=True,
            ),
            Panel(
                name="spend",
                title="Spend by model",
                template="overview/spend.html",
                build=partial(build_spend, questions),
                classes="c8",
                is_shared=True,
            ),
            Panel(
                name="rhythm",
                title="When people work",
                template="overview/rhythm.html",
                build=partial(build_rhythm, questions),
                classes="c4",
                is_shared=True,
            ),
            Panel(
                name="teams",
                title="Teams",
                template="overview/teams.html",
                build=partial(build_teams, questions),
                classes="c12",
                is_shared=True,
            ),
        ),
    )
