"""What the server says of a real client's work, against what the client and its API say.

Three accounts of one journey meet here: the ledger of the stand-in for the Messages API
(requests and tokens), the client's own closing words (its cost), and the server's answers.
"""

from decimal import Decimal

import pytest

from tests.e2e.journey import Journey, Row
from tests.e2e.messages_api import OVERLOADED, LedgerLine
from tests.e2e.script import (
    MODEL,
    MODEL_THAT_IS_DOWN,
    RESUMED_MODEL,
    SCRIPTED_API_ERRORS,
    SCRIPTED_COMMITS,
    SCRIPTED_LINES_ADDED,
    SCRIPTED_LINES_REMOVED,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.needs("ip", "network namespaces", "npm"),
]

TOKEN_MEASURES = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
)


def test_the_client_did_what_the_script_says(journey: Journey) -> None:
    assert [result.is_error for result in journey.results] == [False, False, True]
    assert [line.model for line in journey.paid] == [MODEL] * 5 + [RESUMED_MODEL] * 3
    refused = [line.status for line in journey.ledger if line.model == MODEL]
    assert refused.count(OVERLOADED) == 1


def test_every_request_that_was_answered_is_counted_once(journey: Journey) -> None:
    assert journey.query_one("requests") == len(journey.paid)


@pytest.mark.parametrize("measure", TOKEN_MEASURES)
def test_every_token_is_counted_once_and_by_its_type(journey: Journey, measure: str) -> None:
    assert journey.query_one(measure) == _count_tokens(journey.paid)[measure]


def test_every_token_is_counted_for_the_model_that_used_it(journey: Journey) -> None:
    rows = journey.query(*TOKEN_MEASURES, by="model")
    counted = {row["model"]: _pick(row, TOKEN_MEASURES) for row in rows}
    for model in (MODEL, RESUMED_MODEL):
        lines = [line for line in journey.paid if line.model == model]
        assert counted[model] == _count_tokens(lines)


def test_the_reported_cost_is_the_total_the_client_closed_with(journey: Journey) -> None:
    assert journey.query_one("reported_cost") == pytest.approx(_sum_costs(journey))


def test_the_list_cost_of_known_models_is_what_the_client_reports(journey: Journey) -> None:
    assert journey.query_one("list_cost") == pytest.approx(_sum_costs(journey))


def test_lines_and_commits_are_those_of_the_script(journey: Journey) -> None:
    assert journey.query_one("lines_added") == SCRIPTED_LINES_ADDED
    assert journey.query_one("lines_removed") == SCRIPTED_LINES_REMOVED
    assert journey.query_one("commits") == SCRIPTED_COMMITS


def test_a_session_taken_up_again_is_still_one_session(journey: Journey) -> None:
    first, resumed, failed = (result.session_id for result in journey.results)
    assert first == resumed != failed
    assert journey.query_one("sessions") == 2


def test_every_prompt_is_counted(journey: Journey) -> None:
    assert journey.query_one("prompts") == len(journey.results)


def test_only_a_request_that_was_given_up_is_an_api_error(journey: Journey) -> None:
    refused = [line for line in journey.ledger if line.model == MODEL_THAT_IS_DOWN]
    assert len(refused) > 1  # it was tried more than once
    assert journey.query_one("api_errors") == SCRIPTED_API_ERRORS


def test_attributes_that_an_administrator_sets_become_dimensions(journey: Journey) -> None:
    requests = len(journey.paid)
    assert _index(journey.query("requests", by="team"), "team")["payments"] == requests
    assert _index(journey.query("requests", by="cost_center"), "cost_center")["cc-1200"] == requests


def _count_tokens(lines: list[LedgerLine]) -> dict[str, int]:
    usages = [line.usage for line in lines]
    return {
        "uncached_input_tokens": sum(usage.uncached_input_tokens for usage in usages),
        "cache_read_tokens": sum(usage.cache_read_tokens for usage in usages),
        "cache_write_tokens": sum(
            usage.cache_write_5m_tokens + usage.cache_write_1h_tokens for usage in usages
        ),
        "output_tokens": sum(usage.output_tokens for usage in usages),
    }


def _sum_costs(journey: Journey) -> Decimal:
    # A session that is taken up again goes on from its total.
    totals = {result.session_id: result.total_cost_usd for result in journey.results}
    return sum(totals.values(), Decimal(0))


def _pick(row: Row, names: tuple[str, ...]) -> Row:
    return {name: row[name] for name in names}


def _index(rows: list[Row], dimension: str) -> Row:
    return {row[dimension]: row["requests"] for row in rows}
