from decimal import Decimal
from typing import Any

from codometer.cli.coverage_notes import coverage_notes

MONEY = {"label": "Cost", "unit": "USD", "display": "money", "provenance": "estimated"}
LIST = {"label": "List cost", "unit": "USD", "display": "money", "provenance": "estimated"}
TOKENS = {"label": "Tokens", "unit": "tokens", "display": "count", "provenance": "counted"}
COMMITS = {"label": "Commits", "unit": "commits", "display": "count", "provenance": "counted"}


def notes_on(*measures: dict[str, str], **coverage: object) -> list[str]:
    nothing: dict[str, Any] = {
        "signals": ["event"],
        "token_shares": {"event": Decimal(1)},
        "estimated_cost": None,
        "fallback_cost": None,
        "unpriced_requests": 0,
        "unpriced_models": [],
        "missing_events": 0,
        "reported_from": "2026-11-01T08:00:00Z",
        "reported_until": "2026-11-23T14:15:00Z",
    }
    period = {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z", "timezone": "UTC"}
    return coverage_notes(
        {"measures": list(measures), "period": period, "coverage": nothing | coverage}
    )


def test_what_is_counted_from_events_needs_no_note() -> None:
    assert notes_on(TOKENS) == []


def test_estimates_are_named() -> None:
    assert notes_on(MONEY) == ["Cost is estimated, not billed."]
    assert notes_on(MONEY, LIST) == ["Cost and List cost are estimated, not billed."]


def test_tokens_that_only_metrics_told_are_noted_where_tokens_matter() -> None:
    shares = {
        "event": Decimal("0.9"),
        "metric": Decimal("0.0996"),
        "metric_daily": Decimal("0.0004"),
    }
    assert notes_on(TOKENS, token_shares=shares) == [
        "10.0% of the tokens are counted from metrics, because no events of them came."
    ]
    assert notes_on(COMMITS, token_shares=shares) == []
    assert notes_on(TOKENS, token_shares={"metric_daily": Decimal(1)}) == [
        "100.0% of the tokens are an estimate, from metrics without session ids."
    ]


def test_requests_without_a_price_are_named_with_their_models() -> None:
    [_, note] = notes_on(
        MONEY,
        unpriced_requests=1_200,
        unpriced_models=["a", "b", "c", "d", "e"],
        fallback_cost=Decimal("3.5"),
    )
    assert note == (
        "1,200 requests have no list price (a, b, c and 2 more);"
        " $3.50 of the cost is what clients reported."
    )
    assert notes_on(MONEY, unpriced_requests=1)[1:] == [
        "1 request has no list price (unknown models)."
    ]
    assert notes_on(TOKENS, unpriced_requests=1) == []


def test_lost_events_and_a_late_start_are_noted() -> None:
    assert notes_on(COMMITS, missing_events=14, reported_from="2026-11-03T08:00:00Z") == [
        "14 events were sent and did not arrive.",
        "These data begin on 3 Nov 2026.",
    ]
    assert notes_on(COMMITS, missing_events=1) == ["1 event was sent and did not arrive."]
