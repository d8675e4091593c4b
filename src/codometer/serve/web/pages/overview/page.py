"""The panels of Overview, in their places."""

from __future__ import annotations

from codometer.serve.api.status import StatusSource
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.pages.overview.attention import attention_panel
from codometer.serve.web.pages.overview.figures import build_figures
from codometer.serve.web.pages.overview.month import build_month
from codometer.serve.web.pages.overview.rhythm import build_rhythm
from codometer.serve.web.pages.overview.spend import build_spend
from codometer.serve.web.pages.overview.teams import build_teams


def overview_page(status: StatusSource) -> Page:
    """Return the page; `status` tells which signals were refused."""
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
                build=build_month,
                classes="c7 hero",
            ),
            attention_panel(status),
            Panel(
                name="figures",
                title="Figures",
                template="overview/figures.html",
                build=build_figures,
                classes="sheet",
            ),
            Panel(
                name="spend",
                title="Spend by model",
                template="overview/spend.html",
                build=build_spend,
                classes="c8",
            ),
            Panel(
                name="rhythm",
                title="When people work",
                template="overview/rhythm.html",
                build=build_rhythm,
                classes="c4",
            ),
            Panel(
                name="teams",
                title="Teams",
                template="overview/teams.html",
                build=build_teams,
                classes="c12",
            ),
        ),
    )
