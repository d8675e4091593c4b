"""Builds the web application from its parts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from codometer.operate.connect import connection_lines
from codometer.serve.api.query import Ask, query_resource
from codometer.serve.api.resource import Resource, check_parameters
from codometer.serve.http import Guard, answer_http_exception, guarded, json_response
from codometer.serve.workers import Workers
from codometer.settings import Settings, base_url

Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(*, settings: Settings, ask: Ask) -> Starlette:
    """Build the application for the port of pages and API."""
    workers = Workers(threads=4, max_waiting=64)
    resources = [query_resource(ask, measures=[], dimensions=[])]

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        workers.close()

    app = Starlette(
        routes=[Route("/", guarded(_front_page(settings))), *_routes(resources, workers)],
        middleware=[Middleware(Guard, host=settings.listen.host)],
        exception_handlers={HTTPException: answer_http_exception},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _routes(resources: Sequence[Resource], workers: Workers) -> list[Route]:
    return [
        Route(resource.path, guarded(_endpoint(resource, workers)), name=resource.name)
        for resource in resources
    ]


def _endpoint(resource: Resource, workers: Workers) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        def answer() -> Response:
            check_parameters(resource, request.query_params)
            return json_response(resource.answer(request.query_params))

        return await workers.run(answer)

    return endpoint


def _front_page(settings: Settings) -> Endpoint:
    text = (
        "Codometer is running in local mode: it answers this machine only, without sign-in.\n\n"
        f"API   {base_url(settings.listen)}/api/v1/openapi.json\n\n{connection_lines(settings)}"
    )

    async def endpoint(_: Request) -> Response:
        return PlainTextResponse(text)

    return endpoint
