"""The pages, their panels, their assets and their stream of changes, as routes."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from codometer.access.actor import ActorKind
from codometer.access.permissions import NOBODY, Permission, Subject, is_allowed
from codometer.analysis.measures.grain import FindGrain, any_grain
from codometer.analysis.measures.query import Query, parse_query
from codometer.analysis.measures.run import Answer
from codometer.errors import (
    BadRequest,
    CodometerError,
    LacksPermission,
    ProofTooOld,
    SecondFactorNeeded,
    TooFewPeople,
    Unauthenticated,
)
from codometer.model.period import Period, local_date, parse_period
from codometer.people.decisions import Notices
from codometer.serve.gate import SECOND_FACTOR, Gate
from codometer.serve.http import (
    FAULT,
    NotFound,
    answer_http_exception,
    error_response,
    fault_response,
)
from codometer.serve.scope import limited
from codometer.serve.web.assets import PREFIX, Assets, accepts_gzip
from codometer.serve.web.drafts import Drafts
from codometer.serve.web.events import Changes
from codometer.serve.web.forms import (
    Fields,
    File,
    Form,
    Obey,
    Shown,
    identify_form,
    read_form,
)
from codometer.serve.web.frame import Frame, Freshness, Sections
from codometer.serve.web.looks import Look, Looks
from codometer.serve.web.once import DoneAlready, Once
from codometer.serve.web.page import Page
from codometer.serve.web.pages.access.roles import explain_lack
from codometer.serve.web.recent import Recent
from codometer.serve.web.view import View, read_view
from codometer.serve.web.visitor import Visitor
from codometer.serve.web.ways import confirm_address, go, here, sign_in_address
from codometer.serve.workers import Workers

_log: Final = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
"""What pages may load: our own files, and nothing written into the page."""

_PAGE_HEADERS: Final = {"content-security-policy": PAGE_POLICY}
_TITLES: Final = {
    400: "This address cannot be shown",
    403: "This is not for you to see",
    404: "There is no such page",
    409: "This cannot be done now",
    410: "This is over",
    413: "This is too large",
    415: "This is of a kind that is not taken",
    429: "This was asked too often",
    502: "Another server failed to answer",
    503: "Too busy to answer",
}
_FAULT_TITLE: Final = "The server failed to answer"
_COMPRESSED_FROM: Final = 1_000
_REMEMBERED: Final = timedelta(seconds=30)
_SCOPE_SINCE: Final = "90d"
_WIDEST: Final = "/?range=90d"
_FRONT: Final = "/"
_DRAFT: Final = "draft"
_A_DAY: Final = timedelta(days=1)
_RENEW_SECONDS: Final = 0.5


class Site:
    """Answers for every path that a person opens in a browser."""

    def __init__(
        self,
        pages: Sequence[Page[View]],
        records: Sequence[Page[Visitor]] = (),
        *,
        first_run: Page[View],
        zone: ZoneInfo,
        ask: Callable[[Query], Answer],
        changes: Changes,
        workers: Workers,
        gate: Gate,
        now: Callable[[], datetime],
        minimum_people: Callable[[], int] = lambda: 1,
        find_grain: FindGrain = any_grain,
        find_notices: Callable[[], Notices] = Notices,
    ) -> None:
        """Prepare to serve `pages`; `first_run` stands in for each until something was counted.

        `records` are the pages without a period. `ask` may block and answers as of the last
        refresh of the sums, without waiting; `minimum_people` and `find_grain` are what it asks
        with. `find_notices` is what `Frame` takes.
        """
        self._pages = pages
        self._records = records
        self._fillable = frozenset(page.path for page in records)
        self._first_run = first_run
        self._zone = zone
        self._ask = ask
        self._changes = changes
        self._workers = workers
        self._gate = gate
        self._now = now
        self._minimum_people = minimum_people
        self._find_grain = find_grain
        self._assets = Assets.read()
        self._frame = Frame(
            (*pages, *records),
            self._assets,
            is_local=lambda: gate.is_local,
            find_notices=find_notices,
        )
        self._has_counted = False
        self._scopes: dict[Hashable, _Scope] = {}
        self._sections = Sections()
        self._enough: Recent[Hashable, bool] = Recent()
        self._looks = Looks()
        self._once = Once(now)
        self._drafts = Drafts(now)
        self._holders: dict[object, str] = {}
        changes.prepare = self.renew

    def routes(self) -> list[Route]:
        """Return a route for each page, for the assets and for the stream of changes."""
        return [
            *(
                self._route(page.path, page.permission, self._endpoint(page))
                for page in self._pages
            ),
            *(
                self._route(page.path, page.permission, self._record_endpoint(page))
                for page in self._records
            ),
            *(self._record_form(page, form) for page in self._records for form in page.forms),
            self._route(f"{PREFIX}{{name}}", Permission.PUBLIC, self._assets.answer),
            self._route("/events", Permission.READ_NUMBERS, self._changes.answer),
        ]

    def render(
        self, template: str, request: Request, *, status: int = 200, **values: object
    ) -> Response:
        """Answer with a page that has no panels and shows no period."""
        html = self._frame.render_plain(template, self._find_visitor(request), **values)
        return HTMLResponse(html, status, _PAGE_HEADERS)

    def form_route(
        self,
        path: str,
        permission: Permission,
        obey: Obey,
        *,
        page: str,
        is_sensitive: bool = False,
        is_export: bool = False,
    ) -> Route:
        """Return a route behind the gate for a form that stands on a page; both flags as there.

        What is sent twice is obeyed once. An export, which changes nothing, is made each time.
        """

        async def endpoint(request: Request) -> Response:
            fields = await read_form(request)
            if is_export:
                return await obey(request, fields)
            form = identify_form(request.url.path, fields)
            return await self._once.answer(form, lambda: obey(request, fields))

        handle = self._gate.require(
            permission, endpoint, is_sensitive=is_sensitive, is_export=is_export
        )
        guarded = self.guarded(handle, page)
        self._holders[guarded] = page
        return Route(path, guarded, methods=["POST"])

    def _record_form(self, page: Page[Visitor], form: Form) -> Route:
        async def obey(request: Request, fields: Fields) -> Response:
            visitor = self._visitor(request, request.state.subject)
            return await self._workers.run(lambda: self._obey(page, form, visitor, fields))

        return self.form_route(
            form.path, form.permission, obey, page=page.path, is_export=form.is_export
        )

    def _route(self, path: str, permission: Permission, handle: Endpoint) -> Route:
        return Route(path, self.guarded(self._gate.require(permission, handle)), methods=["GET"])

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer for a path or a method that there is not: a page for people, else JSON.

        Who opens the address of a form, where the page stands that a form was refused on, is
        led to the page that holds it.
        """
        if not _is_person(request) or not isinstance(error, HTTPException):
            return await answer_http_exception(request, error)
        if request.method == "GET" and (page := self._holders.get(request.scope.get("endpoint"))):
            return go(page)
        if error.status_code == NotFound.status:
            fault: CodometerError = NotFound(f"there is nothing at {request.url.path}")
            return self._render_error(fault, request)
        return await answer_http_exception(request, error)

    def _record_endpoint(self, page: Page[Visitor]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            visitor = self._visitor(request, request.state.subject)
            if draft := request.query_params.get(_DRAFT):
                visitor = self._fill_in(visitor, draft)
            html = await self._workers.run(lambda: self._frame.render_record(page, visitor))
            return _html_response(html, request)

        return endpoint

    def _obey(self, page: Page[Visitor], form: Form, visitor: Visitor, fields: Fields) -> Response:
        """Do what a form says, or show its page again with what was wrong."""
        try:
            done = form.act(visitor, fields)
        except CodometerError as error:
            wrong = error.field if isinstance(error, BadRequest) else ""
            again = replace(visitor, path=page.path, sent=fields, sent_to=form.path, wrong=wrong)
            html = self._frame.render_record(page, again, error=error)
            return HTMLResponse(html, error.status, _PAGE_HEADERS)
        if isinstance(done, Shown):
            html = self._frame.render_once(page, visitor, done)
            return HTMLResponse(html, headers=_PAGE_HEADERS)
        return _send_file(done) if isinstance(done, File) else go(done)

    def _find_visitor(self, request: Request) -> Visitor:
        """Return who is shown an answer that is for everybody, or a fault."""
        return self._visitor(request, self._gate.find_person(request) or NOBODY)

    def _visitor(self, request: Request, subject: Subject) -> Visitor:
        is_person = subject.actor.kind is ActorKind.ACCOUNT
        session = self._gate.find_session(request) if is_person else None
        return Visitor(
            subject=subject,
            account=session.account if session else None,
            path=request.url.path,
            given=request.query_params,
            now=self._now(),
            zone=self._zone,
            make_token=lambda: self._gate.form_token(request),
        )

    def _fill_in(self, visitor: Visitor, draft: str) -> Visitor:
        """Return the visit of a page with what was written into its form before."""
        form, sent = self._drafts.find(draft, visitor.actor.id, visitor.path)
        given = {name: value for name, value in visitor.given.items() if name != _DRAFT}
        return replace(visitor, given=given, sent=sent, sent_to=form, is_draft=bool(sent))

    def _endpoint(self, page: Page[View]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await self._workers.run(lambda: self._answer(page, request))

        return endpoint

    def renew(self) -> None:
        """Build anew what was looked at lately, and then show that: call it when the sums changed.

        Who looks meanwhile sees it as it was. What there was no time for is built when it is
        asked for.
        """
        sections, enough, began = Sections(), Recent[Hashable, bool](), time.monotonic()
        for look in self._looks.lately(self._now()):
            if time.monotonic() - began > _RENEW_SECONDS:
                break
            view = self._read_view(look)
            if _has_enough_people(view, enough):
                shared = [panel for panel in look.page.panels if panel.is_shared]
                self._frame.render_panels(shared, view, sections)
        self._sections, self._enough = sections, enough

    def _answer(self, page: Page[View], request: Request) -> Response:
        freshness = Freshness(version=self._changes.version, at=self._changes.changed_at)
        if not self._find_counted():
            page = self._first_run
        look = Look(
            page=page,
            path=request.url.path,
            given=request.query_params,
            subject=request.state.subject,
            at=self._now(),
        )
        view = self._read_view(look)
        if not _has_enough_people(view, self._enough):
            raise TooFewPeople(view.minimum_people)
        if names := request.query_params.getlist("panel"):
            html = self._render_panels(page, names, view)
        else:
            scope = self._find_scope(view)
            html = self._frame.render_page(
                page,
                view,
                self._sections,
                visitor=self._visitor(request, look.subject),
                teams=scope.teams,
                freshness=scope.complete(freshness),
            )
        self._looks.add(view.identity, look)
        return _html_response(html, request)

    def _read_view(self, look: Look) -> View:
        minimum = self._minimum_people()
        return read_view(
            look.given,
            path=look.path,
            now=self._now(),
            days_in=self._zone,
            ask=cache(limited(self._ask, look.subject)),  # panels share some questions
            reader=(frozenset(look.subject.granted), look.subject.teams, minimum),
            minimum_people=1 if is_allowed(look.subject, Permission.READ_PEOPLE) else minimum,
            find_grain=self._find_grain,
            is_limited=look.subject.teams is not None,
        )

    def _render_panels(self, page: Page[View], names: Sequence[str], view: View) -> str:
        panels = {panel.name: panel for panel in page.panels}
        if unknown := [name for name in names if name not in panels]:
            raise NotFound(
                f"{page.title} has no panel {', '.join(unknown)}", hint="load the page again"
            )
        return self._frame.render_panels([panels[name] for name in names], view, self._sections)

    def _find_counted(self) -> bool:
        """Say whether there is anything to show, now or ever before."""
        if not self._has_counted:
            beginning = datetime(2000, 1, 2, tzinfo=self._zone)
            ever = Period.covering(beginning, self._now() + _A_DAY, self._zone)
            query = parse_query(["tokens", "requests", "prompts"], period=ever)
            answer = self._ask(replace(query, sees_people=True))  # nobody is told how many
            self._has_counted = any(any(group.values.values()) for group in answer.groups)
        return self._has_counted

    def _find_scope(self, view: View) -> _Scope:
        """Return what there is to choose from, as of up to half a minute ago."""
        known = self._scopes.get(view.reader)
        if known is None or view.now - known.read_at >= _REMEMBERED:
            try:
                known = self._scopes[view.reader] = _read_scope(view)
            except Exception:  # noqa: BLE001 - the page stands without it, and its panels say why
                _log.exception("the teams could not be read")
                return _Scope(read_at=view.now)
        return known

    def guarded(self, handle: Endpoint, page: str = "") -> Endpoint:
        """Wrap an endpoint so that whatever it raises becomes an answer.

        A form stands on a `page`, to which whoever must show who they are comes back.
        """

        async def endpoint(request: Request) -> Response:
            try:
                return await handle(request)
            except Unauthenticated as error:
                if _is_person(request):
                    return go(sign_in_address(page or here(request)))
                return error_response(error)
            except CodometerError as error:
                if not _is_person(request):
                    return error_response(error)
                if isinstance(error, ProofTooOld):
                    return await self._ask_for_proof(request, page)
                if isinstance(error, SecondFactorNeeded):
                    return go(SECOND_FACTOR)
                return self._lead_on(error, request) or self._render_error(error, request)
            except Exception:  # noqa: BLE001 - the outer edge of a request
                fault = fault_response(request)
                return self._render_error(FAULT, request) if _is_person(request) else fault

        return endpoint

    async def _ask_for_proof(self, request: Request, page: str) -> Response:
        """Lead to where somebody shows who they are, and then back to where they were.

        From a form that is to its page, as it was filled in; but not from one that was obeyed
        before, whose answer was loaded again.
        """
        session = self._gate.find_session(request)
        if page not in self._fillable or session is None:
            return go(confirm_address(page or here(request)))
        path = request.url.path
        try:
            fields = await read_form(request)
            self._once.check_new(identify_form(path, fields))
        except DoneAlready as error:
            return self._render_error(error, request)
        except CodometerError:
            return go(confirm_address(page))
        draft = self._drafts.keep(session.account.id, page, path, fields)
        return go(confirm_address(f"{page}?{_DRAFT}={draft}"))

    def _lead_on(self, error: CodometerError, request: Request) -> Response | None:
        """Return the way to what somebody may see, from a front page that is not for them."""
        if request.url.path != _FRONT or not isinstance(error, LacksPermission):
            return None
        groups = self._frame.list_navigation(self._find_visitor(request))
        return go(groups[0][1][0].path) if groups else None

    def _render_error(self, error: CodometerError, request: Request) -> Response:
        title, home = _TITLES.get(error.status, _FAULT_TITLE), None
        if isinstance(error, TooFewPeople):
            title, home = "Too few people to tell of", _WIDEST
        elif isinstance(error, DoneAlready):
            title = "This was done already"
        elif isinstance(error, LacksPermission):
            error = explain_lack(Permission(error.permission)) or error
        visitor = self._find_visitor(request)
        html = self._frame.render_error(error, title=title, home=home, visitor=visitor)
        return HTMLResponse(html, error.status, _PAGE_HEADERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """The teams that worked lately, and the last day on which anything came."""

    read_at: datetime
    teams: tuple[str, ...] = ()
    last_day: date | None = None

    def complete(self, freshness: Freshness) -> Freshness:
        """Fill in when the last data came, where none came since the start."""
        return freshness if freshness.at else replace(freshness, day=self.last_day)


def _has_enough_people(view: View, known: Recent[Hashable, bool]) -> bool:
    """Say whether a page would have anything to tell, in these days of those it is about."""
    if view.minimum_people == 1:
        return True
    query = parse_query(["tokens"], period=view.period, where=view.where, with_coverage=False)
    return known.get(view.identity, lambda: not view.ask(query).withheld, now=view.now)


def _read_scope(view: View) -> _Scope:
    period = parse_period(_SCOPE_SINCE, None, now=view.now, zone=view.period.zone)
    teams = view.narrowed(period)
    answer = view.ask(parse_query(["tokens"], by=["team"], period=teams, with_coverage=False))
    told = (group for group in answer.groups if not (group.merged or group.withheld))
    named = {team for group in told if (team := group.key["team"])}
    whole = teams if view.is_limited else period
    last = view.ask(parse_query(["tokens"], period=whole)).coverage.reported_until
    return _Scope(
        read_at=view.now,
        teams=tuple(sorted(map(str, named), key=str.casefold)),
        last_day=local_date(last - timedelta(microseconds=1), period.zone) if last else None,
    )


def _html_response(html: str, request: Request) -> Response:
    headers = {**_PAGE_HEADERS, "vary": "accept-encoding"}
    content = html.encode("utf-8", "replace")
    if len(content) >= _COMPRESSED_FROM and accepts_gzip(request):
        content = gzip.compress(content, 5, mtime=0)
        headers["content-encoding"] = "gzip"
    return HTMLResponse(content, headers=headers)


def _send_file(file: File) -> Response:
    headers = {"content-disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


def _is_person(request: Request) -> bool:
    """Say whether a browser asks for a page, rather than a program for data."""
    return "text/html" in request.headers.get("accept", "")
