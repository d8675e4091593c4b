"""Builds the web application from its parts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codometer.access.access import Access
from codometer.access.permissions import NOBODY
from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import DIMENSIONS, resource_dimension
from codometer.analysis.measures.grain import FindGrain, any_grain
from codometer.people.census import take_census
from codometer.people.people import People
from codometer.people.queue import Queue
from codometer.people.requests import Requests
from codometer.people.retention import Retention
from codometer.people.reveals import Reveals
from codometer.people.teams import Teams
from codometer.privacy.profile import Profile
from codometer.serve.api.account_sessions import (
    account_session_actions,
    account_sessions_resource,
)
from codometer.serve.api.accounts import (
    account_actions,
    accounts_resource,
    invitation_actions,
    invitations_resource,
)
from codometer.serve.api.audit import audit_resource, verification_resource
from codometer.serve.api.catalogue import dimensions_resource, measures_resource
from codometer.serve.api.config import config_resource
from codometer.serve.api.content import content_actions, content_resources
from codometer.serve.api.credentials import credential_actions, credentials_resource
from codometer.serve.api.health import liveness_resource, readiness_resource
from codometer.serve.api.keys import delete_action, keys_resource, rotate_action
from codometer.serve.api.links import link_actions
from codometer.serve.api.openapi import openapi_resource
from codometer.serve.api.people import people_actions, people_resource
from codometer.serve.api.people_requests import (
    people_requests_actions,
    people_requests_resource,
)
from codometer.serve.api.privacy import cancel_action, privacy_action, privacy_resource
from codometer.serve.api.query import Ask, query_resource
from codometer.serve.api.resource import Action, Call, Given, Resource, check_parameters, read_body
from codometer.serve.api.retention import hold_actions, retention_resource
from codometer.serve.api.reveals import reveals_resource
from codometer.serve.api.status import StatusSource, status_resource
from codometer.serve.api.teams import team_actions, teams_resource
from codometer.serve.gate import Gate
from codometer.serve.http import (
    MAX_ACTION_BYTES,
    Guard,
    guarded,
    json_response,
    read_content,
)
from codometer.serve.web.account import OwnAccount
from codometer.serve.web.doors import Doors
from codometer.serve.web.events import Changes
from codometer.serve.web.pages import build_pages, build_records
from codometer.serve.web.pages.first_run import first_run_page
from codometer.serve.web.provider_sign_in import ProviderSignIn
from codometer.serve.web.sign_in import SignIn
from codometer.serve.web.site import Site
from codometer.serve.workers import Workers
from codometer.settings import Settings, installed_version

Endpoint = Callable[[Request], Awaitable[Response]]

_THREADS: Final = 4
_MAX_WAITING: Final = 64
_PROVIDER_THREADS: Final = 2
_MAX_AT_PROVIDERS: Final = 32


def _now() -> datetime:
    return datetime.now(UTC)


def build_app(
    *,
    settings: Settings,
    ask: Ask,
    look: Ask,
    status: StatusSource,
    check_ready: Callable[[], object],
    changes: Changes,
    access: Access,
    retention: Retention,
    now: Callable[[], datetime] = _now,
    minimum_people: Callable[[], int] = lambda: 1,
    find_grain: FindGrain = any_grain,
) -> Starlette:
    """Build the application for the port of pages and API.

    `ask`, `look`, `status` and `check_ready` may block; they run in threads, a few at a
    time. `ask` waits a moment for the latest, `look` never does: the API asks and pages,
    which follow `changes`, look. `check_ready` raises whatever keeps the server from
    answering. `minimum_people` and `find_grain` are what both ask with, for pages to say it.
    """
    workers = Workers(threads=_THREADS, max_waiting=_MAX_WAITING)
    # Who waits for another server must not keep pages waiting.
    abroad = Workers(threads=_PROVIDER_THREADS, max_waiting=_MAX_AT_PROVIDERS)
    gate = Gate(access, settings.listen, now=now)
    actions = _build_actions(settings, access, retention, now)
    resources = _build_resources(
        settings, ask, status, check_ready=check_ready, access=access, retention=retention, now=now
    )
    resources += _build_counts(ask, retention.people, minimum_people, find_grain, now)
    openapi = openapi_resource(resources, actions, settings=settings, version=installed_version())
    site = Site(
        build_pages(status),
        build_records(
            access, retention, settings, status=status, ask=look, minimum_people=minimum_people
        ),
        find_notices=retention.people.decisions.find_notices,
        first_run=first_run_page(status, settings, since=now()),
        zone=ZoneInfo(settings.organisation.time_zone),
        ask=look,
        minimum_people=minimum_people,
        find_grain=find_grain,
        changes=changes,
        workers=workers,
        gate=gate,
        now=now,
    )
    doors = Doors(site=site, gate=gate, workers=workers)

    app = Starlette(
        routes=[
            *site.routes(),
            *_door_routes(doors, access, retention.people),
            *ProviderSignIn(replace(doors, workers=abroad), access.federation).routes(),
            *_api_routes((*resources, openapi), actions, doors),
        ],
        middleware=[Middleware(Guard, listen=settings.listen)],
        exception_handlers={HTTPException: site.refuse},
        lifespan=_closing(workers, abroad),
    )
    app.router.redirect_slashes = False
    return app


def _closing(*pools: Workers) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for pool in pools:
            pool.close()

    return lifespan


def _door_routes(doors: Doors, access: Access, people: People) -> Sequence[Route]:
    """Return the routes of signing in, and of one's own account."""
    parts = access.accounts, access.signing_in, access.federation
    return [
        *SignIn(doors, *parts, choose_first=people.decisions.choose_first).routes(),
        *OwnAccount(doors, *parts).routes(),
    ]


def _api_routes(
    resources: Iterable[Resource], actions: Iterable[Action], doors: Doors
) -> Iterator[Route]:
    gate, workers = doors.gate, doors.workers
    yield from (_route(each, gate, _endpoint(each, workers)) for each in resources)
    yield from (_route(each, gate, _action_endpoint(each, workers)) for each in actions)


def _build_resources(
    settings: Settings,
    ask: Ask,
    status: StatusSource,
    *,
    check_ready: Callable[[], object],
    access: Access,
    retention: Retention,
    now: Callable[[], datetime],
) -> list[Resource]:
    version, people = installed_version(), retention.people

    def find_profile() -> Profile:
        return people.policy.profile

    keys = settings.dimensions.resource_attributes
    dimensions = [*DIMENSIONS.values(), *(resource_dimension(key) for key in keys)]
    return [
        query_resource(
            ask,
            settings=settings,
            now=now,
            measures=list(MEASURES),
            dimensions=[dimension.name for dimension in dimensions],
        ),
        measures_resource(),
        dimensions_resource(dimensions),
        status_resource(
            status,
            settings=settings,
            version=version,
            find_profile=find_profile,
            find_last_run=retention.find_last,
            list_ending=access.credentials.list_ending,
            now=now,
        ),
        config_resource(settings, find_profile),
        credentials_resource(access.credentials, now),
        accounts_resource(access.accounts, access.federation),
        invitations_resource(access.accounts),
        account_sessions_resource(access.accounts, now),
        keys_resource(access.keys),
        reveals_resource(Reveals(people), access.vouching),
        privacy_resource(people.decisions, settings.retention),
        retention_resource(retention),
        people_requests_resource(Queue(Requests(people)), now),
        audit_resource(access.audit, zone=settings.organisation.time_zone, now=now),
        verification_resource(access.audit),
        *content_resources(people),
        liveness_resource(),
        readiness_resource(check_ready),
    ]


def _build_counts(
    ask: Ask,
    people: People,
    minimum_people: Callable[[], int],
    find_grain: FindGrain,
    now: Callable[[], datetime],
) -> Sequence[Resource]:
    """Return what says how many people there are, and in which teams."""
    return (
        people_resource(partial(take_census, people), minimum_people),
        teams_resource(
            Teams(Requests(people)),
            ask,
            minimum_people=minimum_people,
            find_grain=find_grain,
            zone=people.store.zone,
            now=now,
        ),
    )


def _build_actions(
    settings: Settings, access: Access, retention: Retention, now: Callable[[], datetime]
) -> Sequence[Action]:
    people = retention.people
    requests = Requests(people)
    return (
        *credential_actions(access.credentials, now),
        *account_actions(access.accounts, access.federation, settings),
        *invitation_actions(access.accounts, settings),
        *account_session_actions(access.accounts),
        rotate_action(access.keys, people.rotate),
        delete_action(access.keys, people.delete_key),
        privacy_action(people.decisions, settings.retention),
        cancel_action(people.decisions, settings.retention),
        *hold_actions(people.holds),
        *people_actions(requests),
        *team_actions(Teams(requests), zone=ZoneInfo(settings.organisation.time_zone), now=now),
        *people_requests_actions(Queue(requests), now),
        *content_actions(people, requests),
        *link_actions(access.vouching),
    )


def _route(each: Resource | Action, gate: Gate, endpoint: Endpoint) -> Route:
    methods = ["POST"] if isinstance(each, Action) else ["GET"]
    handle = guarded(gate.require(each.permission, endpoint, is_export=each.is_export))
    return Route(each.path, handle, name=each.name, methods=methods)


def _endpoint(resource: Resource, workers: Workers) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        subject = getattr(request.state, "subject", NOBODY)

        def answer() -> Response:
            check_parameters(resource, request.query_params)
            return json_response(resource.answer(Given(request.query_params, subject)))

        return await workers.run(answer) if resource.blocks else answer()

    return endpoint


def _action_endpoint(action: Action, workers: Workers) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        content = await read_content(request, MAX_ACTION_BYTES)
        body = read_body(action, request.headers.get("content-type", ""), content)
        call = Call(actor=request.state.subject.actor, path=request.path_params, body=body)
        done = await workers.run(lambda: action.act(call))
        return json_response(done, status=action.status)

    return endpoint
