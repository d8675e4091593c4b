"""Who asks, and whether they may: every route stands behind a gate that names its permission.

A credential that is presented counts, also in local mode; without one, whoever
reaches a server in local mode is the person at its keyboard.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from codometer.access.actor import Actor, ActorKind, truncate_address
from codometer.access.admission import check_secret, find_bearer
from codometer.access.credentials import actor_of
from codometer.access.known import KnownCredentials
from codometer.access.permissions import EVERYTHING, Permission, Subject, is_allowed
from codometer.access.rate_limit import RateLimit
from codometer.errors import Forbidden, TooManyTries, Unauthenticated

Endpoint = Callable[[Request], Awaitable[Response]]

_FAILURES: Final = 20
_FAILURES_SECONDS: Final = 60.0
_REQUEST_ID_BYTES: Final = 8
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})


class Gate:
    """Decides for each request; deny is what happens when nothing else was said."""

    def __init__(
        self, known: KnownCredentials, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._known = known
        self._now = now
        self._failures = RateLimit(_FAILURES, _FAILURES_SECONDS)

    def require(self, permission: Permission, handle: Endpoint) -> Endpoint:
        """Wrap an endpoint so that only who has the permission reaches it.

        Whoever it is stands in `request.state.subject` then. The wrapper raises
        Unauthenticated, Forbidden or TooManyTries.
        """

        async def endpoint(request: Request) -> Response:
            if permission is Permission.PUBLIC:
                return await handle(request)
            if request.method not in _SAFE_METHODS:
                _refuse_other_sites(request)
            subject = self._identify(request)
            if not is_allowed(subject, permission):
                address = subject.actor.address
                self._known.note_refusal(f"lacks {permission}", subject.actor.id, address)
                raise Forbidden(
                    f"this needs the permission {permission}",
                    hint="use a credential that has it among its scopes",
                )
            request.state.subject = subject
            return await handle(request)

        endpoint.permission = permission  # type: ignore[attr-defined] # a test reads it of every route
        return endpoint

    def _identify(self, request: Request) -> Subject:
        address = request.client.host if request.client else ""
        request_id = secrets.token_hex(_REQUEST_ID_BYTES)
        secret = find_bearer(request.headers.get("authorization"))
        if secret is None:
            actor = Actor(
                kind=ActorKind.LOCAL, address=truncate_address(address), request=request_id
            )
            return Subject(actor=actor, granted=EVERYTHING)
        if not self._failures.has_room(address):
            raise TooManyTries(
                "too many credentials from this address were not good", hint="wait a minute"
            )
        try:
            credential = check_secret(self._known, secret, self._now(), address=address).credential
        except Unauthenticated:
            self._failures.take(address)
            raise
        actor = actor_of(credential)
        actor = replace(actor, address=truncate_address(address), request=request_id)
        return Subject(actor=actor, granted=credential.scopes)


def _refuse_other_sites(request: Request) -> None:
    """Refuse what a page of another site had a browser send.

    Browsers say where a request comes from; programs say nothing.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    is_own = site in _OWN_SITES if site else origin is None or urlsplit(origin).netloc == host
    if not is_own:
        raise Forbidden("a page of another site cannot change anything here")
