"""The frame around every page: navigation, header, the templates and what they can call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import jinja2
from markupsafe import Markup

from codometer.analysis.dates import format_days
from codometer.errors import CodometerError
from codometer.serve.web.assets import Assets
from codometer.serve.web.formats import FILTERS
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.recent import Recent
from codometer.serve.web.view import CUSTOM, RANGES, View
from codometer.serve.web.visitor import Visitor

_log: Final = logging.getLogger(__name__)

GROUPS: Final = ("", "Investigate", "Operate")
"""The groups of the navigation, in order; the first has no heading."""

STALE: Final = timedelta(minutes=10)
"""Without news for longer, the header says when the last data came, with a sign."""


class Broken(CodometerError):
    """A panel that could not be built, as its reader is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How new the data of a page is: the version of the sums, and when the last of it came.

    Of data from before today only the `day` is known.
    """

    version: int
    at: datetime | None = None
    day: date | None = None


Sections = Recent[Hashable, Markup]
"""What stands inside the panels that are shared, until the sums change."""


class Frame:
    """Renders pages, single panels and errors. Safe to use from several threads."""

    def __init__(
        self, pages: Sequence[Page], assets: Assets, *, is_local: Callable[[], bool] = lambda: True
    ) -> None:
        """`is_local` tells whether nobody needs to sign in."""
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("codometer.serve.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update({**FILTERS, "sentence": _sentence})
        self._environment.globals.update(
            assets=assets,
            is_local=is_local,
            navigation=[
                (group, [page for page in pages if page.group == group])
                for group in GROUPS
                if any(page.group == group for page in pages)
            ],
            ranges=RANGES,
            custom=CUSTOM,
        )

    def render_page(
        self,
        page: Page,
        view: View,
        sections: Sections,
        *,
        visitor: Visitor,
        teams: Sequence[str],
        freshness: Freshness,
    ) -> str:
        """Return a whole page. Each panel is built where the page's template shows it."""
        panels = {panel.name: panel for panel in page.panels}

        def show(name: str) -> Markup:
            return self._render_panel(panels[name], view, sections)

        return self._environment.get_template(page.template).render(
            page=page,
            view=view,
            visitor=visitor,
            show=show,
            teams=teams,
            period_text=describe_period(view),
            freshness=freshness,
            is_stale=freshness.at is None or view.now - freshness.at > STALE,
        )

    def render_panels(self, panels: Iterable[Panel], view: View, sections: Sections) -> str:
        """Return the sections of some panels, as they stand in the page."""
        return "\n".join(self._render_panel(panel, view, sections) for panel in panels)

    def render_plain(self, template: str, visitor: Visitor, **values: object) -> str:
        """Return a page that has no panels and shows no period."""
        return self._environment.get_template(template).render(page=None, visitor=visitor, **values)

    def render_error(
        self, error: CodometerError, *, title: str, visitor: Visitor, home: str = "/"
    ) -> str:
        """Return a page that says what failed, why, and what to do."""
        return self.render_plain("error.html", visitor, error=error, title=title, home=home)

    def _render_panel(self, panel: Panel, view: View, sections: Sections) -> Markup:
        def render() -> Markup:
            template = self._environment.get_template(panel.template)
            return Markup(template.render({**panel.build(view), "panel": panel, "view": view}))  # noqa: S704 - rendered with every value escaped

        try:
            if panel.is_shared:
                body = sections.get((panel, view.identity), render, now=view.now)
            else:
                body = render()
        except CodometerError as error:
            body = self._render_failed(panel, view, error)
        except Exception:  # noqa: BLE001 - an outer edge: one panel, and the others stay
            _log.exception("the panel %s failed", panel.name)
            body = self._render_failed(panel, view, _BROKEN)
        return Markup('<section class="{}" data-panel="{}">\n{}\n</section>').format(
            panel.classes, panel.name, body
        )

    def _render_failed(self, panel: Panel, view: View, error: CodometerError) -> Markup:
        template = self._environment.get_template("failed.html")
        return Markup(template.render(panel=panel, view=view, error=error))  # noqa: S704 - as above


_BROKEN: Final = Broken(
    "the server failed to work this out", hint="the server's log has the reason; please report it"
)


def describe_period(view: View) -> str:
    """Return the days of a view and what they are compared with, for the header."""
    count = (view.last_day - view.first_day).days + 1
    before = "the day before" if count == 1 else f"the {count:,} days before"
    return f"{format_days(view.first_day, view.last_day)}, compared with {before}"


def _sentence(text: str) -> str:
    """Make a sentence of a message, which begins small and has no full stop."""
    return f"{text[:1].upper()}{text[1:]}."
