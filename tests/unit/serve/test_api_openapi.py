from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from codometer.analysis.measures.catalogue import MEASURES
from codometer.serve.api.schema import schema_of
from codometer.serve.exact_json import decode
from tests.unit.serve.parts import Client, Office, build_office_app

PROGRAMS = ("/api/", "/healthz", "/readyz")


@pytest.fixture
def app() -> Starlette:
    return build_office_app(Office())


@pytest.fixture
def client(app: Starlette) -> Client:
    return Client(app)


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = decode(client.get("/api/v1/openapi.json").content)
    return found


def test_every_route_is_described(app: Starlette, document: dict[str, Any]) -> None:
    routes = {route.path for route in app.routes if isinstance(route, Route)}
    assert set(document["paths"]) == {path for path in routes if path.startswith(PROGRAMS)}


def test_every_measure_can_be_chosen(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v1/query"]["get"]["parameters"]
    schemas = {each["name"]: each["schema"] for each in parameters}
    assert schemas["measures"]["items"]["enum"] == list(MEASURES)
    assert "resource.department" in schemas["by"]["items"]["enum"]


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for path in document["paths"].values() for each in path.values()]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [each["operationId"] for each in operations(document)]
    assert len(set(names)) == len(names)
    assert document["openapi"] == "3.1.0"


def test_every_error_has_the_shape_of_errors(client: Client, document: dict[str, Any]) -> None:
    shape = document["components"]["schemas"]["Error"]
    assert find_misfits(client.get("/api/v1/query").json(), shape) == []
    for each in operations(document):
        for status, response in each["responses"].items():
            if not status.startswith("2"):
                example = response["content"]["application/json"]["example"]
                assert find_misfits(example, shape) == []


def test_examples_and_answers_fit_their_schemas(client: Client, document: dict[str, Any]) -> None:
    for path, entry in document["paths"].items():
        if "get" not in entry:
            continue
        content = entry["get"]["responses"]["200"]["content"]["application/json"]
        query = "?measures=cost,tokens&by=model&compare=previous" if path.endswith("query") else ""
        answer = decode(client.get(path + query).content)
        assert find_misfits(content["example"], content["schema"]) == []
        assert find_misfits(answer, content["schema"]) == []


def test_what_an_action_takes_and_answers_fits_its_schemas(document: dict[str, Any]) -> None:
    actions = [path["post"] for path in document["paths"].values() if "post" in path]
    assert actions
    for action in actions:
        (done,) = (each for status, each in action["responses"].items() if status < "3")
        for content in (action["requestBody"]["content"], done["content"]):
            told = content["application/json"]
            assert find_misfits(told["example"], told["schema"]) == []


def test_every_operation_says_which_permission_it_needs(document: dict[str, Any]) -> None:
    needed = {each["operationId"]: each["security"] for each in operations(document)}
    assert needed["healthz"] == []
    assert needed["query"] == [{}, {"credential": ["read:aggregates"]}]
    assert needed["revoke_credential"] == [{}, {"credential": ["write:credentials"]}]


def test_a_schema_follows_its_dataclass() -> None:
    @dataclass
    class Thing:
        name: str
        sizes: tuple[int, ...]
        shares: dict[str, float] | None

    assert schema_of(Thing) == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "sizes": {"type": "array", "items": {"type": "integer"}},
            "shares": {
                "anyOf": [
                    {"type": "object", "additionalProperties": {"type": "number"}},
                    {"type": "null"},
                ]
            },
        },
        "required": ["name", "sizes", "shares"],
    }
    with pytest.raises(TypeError, match="no schema"):
        schema_of(complex)


def find_misfits(value: object, schema: Mapping[str, Any], path: str = "$") -> list[str]:
    """Return where a value does not fit the few words of JSON Schema that our schemas use."""
    if "anyOf" in schema:
        tried = [find_misfits(value, each, path) for each in schema["anyOf"]]
        return [] if [] in tried else [f"{path} fits none of its alternatives"]
    types = schema.get("type", [])
    allowed = [types] if isinstance(types, str) else types
    if allowed and not any(has_type(value, each) for each in allowed):
        return [f"{path} is no {allowed}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is not among {schema['enum']}"]
    if "const" in schema and value != schema["const"]:
        return [f"{path} is not {schema['const']}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [
            misfit
            for number, each in enumerate(value)
            for misfit in find_misfits(each, items, f"{path}[{number}]")
        ]
    if isinstance(value, dict):
        return find_object_misfits(value, schema, path)
    return []


def find_object_misfits(
    value: dict[str, object], schema: Mapping[str, Any], path: str
) -> list[str]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    misfits = [
        f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value
    ]
    for name, member in value.items():
        if name in properties:
            misfits += find_misfits(member, properties[name], f"{path}.{name}")
        elif others is not None:
            misfits += find_misfits(member, others, f"{path}.{name}")
        elif properties:
            misfits.append(f"{path}.{name} is not described")
    return misfits


def has_type(value: object, name: str) -> bool:
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return not isinstance(value, (bool, str, list, dict, type(None)))
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
    return isinstance(value, dict)
