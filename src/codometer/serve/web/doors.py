"""What the pages of sign-in and of one's own account are made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codometer.access.account import Session
from codometer.access.permissions import Permission
from codometer.errors import CodometerError, Unauthenticated
from codometer.serve.gate import Endpoint, Gate
from codometer.serve.web.forms import Obey
from codometer.serve.workers import Workers


class Site(Protocol):
    """What renders pages and answers for faults."""

    def guarded(self, handle: Endpoint) -> Endpoint:
        """Wrap an endpoint so that whatever it raises becomes an answer."""

    def form_route(
        self,
        path: str,
        permission: Permission,
        obey: Obey,
        *,
        page: str,
        is_sensitive: bool = False,
    ) -> Route:
        """Return a route behind the gate for a form of a page, which is obeyed once."""

    def render(
        self, template: str, request: Request, *, status: int = 200, **values: object
    ) -> Response:
        """Answer with a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The parts of the server that such a page needs."""

    site: Site
    gate: Gate
    workers: Workers

    def route(
        self,
        path: str,
        method: str,
        permission: Permission,
        handle: Endpoint,
        *,
        is_sensitive: bool = False,
    ) -> Route:
        """Return a route behind the gate; `is_sensitive` as there."""
        endpoint = self.gate.require(permission, handle, is_sensitive=is_sensitive)
        return Route(path, self.site.guarded(endpoint), methods=[method])

    async def attempt(
        self, request: Request, work: Callable[[], Response], template: str, **again: object
    ) -> Response:
        """Do it in a thread, or show the form again with what was wrong."""
        try:
            return await self.workers.run(work)
        except CodometerError as error:
            return await self.show(template, request, status=error.status, error=error, **again)

    async def show(
        self, template: str, request: Request, *, status: int = 200, **values: object
    ) -> Response:
        """Answer with a page, made in a thread: the frame asks the database too."""
        return await self.workers.run(
            lambda: self.site.render(template, request, status=status, **values)
        )

    def get_session(self, request: Request) -> Session:
        """Return the session of whoever is signed in.

        Raises:
            Unauthenticated: nobody is.
        """
        session = self.gate.find_session(request)
        if session is None:
            raise Unauthenticated("nobody is signed in", hint="sign in")
        return session
