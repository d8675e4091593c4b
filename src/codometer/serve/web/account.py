"""One's own account: its password, its second factor, and where it is signed in."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codometer.access.account import Session
from codometer.access.accounts import Accounts
from codometer.access.federation import Federation
from codometer.access.permissions import Permission
from codometer.access.second_factor import factor_address, make_factor_secret
from codometer.access.signing_in import NEW_FACTOR_LIFETIME, SigningIn
from codometer.access.tickets import TicketNotGood
from codometer.serve.gate import SECOND_FACTOR, address_of
from codometer.serve.web.doors import Doors
from codometer.serve.web.forms import Fields
from codometer.serve.web.ways import go

ACCOUNT: Final = "/account"
_OTHERS: Final = "others"


class OwnAccount:
    """The page of whoever is signed in about their account, and its forms."""

    def __init__(
        self,
        doors: Doors,
        accounts: Accounts,
        signing_in: SigningIn,
        federation: Federation,
    ) -> None:
        self._doors = doors
        self._render = doors.site.render
        self._accounts = accounts
        self._signing_in = signing_in
        self._federation = federation

    def routes(self) -> list[Route]:
        """Return a route for the page and for each of its forms."""
        own, proof = Permission.OWN_ACCOUNT, Permission.OWN_PROOF
        route, form = self._doors.route, partial(self._doors.site.form_route, page=ACCOUNT)
        return [
            route(ACCOUNT, "GET", own, self._show),
            route(SECOND_FACTOR, "GET", proof, self._show_factor, is_sensitive=True),
            form(f"{ACCOUNT}/password", own, self._change_password),
            form(f"{ACCOUNT}/sessions", own, self._end_sessions),
            form(SECOND_FACTOR, proof, self._add_factor, page=SECOND_FACTOR, is_sensitive=True),
            form(f"{SECOND_FACTOR}/codes", own, self._renew_codes, is_sensitive=True),
            form(f"{SECOND_FACTOR}/remove", own, self._remove_factor, is_sensitive=True),
            form(f"{ACCOUNT}/disconnect", own, self._disconnect, is_sensitive=True),
        ]

    async def _show(self, request: Request) -> Response:
        if self._doors.gate.is_local:
            return go("/")
        shown = await self._read_shown(request)
        return await self._doors.show("account.html", request, **shown)

    async def _change_password(self, request: Request, form: Fields) -> Response:
        session = self._doors.get_session(request)
        old, new = form.get("password", ""), form.get("new", "")
        actor, address = request.state.subject.actor, address_of(request)

        def work() -> Response:
            secret = self._signing_in.change_password(session, old, new, actor, address=address)
            return self._doors.gate.let_in(go(ACCOUNT), secret)

        again = await self._read_shown(request)
        return await self._doors.attempt(request, work, "account.html", **again)

    async def _end_sessions(self, request: Request, form: Fields) -> Response:
        session = self._doors.get_session(request)
        which, actor = form.get("session", ""), request.state.subject.actor
        account_id = session.account.id

        def work() -> Response:
            if which == _OTHERS:
                self._accounts.end_sessions(account_id, actor, but=session)
            else:
                self._accounts.end_session(which, actor, account_id=account_id)
            return go(ACCOUNT)

        again = await self._read_shown(request)
        return await self._doors.attempt(request, work, "account.html", **again)

    async def _show_factor(self, request: Request) -> Response:
        if self._doors.gate.is_local:
            return go("/")
        session = self._doors.get_session(request)
        ticket = self._find_proposed(request, session) or self._signing_in.propose_factor(
            session, make_factor_secret()
        )
        proposal = self._proposal(request, ticket)
        shown = await self._doors.show("second_factor.html", request, **proposal)
        seconds = int(NEW_FACTOR_LIFETIME.total_seconds())
        return self._doors.gate.leave_ticket(shown, ticket, seconds)

    async def _add_factor(self, request: Request, form: Fields) -> Response:
        session = self._doors.get_session(request)
        ticket, code = form.get("ticket", ""), form.get("code", "")
        actor = request.state.subject.actor
        again = self._proposal(request, ticket)

        def work() -> Response:
            codes = self._signing_in.add_factor(session, ticket, code, actor)
            shown = self._render("recovery_codes.html", request, codes=codes)
            return self._doors.gate.take_ticket(shown)

        return await self._doors.attempt(request, work, "second_factor.html", **again)

    async def _renew_codes(self, request: Request, _: Fields) -> Response:
        session, actor = self._doors.get_session(request), request.state.subject.actor

        def work() -> Response:
            codes = self._signing_in.renew_codes(session, actor)
            return self._render("recovery_codes.html", request, codes=codes)

        again = await self._read_shown(request)
        return await self._doors.attempt(request, work, "account.html", **again)

    async def _remove_factor(self, request: Request, _: Fields) -> Response:
        session, actor = self._doors.get_session(request), request.state.subject.actor
        await self._doors.workers.run(lambda: self._signing_in.remove_factor(session, actor))
        return go(ACCOUNT)

    async def _disconnect(self, request: Request, form: Fields) -> Response:
        session, actor = self._doors.get_session(request), request.state.subject.actor
        issuer = form.get("issuer", "")

        def work() -> Response:
            self._federation.disconnect(session.account.id, issuer, actor)
            return go(ACCOUNT)

        again = await self._read_shown(request)
        return await self._doors.attempt(request, work, "account.html", **again)

    async def _read_shown(self, request: Request) -> dict[str, Any]:
        session = self._doors.get_session(request)
        return await self._doors.workers.run(lambda: self._shown(session))

    def _shown(self, session: Session) -> dict[str, Any]:
        now, account_id = self._doors.gate.now(), session.account.id
        sessions = self._accounts.known.list_sessions(now, account_id=account_id)
        return {
            "session": session,
            "account": session.account,
            "sessions": sorted(sessions, key=lambda each: each.used, reverse=True),
            "codes_left": self._signing_in.count_codes(session),
            "connected": [
                (self._federation.find_label(each.issuer), each)
                for each in session.account.identities
            ],
            "providers": {
                name: label
                for name, label in self._federation.labels.items()
                if name not in self._federation.list_connected(session.account)
            },
        }

    def _find_proposed(self, request: Request, session: Session) -> str:
        """Return the ticket that this browser was given, or "": who scanned it may look again."""
        ticket = self._doors.gate.find_ticket(request)
        try:
            self._signing_in.read_proposal(session, ticket)
        except TicketNotGood:
            return ""
        return ticket

    def _proposal(self, request: Request, ticket: str) -> dict[str, Any]:
        """Return what the page shows that a telephone scans."""
        session = self._doors.get_session(request)
        secret = self._signing_in.read_proposal(session, ticket)
        return {
            "ticket": ticket,
            "secret": secret,
            "picture": _draw(factor_address(secret, session.account.login)),
        }


def _draw(address: str) -> Markup:
    """Draw an address for a telephone to read: always dark on light, which all of them can."""
    picture = segno.make(address, error="m", micro=False)
    drawn = picture.svg_inline(border=4, light="#fff", dark="#000", omitsize=True)
    return Markup(drawn)  # noqa: S704 - made of numbers
