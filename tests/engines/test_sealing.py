"""When detail expires, what it added up to stays, and only what is new is added."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from codometer.model.signal import SignalKind
from tests import capture

if TYPE_CHECKING:
    from tests.capture import Recorded
    from tests.site import Site

MEASURES: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reported_cost",
    "list_cost",
    "requests",
    "prompts",
    "tool_calls",
    "sessions",
    "lines_added",
    "commits",
    "edits_accepted",
    "active_time_seconds",
)
AFTER: Final = datetime(2026, 11, 23, tzinfo=UTC)
METRIC_CAPTURES: Final = [
    name for name in capture.NAMES if name not in ("2.1.330-prometheus", "2.1.330-errors")
]
"""The captures whose metrics tell of use: of the others one sent none, one had no success."""


def logs(name: str) -> list[Recorded]:
    return [request for request in capture.recorded(name) if request.kind is SignalKind.LOGS]


def metrics(name: str) -> list[Recorded]:
    return [request for request in capture.recorded(name) if request.kind is SignalKind.METRICS]


def expire(site: Site) -> None:
    assert site.store.seal(AFTER) > 0
    left = site.fetch("FROM event SELECT key_low UNION ALL FROM reading SELECT key_low")
    assert not left


def tokens_and_cost(totals: dict[str, Any]) -> list[Any]:
    return [totals[measure] for measure in MEASURES[:5]]


@pytest.mark.parametrize("name", capture.NAMES)
def test_expiry_changes_no_number(site: Site, name: str) -> None:
    site.send(capture.recorded(name))
    before = site.totals(*MEASURES)
    expire(site)
    assert site.totals(*MEASURES) == before


@pytest.mark.parametrize("name", capture.NAMES)
def test_what_was_sealed_and_comes_again_adds_nothing(site: Site, name: str) -> None:
    site.send(capture.recorded(name))
    before = site.totals(*MEASURES)
    expire(site)
    site.send(reversed(capture.recorded(name)))
    assert site.totals(*MEASURES) == before


@pytest.mark.parametrize("name", METRIC_CAPTURES)
def test_metrics_after_their_sealed_events_add_no_use(site: Site, name: str) -> None:
    site.send(logs(name))
    before = site.totals(*MEASURES)
    expire(site)
    site.send(metrics(name))
    after = site.totals(*MEASURES)
    assert tokens_and_cost(after) == tokens_and_cost(before)
    assert after["lines_added"] is not None


@pytest.mark.parametrize("name", METRIC_CAPTURES)
def test_events_after_their_sealed_metrics_add_requests_and_no_use(site: Site, name: str) -> None:
    site.send(metrics(name))
    before = site.totals(*MEASURES)
    expire(site)
    site.send(logs(name))
    after = site.totals(*MEASURES)
    assert tokens_and_cost(after) == tokens_and_cost(before)
    assert after["requests"] == capture.expected(name)["api_requests"]


@pytest.mark.parametrize("name", ["2.1.330-interactive", "2.1.330-cumulative"])
def test_half_of_a_session_after_the_sealed_other_half_completes_it(site: Site, name: str) -> None:
    requests = capture.recorded(name)
    site.send(requests)
    whole = site.totals(*MEASURES)
    site.store.seal(AFTER)
    other = [request for number, request in enumerate(requests) if number % 2]
    site.send(other)
    site.store.seal(AFTER)
    assert site.totals(*MEASURES) == whole


def test_an_import_into_sealed_days_grows_them_by_what_is_new(site: Site) -> None:
    first, second = "2.1.330-http-protobuf", "2.1.330-grpc"
    site.send(capture.recorded(first))
    alone = site.totals(*MEASURES)
    expire(site)
    site.send(capture.recorded(second))
    both = site.totals(*MEASURES)
    expire(site)
    assert site.totals(*MEASURES) == both
    requests = capture.expected(first)["api_requests"] + capture.expected(second)["api_requests"]
    assert both["requests"] == requests
    assert both["reported_cost"] > alone["reported_cost"]
