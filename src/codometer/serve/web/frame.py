"""The frame around every page: navigation, header, the templates and what they can call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, TypeVar

import jinja2
from markupsafe import Markup

from codometer.analysis.dates import format_days
from codometer.errors import CodometerError
from codometer.people.decisions import Notices
from codometer.privacy.profile import Cut
from codometer.serve.web.assets import Assets
from codometer.serve.web.formats import FILTERS
from codometer.serve.web.forms import Shown
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.recent import Recent
from codometer.serve.web.view import CUSTOM, RANGES, View
from codometer.serve.web.visitor import Visitor

T = TypeVar("T")
AnyPage = Page[Any]

_log: Final = logging.getLogger(__name__)

GROUPS: Final = ("", "Investigate", "Operate", "Privacy & access")
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
        self,
        pages: Sequence[AnyPage],
        assets: Assets,
        *,
        is_local: Callable[[], bool] = lambda: True,
        find_notices: Callable[[], Notices] = Notices,
    ) -> None:
        """`is_local` tells whether nobody needs to sign in.

        `find_notices` returns what every page says of privacy to whoever may know it.
        """
        self._pages = pages
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
            find_notices=find_notices,
            navigation=self.list_navigation,
            list_tabs=self.list_tabs,
            ranges=RANGES,
            custom=CUSTOM,
        )

    def list_navigation(self, visitor: Visitor) -> Sequence[tuple[str, Sequence[AnyPage]]]:
        """Return the pages that somebody may open, by group."""
        mine = [page for page in self._pages if is_open(page, visitor)]
        grouped = [(group, [page for page in mine if page.group == group]) for group in GROUPS]
        return [(group, found) for group, found in grouped if found]

    def list_tabs(self, page: AnyPage, visitor: Visitor) -> Sequence[tuple[AnyPage, bool]]:
        """Return the pages beside a page, itself among them, and which of them it is part of."""
        beside = [
            each
            for each in self._pages
            if each.tab and each.name == page.name and is_open(each, visitor)
        ]
        above = [each for each in beside if f"{page.path}/".startswith(f"{each.path}/")]
        here = max(above, key=lambda each: len(each.path), default=None)
        return [(each, each is here) for each in beside]

    def render_page(
        self,
        page: Page[View],
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
            return self._render_viewed(panels[name], view, sections)

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

    def render_panels(self, panels: Iterable[Panel[View]], view: View, sections: Sections) -> str:
        """Return the sections of some panels, as they stand in the page."""
        return "\n".join(self._render_viewed(panel, view, sections) for panel in panels)

    def render_record(
        self, page: Page[Visitor], visitor: Visitor, *, error: CodometerError | None = None
    ) -> str:
        """Return a whole page without a period; `error` is why a form was not obeyed."""
        panels = {panel.name: panel for panel in page.panels}

        def show(name: str) -> Markup:
            again = {"again": visitor.href(), "whole": visitor.path, "shorter": None}
            values = {"visitor": visitor, **again}
            return self._render_panel(
                panels[name], lambda: self._build(panels[name], visitor, values), values
            )

        return self._environment.get_template(page.template).render(
            page=page, visitor=visitor, show=show, error=error
        )

    def render_once(self, page: Page[Visitor], visitor: Visitor, shown: Shown) -> str:
        """Return what a form answers with, in the place of its page."""
        template = self._environment.get_template(shown.template)
        return template.render({**shown.values, "page": page, "visitor": visitor, "error": None})

    def render_plain(self, template: str, visitor: Visitor, **values: object) -> str:
        """Return a page that has no panels and shows no period."""
        return self._environment.get_template(template).render(page=None, visitor=visitor, **values)

    def render_error(
        self,
        error: CodometerError,
        *,
        title: str,
        visitor: Visitor,
        home: str | None = None,
    ) -> str:
        """Return a page that says what failed, why, and what to do; `home` leads away from it."""
        known = [page for _, pages in self.list_navigation(visitor) for page in pages]
        leads_to = (home or known[0].path, known[0].title) if known else ("/", "front page")
        return self.render_plain("error.html", visitor, error=error, title=title, home=leads_to)

    def _render_viewed(self, panel: Panel[View], view: View, sections: Sections) -> Markup:
        shorter = view.href(range="7d") if view.range != "7d" else None
        again = view.href()
        values = {"view": view, "again": again, "whole": again, "shorter": shorter}

        def render() -> Markup:
            if panel.is_shared:
                key = (panel, view.identity)
                return sections.get(key, lambda: self._build(panel, view, values), now=view.now)
            return self._build(panel, view, values)

        return self._render_panel(panel, render, values)

    def _build(self, panel: Panel[T], given: T, values: Mapping[str, object]) -> Markup:
        template = self._environment.get_template(panel.template)
        return Markup(template.render({**panel.build(given), "panel": panel, **values}))  # noqa: S704 - rendered with every value escaped

    def _render_panel(
        self, panel: Panel[T], render: Callable[[], Markup], values: Mapping[str, object]
    ) -> Markup:
        try:
            body = render()
        except CodometerError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise  # the page is about what is not there
            body = self._render_failed(panel, error, values)
        except Exception:  # noqa: BLE001 - an outer edge: one panel, and the others stay
            _log.exception("the panel %s failed", panel.name)
            body = self._render_failed(panel, _BROKEN, values)
        return Markup('<section class="{}" data-panel="{}">\n{}\n</section>').format(
            panel.classes, panel.name, body
        )

    def _render_failed(
        self, panel: Panel[T], error: CodometerError, values: Mapping[str, object]
    ) -> Markup:
        template = self._environment.get_template("failed.html")
        return Markup(template.render(panel=panel, error=error, **values))  # noqa: S704 - as above


def is_open(page: AnyPage, visitor: Visitor) -> bool:
    """Tell whether somebody may open a page, and it is about something that they have."""
    return visitor.may(page.permission) and (not page.is_own or visitor.account is not None)


_BROKEN: Final = Broken(
    "the server failed to work this out", hint="the server's log has the reason; please report it"
)


def describe_period(view: View) -> str:
    """Return the days of a view and what they are compared with, for the header."""
    count = (view.last_day - view.first_day).days + 1
    before = "the day before" if count == 1 else f"the {count:,} days before"
    days = f"{format_days(view.first_day, view.last_day)}, compared with {before}"
    return f"Whole weeks, {days}" if view.finest is Cut.WEEK else days


def _sentence(text: str) -> str:
    """Make a sentence of a message, which begins small and has no full stop."""
    return f"{text[:1].upper()}{text[1:]}."
