"""Attacks on whoever is signed in: by other sites, by cookies, by links. Each was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import grpc
import httpx
import pytest

from codometer.access.actor import SYSTEM
from codometer.access.permissions import Role
from codometer.serve.web.forms import TOKEN
from tests.forms import find_token, page_of, without_tokens
from tests.installed import LOGIN, install
from tests.receiving import EXPORT_LOGS
from tests.running import RunningServer, running
from tests.security.firm import COOKIE, PASSWORD, Asker, Firm

pytestmark = pytest.mark.slow

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
HTML: Final = {"accept": "text/html"}
ROOT: Final = "administrator of all"


def login_of(firm: Firm, name: str = ROOT) -> str:
    return firm.askers[name].login


@pytest.fixture
def browser(firm: Firm) -> Iterator[httpx.Client]:
    """Give a browser, which keeps cookies, and is at nobody's account."""
    with httpx.Client(base_url=firm.url, headers=HTML, trust_env=False, timeout=60) as client:
        yield client


def submit(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form as its page does, with the token that the page has."""
    page = browser.get(page_of(path, fields.get("link", "")))
    return browser.post(path, data={**fields, TOKEN: find_token(page.text)})


def sign_in(browser: httpx.Client, login: str, **more: str) -> httpx.Response:
    return submit(browser, "/sign-in", **{"login": login, "password": PASSWORD, **more})


def test_session_fixation_by_a_cookie_that_was_there_before(
    firm: Firm, browser: httpx.Client
) -> None:
    known = "A" * 43
    browser.cookies.set(COOKIE, known, domain="127.0.0.1", path="/")
    assert sign_in(browser, login_of(firm)).status_code == 303
    mine = {cookie.value for cookie in browser.cookies.jar}
    assert known not in mine
    stolen = firm.ask("nobody", "GET", "/account", headers={"cookie": f"{COOKIE}={known}"})
    assert stolen.status_code == 401


def test_session_fixation_by_a_session_of_somebody_else(firm: Firm, browser: httpx.Client) -> None:
    attackers = firm.sign_in(login_of(firm, "viewer of own"))
    browser.cookies.set(COOKIE, attackers, domain="127.0.0.1", path="/")
    sign_in(browser, login_of(firm))
    page = firm.ask("nobody", "GET", "/account", headers={"cookie": f"{COOKIE}={attackers}"})
    assert login_of(firm) not in page.text


def test_a_session_in_an_address_is_none(firm: Firm) -> None:
    secret = firm.secrets[ROOT]
    for name in (COOKIE, "session", "token", "access_token"):
        answer = firm.ask("nobody", "GET", f"/api/v1/status?{name}={secret}")
        assert answer.status_code == 401


FOREIGN: Final = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"origin": "http://127.0.0.1.evil.example"},
)


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
def test_csrf_by_a_form_or_a_script_of_another_site(firm: Firm, foreign: dict[str, str]) -> None:
    link = firm.access.accounts.invite(Role.VIEWER, SYSTEM).secret
    login = {"login": login_of(firm), "password": PASSWORD}
    before = firm.access.credentials.list_credentials()
    for path, body in (
        ("/sign-out", {}),
        ("/sign-in", {"data": login}),
        ("/join", {"data": {**login, "link": link}}),
        ("/api/v1/credentials", {"json": {"kind": "personal", "name": "x"}}),
        ("/api/v1/accounts/invite", {"json": {"role": "administrator"}}),
        ("/api/v1/keys/rotate", {"json": {}}),
    ):
        answer = firm.ask(ROOT, "POST", path, headers=foreign, **body)
        assert answer.status_code == 403, path
        assert "set-cookie" not in answer.headers
    assert firm.access.credentials.list_credentials() == before
    assert firm.ask(ROOT, "GET", "/account").status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", FORM["content-type"], ""]
)
def test_csrf_by_a_body_that_a_form_can_send(firm: Firm, kind: str) -> None:
    content = '{"kind": "personal", "name": "x", "ignored": "="}'
    headers = {"content-type": kind} if kind else {}
    for path in ("/api/v1/credentials", "/api/v1/accounts/invite", "/api/v1/privacy"):
        answer = firm.ask(ROOT, "POST", path, content=content, headers=headers)
        assert answer.status_code == 415


def test_csrf_by_a_link_that_changes_something(firm: Firm) -> None:
    for path in ("/sign-out", "/api/v1/keys/rotate", "/api/v1/accounts/invite"):
        for name in ("GET", "HEAD"):
            headers = {"x-http-method-override": "POST"}
            assert firm.ask(ROOT, name, f"{path}?_method=POST", headers=headers).status_code == 405
    assert firm.ask(ROOT, "GET", "/account").status_code == 200


def test_reading_by_a_script_of_another_site(firm: Firm) -> None:
    for path in ("/", "/account", "/api/v1/audit", "/events"):
        foreign = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
        answer = firm.ask(ROOT, "GET", path, headers=foreign)
        assert answer.status_code == 403
        names = set(answer.headers)
        assert not any(name.startswith("access-control") for name in names)
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_framing_by_another_site(firm: Firm) -> None:
    for path in ("/", "/sign-in", "/join", "/account", "/nowhere", "/api/v1/status"):
        policy = firm.ask(ROOT, "GET", path, headers=HTML).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy


ELSEWHERE: Final = (
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/%0a/evil.example\n",
    "http:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/..//evil.example@",
    "https:///evil.example",
    "\u2215\u2215evil.example",
    "/\r\nLocation: https://evil.example",
)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_open_redirect_after_signing_in(firm: Firm, browser: httpx.Client, address: str) -> None:
    answer = sign_in(browser, login_of(firm), next=address)
    assert answer.status_code == 303
    leads_to = httpx.URL(firm.url).join(answer.headers["location"])
    assert f"{leads_to.scheme}://{leads_to.netloc.decode()}" == firm.url
    assert "\n" not in answer.headers["location"]
    form = browser.get("/sign-in", params={"next": address}).text
    assert 'name="next" value="/' in form


@pytest.mark.parametrize("path", ["/%2fevil.example", "/\\evil.example"])
def test_open_redirect_by_an_address_that_needs_a_sign_in(firm: Firm, path: str) -> None:
    answer = firm.ask("nobody", "GET", path, headers=HTML)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_cookie_tossing_of_a_second_session(firm: Firm) -> None:
    mine, attackers = firm.secrets[ROOT], firm.secrets["viewer of own"]
    for first, second in ((mine, attackers), (attackers, mine)):
        both = {"cookie": f"{COOKIE}={first}; {COOKIE}={second}"}
        assert firm.ask("nobody", "GET", "/api/v1/measures", headers=both).status_code == 401
    odd = {"cookie": f"__Host-{COOKIE}={attackers}; {COOKIE}={mine}; =x; {COOKIE}x=y"}
    assert login_of(firm) in firm.ask("nobody", "GET", "/account", headers=odd).text


def test_cookie_tossing_past_the_prefix_that_binds_a_cookie_to_tls(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    behind = {"CODOMETER_LISTEN_URL": "https://codometer.example"}
    folder = tmp_path_factory.mktemp("tls")
    install(folder / "data")
    with running(folder, environment=behind) as server:
        secret = find_secret(server)
        tossed = {"cookie": f"codometer={secret}", "host": "codometer.example"}
        answer = httpx.get(f"{server.url}/account", headers=tossed, trust_env=False)
        assert answer.status_code == 401
        bound = {**tossed, "cookie": f"__Host-codometer={secret}"}
        assert httpx.get(f"{server.url}/account", headers=bound, trust_env=False).status_code == 200


def find_secret(server: RunningServer) -> str:
    """Sign in, and return the secret of the session."""
    headers = {**HTML, "host": "codometer.example"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60) as root:
        page = root.get("/sign-in")
        # The browser's own rules about Secure cookies are not what is tried here.
        visit = page.headers["set-cookie"].partition(";")[0]
        form = {"login": LOGIN, "password": PASSWORD, TOKEN: find_token(page.text)}
        answer = root.post("/sign-in", data=form, headers={"cookie": visit})
    name, _, rest = answer.headers["set-cookie"].partition("=")
    secret, *attributes = rest.split("; ")
    assert name == "__Host-codometer"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(attributes)
    return secret


def guess(firm: Firm, login: str, address: str) -> httpx.Response:
    """Send a wrong password from an address of its own."""
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=firm.url, transport=transport, headers=HTML, timeout=60) as client:
        return sign_in(client, login, password="wrong wrong wrong")  # noqa: S106 - that is tried


@pytest.mark.needs("loopback addresses")
def test_guessing_the_password_of_one_account_from_many_addresses(firm: Firm) -> None:
    login = login_of(firm, "auditor of all")
    told = [guess(firm, login, f"127.0.1.{1 + number // 3}").status_code for number in range(12)]
    assert told == [401] * 10 + [429] * 2


@pytest.mark.needs("loopback addresses")
def test_guessing_passwords_of_many_accounts_from_one_address(firm: Firm) -> None:
    told = [guess(firm, f"somebody-{number}", "127.0.3.1").status_code for number in range(7)]
    assert told == [401] * 5 + [429] * 2


@pytest.mark.needs("loopback addresses")
def test_locking_good_credentials_out_by_bad_ones_from_their_address(firm: Firm) -> None:
    address = "127.0.4.1"
    bad = replace(firm.askers["an unknown credential"], address=address)
    good = replace(firm.askers["service"], address=address)
    client = replace(firm.askers["ingest"], address=address)
    with bad.client(firm.url) as pages, bad.client(firm.otlp_url) as otlp:
        told = [pages.get("/api/v1/status").status_code for _ in range(25)]
        assert told == [401] * 20 + [429] * 5
        assert {otlp.post("/v1/logs", json={}).status_code for _ in range(25)} == {401}
    with good.client(firm.url) as pages, client.client(firm.otlp_url) as otlp:
        assert pages.get("/api/v1/status").status_code == 200
        assert otlp.post("/v1/logs", json={}).status_code == 200
    target = f"127.0.0.1:{firm.served.server.otlp_grpc.port}"
    with grpc.insecure_channel(target) as channel:
        export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
        for _ in range(25):
            with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
                export(b"", metadata=_bearer(bad), timeout=60)
        export(b"", metadata=_bearer(client), timeout=60)


def _bearer(asker: Asker) -> tuple[tuple[str, str]]:
    return (("authorization", asker.headers["authorization"]),)


@pytest.mark.needs("loopback addresses")
def test_finding_out_who_has_an_account(firm: Firm) -> None:
    told = []
    for number, login in enumerate((login_of(firm, "viewer of all"), "stranger@firm.example")):
        answer = guess(firm, login, f"127.0.2.{number + 1}")
        shown = without_tokens(answer.text.replace(login, ""))
        told.append((answer.status_code, shown))
    assert told[0] == told[1]
