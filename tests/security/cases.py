"""One request for every route: who may is answered `done`, and nothing changes by it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from codometer.access.permissions import Permission
from tests.unit.serve.test_api_access import find_permission

JSON: Final = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How to ask a route. `path` is its own if none is given."""

    path: str = ""
    content: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    done: int = 200
    without_session: int | None = None
    """What it answers to who has the permission and no session, if that is something else."""


def form(without_session: int | None = None) -> Case:
    """Return a case for a form: what is no form is refused behind the gate, and is no try."""
    return Case(done=415, without_session=without_session)


def action(content: str = "{}", done: int = 400, without_session: int | None = None) -> Case:
    """Return a case for an action: by what it lacks, it is refused behind the gate."""
    return Case(content=content, headers=JSON, done=done, without_session=without_session)


CASES: Final[Mapping[tuple[str, str], Case]] = {
    ("GET", "/"): Case(),
    ("GET", "/assets/{name}"): Case(path="/assets/nothing.css", done=404),
    ("GET", "/events"): Case(),
    ("GET", "/sign-in"): Case(),
    ("POST", "/sign-in"): form(),
    ("POST", "/sign-in/code"): form(),
    ("GET", "/sign-in/with/{provider}"): Case(done=404),
    ("GET", "/sign-in/return/{provider}"): Case(done=404),
    ("POST", "/sign-out"): form(without_session=303),
    ("GET", "/join"): Case(done=410),
    ("POST", "/join"): form(),
    ("GET", "/account"): Case(without_session=401),
    ("POST", "/account/password"): form(),
    ("POST", "/account/sessions"): form(),
    ("GET", "/account/second-factor"): Case(without_session=401),
    ("POST", "/account/second-factor"): form(),
    ("POST", "/account/second-factor/codes"): form(),
    ("POST", "/account/second-factor/remove"): form(),
    ("POST", "/account/connect/{provider}"): form(),
    ("POST", "/account/disconnect"): form(),
    ("GET", "/confirm"): Case(without_session=401),
    ("POST", "/confirm"): form(),
    ("GET", "/confirm/{provider}"): Case(done=404, without_session=401),
    ("GET", "/me"): Case(),
    ("POST", "/me/export"): form(),
    ("POST", "/me/agree"): form(),
    ("POST", "/me/withdraw"): form(),
    ("GET", "/access"): Case(),
    ("GET", "/access/invite"): Case(),
    ("POST", "/access/invite"): form(),
    ("GET", "/access/account"): Case(done=404),
    ("GET", "/access/account/change"): Case(done=404),
    ("POST", "/access/account/change"): form(),
    ("GET", "/access/account/act"): Case(done=404),
    ("POST", "/access/account/act"): form(),
    ("POST", "/access/invitation/withdraw"): form(),
    ("GET", "/access/credentials"): Case(),
    ("GET", "/access/credentials/new"): Case(),
    ("POST", "/access/credentials/new"): form(),
    ("GET", "/access/credential"): Case(done=404),
    ("GET", "/access/credential/rotate"): Case(done=404),
    ("POST", "/access/credential/rotate"): form(),
    ("GET", "/access/credential/revoke"): Case(done=404),
    ("POST", "/access/credential/revoke"): form(),
    ("POST", "/me/ask"): form(),
    ("GET", "/audit"): Case(),
    ("POST", "/audit/export"): form(),
    ("GET", "/privacy"): Case(),
    ("GET", "/privacy/change"): Case(),
    ("POST", "/privacy/change"): form(),
    ("GET", "/privacy/record"): Case(),
    ("GET", "/privacy/redaction"): Case(),
    ("POST", "/privacy/redaction"): form(),
    ("GET", "/privacy/requests"): Case(),
    ("POST", "/privacy/requests/do"): form(),
    ("GET", "/privacy/requests/erase"): Case(done=404),
    ("POST", "/privacy/requests/erase"): form(),
    ("POST", "/privacy/requests/decline"): form(),
    ("GET", "/privacy/retention"): Case(),
    ("POST", "/privacy/retention/hold"): form(),
    ("POST", "/privacy/retention/lift"): form(),
    ("GET", "/privacy/reveals"): Case(),
    ("POST", "/privacy/reveals"): form(),
    ("POST", "/privacy/reveals/open"): form(),
    ("POST", "/privacy/reveals/decide"): form(),
    ("POST", "/privacy/reveals/lend"): form(),
    ("POST", "/privacy/reveals/end"): form(),
    ("GET", "/healthz"): Case(),
    ("GET", "/readyz"): Case(),
    ("GET", "/api/v1/openapi.json"): Case(),
    ("GET", "/api/v1/query"): Case(path="/api/v1/query?measures=cost,tokens&by=team"),
    ("GET", "/api/v1/measures"): Case(),
    ("GET", "/api/v1/dimensions"): Case(),
    ("GET", "/api/v1/status"): Case(),
    ("GET", "/api/v1/config"): Case(),
    ("GET", "/api/v1/privacy"): Case(),
    ("POST", "/api/v1/privacy"): action(),
    ("POST", "/api/v1/privacy/cancel"): action(),
    ("GET", "/api/v1/retention"): Case(),
    ("POST", "/api/v1/retention/hold"): action(),
    ("POST", "/api/v1/retention/lift"): action(),
    ("GET", "/api/v1/keys"): Case(),
    ("POST", "/api/v1/keys/delete"): action(),
    ("POST", "/api/v1/keys/rotate"): action('{"key": "none"}'),
    ("GET", "/api/v1/audit"): Case(),
    ("GET", "/api/v1/audit/verification"): Case(),
    ("GET", "/api/v1/credentials"): Case(),
    ("POST", "/api/v1/credentials"): action(),
    ("POST", "/api/v1/credentials/{id}/rotate"): action(done=404),
    ("POST", "/api/v1/credentials/{id}/revoke"): action(done=404),
    ("GET", "/api/v1/accounts"): Case(),
    ("GET", "/api/v1/account-sessions"): Case(),
    ("POST", "/api/v1/account-sessions/{id}/end"): action(done=404),
    ("GET", "/api/v1/invitations"): Case(),
    ("POST", "/api/v1/invitations/{id}/withdraw"): action(done=404),
    ("POST", "/api/v1/accounts/invite"): action(),
    ("POST", "/api/v1/accounts/{id}/change"): action(),
    ("POST", "/api/v1/accounts/{id}/disable"): action(done=404),
    ("POST", "/api/v1/accounts/{id}/disconnect"): action(),
    ("POST", "/api/v1/accounts/{id}/reset"): action(done=404),
    ("POST", "/api/v1/accounts/{id}/second-factor/remove"): action(done=404),
    ("POST", "/api/v1/accounts/{id}/sign-out"): action(done=404),
    ("GET", "/api/v1/content/projects"): Case(),
    ("GET", "/api/v1/content/own"): Case(),
    # Whose these are is asked behind the gate: an account must be known to be some person's.
    ("POST", "/api/v1/content/agree"): action(done=403),
    ("POST", "/api/v1/content/withdraw"): action(done=403),
    ("POST", "/api/v1/content/withdraw_for"): action(),
    ("POST", "/api/v1/content/read"): action(done=200, without_session=403),
    ("POST", "/api/v1/content/projects/open"): action(),
    ("POST", "/api/v1/content/projects/close"): action(),
    ("POST", "/api/v1/people/show"): action(),
    ("POST", "/api/v1/people/export"): action(),
    ("POST", "/api/v1/people/forget"): action(),
    ("POST", "/api/v1/people/merge"): action(),
    ("GET", "/api/v1/people/requests"): Case(),
    ("POST", "/api/v1/people/requests/do"): action(),
    ("POST", "/api/v1/people/requests/decline"): action(),
    ("POST", "/api/v1/people/split"): action(),
    ("POST", "/api/v1/people/treat"): action(),
    ("POST", "/api/v1/people/link"): action(done=404),
    ("POST", "/api/v1/people/unlink"): action(done=404),
    ("GET", "/api/v1/reveals"): Case(),
    ("GET", "/api/v1/people"): Case(),
    ("GET", "/api/v1/teams"): Case(),
    ("POST", "/api/v1/teams/assign"): action(),
    ("POST", "/api/v1/teams/remove"): action(),
    ("POST", "/api/v1/teams/history"): action(),
}


def list_routes(app: Starlette) -> Iterator[tuple[str, str, Permission | None]]:
    """Return the method, path and permission of every route, as the application has them."""
    for route in app.routes:
        assert isinstance(route, Route), route
        for method in (route.methods or {"ANY"}) - {"HEAD"}:
            yield method, route.path, find_permission(route)


def fill_in(path: str) -> str:
    """Return an address of a route, whatever it has in braces."""
    return re.sub(r"{[^}]+}", "none", path)
