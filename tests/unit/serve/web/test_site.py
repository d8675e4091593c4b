"""Pages as a browser is answered, on fakes of what the server hands to them."""

import gzip
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from codometer.errors import Overloaded
from codometer.serve.gate import Gate
from codometer.serve.http import Guard
from codometer.serve.web.events import Changes
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.site import PAGE_POLICY, Site
from codometer.serve.web.view import View
from codometer.serve.workers import Workers
from codometer.settings import Listen
from tests.unit.serve.parts import NOW, Client, Office, StoreGone, shared_access

HTML: Final = {"accept": "text/html,application/xhtml+xml"}
Values = Mapping[str, object]
Clock = Callable[[], datetime]


@dataclass
class Panels:
    """Two panels in templates that are there anyway; either can fail. The second may be shared."""

    fault: Exception | None = None
    is_shared: bool = False
    built: int = 0

    def build_connect(self, _: View) -> Values:
        return {"variables": {"A": "1 < 2"}, "command": "codometer"}

    def build_checks(self, view: View) -> Values:
        self.built += 1
        if self.fault:
            raise self.fault
        where = view.team or "everybody"
        return {"checks": [{"what": where, "state": "ok", "value": view.range, "note": ""}]}

    def page(self, path: str = "/", name: str = "overview") -> Page[View]:
        connect = Panel(
            name="connect",
            title="How to connect",
            template="connect.html",
            build=self.build_connect,
        )
        checks = Panel(
            name="checks",
            title="What holds",
            template="checks.html",
            build=self.build_checks,
            classes="c4",
            is_shared=self.is_shared,
        )
        return Page(
            path=path,
            name=name,
            title=name.title(),
            template="first_run.html",
            panels=(connect, checks),
        )


def client_of(*pages: Page[View], office: Office | None = None, max_waiting: int = 8) -> Client:
    return client_and_changes(*pages, office=office, max_waiting=max_waiting)[0]


def client_and_changes(
    *pages: Page[View], office: Office | None = None, max_waiting: int = 8, now: Clock = lambda: NOW
) -> tuple[Client, Changes]:
    office = office or Office()
    changes = Changes(lambda: office.version)
    site = Site(
        pages,
        first_run=replace(Panels().page(), title="First run"),
        zone=ZoneInfo("Europe/Berlin"),
        ask=office.ask,
        changes=changes,
        workers=Workers(threads=1, max_waiting=max_waiting),
        gate=Gate(shared_access()),
        now=now,
    )
    client = Client(
        Starlette(
            routes=site.routes(),
            middleware=[Middleware(Guard, listen=Listen())],
            exception_handlers={HTTPException: site.refuse},
        )
    )
    return client, changes


def frame_page(path: str = "/", name: str = "overview", group: str = "") -> Page[View]:
    """Return a page with nothing in its frame."""
    return Page(
        path=path, name=name, title=name.title(), template="page.html", panels=(), group=group
    )


def test_a_page_comes_with_the_strict_policy_and_careful_headers() -> None:
    response = client_of(Panels().page()).get("/", HTML)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == PAGE_POLICY
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["cache-control"] == "no-store"
    assert " style=" not in response.text
    assert "<script>" not in response.text


def test_a_page_is_sent_compressed_to_those_who_read_that() -> None:
    client = client_of(Panels().page())
    plain = client.get("/", {**HTML, "accept-encoding": "identity"})
    packed = client.get("/", {**HTML, "accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, 5, mtime=0))


def test_values_are_escaped() -> None:
    assert "1 &lt; 2" in client_of(Panels().page()).get("/", HTML).text


def test_a_panel_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    panels = Panels(fault=RuntimeError("the secret reason"))
    with caplog.at_level(logging.ERROR):
        response = client_of(panels.page()).get("/?range=90d", HTML)
    assert response.status_code == 200
    assert "1 &lt; 2" in response.text
    assert '<section class="c4" data-panel="checks">' in response.text
    assert "<h2>What holds</h2>" in response.text
    assert "The server failed to work this out." in response.text
    assert '<a href="/?range=90d">Try again</a>' in response.text
    assert "secret" not in response.text
    assert "the secret reason" in caplog.text


def test_a_panel_says_what_is_wrong_and_what_to_do() -> None:
    panels = Panels(fault=StoreGone("the disk is away", hint="plug it in"))
    text = client_of(panels.page()).get("/", HTML).text
    assert "The disk is away." in text
    assert "Plug it in." in text


def test_a_shared_panel_is_built_once_for_all_who_look_at_the_same() -> None:
    panels = Panels(is_shared=True)
    client = client_of(panels.page())
    pages = {client.get("/?range=7d", HTML).text for _ in range(3)}
    assert client.get("/?range=7d&panel=checks", HTML).text in pages.pop()
    assert (panels.built, pages) == (1, set())
    for other in ("/", "/?range=7d&team=data", "/?range=7d&tz=UTC"):
        client.get(other, HTML)
    assert panels.built == 4


def test_a_change_of_the_sums_shows_at_once_and_is_built_before_anybody_asks() -> None:
    panels = Panels(is_shared=True)
    client, changes = client_and_changes(panels.page())
    for _ in range(2):
        changes.prepare()
        assert panels.built == 0  # nobody looks
    client.get("/", HTML)
    client.get("/?range=7d&panel=checks", HTML)
    assert panels.built == 2
    changes.prepare()
    assert panels.built == 4
    client.get("/", HTML)
    client.get("/?range=7d", HTML)
    assert panels.built == 4


def test_nothing_is_built_anew_of_what_nobody_looks_at_any_more() -> None:
    panels, times = Panels(is_shared=True), [NOW]
    client, changes = client_and_changes(panels.page(), now=lambda: times[-1])
    client.get("/", HTML)
    times.append(NOW + timedelta(seconds=20))
    changes.prepare()
    assert panels.built == 1
    client.get("/", HTML)
    assert panels.built == 2


def test_a_shared_panel_that_failed_is_built_again() -> None:
    panels = Panels(fault=StoreGone("the disk is away"), is_shared=True)
    client = client_of(panels.page())
    assert "The disk is away." in client.get("/", HTML).text
    panels.fault = None
    assert "The disk is away." not in client.get("/", HTML).text


def test_panels_are_answered_alone_as_they_stand_in_the_page() -> None:
    client = client_of(Panels().page())
    page = client.get("/?range=7d&team=data", HTML).text
    one = client.get("/?range=7d&team=data&panel=checks", HTML).text
    both = client.get("/?range=7d&team=data&panel=checks&panel=connect", HTML).text
    assert "<html" not in one
    assert ">data</span>" in one
    assert ">7d</span>" in one
    assert one in page
    assert both.startswith(one)
    assert both.removeprefix(one).strip() in page


def test_a_panel_that_is_not_there_says_that_the_page_is_another_one() -> None:
    response = client_of(Panels().page()).get("/?panel=teams", HTML)
    assert response.status_code == 404
    assert "Overview has no panel teams." in response.text


@pytest.mark.parametrize("path", ["/nowhere", "/assets/none.css", "/overview/"])
def test_an_unknown_path_is_a_page_in_the_frame(path: str) -> None:
    response = client_of(Panels().page()).get(path, HTML)
    assert response.status_code == 404
    assert response.headers["content-security-policy"] == PAGE_POLICY
    assert "<h1>There is no such page</h1>" in response.text
    assert f"There is nothing at {path}." in response.text
    assert 'aria-label="Main"' in response.text
    assert '<a class="btn" href="/">Go to Overview</a>' in response.text


def test_a_program_gets_errors_as_data() -> None:
    response = client_of(Panels().page()).get("/nowhere", {"accept": "*/*"})
    assert response.json()["error"]["code"] == "not_found"
    response = client_of(Panels().page()).get("/?range=30d", {"accept": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"


def test_an_address_that_cannot_be_shown_says_why() -> None:
    response = client_of(Panels().page()).get("/?range=30d", HTML)
    assert response.status_code == 400
    assert "<h1>This address cannot be shown</h1>" in response.text
    assert "The range &#39;30d&#39; is not one of 7d, 28d, 90d." in response.text


def test_a_server_with_too_much_to_do_says_so() -> None:
    response = client_of(Panels().page(), max_waiting=0).get("/", HTML)
    assert response.status_code == Overloaded.status
    assert "<h1>Too busy to answer</h1>" in response.text


def test_a_fault_of_ours_is_a_page_that_tells_nothing_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office(fault=RuntimeError("the secret reason"))
    with caplog.at_level(logging.ERROR):
        response = client_of(frame_page(), office=office).get("/", HTML)
    assert response.status_code == 500
    assert "<h1>The server failed to answer</h1>" in response.text
    assert "secret" not in response.text
    assert "the secret reason" in caplog.text


def test_an_error_says_that_it_is_local_mode_too() -> None:
    for path in ("/", "/nowhere", "/?range=none"):
        assert "Local mode" in client_of(Panels().page()).get(path, HTML).text


def test_the_navigation_has_what_there_is_and_marks_where_the_reader_is() -> None:
    client = client_of(
        frame_page(),
        frame_page("/cost", "cost"),
        frame_page("/explore", "explore", "Investigate"),
    )
    text = client.get("/cost?range=7d&team=data", HTML).text
    assert text.count('<a href="/cost?range=7d&amp;team=data" aria-current="page">Cost</a>') == 2
    assert text.count('<a href="/?range=7d&amp;team=data">Overview</a>') == 2
    assert "<h2>Investigate</h2>" in text
    assert "<h2>Operate</h2>" not in text


def test_the_header_says_days_comparison_and_zone() -> None:
    client = client_of(frame_page())
    text = client.get("/", HTML).text
    assert "27 Oct to 23 Nov 2026, compared with the 28 days before." in text
    assert '<span data-zone="Europe/Berlin">Europe/Berlin</span>' in text
    assert '<a href="/?tz=UTC">show UTC</a>' in text
    other = client.get("/?tz=UTC&from=2026-11-02&to=2026-11-02", HTML).text
    assert "2 Nov 2026, compared with the day before." in other
    assert '<span data-zone="UTC">UTC</span>, days in Europe/Berlin' in other


def test_every_control_is_an_address() -> None:
    text = client_of(frame_page()).get("/?team=search&tz=UTC", HTML).text
    for href, label in (
        ("/?range=7d&amp;team=search&amp;tz=UTC", "7 d"),
        ("/?tz=UTC", "All teams"),
        ("/?team=checkout&amp;tz=UTC", "checkout"),
    ):
        assert f'<a href="{href}"' in text
        assert f">{label}</a>" in text
    assert '<input type="hidden" name="team" value="search">' in text
    assert '<input type="date" name="from" required max="2026-11-23" value="2026-10-27">' in text
    assert '<a href="/?team=search&amp;tz=UTC" aria-current="true"' in text


def test_a_page_stands_without_its_teams(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    client = client_of(frame_page(), office=office)
    client.get("/?panel=none", HTML)  # something was counted
    office.fault = StoreGone("the disk is away")
    with caplog.at_level(logging.ERROR):
        response = client.get("/", HTML)
    assert response.status_code == 200
    assert "All teams" not in response.text
    assert "the teams could not be read" in caplog.text


def test_the_header_says_when_the_last_data_came() -> None:
    text = client_of(frame_page()).get("/", HTML).text
    assert "Last data today" in text  # since the start nothing has changed


def test_before_anything_was_counted_every_page_is_the_first_run() -> None:
    office = Office(uses=())
    client = client_of(frame_page(), office=office)
    assert "<h1>First run</h1>" in client.get("/", HTML).text
    office.uses = Office().uses
    assert "<h1>Overview</h1>" in client.get("/", HTML).text
    office.uses = ()
    assert "<h1>Overview</h1>" in client.get("/", HTML).text  # once counted, always


def test_a_first_run_that_has_ended_is_another_page() -> None:
    client = client_of(frame_page())
    assert client.get("/?panel=checks", HTML).status_code == 404


def test_head_is_answered_like_get_and_ends() -> None:
    client = client_of(frame_page())
    assert client.send("HEAD", "/", HTML).status_code == 200
    assert client.send("HEAD", "/events").headers["content-type"].startswith("text/event-stream")


def test_a_post_is_refused() -> None:
    response = client_of(frame_page()).send("POST", "/", HTML)
    assert response.status_code == 405
