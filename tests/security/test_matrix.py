"""Every route × everybody × own and other team: the answer that its permission says.

The routes and their permissions are read off the application that serves them,
so a new route fails here until it has a permission and a case.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import grpc
import httpx
import pytest
from sqlalchemy import select

from codometer.access.permissions import SCOPES, Permission
from codometer.access.secret import Kind
from codometer.model.signal import SignalKind
from codometer.serve.exact_json import decode
from codometer.store.control_tables import METADATA
from tests.receiving import EXPORT_LOGS, EXPORT_METRICS, EXPORT_TRACES
from tests.security.cases import CASES, JSON, Case, fill_in, list_routes
from tests.security.firm import (
    ASKERS,
    STRANGERS,
    Asker,
    Firm,
    private_texts,
)

pytestmark = [pytest.mark.slow, pytest.mark.needs("loopback addresses")]

NOT_CHANGES: Final = {"audit_entry", "audit_head", "credential_secret", "session"}
OTHER_METHODS: Final = ("PUT", "DELETE", "OPTIONS", "TRACE")
EXPORTS: Final = {
    SignalKind.LOGS: EXPORT_LOGS,
    SignalKind.METRICS: EXPORT_METRICS,
    SignalKind.TRACES: EXPORT_TRACES,
}


def routes_of(firm: Firm) -> dict[tuple[str, str], Permission | None]:
    routes = list_routes(firm.served.server.app)
    return {(method, path): permission for method, path, permission in routes}


def test_every_route_names_its_permission_and_has_a_case(firm: Firm) -> None:
    routes = list(list_routes(firm.served.server.app))
    assert [route for route in routes if route[2] is None] == []
    assert [
        each for each, count in Counter(route[:2] for route in routes).items() if count > 1
    ] == []
    assert set(CASES) == {route[:2] for route in routes}
    assert set(firm.askers) == {*ASKERS, *STRANGERS}


def expect(asker: Asker, permission: Permission, case: Case) -> int:
    """Derive the answer from the permission of the route and what was granted."""
    done = case.done if asker.login or case.without_session is None else case.without_session
    if permission is Permission.PUBLIC:
        return done
    if asker.granted is None:
        return 401
    return done if permission in asker.granted else 403


def is_granted(asker: Asker, permission: Permission) -> bool:
    return permission is Permission.PUBLIC or permission in (asker.granted or ())


def ask(client: httpx.Client, method: str, path: str, case: Case) -> tuple[int, str]:
    """Send the request of a case; return status and text, of a stream its beginning."""
    with client.stream(method, path, content=case.content, headers=case.headers) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, next(answer.iter_text(), "")
        answer.read()
        return answer.status_code, answer.text


@pytest.mark.parametrize("name", [*ASKERS, *STRANGERS])
def test_every_route_answers_each_as_its_permission_says(firm: Firm, name: str) -> None:
    asker, routes, wrong = firm.askers[name], routes_of(firm), []
    with asker.client(firm.url) as client:
        for (method, path), case in CASES.items():
            permission = routes[method, path]
            assert permission is not None
            wanted = expect(asker, permission, case)
            for tried in ("HEAD", "GET") if method == "GET" else (method,):
                status, text = ask(client, tried, case.path or fill_in(path), case)
                # Who tries too often what is not good is told to wait, and no more.
                if status != wanted and not (wanted == 401 and status == 429):
                    wrong.append(f"{tried} {path}: {status} instead of {wanted}: {text[:200]}")
                if status == 403 and tried != "HEAD":  # by the gate, or by what is behind it
                    assert (f"permission {permission}" in text) == (
                        not is_granted(asker, permission)
                    )
                wrong += [f"{path} tells {each}" for each in private_texts() if each in text]
                wrong += [
                    f"{path} tells of {of}" for of, each in firm.secrets.items() if each in text
                ]
                if status in {401, 403} and tried != "HEAD":
                    assert set(decode(text)) == {"error"}, path
    assert wrong == []


def state_of(firm: Firm) -> dict[str, list[str]]:
    """Return what the control plane holds, but for the log of it and for who used what when."""
    held = {name: table for name, table in METADATA.tables.items() if name not in NOT_CHANGES}
    with firm.access.control.read() as connection:
        return {
            name: sorted(map(str, connection.execute(select(table))))
            for name, table in held.items()
        }


def test_whoever_may_not_changes_nothing_by_asking_rightly(firm: Firm) -> None:
    answer = firm.ask("viewer of all", "GET", "/api/v1/openapi.json")
    bodies = {
        path: each["post"]["requestBody"]["content"]["application/json"]["example"]
        for path, each in answer.json()["paths"].items()
        if "post" in each
    }
    routes, before, tried = routes_of(firm), state_of(firm), 0
    account = firm.access.accounts.list_accounts()[0].id
    credential = firm.access.credentials.list_credentials()[0].id
    for name in [name for name in ASKERS if not name.endswith("own")] + ["nobody"]:
        asker = firm.askers[name]
        with asker.client(firm.url) as client:
            for path, body in bodies.items():
                permission = routes["POST", path]
                if permission in (asker.granted or ()):
                    continue
                ids = account if "accounts" in path else credential
                refused = client.post(path.replace("{id}", ids), json=body)
                assert refused.status_code in {401, 403, 429}, (name, path)
                tried += 1
    assert tried > 200
    assert state_of(firm) == before


def test_no_route_answers_to_another_method_and_each_says_which_do(firm: Firm) -> None:
    routes = routes_of(firm)
    methods = {path: {method for method, other in routes if other == path} for _, path in routes}
    with firm.askers["administrator of all"].client(firm.url) as client:
        for path, known in methods.items():
            for method in {*OTHER_METHODS, "GET", "POST"} - known:
                answer = client.request(method, fill_in(path), headers=JSON)
                assert answer.status_code == 405, (method, path)
                assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == known


def test_without_a_session_a_person_is_led_to_sign_in_and_shown_nothing(firm: Firm) -> None:
    routes = routes_of(firm)
    for (method, path), permission in routes.items():
        if method != "GET" or path.startswith(
            ("/api/", "/assets/", "/healthz", "/readyz", "/events")
        ):
            continue
        answer = firm.ask("nobody", method, fill_in(path), headers={"accept": "text/html"})
        if permission is Permission.PUBLIC:
            assert answer.status_code == CASES[method, path].done
        else:
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in?next=")
            assert answer.content == b""


@pytest.mark.parametrize("name", [*Kind, "personal, all scopes", *STRANGERS])
def test_telemetry_is_taken_from_a_credential_for_it_and_from_nobody_else(
    firm: Firm, name: str
) -> None:
    asker = firm.askers[name]
    bearer = asker.headers.get("authorization", "")
    for kind, method in EXPORTS.items():
        granted = asker.granted or frozenset()
        good = f"ingest:{kind}" in granted
        with asker.client(firm.otlp_url) as client:
            answer = client.post(f"/v1/{kind}", json={})
        known = asker.granted is not None
        assert answer.status_code == (200 if good else 403 if known else 401)
        code = grpc.StatusCode.OK
        target = f"127.0.0.1:{firm.served.server.otlp_grpc.port}"
        with grpc.insecure_channel(target) as channel:
            export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            try:
                export(b"", metadata=(("authorization", bearer),), timeout=30)
            except grpc.RpcError as refused:
                code = refused.code()
        denied = grpc.StatusCode.PERMISSION_DENIED if known else grpc.StatusCode.UNAUTHENTICATED
        assert code is (grpc.StatusCode.OK if good else denied)


def test_no_credential_for_ingest_reads_anything(firm: Firm) -> None:
    assert not any(permission in SCOPES[Kind.INGEST] for permission in routes_of(firm).values())
