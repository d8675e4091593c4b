"""The pages of sign-in: forms that work without scripts, and what they lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from codometer.access.accounts import Accounts
from codometer.access.actor import Actor, ActorKind
from codometer.access.permissions import Permission
from codometer.errors import BadRequest, CodometerError, Unauthenticated
from codometer.privacy.profile import POLICIES, Profile, describe
from codometer.serve.gate import Endpoint, Gate, actor_from
from codometer.serve.web.forms import read_form
from codometer.serve.workers import Workers

SIGN_IN: Final = "/sign-in"
_SEE_OTHER: Final = 303


class Site(Protocol):
    """What renders pages and answers for faults."""

    def guarded(self, handle: Endpoint) -> Endpoint:
        """Wrap an endpoint so that whatever it raises becomes an answer."""

    def render(
        self,
        template: str,
        request: Request | None = None,
        /,
        *,
        status: int = 200,
        **values: object,
    ) -> Response:
        """Answer with a page; with a request, in the frame of who sent it."""


class ChooseFirst(Protocol):
    """Begins an organisation."""

    def __call__(self, profile: Profile, purpose: str, actor: Actor) -> object:
        """Take its privacy profile and purpose."""


class SignIn:
    """Sign-in, joining by a link, one's own account, and signing out."""

    def __init__(
        self,
        accounts: Accounts,
        gate: Gate,
        site: Site,
        workers: Workers,
        *,
        url: str,
        choose_first: ChooseFirst,
    ) -> None:
        """`choose_first` takes what the first administrator chose of privacy."""
        self._choose_first = choose_first
        self._accounts = accounts
        self._gate = gate
        self._site = site
        self._workers = workers
        self._is_secure = bool(url)

    def routes(self) -> list[Route]:
        """Return a route for each of them."""
        public = Permission.PUBLIC
        return [
            self._route(SIGN_IN, "GET", public, self._show_sign_in),
            self._route(SIGN_IN, "POST", public, self._sign_in),
            self._route("/join", "GET", public, self._show_join),
            self._route("/join", "POST", public, self._join),
            self._route("/sign-out", "POST", public, self._sign_out),
            self._route("/account", "GET", public, self._show_account),
        ]

    def _route(self, path: str, method: str, permission: Permission, handle: Endpoint) -> Route:
        endpoint = self._site.guarded(self._gate.require(permission, handle))
        return Route(path, endpoint, methods=[method])

    async def _show_sign_in(self, request: Request) -> Response:
        if self._gate.is_local:
            return _go("/")
        return self._site.render("sign_in.html", next=_local(request.query_params.get("next")))

    async def _sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        login, password = form.get("login", ""), form.get("password", "")
        leads_to = _local(form.get("next"))
        actor = actor_from(request, ActorKind.UNKNOWN)
        address = request.client.host if request.client else ""

        def work() -> Response:
            secret = self._accounts.sign_in(login, password, actor, address=address)
            return self._signed_in(secret, leads_to)

        again = {"login": login, "next": leads_to}
        return await self._try(work, "sign_in.html", again)

    async def _show_join(self, request: Request) -> Response:
        link = request.query_params.get("link", "")
        return self._site.render("join.html", link=link, profiles=self._profiles())

    def _profiles(self) -> Mapping[str, str]:
        """Return what the first administrator chooses from, and what each means for people."""
        if not self._gate.is_local:
            return {}
        return {
            policy.profile: " ".join(describe(policy, detail_days=policy.detail_days)[2:])
            for policy in POLICIES.values()
        }

    async def _join(self, request: Request) -> Response:
        form = await read_form(request)
        link, login = form.get("link", ""), form.get("login", "")
        password = form.get("password", "")
        actor = actor_from(request, ActorKind.UNKNOWN)
        address = request.client.host if request.client else ""
        profiles, purpose = self._profiles(), form.get("purpose", "")

        def work() -> Response:
            chosen = form.get("profile", Profile.STANDARD)
            if profiles and chosen not in profiles:
                raise BadRequest("this is no privacy profile", hint="choose one of the list")
            self._accounts.join(link, login, password, actor)
            if profiles:
                self._choose_first(Profile(chosen), purpose, actor)
            secret = self._accounts.sign_in(login, password, actor, address=address)
            return self._signed_in(secret, "/account")

        again = {"link": link, "login": login, "profiles": profiles, "purpose": purpose}
        return await self._try(work, "join.html", again)

    async def _sign_out(self, request: Request) -> Response:
        session = self._gate.find_session(request)
        if session is not None:
            actor = actor_from(request, ActorKind.ACCOUNT, session.account.id)
            await self._workers.run(lambda: self._accounts.sign_out(session, actor))
        response = _go(SIGN_IN)
        response.delete_cookie(
            self._gate.cookie, secure=self._is_secure, httponly=True, samesite="lax"
        )
        return response

    async def _show_account(self, request: Request) -> Response:
        session = self._gate.find_session(request)
        if session is None:
            raise Unauthenticated("nobody is signed in", hint="sign in")
        return self._site.render("account.html", request, account=session.account, session=session)

    async def _try(
        self, work: Callable[[], Response], template: str, again: Mapping[str, object]
    ) -> Response:
        """Do it, or show the form again with what was wrong."""
        try:
            return await self._workers.run(work)
        except CodometerError as error:
            return self._site.render(template, status=error.status, error=error, **again)

    def _signed_in(self, secret: str, leads_to: str) -> Response:
        response = _go(leads_to)
        response.set_cookie(
            self._gate.cookie, secret, secure=self._is_secure, httponly=True, samesite="lax"
        )
        return response


def sign_in_address(request: Request) -> str:
    """Return where to sign in and come back from."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{SIGN_IN}?next={quote(here, safe='')}"


def _local(address: str | None) -> str:
    """Return an address of this site; any other, which a link might smuggle in, is the front page.

    Browsers take a backslash for a slash and drop tabs and line breaks.
    """
    if not address or not address.startswith("/") or address.startswith("//"):
        return "/"
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.isprintable() or "\\" in address:
        return "/"
    return address


def _go(address: str) -> RedirectResponse:
    return RedirectResponse(address, _SEE_OTHER)
