"""Who asks, and whether they may: every route stands behind a gate that names its permission.

A credential that is presented counts, also in local mode. Without one, it is who
signed in; and as long as there are no accounts, the person at the keyboard.

A form proves that a page of ours holds it: by a token that follows from a cookie of
its browser, the one of the session or, for who has none yet, one of the visit. Each form
has a token of its own, so that it can be told from another that says the same.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NoReturn
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from codometer.access.access import Access
from codometer.access.account import Session
from codometer.access.actor import Actor, ActorKind, truncate_address
from codometer.access.admission import check_secret, find_bearer
from codometer.access.permissions import (
    BEFORE_FACTOR,
    EVERYTHING,
    ROLES,
    SENSITIVE,
    Permission,
    Role,
    Subject,
    is_allowed,
)
from codometer.access.rate_limit import RateLimit
from codometer.errors import (
    BadRequest,
    CodometerError,
    Forbidden,
    LacksPermission,
    ProofTooOld,
    SecondFactorNeeded,
    TooManyExports,
    TooManyRequests,
    TooManyTries,
    Unauthenticated,
)
from codometer.networks import find_neighbourhood
from codometer.serve.http import CrossSite
from codometer.settings import Listen

Endpoint = Callable[[Request], Awaitable[Response]]

_LOCAL: Final = Listen()
_FAILURES: Final = 20
_FAILURES_SECONDS: Final = 60.0
_REQUESTS: Final = 600
_REQUESTS_SECONDS: Final = 60.0
_EXPORTS: Final = 10
_EXPORTS_SECONDS: Final = 3600.0
_REQUEST_ID_BYTES: Final = 8
_VISIT_BYTES: Final = 32
_FORM_DIGITS: Final = 32
"""Those of a token in front that make it another than all others."""
SECURE_COOKIE: Final = "__Host-codometer"
PLAIN_COOKIE: Final = "codometer"
CONFIRM: Final = "/confirm"
"""Where whoever is signed in shows again that it is them."""
SECOND_FACTOR: Final = "/account/second-factor"
"""Where somebody sets up a second factor."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class FormTooOld(Forbidden):
    """A form that no page of ours holds now: it was open for long, or another site made it."""

    code = "form_too_old"


class Gate:
    """Decides for each request; deny is what happens when nothing else was said."""

    def __init__(
        self,
        access: Access,
        listen: Listen = _LOCAL,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._access = access
        self.now = now
        self._failures = RateLimit(_FAILURES, _FAILURES_SECONDS)
        self._requests = RateLimit(_REQUESTS, _REQUESTS_SECONDS)
        self._exports = RateLimit(_EXPORTS, _EXPORTS_SECONDS)
        self._own_site = urlsplit(listen.url).netloc
        self._is_secure = listen.is_secure
        self.cookie = SECURE_COOKIE if listen.is_secure else PLAIN_COOKIE
        """The name of the cookie that a session is in."""
        self._visit_cookie = f"{self.cookie}-visit"
        self._ticket_cookie = f"{self.cookie}-ticket"

    @property
    def is_local(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self._access.sessions.have_accounts

    def require(
        self,
        permission: Permission,
        handle: Endpoint,
        *,
        is_sensitive: bool = False,
        is_export: bool = False,
    ) -> Endpoint:
        """Wrap an endpoint so that only who has the permission reaches it.

        Whoever it is stands in `request.state.subject` then. What needs a `SENSITIVE`
        permission, or `is_sensitive` by itself, is for who showed lately that it is them.
        `is_export` are whole copies, of which one may take a few an hour. The wrapper raises
        Unauthenticated, Forbidden, ProofTooOld, SecondFactorNeeded, TooManyTries or
        TooManyRequests.
        """
        needs_proof = is_sensitive or permission in SENSITIVE

        async def endpoint(request: Request) -> Response:
            request.state.check_form = lambda token: self._check_form(request, token)
            if request.method not in _SAFE_METHODS:
                self._refuse_other_sites(request)
            if permission is not Permission.PUBLIC:
                subject = self._identify(request)
                if not is_allowed(subject, permission):
                    self._refuse(request, subject, permission)
                if needs_proof and subject.actor.kind is ActorKind.ACCOUNT:
                    self._require_proof(request)
                if is_export:
                    self._count_export(subject)
                request.state.subject = subject
            request.state.is_still_allowed = lambda: self._is_still_allowed(request, permission)
            response = await handle(request)
            if (visit := getattr(request.state, "new_visit", None)) is not None:
                self._set_cookie(response, self._visit_cookie, visit)
            return response

        endpoint.permission = permission  # type: ignore[attr-defined] # a test reads it of every route
        return endpoint

    def find_session(self, request: Request, *, is_use: bool = True) -> Session | None:
        """Return the session of whoever is signed in, and note that it is used, if it is."""
        secret = _find_cookie(request, self.cookie)
        return self._access.sessions.find(secret, self.now(), is_use=is_use) if secret else None

    def find_person(self, request: Request, *, is_use: bool = True) -> Subject | None:
        """Return who sits in front of the browser; None where nobody has signed in."""
        if self.is_local:
            return Subject(actor=actor_from(request, ActorKind.LOCAL), granted=EVERYTHING)
        session = self.find_session(request, is_use=is_use)
        if session is None or session.account.role is None:
            return None
        account, lacks_factor = session.account, self._access.signing_in.lacks_factor(session)
        return Subject(
            actor=actor_from(request, ActorKind.ACCOUNT, account.id),
            granted=BEFORE_FACTOR if lacks_factor else account.granted(self.now()),
            teams=account.teams,
        )

    def let_in(self, response: Response, secret: str) -> Response:
        """Have an answer leave a session's secret in the browser."""
        self._set_cookie(response, self.cookie, secret)
        return response

    def let_out(self, response: Response) -> Response:
        """Have an answer take the session out of the browser."""
        self._delete_cookie(response, self.cookie)
        return response

    def leave_ticket(self, response: Response, ticket: str, seconds: int) -> Response:
        """Have an answer leave a ticket in the browser, for as long as it is good."""
        self._set_cookie(response, self._ticket_cookie, ticket, seconds)
        return response

    def find_ticket(self, request: Request) -> str:
        """Return the ticket that a browser carries; "" where it has none."""
        return _find_cookie(request, self._ticket_cookie)

    def take_ticket(self, response: Response) -> Response:
        """Have an answer take the ticket out of the browser."""
        self._delete_cookie(response, self._ticket_cookie)
        return response

    def form_token(self, request: Request) -> str:
        """Return what one form must bring back that this answer shows; another each time."""
        secret = self._form_secret(request) or self._begin_visit(request)
        return _token_of(secret, secrets.token_hex(_FORM_DIGITS // 2))

    def _form_secret(self, request: Request) -> str:
        """Return the cookie that forms of a browser follow from; "" where it has none."""
        if self.find_session(request) is not None:
            return _find_cookie(request, self.cookie)
        return _find_cookie(request, self._visit_cookie)

    def _begin_visit(self, request: Request) -> str:
        found: str | None = getattr(request.state, "new_visit", None)
        if found is None:
            found = request.state.new_visit = secrets.token_urlsafe(_VISIT_BYTES)
        return found

    def _is_still_allowed(self, request: Request, permission: Permission) -> bool:
        """Tell whether who asked may still ask; to be told so is no use of a session or limit."""
        secret = find_bearer(request.headers.get("authorization"))
        try:
            subject = (
                self.find_person(request, is_use=False)
                if secret is None
                else self._find_program(request, secret)
            )
        except CodometerError:
            return False
        return subject is not None and is_allowed(subject, permission)

    def _check_form(self, request: Request, token: str) -> None:
        secret = self._form_secret(request)
        good = _token_of(secret, token[:_FORM_DIGITS]).encode("utf-8", "replace")
        if not secret or not hmac.compare_digest(good, token.encode("utf-8", "replace")):
            raise FormTooOld(
                "this form is too old, or is of another site",
                hint="load its page again, and send it once more",
            )

    def _set_cookie(
        self, response: Response, name: str, value: str, seconds: int | None = None
    ) -> None:
        response.set_cookie(
            name, value, seconds, secure=self._is_secure, httponly=True, samesite="lax"
        )

    def _delete_cookie(self, response: Response, name: str) -> None:
        response.delete_cookie(name, secure=self._is_secure, httponly=True, samesite="lax")

    def _require_proof(self, request: Request) -> None:
        session = self.find_session(request)
        if session is None or not session.is_proved(self.now()):
            raise ProofTooOld(
                "this needs a new proof that it is you",
                hint=f"confirm that at {CONFIRM}, and try again",
            )

    def _identify(self, request: Request) -> Subject:
        if (secret := find_bearer(request.headers.get("authorization"))) is not None:
            if "cookie" in request.headers:
                # A program has none; a browser with both has been made to send one of them.
                raise BadRequest("a credential came with cookies", hint="send one or the other")
            return self._identify_program(request, secret)
        if (person := self.find_person(request)) is None:
            raise Unauthenticated(
                "nobody is signed in", hint="sign in, or send a credential (CODOMETER_CREDENTIAL)"
            )
        return person

    def _identify_program(self, request: Request, secret: str) -> Subject:
        try:
            program = self._find_program(request, secret)
        except (Unauthenticated, Forbidden) as error:
            # Only what is not good waits: a thousand clients may share one proxy's address.
            if not self._failures.take(find_neighbourhood(address_of(request))):
                raise TooManyTries(
                    "too many credentials from this address were not good", hint="wait a minute"
                ) from error
            raise
        actor = program.actor
        if actor.kind is ActorKind.CREDENTIAL and not self._requests.take(actor.id):
            raise TooManyRequests(
                f"a credential may ask {_REQUESTS} times a minute", hint="ask less often"
            )
        return program

    def _find_program(self, request: Request, secret: str) -> Subject:
        if hmac.compare_digest(
            secret.encode("utf-8", "replace"), self._access.operator_secret.encode()
        ):
            actor = actor_from(request, ActorKind.LOCAL)
            return Subject(actor=actor, granted=ROLES[Role.ADMINISTRATOR])
        address = address_of(request)
        found = check_secret(self._access.known, secret, self.now(), address=address).credential
        actor = actor_from(request, ActorKind.CREDENTIAL, found.id)
        return Subject(actor=actor, granted=found.granted)

    def _count_export(self, subject: Subject) -> None:
        actor = subject.actor
        if not self._exports.take(f"{actor.kind} {actor.id}"):
            raise TooManyExports(
                f"that is more than {_EXPORTS} exports an hour", hint="wait a while"
            )

    def _refuse(self, request: Request, subject: Subject, permission: Permission) -> NoReturn:
        if subject.granted == BEFORE_FACTOR:
            raise SecondFactorNeeded(
                "here you need a second factor beside your password",
                hint=f"set one up at {SECOND_FACTOR}",
            )
        actor = subject.actor
        self._access.known.note_refusal(f"lacks {permission}", actor.id, address_of(request))
        what = "credential" if actor.kind is ActorKind.CREDENTIAL else "role"
        raise LacksPermission(permission, hint=f"use a {what} that has it")

    def _refuse_other_sites(self, request: Request) -> None:
        """Refuse a change that a page of another site had an old browser send.

        Newer ones say `Sec-Fetch-Site`, which `Guard` has looked at; programs say nothing.
        """
        origin = request.headers.get("origin")
        hosts = {request.headers.get("host", ""), self._own_site} - {""}
        if origin is not None and urlsplit(origin).netloc not in hosts:
            raise CrossSite(
                "a page of another site cannot change anything here",
                hint="open the address in the browser itself",
            )


def address_of(request: Request) -> str:
    """Return the whole address that a request came from, to count failures by."""
    return request.client.host if request.client else ""


def _find_cookie(request: Request, name: str) -> str:
    """Return a cookie's value; "" where there is none, or two, one of which another site set."""
    headers = request.headers.getlist("cookie")
    names = [pair.partition("=")[0].strip() for each in headers for pair in each.split(";")]
    return request.cookies.get(name, "") if names.count(name) == 1 else ""


def actor_from(request: Request, kind: ActorKind, actor_id: str = "") -> Actor:
    """Return who acts with a request, as the audit log keeps it."""
    address = truncate_address(address_of(request))
    request_id = secrets.token_hex(_REQUEST_ID_BYTES)
    return Actor(kind=kind, id=actor_id, address=address, request=request_id)


def _token_of(secret: str, form: str) -> str:
    """Return what follows from a cookie for one form, and what the cookie does not follow from."""
    text = f"codometer form {form}".encode("utf-8", "replace")
    return form + hmac.new(secret.encode("utf-8", "replace"), text, sha256).hexdigest()
