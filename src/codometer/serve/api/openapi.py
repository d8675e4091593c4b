"""`/api/v1/openapi.json`: the API's description, made from the resources themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from codometer.serve.api.resource import Parameter, Resource
from codometer.serve.api.schema import object_schema
from codometer.settings import Settings, base_url

_TEXT: Final = {"type": "string"}
_ERROR: Final = object_schema(error=object_schema(code=_TEXT, message=_TEXT, hint=_TEXT))
_ERROR_EXAMPLE: Final = {
    "error": {
        "code": "bad_request",
        "message": "unknown measure 'tokns'",
        "hint": "did you mean tokens?",
    }
}
_ALWAYS_POSSIBLE: Final = {
    400: "the request is not understood",
    421: "the Host header names another machine",
    500: "a fault of the server; its log has the reason",
    503: "no room now; ask again in a second or two",
}


def openapi_resource(others: Sequence[Resource], *, settings: Settings, version: str) -> Resource:
    """Return the resource that describes the others and itself."""
    document: dict[str, Any] = {}
    itself = Resource(
        path="/api/v1/openapi.json",
        name="openapi",
        summary="This description",
        answer=lambda _: document,
        blocks=False,
        schema={"type": "object"},
        example={"openapi": "3.1.0"},
    )
    document.update(_document([*others, itself], base_url(settings.listen), version))
    return itself


def _document(resources: Sequence[Resource], url: str, version: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Codometer",
            "version": version,
            "description": "What coding agents cost, how they are used and what they return.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "paths": {resource.path: {"get": _operation(resource)} for resource in resources},
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(resource: Resource) -> dict[str, Any]:
    errors = {**_ALWAYS_POSSIBLE, **resource.errors}
    return {
        "operationId": resource.name,
        "summary": resource.summary,
        "parameters": [_parameter(each) for each in resource.parameters],
        "responses": {
            "200": {
                "description": "The answer",
                "content": _json(resource.schema, resource.example),
            },
            **{str(status): _error(errors[status]) for status in sorted(errors)},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "required": parameter.required,
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        # Without explode a list is one parameter with commas; with it, the parameter repeats.
        described |= {"style": "form", "explode": parameter.repeats}
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _error(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": text, "content": _json(schema, _ERROR_EXAMPLE)}


def _json(schema: Mapping[str, Any], example: object) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "example": example}}
