"""Signing in with providers of identities: the way to one, and the way back from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codometer.access.account import Session
from codometer.access.actor import ActorKind
from codometer.access.federation import TRANSACTION_LIFETIME, Aim, Federation
from codometer.access.permissions import Permission
from codometer.access.rate_limit import RateLimit
from codometer.errors import TooManyTries
from codometer.networks import find_neighbourhood
from codometer.serve.gate import CONFIRM, actor_from, address_of
from codometer.serve.http import NotFound
from codometer.serve.web.account import ACCOUNT
from codometer.serve.web.doors import Doors
from codometer.serve.web.forms import Fields
from codometer.serve.web.ways import SIGN_IN, go, local_address

_MOST_BEGUN: Final = 120
_BEGUN_SECONDS: Final = 60.0


class ProviderSignIn:
    """The routes of sign-in with the providers that the settings name.

    Most are links: what a form leads to must be of this site, says the policy of our pages. To
    connect an account is a form all the same, or a link elsewhere could have somebody connect
    theirs to another's identity; the page that answers it leads on.
    """

    def __init__(self, doors: Doors, federation: Federation) -> None:
        self._doors = doors
        self._federation = federation
        self._begun = RateLimit(_MOST_BEGUN, _BEGUN_SECONDS)

    def routes(self) -> list[Route]:
        """Return a route for each way there, and one back."""
        public, own = Permission.PUBLIC, Permission.OWN_ACCOUNT
        route, form = self._doors.route, partial(self._doors.site.form_route, page=ACCOUNT)
        return [
            route(f"{SIGN_IN}/with/{{provider}}", "GET", public, self._sign_in),
            route(f"{SIGN_IN}/return/{{provider}}", "GET", public, self._return),
            route(f"{CONFIRM}/{{provider}}", "GET", Permission.OWN_PROOF, self._confirm),
            form(f"{ACCOUNT}/connect/{{provider}}", own, self._connect, is_sensitive=True),
        ]

    async def _sign_in(self, request: Request) -> Response:
        if self._doors.gate.is_local:
            return go("/")
        return await self._begin(request, Aim.SIGN_IN)

    async def _confirm(self, request: Request) -> Response:
        return await self._begin(request, Aim.CONFIRM, self._doors.get_session(request))

    async def _connect(self, request: Request, _: Fields) -> Response:
        return await self._begin(request, Aim.CONNECT, self._doors.get_session(request))

    async def _begin(self, request: Request, aim: Aim, session: Session | None = None) -> Response:
        name = self._get_provider(request)
        if not self._begun.take(find_neighbourhood(address_of(request))):
            raise TooManyTries("too many sign-ins begin at this address", hint="wait a minute")
        given = request.query_params
        leads_to = ACCOUNT if aim is Aim.CONNECT else local_address(given.get("next"))

        def work() -> Response:
            address, ticket = self._federation.begin(
                name, aim, leads_to=leads_to, link=given.get("link", "")[:100], session=session
            )
            seconds = int(TRANSACTION_LIFETIME.total_seconds())
            response = go(address)
            if aim is Aim.CONNECT:
                label = self._federation.labels[name]
                response = self._doors.site.render(
                    "go_on.html", request, label=label, address=address
                )
                response.headers["refresh"] = f"0;url={address}"
            return self._doors.gate.leave_ticket(response, ticket, seconds)

        return await self._attempt(request, work, session, leads_to)

    async def _return(self, request: Request) -> Response:
        name, gate = self._get_provider(request), self._doors.gate
        ticket, session = gate.find_ticket(request), gate.find_session(request)
        actor = actor_from(request, ActorKind.UNKNOWN)
        if session is not None:
            actor = actor_from(request, ActorKind.ACCOUNT, session.account.id)
        given = dict(request.query_params)

        def work() -> Response:
            arrival = self._federation.finish(name, ticket, given, actor, session=session)
            response = go(arrival.leads_to)
            return gate.let_in(response, arrival.secret) if arrival.secret else response

        return gate.take_ticket(await self._attempt(request, work, session, "/"))

    async def _attempt(
        self, request: Request, work: Callable[[], Response], session: Session | None, leads_to: str
    ) -> Response:
        """Do it; whoever is not signed in is shown what was wrong beside the other ways in."""
        if session is not None:
            return await self._doors.workers.run(work)
        ways = {"providers": self._federation.labels, "next": leads_to}
        has_passwords = self._federation.has_passwords
        return await self._doors.attempt(
            request, work, "sign_in.html", has_passwords=has_passwords, **ways
        )

    def _get_provider(self, request: Request) -> str:
        name: str = request.path_params["provider"]
        if name not in self._federation.labels:
            raise NotFound(f"there is nothing at {request.url.path}")
        return name
