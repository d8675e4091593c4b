"""What a page costs: bytes, time to the first chart, script, and the server's time under load."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from codometer.operate.demo import demo_scenario, load_history
from tests.bench.bodies import Session
from tests.bench.clients import Pace, in_own_process, pace
from tests.bench.connections import Target
from tests.bench.results import Results, quantile
from tests.browser.fleet import serve
from tests.browser.visit import launch, wait_until
from tests.running import HOST, RunningServer, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

EVENTS_A_SECOND: Final = 5_000
_OVERVIEW: Final = "/"
_SLOWER: Final = 4
_VISITS: Final = 7
_NEWS_RECORDS: Final = 60
_NEWS_SEED: Final = 7
_PATIENCE_SECONDS: Final = 1_800.0
_FIGURES: Final = "document.querySelector('[data-panel=figures]').innerText"

_SERVER_MS: Final = """(() => {
  const [visit] = performance.getEntriesByType('navigation');
  return visit.responseStart - visit.requestStart;
})()"""

# Runs before the page: notes when a chart was drawn, and how much has moved since.
_WATCH: Final = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
const look = () => {
  const mark = document.querySelector('.chart .pl rect');
  if (mark && mark.getBoundingClientRect().height > 0) {
    requestAnimationFrame(() => { window.charted = performance.now(); });
  } else {
    requestAnimationFrame(look);
  }
};
requestAnimationFrame(look);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """One visit with nothing in the browser's cache."""

    bytes: int
    chart_ms: float
    server_ms: float
    script_ms: float
    shift: float
    elements: int


def measure_pages(results: Results) -> None:
    """Let a fleet report, visit its Overview, and ask for it while others send."""
    folder = results.folder / "pages"
    folder.mkdir()
    people, days = max(3, results.scale.day_sessions // 16), 3 * results.scale.days
    results.tell(f"pages: {people} people, {days} days")
    _load(folder, people=people, days=days)
    with running(folder) as server, _browser() as browser:
        for row, slower in {"as it is": 1, "at a quarter of the speed": _SLOWER}.items():
            results.tell(f"pages: visits, {row}")
            visits = [_visit(browser, server.url, slower) for _ in range(_VISITS)]
            _add_visits(results, row, visits)
        results.tell("pages: live")
        _measure_live(results, browser, server)
    _measure_under_load(results, folder)


def _load(folder: Path, *, people: int, days: int) -> None:
    now = datetime.now(UTC)
    scenario = demo_scenario(people=people, days=days, seed=1, today=now.date())
    with serve(folder) as served:
        history = load_history(scenario, served.accept, now, progress=lambda *_: None)
        served.run(history, seconds=_PATIENCE_SECONDS)
        served.server.store.roll_up()


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def _visit(browser: Browser, url: str, slower: int) -> Visited:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    for method in ("Network.enable", "Performance.enable"):
        session.send(method)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.add_init_script(_WATCH)
    page.goto(f"{url}{_OVERVIEW}", wait_until="load")
    wait_until(page, lambda: page.evaluate("window.charted") is not None)
    visited = Visited(
        bytes=round(sum(received)),
        chart_ms=page.evaluate("window.charted"),
        server_ms=page.evaluate(_SERVER_MS),
        script_ms=_read_metric(session, "ScriptDuration") * 1000,
        shift=page.evaluate("window.shifted"),
        elements=page.evaluate("document.querySelectorAll('*').length"),
    )
    context.close()
    return visited


def _read_metric(session: CDPSession, name: str) -> float:
    metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == name))


def _add_visits(results: Results, row: str, visits: list[Visited]) -> None:
    results.add(
        "page",
        row,
        kib=max(visit.bytes for visit in visits) / 1024,
        chart_p50_ms=quantile([visit.chart_ms for visit in visits], 0.5),
        chart_max_ms=max(visit.chart_ms for visit in visits),
        server_p50_ms=quantile([visit.server_ms for visit in visits], 0.5),
        script_ms=quantile([visit.script_ms for visit in visits], 0.5),
        shift=max(visit.shift for visit in visits),
        elements=max(visit.elements for visit in visits),
    )


def _measure_live(results: Results, browser: Browser, server: RunningServer) -> None:
    """Open one page, let something happen, and time how long the page takes to show it."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(server.url, wait_until="load")
    seconds = [_time_news(page, server, number) for number in range(_VISITS)]
    page.context.close()
    results.add(
        "live", "one page", p50_ms=quantile(seconds, 0.5) * 1000, max_ms=max(seconds) * 1000
    )


def _time_news(page: Page, server: RunningServer, number: int) -> float:
    before = page.evaluate(_FIGURES)
    body = Session(number, time.time_ns(), seed=_NEWS_SEED).logs(_NEWS_RECORDS)
    connection = http.client.HTTPConnection(HOST, server.ports.otlp)
    headers = {"content-type": "application/x-protobuf"}
    connection.request("POST", f"/v1/{body.kind}", body.data, headers)
    assert connection.getresponse().status == HTTPStatus.OK
    connection.close()
    return wait_until(page, lambda: page.evaluate(_FIGURES) != before)


def _measure_under_load(results: Results, folder: Path) -> None:
    scale = results.scale
    records = round(EVENTS_A_SECOND * scale.interval_seconds / scale.clients)
    results.tell(f"pages: asked for while {EVENTS_A_SECOND:,} events/s arrive")
    with running(folder) as server:
        plan = Pace(
            target=Target.of(server),
            clients=scale.clients,
            records=records,
            interval_seconds=scale.interval_seconds,
            seconds=scale.pace_seconds,
            questions=(_OVERVIEW,),
        )
        paced = in_own_process(pace, plan)
    asked = paced.asked or [0.0]  # so short a time that nobody asked
    results.add(
        "page_load",
        "Overview",
        p50_ms=quantile(asked, 0.5) * 1000,
        p95_ms=quantile(asked, 0.95) * 1000,
        max_ms=max(asked) * 1000,
        events_a_second=len(paced.answered) * records / paced.spent.wall_seconds,
        share=paced.spent.share,
        others=paced.spent.others,
    )
