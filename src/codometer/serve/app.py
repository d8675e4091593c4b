"""Builds the web application from its parts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import DIMENSIONS, resource_dimension
from codometer.operate.connect import connection_lines
from codometer.serve.api.catalogue import dimensions_resource, measures_resource
from codometer.serve.api.config import config_resource
from codometer.serve.api.health import liveness_resource, readiness_resource
from codometer.serve.api.openapi import openapi_resource
from codometer.serve.api.query import Ask, query_resource
from codometer.serve.api.resource import Resource, check_parameters
from codometer.serve.api.status import StatusSource, status_resource
from codometer.serve.http import Guard, answer_http_exception, guarded, json_response
from codometer.serve.workers import Workers
from codometer.settings import Settings, base_url, installed_version

Endpoint = Callable[[Request], Awaitable[Response]]

_THREADS: Final = 4
_MAX_WAITING: Final = 64


def _now() -> datetime:
    return datetime.now(UTC)


def build_app(
    *,
    settings: Settings,
    ask: Ask,
    status: StatusSource,
    check_ready: Callable[[], object],
    now: Callable[[], datetime] = _now,
) -> Starlette:
    """Build the application for the port of pages and API.

    `ask`, `status` and `check_ready` may block; they run in threads, a few at a time.
    `check_ready` raises whatever keeps the server from answering.
    """
    workers = Workers(threads=_THREADS, max_waiting=_MAX_WAITING)
    resources = _build_resources(settings, ask, status, check_ready=check_ready, now=now)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        workers.close()

    app = Starlette(
        routes=[
            Route("/", guarded(_front_page(settings))),
            *(
                Route(each.path, guarded(_endpoint(each, workers)), name=each.name)
                for each in resources
            ),
        ],
        middleware=[Middleware(Guard, host=settings.listen.host)],
        exception_handlers={HTTPException: answer_http_exception},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _build_resources(
    settings: Settings,
    ask: Ask,
    status: StatusSource,
    *,
    check_ready: Callable[[], object],
    now: Callable[[], datetime],
) -> Sequence[Resource]:
    version = installed_version()
    keys = settings.dimensions.resource_attributes
    dimensions = [*DIMENSIONS.values(), *(resource_dimension(key) for key in keys)]
    resources = [
        query_resource(
            ask,
            settings=settings,
            now=now,
            measures=list(MEASURES),
            dimensions=[dimension.name for dimension in dimensions],
        ),
        measures_resource(),
        dimensions_resource(dimensions),
        status_resource(status, settings=settings, version=version, now=now),
        config_resource(settings),
        liveness_resource(),
        readiness_resource(check_ready),
    ]
    return [*resources, openapi_resource(resources, settings=settings, version=version)]


def _endpoint(resource: Resource, workers: Workers) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        def answer() -> Response:
            check_parameters(resource, request.query_params)
            return json_response(resource.answer(request.query_params))

        return await workers.run(answer) if resource.blocks else answer()

    return endpoint


def _front_page(settings: Settings) -> Endpoint:
    text = (
        "Codometer is running in local mode: it answers this machine only, without sign-in.\n\n"
        f"Its API is described at {base_url(settings.listen)}/api/v1/openapi.json\n\n"
        f"{connection_lines(settings)}"
    )

    async def endpoint(_: Request) -> Response:
        return PlainTextResponse(text)

    return endpoint
