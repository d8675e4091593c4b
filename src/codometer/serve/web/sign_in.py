"""The pages of sign-in: forms that work without scripts, and what they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codometer.access.account import Account
from codometer.access.accounts import Accounts
from codometer.access.actor import ActorKind
from codometer.access.audit import Change
from codometer.access.federation import Federation
from codometer.access.permissions import Permission
from codometer.access.signing_in import SigningIn, Step
from codometer.errors import BadRequest
from codometer.privacy.profile import POLICIES, Profile, describe, find_kept
from codometer.serve.gate import CONFIRM, actor_from, address_of
from codometer.serve.web.doors import Doors
from codometer.serve.web.forms import Fields, read_form
from codometer.serve.web.ways import SIGN_IN, go, local_address
from codometer.settings import Retention

_CODE: Final = f"{SIGN_IN}/code"


class ChooseFirst(Protocol):
    """Begins an organisation."""

    def __call__(self, profile: Profile, purpose: str, change: Change) -> object:
        """Take its privacy profile and purpose, with the change that makes its first account."""


class SignIn:
    """Signing in and out, joining by a link, and showing again who one is."""

    def __init__(
        self,
        doors: Doors,
        accounts: Accounts,
        signing_in: SigningIn,
        federation: Federation,
        *,
        choose_first: ChooseFirst,
    ) -> None:
        """`choose_first` takes what the first administrator chose of privacy."""
        self._doors = doors
        self._render = doors.site.render
        self._accounts = accounts
        self._signing_in = signing_in
        self._federation = federation
        self._choose_first = choose_first

    def routes(self) -> list[Route]:
        """Return a route for each of them."""
        public, proof = Permission.PUBLIC, Permission.OWN_PROOF
        route, form = self._doors.route, self._doors.site.form_route
        return [
            route(SIGN_IN, "GET", public, self._show_sign_in),
            form(SIGN_IN, public, self._sign_in, page=SIGN_IN),
            form(_CODE, public, self._take_code, page=SIGN_IN),
            route("/join", "GET", public, self._show_join),
            form("/join", public, self._join, page=SIGN_IN),
            route("/sign-out", "POST", public, self._sign_out),
            route(CONFIRM, "GET", proof, self._show_confirm),
            form(CONFIRM, proof, self._confirm, page=CONFIRM),
        ]

    async def _show_sign_in(self, request: Request) -> Response:
        if self._doors.gate.is_local:
            return go("/")
        leads_to = local_address(request.query_params.get("next"))
        return await self._doors.show("sign_in.html", request, **self._ways(leads_to))

    async def _sign_in(self, request: Request, form: Fields) -> Response:
        login, password = form.get("login", ""), form.get("password", "")
        leads_to = local_address(form.get("next"))
        actor, address = actor_from(request, ActorKind.UNKNOWN), address_of(request)

        def work() -> Response:
            step = self._signing_in.with_password(login, password, actor, address=address)
            return self._go_on(request, step, leads_to)

        again = {"login": login, **self._ways(leads_to)}
        return await self._doors.attempt(request, work, "sign_in.html", **again)

    async def _take_code(self, request: Request, form: Fields) -> Response:
        ticket, code = form.get("ticket", ""), form.get("code", "")
        leads_to = local_address(form.get("next"))
        actor, address = actor_from(request, ActorKind.UNKNOWN), address_of(request)

        def work() -> Response:
            secret = self._signing_in.with_code(ticket, code, actor, address=address)
            return self._doors.gate.let_in(go(leads_to), secret)

        again = {"ticket": ticket, "next": leads_to}
        return await self._doors.attempt(request, work, "code.html", **again)

    async def _show_join(self, request: Request) -> Response:
        link = request.query_params.get("link", "")
        found = await self._doors.workers.run(lambda: self._accounts.find_link(link))
        account = found.account.login if found.account else ""
        return await self._doors.show("join.html", request, **self._joining(link, account))

    async def _join(self, request: Request, form: Fields) -> Response:
        link, login = form.get("link", ""), form.get("login", "")
        password, purpose = form.get("password", ""), form.get("purpose", "")
        actor = actor_from(request, ActorKind.UNKNOWN)
        profiles = self._profiles()

        def work() -> Response:
            chosen = form.get("profile", Profile.STANDARD)
            if profiles and chosen not in profiles:
                raise BadRequest("this is no privacy profile", hint="choose one of the list")

            def choose(change: Change) -> None:
                if profiles:
                    self._choose_first(Profile(chosen), purpose, change)

            account = self._accounts.join(link, login, password, actor, together_with=choose)
            step = self._signing_in.with_link(account.id, actor)
            return self._go_on(request, step, "/account")

        again = {"login": login, "purpose": purpose, **self._joining(link, form.get("account", ""))}
        return await self._doors.attempt(request, work, "join.html", **again)

    async def _sign_out(self, request: Request) -> Response:
        session = self._doors.gate.find_session(request)
        if session is not None:
            await read_form(request)
            actor = actor_from(request, ActorKind.ACCOUNT, session.account.id)
            await self._doors.workers.run(lambda: self._signing_in.sign_out(session, actor))
        return self._doors.gate.let_out(go(SIGN_IN))

    async def _show_confirm(self, request: Request) -> Response:
        leads_to = local_address(request.query_params.get("next"))
        if self._doors.gate.is_local:
            return go(leads_to)
        account = self._doors.get_session(request).account
        shown = await self._doors.workers.run(lambda: self._confirming(account, leads_to))
        return await self._doors.show("confirm.html", request, **shown)

    async def _confirm(self, request: Request, form: Fields) -> Response:
        session = self._doors.get_session(request)
        password, code = form.get("password", ""), form.get("code", "")
        leads_to = local_address(form.get("next"))
        actor, address = request.state.subject.actor, address_of(request)

        def work() -> Response:
            secret = self._signing_in.confirm(session, password, code, actor, address=address)
            return self._doors.gate.let_in(go(leads_to), secret)

        again = await self._doors.workers.run(lambda: self._confirming(session.account, leads_to))
        return await self._doors.attempt(request, work, "confirm.html", **again)

    def _go_on(self, request: Request, step: Step, leads_to: str) -> Response:
        if step.session:
            return self._doors.gate.let_in(go(leads_to), step.session)
        return self._render("code.html", request, ticket=step.ticket, next=leads_to)

    def _ways(self, leads_to: str) -> dict[str, Any]:
        return {
            "next": leads_to,
            "has_passwords": self._signing_in.has_passwords,
            "providers": self._federation.labels,
        }

    def _confirming(self, account: Account, leads_to: str) -> dict[str, Any]:
        connected = self._federation.list_connected(account)
        labels = self._federation.labels.items()
        ways = {name: label for name, label in labels if name in connected}
        return {"account": account, "next": leads_to, "providers": ways}

    def _joining(self, link: str, account: str) -> dict[str, Any]:
        """Return what the page of a link shows; `account` is whose password it is for."""
        return {
            "link": link,
            "account": account,
            "profiles": self._profiles(),
            "providers": {} if account or self._doors.gate.is_local else self._federation.labels,
            "has_passwords": self._signing_in.has_passwords,
        }

    def _profiles(self) -> Mapping[str, str]:
        """Return what the first administrator chooses from, and what each means for people."""
        if not self._doors.gate.is_local:
            return {}
        return {
            policy.profile: " ".join(describe(policy, find_kept(policy, Retention())).meaning)
            for policy in POLICIES.values()
        }
