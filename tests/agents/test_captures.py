"""What real clients sent adds up to what the stand-in for the model's API counted."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from codometer.intake.receivers.export import Encoding
from codometer.model.signal import SignalKind
from tests import capture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.capture import Recorded
    from tests.site import Site

TOKENS: Final = {
    "uncached_input_tokens": "input",
    "cache_read_tokens": "cacheRead",
    "cache_write_tokens": "cacheCreation",
    "output_tokens": "output",
}
COUNTS_ONE_MORE_OUTPUT: Final = "1.0.60-http-protobuf"
"""This version counts the stream's first `output_tokens: 1` too: 14 more in 14 requests."""

EXACT: Final = Decimal("1e-12")
UNREPORTED: Final = {"2.1.330-subagents": 1}
"""Tool calls that the model asked for and the client told nobody of: an Edit."""

NO_METRICS: Final = "2.1.330-prometheus"


def truth(name: str) -> dict[str, int]:
    tokens = {measure: capture.expected(name)["tokens"][key] for measure, key in TOKENS.items()}
    if name == COUNTS_ONE_MORE_OUTPUT:
        tokens["output_tokens"] += capture.expected(name)["api_requests"]
    return tokens


def check_tokens_and_cost(site: Site, name: str) -> None:
    answer = site.totals(*TOKENS, "reported_cost", "list_cost")
    if not capture.expected(name)["api_requests"]:
        assert not any(answer[measure] for measure in TOKENS)
        return
    assert {measure: answer[measure] for measure in TOKENS} == truth(name)
    total = capture.expected(name).get("client_total_cost_usd")
    if total is not None:
        assert abs(answer["reported_cost"] - Decimal(repr(total))) < EXACT
    assert abs(answer["list_cost"] - answer["reported_cost"]) <= Decimal("1e-9")


def check_all(site: Site, name: str) -> None:
    check_tokens_and_cost(site, name)
    requests = site.totals("requests")["requests"]
    assert requests == capture.expected(name)["api_requests"]


def only(kind: SignalKind, requests: Iterable[Recorded]) -> list[Recorded]:
    return [request for request in requests if request.kind is kind]


@pytest.mark.parametrize("name", capture.NAMES)
@pytest.mark.parametrize("encoding", Encoding)
def test_a_recording_adds_up_to_the_truth(site: Site, name: str, encoding: Encoding) -> None:
    site.send(capture.recorded(name), encoding)
    check_all(site, name)


@pytest.mark.parametrize("name", capture.NAMES)
def test_a_recording_sent_twice_in_any_order_counts_once(site: Site, name: str) -> None:
    requests = [*capture.recorded(name), *capture.recorded(name)]
    random.Random(name).shuffle(requests)  # noqa: S311 - an order, not a secret
    site.send(requests)
    check_all(site, name)


@pytest.mark.parametrize("name", capture.NAMES)
def test_a_recording_counts_the_same_in_one_piece_and_in_many(site: Site, name: str) -> None:
    requests = capture.recorded(name)
    site.send(capture.split(requests))
    check_all(site, name)
    site.send(capture.merged(requests))
    check_all(site, name)
    site.send(capture.merged((*requests, *requests)))
    check_all(site, name)


@pytest.mark.parametrize("name", capture.NAMES)
def test_logs_alone_tell_everything(site: Site, name: str) -> None:
    site.send(only(SignalKind.LOGS, capture.recorded(name)))
    check_all(site, name)


@pytest.mark.parametrize("name", [name for name in capture.NAMES if name != NO_METRICS])
def test_metrics_alone_tell_the_same_tokens_and_cost(site: Site, name: str) -> None:
    site.send(only(SignalKind.METRICS, capture.recorded(name)))
    check_tokens_and_cost(site, name)
    assert site.totals("requests")["requests"] is None


@pytest.mark.parametrize("name", ["2.1.330-traces"])
def test_spans_alone_tell_requests_and_tokens(site: Site, name: str) -> None:
    site.send(only(SignalKind.TRACES, capture.recorded(name)))
    answer = site.totals(*TOKENS, "requests", "reported_cost")
    assert answer.pop("requests") == capture.expected(name)["api_requests"]
    assert answer.pop("reported_cost") is None
    assert answer == truth(name)


@pytest.mark.parametrize("name", capture.NAMES)
def test_what_events_and_metrics_both_tell_is_never_added(site: Site, name: str) -> None:
    site.send(capture.recorded(name))
    filled = site.fetch(
        "SELECT sum(output_tokens), sum(reported_cost), sum(edits_accepted), sum(edits_rejected) "
        "FROM rollup_15m WHERE source = 'metric'"
    )
    assert not any(filled[0])


@pytest.mark.parametrize("name", [name for name in capture.NAMES if name != NO_METRICS])
def test_lines_and_sessions_are_those_of_the_client(site: Site, name: str) -> None:
    site.send(capture.recorded(name))
    lines = capture.expected(name).get("client_lines")
    if lines is None:
        pytest.skip("this client did not print its lines")
    answer = site.totals("lines_added", "lines_removed", "sessions")
    assert answer["lines_added"] == lines["added"]
    assert answer["lines_removed"] == lines["removed"]


@pytest.mark.parametrize("name", capture.NAMES)
def test_tool_calls_are_those_of_the_truth(site: Site, name: str) -> None:
    site.send(capture.recorded(name))
    calls = sum(capture.expected(name)["tool_calls"].values()) - UNREPORTED.get(name, 0)
    assert site.totals("tool_calls")["tool_calls"] == calls
