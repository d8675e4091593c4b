"""Attacks by what is written: into questions, addresses, forms and telemetry.

Each name of a test is an attack that was tried. The server has no accounts, so
that nothing is refused for another reason, and runs in a process of its own, so
that its log is the one that an operator reads.
"""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer
from tests.postgresql import running_postgresql
from tests.running import RunningServer, running
from tests.security.local import report

pytestmark = pytest.mark.slow

SQL: Final = (
    "' OR 1=1 --",
    "'; DROP TABLE event; --",
    '" OR ""="',
    "x') UNION SELECT person, 1 FROM origin --",
    "$$; SELECT 1; $$",
    "\\'; COPY event TO '/tmp/stolen'; --",
)
TEMPLATES: Final = "{{7*7}}${7*7}#{7*7}<%= 7*7 %>{% for x in y %}"
FORMULAS: Final = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")')
FORGED: Final = "\n2026-11-25 00:00:00,000 INFO forged\x1b[2J\r\x00"
NO_TEXTS: Final = ("\0", "a\0b", "a\0", "\ud800")
"""Null characters, and half of a character, which JSON can carry."""

JSON: Final = {"content-type": "application/json"}
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
ADDRESSES: Final = (
    "/X",
    "/?team=X",
    "/?tz=X",
    "/?panel=X",
    "/assets/X",
    "/join?link=X",
    "/sign-in?next=/X",
    "/api/v1/query?measures=X",
    "/api/v1/query?measures=cost&where=team:X",
    "/api/v1/query?measures=cost&timezone=X&from=X",
    "/api/v1/audit?object=X",
    "/api/v1/audit?actor=X",
)
BODIES: Final = {
    "credentials": ("name", "team", "person", "cost_center"),
    "credentials/X/revoke": (),
    "credentials/X/rotate": (),
    "accounts/X/disable": (),
    "accounts/invite": ("teams",),
    "privacy": ("purpose", "reason"),
    "keys/rotate": ("key",),
    "people/show": ("subject",),
    "people/export": ("subject", "reason"),
    "people/forget": ("subject", "reason", "confirm"),
    "people/merge": ("pseudonym", "with", "reason"),
    "people/split": ("pseudonym", "reason"),
}
GOOD: Final[dict[str, dict[str, str]]] = {
    "credentials": {"kind": "ingest"},
    "accounts/invite": {"role": "administrator"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(tmp_path_factory.mktemp("local")) as started:
        assert report(started.otlp_url, {"team.id": "checkout"}).is_success
        assert total(started) == 1  # from now on pages show figures
        yield started


def get(server: RunningServer, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
    return httpx.get(f"{server.url}{path}", trust_env=False, timeout=60, **sent)


def post(server: RunningServer, path: str, body: object) -> httpx.Response:
    content = json.dumps(body)  # which escapes what httpx would not send
    return httpx.post(
        f"{server.url}{path}", content=content, headers=JSON, trust_env=False, timeout=60
    )


def total(server: RunningServer) -> Any:  # noqa: ANN401 - a number
    return get(server, "/api/v1/query?measures=requests").json()["rows"][0]["requests"]


@pytest.mark.parametrize("text", SQL)
def test_sql_injection_into_a_question(server: RunningServer, text: str) -> None:
    before = total(server)
    for name in ("measures", "by", "from", "to", "compare", "timezone"):
        asked = {"measures": "requests", name: text}
        assert get(server, "/api/v1/query", params=asked).status_code == 400, name
    for dimension in ("team", "model", "person", "session", "resource.department"):
        asked = {"measures": "requests", "where": f"{dimension}:{text}"}
        answer = get(server, "/api/v1/query", params=asked)
        assert answer.status_code == 200
        assert answer.json()["rows"][0]["requests"] in {0, None}
    assert get(server, "/", params={"team": text}).status_code == 200
    assert total(server) == before


@pytest.mark.parametrize("text", SQL)
def test_sql_injection_into_the_control_plane(server: RunningServer, text: str) -> None:
    for name in ("actor", "object"):
        answer = get(server, "/api/v1/audit", params={name: text})
        assert answer.json()["entries"] == []
    for path in ("credentials/{}/revoke", "credentials/{}/rotate", "accounts/{}/disable"):
        answer = post(server, f"/api/v1/{path}".format(quote(text, safe="")), {})
        assert answer.status_code == 404
    assert post(server, "/api/v1/people/show", {"subject": text}).status_code == 404
    made = post(server, "/api/v1/credentials", {"kind": "ingest", "name": text})
    assert made.json()["credential"]["name"] == text
    assert get(server, "/api/v1/audit/verification").json()["whole"] is True


@pytest.mark.parametrize("text", SQL)
def test_sql_injection_by_names_in_telemetry(server: RunningServer, text: str) -> None:
    sent = report(server.otlp_url, {"team.id": text}, {"model": text, "vcs.repository.name": text})
    assert sent.is_success
    for dimension in ("team", "model", "repository"):
        rows = get(server, f"/api/v1/query?measures=requests&by={dimension}").json()["rows"]
        assert text.lower() in [(row[dimension] or "").lower() for row in rows]
    found = get(server, "/api/v1/query", params={"measures": "requests", "where": f"team:{text}"})
    assert found.json()["rows"] == [{"requests": 1}]


def test_template_injection_by_addresses(server: RunningServer) -> None:
    text = quote(TEMPLATES, safe="")
    for path in (f"/?team={text}", f"/?range={text}", f"/?from={text}"):
        page = html.unescape(get(server, path, headers={"accept": "text/html"}).text)
        assert TEMPLATES in page, path


@pytest.mark.parametrize("text", FORMULAS)
def test_csv_formula_by_names_in_telemetry(server: RunningServer, text: str) -> None:
    report(server.otlp_url, {"team.id": text})
    told = run_codometer("query", "requests", "--by", "team", "--format=csv", url=server.url)
    assert told.exit_code == ExitStatus.DONE
    cells = [cell for row in csv.reader(io.StringIO(told.stdout)) for cell in row]
    assert len(cells) > 2
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_csv_formula_by_what_people_name(server: RunningServer) -> None:
    post(server, "/api/v1/credentials", {"kind": "ingest", "name": "=1+1"})
    for command in (["credential", "list"], ["audit", "list"]):
        told = run_codometer(*command, "--format=csv", url=server.url).stdout
        cells = [cell for row in csv.reader(io.StringIO(told)) for cell in row]
        assert len(cells) > 8
        assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []


def test_log_injection_by_everything_that_may_reach_a_log(server: RunningServer) -> None:
    forged = quote(FORGED, safe="")
    for path in (f"/{forged}", f"/?team={forged}", f"/?range={forged}", f"/api/v1/{forged}"):
        assert get(server, path).status_code < 500
    report(server.otlp_url, {"team.id": FORGED, FORGED: FORGED}, {"model": FORGED, FORGED: FORGED})
    report(server.otlp_url, {}, {"event.name": FORGED, "user.email": FORGED})
    httpx.post(f"{server.otlp_url}/v1/logs", content=FORGED.encode(), trust_env=False)
    httpx.post(f"{server.otlp_url}/{forged}", content=FORGED.encode(), trust_env=False)
    form = {"login": FORGED, "password": FORGED, "next": FORGED, "link": FORGED}
    for path in ("/sign-in", "/join"):
        answer = httpx.post(f"{server.url}{path}", data=form, trust_env=False)
        assert answer.status_code < 500
    log = server.read_log()
    assert "forged" not in log
    assert "\x1b" not in log
    assert "\0" not in log


def test_terminal_escapes_by_names_in_telemetry(server: RunningServer) -> None:
    report(server.otlp_url, {"team.id": "\x1b]0;owned\x07\x1b[2Jevil\u202e"}, {"model": "\x1b[2J"})
    for form in ("table", "csv", "json"):
        told = run_codometer(
            "query", "requests", "--by=team,model", f"--format={form}", url=server.url
        )
        assert told.exit_code == ExitStatus.DONE
        assert not set("\x1b\x07\u202e") & set(told.stdout)


def ask_without_text(server: RunningServer) -> list[tuple[str, int]]:
    """Put what is no text wherever one can stand; return where a fault came of it."""
    told = []
    for text in NO_TEXTS:
        raw = "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))
        told += [(path, get(server, path.replace("X", raw)).status_code) for path in ADDRESSES]
        for path, names in BODIES.items():
            body = {name: [text] if name == "teams" else text for name in names}
            answer = post(
                server, f"/api/v1/{path.replace('X', raw)}", {**GOOD.get(path, {}), **body}
            )
            told.append((path, answer.status_code))
        form = {"login": raw, "password": raw * 20, "link": raw, "purpose": raw}
        for path in ("/sign-in", "/join"):
            content = "&".join(f"{name}={value}" for name, value in form.items())
            answer = httpx.post(
                f"{server.url}{path}", content=content, headers=FORM, trust_env=False
            )
            told.append((path, answer.status_code))
        sent = report(server.otlp_url, {"team.id": text}, {"model": text, "user.email": text})
        told.append(("/v1/logs", sent.status_code))
    return [each for each in told if each[1] >= 500]


def test_null_bytes_and_half_characters_everywhere(server: RunningServer) -> None:
    assert ask_without_text(server) == []
    assert total(server) > 0


@pytest.mark.needs("postgresql")
def test_null_bytes_and_half_characters_before_a_database_that_takes_none(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_postgresql() as postgresql:
        environment = {"CODOMETER_CONTROL_DATABASE": postgresql.create_database()}
        with running(tmp_path_factory.mktemp("nulls"), environment=environment) as server:
            assert ask_without_text(server) == []
