"""Overview shows the numbers of the API, which are those that the simulator wrote down."""

from __future__ import annotations

import json
import time
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from codometer.analysis.dates import format_date
from codometer.analysis.numbers import format_money_cell, format_money_exact
from codometer.cli.edge import ExitStatus
from codometer.serve.web.formats import format_figure
from codometer.serve.web.naming import name_model, name_team
from tests.journeys.office import run_codometer
from tests.truth import find_differences
from tests.unit.serve.web.overview.company import by_class, cells, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.running import RunningServer

FIRST, LAST, AFTER = "2026-11-15", "2026-11-21", "2026-11-22"
"""The days shown: those of the fleet, and one on either side for those far from UTC."""

FLEET: Final = (
    *("--people", "30", "--since", "2026-11-16", "--until", "2026-11-20"),
    *("--sessions", "1", "--minutes", "2"),
)
SETTLE_SECONDS: Final = 30.0
SHOWN: Final = {
    "Active developers": ("active_people", "people"),
    "Sessions": ("sessions", "sessions"),
    "Tokens": ("tokens", "tokens"),
    "Commits": ("commits", "commits"),
    "Pull requests": ("pull_requests", "pull requests"),
}


@pytest.fixture
def truth(server: RunningServer, tmp_path: Path) -> Mapping[str, Any]:
    """Send a fleet to the server, wait until it counted it, and return what was sent."""
    file = tmp_path / "truth.json"
    result = run_codometer(
        *("simulate", "--endpoint", server.otlp_url, "--grpc-endpoint", server.grpc_target),
        *(*FLEET, "--truth", str(file)),
    )
    assert result.exit_code == ExitStatus.DONE, result.output
    document: dict[str, Any] = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    deadline = time.monotonic() + SETTLE_SECONDS
    while wrong := find_differences(document, lambda measures, by: ask(server, measures, by)):
        assert time.monotonic() < deadline, wrong
        time.sleep(0.2)
    return document


def ask(server: RunningServer, measures: list[str], by: str | None) -> list[dict[str, Any]]:
    question = {"measures": ",".join(measures), "from": FIRST, "to": AFTER, "by": by or ""}
    rows: list[dict[str, Any]] = server.get_json(f"/api/v1/query?{urlencode(question)}")["rows"]
    return rows


def panel(server: RunningServer, name: str) -> ET.Element:
    status, body = server.get(f"/?from={FIRST}&to={LAST}&panel={name}")
    assert status == 200, body
    return ET.fromstring(body)  # noqa: S314 - our own page


@pytest.mark.slow
def test_the_page_shows_what_was_sent(server: RunningServer, truth: Mapping[str, Any]) -> None:
    totals = truth["totals"]
    figures = {
        text(figure[0]): text(by_class(figure, "v")[0])
        for figure in by_class(panel(server, "figures"), "kpi")
    }
    (counted,) = ask(server, [name for name, _ in SHOWN.values()], None)
    for label, (name, unit) in SHOWN.items():
        assert figures[label] == format_figure(counted[name], "count", unit)
        assert counted[name] == totals.get(name, counted[name])
    assert_teams(server, truth)
    assert_spend(server, truth)


def assert_teams(server: RunningServer, truth: Mapping[str, Any]) -> None:
    teams = panel(server, "teams")
    shown = {row[0]: row for row in cells(teams)}
    rows = {name_team(row["team"]): row for row in ask(server, ["cost", "active_people"], "team")}
    named = shown.keys() & rows.keys()
    assert named
    for name in named:
        assert shown[name][1] == format_money_cell(rows[name]["cost"])
        assert shown[name][4] == str(rows[name]["active_people"])
        assert rows[name]["cost"] == pytest.approx(truth["by"]["team"][name]["cost"])
    (total,) = cells(teams, "tfoot")
    assert total[1] == format_money_cell(truth["totals"]["cost"])


def assert_spend(server: RunningServer, truth: Mapping[str, Any]) -> None:
    spend = panel(server, "spend")
    days = {row[0]: row[-1] for row in cells(spend)}
    for row in ask(server, ["cost"], "day"):
        label = format_date(date.fromisoformat(row["day"]), today=date.fromisoformat(LAST))
        assert days[label] == format_money_exact(row["cost"])
    heads = [text(cell) for cell in next(spend.iter("tr"))]
    models = {name_model(name or None): numbers for name, numbers in truth["by"]["model"].items()}
    for at, name in enumerate(heads):
        if name in models:
            shown = sum(_amount(row[at]) for row in cells(spend))
            assert shown == pytest.approx(float(models[name]["cost"]), abs=0.005 * len(days))


def _amount(shown: str) -> float:
    return 0.0 if shown == "–" else float(shown.replace("$", "").replace(",", ""))
