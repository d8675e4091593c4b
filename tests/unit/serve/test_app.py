import logging
from typing import Any

import httpx
import pytest

from codometer.serve.exact_json import decode
from codometer.settings import Listen, Settings
from tests.unit.serve.parts import Client, Office, StoreGone, build_office_app


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def client(office: Office) -> Client:
    return Client(build_office_app(office))


def error_of(client: Client, path: str, status: int) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"code", "message", "hint"}
    return error


@pytest.mark.parametrize("path", ["/", "/api/v1/query?measures=cost", "/nowhere", "/readyz"])
def test_every_answer_has_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("host", ["127.0.0.1:4319", "localhost", "LocalHost:1", "[::1]:4319"])
def test_a_loopback_name_is_served(client: Client, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4319",
        "127.0.0.1.evil.example",
        "[::2]:1",
        "[::1].evil.example",
        "",
    ],
)
def test_another_host_is_refused_whatever_the_path(client: Client, host: str) -> None:
    response = client.get("/healthz", headers={"host": host})
    assert response.status_code == 421
    assert response.json()["error"]["code"] == "wrong_host"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_host_that_is_said_twice_or_not_at_all_is_refused(client: Client) -> None:
    for hosts in (["localhost", "evil.example"], ["localhost", "localhost"]):
        twice = httpx.Headers([("host", host) for host in hosts])
        assert client.get("/healthz", headers=twice).status_code == 421


@pytest.mark.parametrize("path", ["/%00", "/?team=%00", "/api/v1/audit?object=a%00b"])
def test_an_address_with_a_null_character_is_refused(client: Client, path: str) -> None:
    assert error_of(client, path, 400)["message"] == "a text has a character that is none"


def test_the_configured_host_is_served() -> None:
    settings = Settings(listen=Listen(host="codometer.example"))
    client = Client(build_office_app(Office(), settings))
    assert client.get("/healthz", headers={"host": "Codometer.example"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "kind",
    [
        {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {},
    ],
)
def test_another_site_may_not_ask_for_anything(
    client: Client, site: str, kind: dict[str, str]
) -> None:
    for path in ("/", "/healthz", "/api/v1/status", "/events"):
        response = client.get(path, headers={"sec-fetch-site": site, **kind})
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "cross_site"


def test_another_site_may_link_here_but_not_post(client: Client) -> None:
    link = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    headers = {"sec-fetch-site": "cross-site", **link}
    assert client.get("/", headers=headers).status_code == 200
    assert client.send("POST", "/", headers=headers).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_pages_and_the_address_bar_are_served(client: Client, site: str) -> None:
    assert client.get("/api/v1/status", headers={"sec-fetch-site": site}).status_code == 200


def test_an_unknown_path_says_where_the_paths_are(client: Client) -> None:
    error = error_of(client, "/api/v1/queryx", 404)
    assert error["code"] == "not_found"
    assert "/api/v1/openapi.json" in error["hint"]


def test_a_path_with_a_slash_too_many_is_unknown(client: Client) -> None:
    assert error_of(client, "/api/v1/query/", 404)["code"] == "not_found"


def test_another_method_is_refused_with_the_ones_that_work(client: Client) -> None:
    response = client.send("POST", "/api/v1/query")
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"
    assert "GET" in response.headers["allow"]


def test_a_fault_of_ours_is_logged_and_not_shown(
    client: Client, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.fault = RuntimeError("the secret reason")
    with caplog.at_level(logging.ERROR):
        error = error_of(client, "/api/v1/query?measures=cost", 500)
    assert error["code"] == "internal"
    assert "secret" not in str(error)
    assert "the secret reason" in caplog.text


def test_an_error_of_ours_is_shown_with_its_code_and_hint(client: Client, office: Office) -> None:
    office.fault = StoreGone("the disk is away", hint="plug it in")
    response = client.get("/api/v1/status")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json() == {
        "error": {"code": "store_gone", "message": "the disk is away", "hint": "plug it in"}
    }


def test_the_process_is_alive_even_when_the_store_is_not(client: Client, office: Office) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    office.fault = StoreGone("the disk is away")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert error_of(client, "/readyz", 503)["message"] == "the disk is away"
    office.fault = OSError("details for the log")
    assert error_of(client, "/readyz", 503)["message"] == "the store does not answer"


def test_an_unknown_parameter_is_a_mistake(client: Client) -> None:
    error = error_of(client, "/api/v1/status?verbose=1", 400)
    assert error["message"] == "/api/v1/status knows no parameter verbose"
    assert error["hint"] == "it takes none"
    error = error_of(client, "/api/v1/query?measures=cost&form=now&group=x", 400)
    assert error["message"] == "/api/v1/query knows no parameter form, group"
    assert "from" in error["hint"]


def test_settings_are_told_with_their_origins(client: Client) -> None:
    settings = {each["key"]: each for each in client.get("/api/v1/config").json()["settings"]}
    assert settings["listen.port"] == {
        "key": "listen.port",
        "value": 4319,
        "origin": "default",
        "default": 4319,
        "variable": "CODOMETER_LISTEN_PORT",
        "text": "pages and API",
    }
    assert settings["dimensions.team_attributes"]["value"] == ["team.id", "team"]


def test_the_status_tells_the_server_and_what_arrived(client: Client) -> None:
    status = decode(client.get("/api/v1/status").content)
    assert status["server"]["time"] == "2026-11-23T14:03:20Z"
    assert status["server"]["otlp_http"] == "http://127.0.0.1:4318"
    assert status["clients"] == 3
    assert status["signals"][2] == {"signal": "traces", "events": 0, "first": None, "last": None}
    assert status["rollup"] == {"as_of": "2026-11-23T14:00:00Z", "pending": 2}
