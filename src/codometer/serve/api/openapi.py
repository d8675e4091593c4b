"""`/api/v1/openapi.json`: the API's description, made from the resources themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.serve.api.resource import Action, Parameter, Resource
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
_SECURITY: Final = {
    "credential": {"type": "http", "scheme": "bearer", "bearerFormat": "cdm_pat_… or cdm_svc_…"}
}
_ALWAYS_POSSIBLE: Final = {
    400: "the request is not understood",
    401: "the credential is not good",
    403: "the credential lacks the permission, or a page of another site asks",
    429: "too many requests of one credential, or too many from this address that failed",
    421: "the Host header names another machine",
    500: "a fault of the server; its log has the reason",
    503: "no room now; ask again in a second or two",
}


def openapi_resource(
    others: Sequence[Resource], actions: Sequence[Action], *, settings: Settings, version: str
) -> Resource:
    """Return the resource that describes the others and itself."""
    document: dict[str, Any] = {}
    itself = Resource(
        path="/api/v1/openapi.json",
        name="openapi",
        summary="This description",
        permission=Permission.READ_NUMBERS,
        answer=lambda _: document,
        blocks=False,
        schema={"type": "object"},
        example={"openapi": "3.1.0"},
    )
    document.update(_document([*others, itself], actions, base_url(settings.listen), version))
    return itself


def _document(
    resources: Sequence[Resource], actions: Sequence[Action], url: str, version: str
) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for resource in resources:
        paths.setdefault(resource.path, {})["get"] = _operation(resource)
    for action in actions:
        paths.setdefault(action.path, {})["post"] = _action_operation(action)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Codometer",
            "version": version,
            "description": "What coding agents cost, how they are used and what they return.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}, "securitySchemes": _SECURITY},
    }


def _operation(resource: Resource) -> dict[str, Any]:
    return {
        "operationId": resource.name,
        "summary": resource.summary,
        "parameters": [_parameter(each) for each in resource.parameters],
        **_needs(resource.permission),
        "responses": {
            "200": {
                "description": "The answer",
                "content": _json(resource.schema, resource.example),
            },
            **_errors(resource.errors),
        },
    }


def _action_operation(action: Action) -> dict[str, Any]:
    body = {**action.body, "additionalProperties": False}
    return {
        "operationId": action.name,
        "summary": action.summary,
        "parameters": [_path_parameter(name) for name in re.findall(r"{(\w+)}", action.path)],
        "requestBody": {"required": True, "content": _json(body, action.body_example)},
        **_needs(action.permission),
        "responses": {
            str(action.status): {
                "description": "It is done",
                "content": _json(action.schema, action.example),
            },
            **_errors({413: "the body is too large", 415: "it is not JSON", **action.errors}),
        },
    }


def _errors(own: Mapping[int, str]) -> dict[str, Any]:
    errors = {**_ALWAYS_POSSIBLE, **own}
    return {str(status): _error(errors[status]) for status in sorted(errors)}


def _needs(permission: Permission) -> dict[str, Any]:
    # In local mode nothing is needed: the empty alternative.
    needed = [] if permission is Permission.PUBLIC else [{}, {"credential": [permission]}]
    return {"security": needed}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


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
