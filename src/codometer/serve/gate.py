"""Who asks, and whether they may: every route stands behind a gate that names its permission.

A credential that is presented counts, also in local mode. Without one, it is who
signed in; and as long as there are no accounts, the person at the keyboard.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, NoReturn
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from codometer.access.access import Access
from codometer.access.account import Session
from codometer.access.actor import Actor, ActorKind, truncate_address
from codometer.access.admission import check_secret, find_bearer
from codometer.access.permissions import (
    EVERYTHING,
    ROLES,
    SCOPES,
    Permission,
    Role,
    Subject,
    is_allowed,
)
from codometer.access.rate_limit import RateLimit
from codometer.errors import Forbidden, TooManyTries, Unauthenticated
from codometer.serve.http import CrossSite

Endpoint = Callable[[Request], Awaitable[Response]]

_FAILURES: Final = 20
_FAILURES_SECONDS: Final = 60.0
_REQUEST_ID_BYTES: Final = 8
SECURE_COOKIE: Final = "__Host-codometer"
PLAIN_COOKIE: Final = "codometer"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Decides for each request; deny is what happens when nothing else was said."""

    def __init__(
        self,
        access: Access,
        *,
        url: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`url` is where people open the pages, if that is not here."""
        self._access = access
        self._now = now
        self._failures = RateLimit(_FAILURES, _FAILURES_SECONDS)
        self._own_site = urlsplit(url).netloc
        self.cookie = SECURE_COOKIE if url else PLAIN_COOKIE
        """The name of the cookie that a session is in."""

    @property
    def is_local(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self._access.sessions.have_accounts

    def require(self, permission: Permission, handle: Endpoint) -> Endpoint:
        """Wrap an endpoint so that only who has the permission reaches it.

        Whoever it is stands in `request.state.subject` then. The wrapper raises
        Unauthenticated, Forbidden or TooManyTries.
        """

        async def endpoint(request: Request) -> Response:
            if request.method not in _SAFE_METHODS:
                self._refuse_other_sites(request)
            if permission is Permission.PUBLIC:
                return await handle(request)
            subject = self._identify(request)
            if not is_allowed(subject, permission):
                self._refuse(request, subject, permission)
            request.state.subject = subject
            return await handle(request)

        endpoint.permission = permission  # type: ignore[attr-defined] # a test reads it of every route
        return endpoint

    def find_session(self, request: Request) -> Session | None:
        """Return the session of whoever is signed in."""
        secret = request.cookies.get(self.cookie)
        return self._access.sessions.find(secret, self._now()) if secret else None

    def find_person(self, request: Request) -> Subject | None:
        """Return who sits in front of the browser; None where nobody has signed in."""
        if self.is_local:
            return Subject(actor=actor_from(request, ActorKind.LOCAL), granted=EVERYTHING)
        if (session := self.find_session(request)) is None:
            return None
        account = session.account
        return Subject(
            actor=actor_from(request, ActorKind.ACCOUNT, account.id),
            granted=account.granted(self._now()),
            teams=account.teams,
        )

    def _identify(self, request: Request) -> Subject:
        if (secret := find_bearer(request.headers.get("authorization"))) is not None:
            return self._identify_program(request, secret)
        if (person := self.find_person(request)) is None:
            raise Unauthenticated(
                "nobody is signed in", hint="sign in, or send a credential (CODOMETER_CREDENTIAL)"
            )
        return person

    def _identify_program(self, request: Request, secret: str) -> Subject:
        address = request.client.host if request.client else ""
        if hmac.compare_digest(
            secret.encode("utf-8", "replace"), self._access.operator_secret.encode()
        ):
            actor = actor_from(request, ActorKind.LOCAL)
            return Subject(actor=actor, granted=ROLES[Role.ADMINISTRATOR])
        if not self._failures.has_room(address):
            raise TooManyTries(
                "too many credentials from this address were not good", hint="wait a minute"
            )
        try:
            known = check_secret(self._access.known, secret, self._now(), address=address)
        except Unauthenticated:
            self._failures.take(address)
            raise
        credential = known.credential
        actor = actor_from(request, ActorKind.CREDENTIAL, credential.id)
        return Subject(actor=actor, granted=credential.scopes & SCOPES[credential.kind])

    def _refuse(self, request: Request, subject: Subject, permission: Permission) -> NoReturn:
        actor = subject.actor
        address = request.client.host if request.client else ""
        self._access.known.note_refusal(f"lacks {permission}", actor.id, address)
        what = "credential" if actor.kind is ActorKind.CREDENTIAL else "role"
        raise Forbidden(f"this needs the permission {permission}", hint=f"use a {what} that has it")

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


def actor_from(request: Request, kind: ActorKind, actor_id: str = "") -> Actor:
    """Return who acts with a request, as the audit log keeps it."""
    address = truncate_address(request.client.host if request.client else "")
    request_id = secrets.token_hex(_REQUEST_ID_BYTES)
    return Actor(kind=kind, id=actor_id, address=address, request=request_id)
