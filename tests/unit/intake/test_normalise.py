"""One bad signal costs only itself, and is counted by the reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import pytest

from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.origin import OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.intake.normalise import Normalised, Normaliser, Reason
from codometer.model.event import UNNAMED, SentContent, Stranger
from codometer.model.signal import DataPoint, LogRecord, Span, Temporality
from codometer.pricing import normalise_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codometer.model.signal import AttributeValue, Signal

NOW_NS: Final = 1_790_000_000 * 10**9
DAY_NS: Final = 86_400 * 10**9
YEAR_2023_NS: Final = 1_700_000_000 * 10**9


def normalise(signals: Iterable[Signal], *, agent: type[ClaudeCode] = ClaudeCode) -> Normalised:
    origins = Origins(OriginRules())
    agents = (agent(origins, normalise_model), UnknownAgent(origins))
    total = Normalised()
    Normaliser(agents, lambda: NOW_NS).normalise([signals], total)
    return total


def log(time_ns: int = NOW_NS, name: str = "claude_code.api_request") -> LogRecord:
    return LogRecord(time_ns, name, {"service.name": "claude-code", "request_id": f"r{time_ns}"})


def point(value: float, metric: str = "claude_code.token.usage") -> DataPoint:
    attributes = {"service.name": "claude-code", "type": "input", "session.id": "s"}
    return DataPoint(metric, "", Temporality.DELTA, 0, NOW_NS, value, 0, dict(attributes))


def span(end_ns: int) -> Span:
    return Span("claude_code.tool", "aa", "bb", 1, end_ns, False, {"service.name": "claude-code"})  # noqa: FBT003 - a tuple's field


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (log(0), Reason.NO_TIME),
        (span(0), Reason.NO_TIME),
        (log(YEAR_2023_NS), Reason.TIME_OUT_OF_RANGE),
        (log(NOW_NS + DAY_NS + 1), Reason.TIME_OUT_OF_RANGE),
        (span(2**64 - 1), Reason.TIME_OUT_OF_RANGE),
        (point(-1.0), Reason.NOT_A_COUNT),
        (point(math.nan), Reason.NOT_A_COUNT),
        (point(math.inf), Reason.NOT_A_COUNT),
        (point(1.1e12), Reason.NOT_A_COUNT),
        (point(1.1e6, "claude_code.cost.usage"), Reason.NOT_A_COUNT),
    ],
)
def test_a_signal_that_cannot_be_true_is_refused_and_its_neighbours_are_not(
    bad: Signal, reason: Reason
) -> None:
    total = normalise([log(), bad, point(5.0)])
    assert total.rejected == {reason: 1}
    assert len(total.events) == 1
    assert [reading.value for reading in total.readings] == [5.0]


@pytest.mark.parametrize("place", range(5))
def test_one_that_cannot_be_true_costs_none_of_those_that_are_read_with_it(place: int) -> None:
    costs = [1.0, 2.0, 3.0, 4.0]
    costs.insert(place, 1.1e6)
    origins = Origins(OriginRules())
    total = Normalised()
    requests = [[point(cost, "claude_code.cost.usage")] for cost in costs]
    refused = Normaliser([ClaudeCode(origins, normalise_model)], lambda: NOW_NS).normalise(
        requests, total
    )
    assert [each.total() for each in refused] == [cost == 1.1e6 for cost in costs]
    assert [reading.value for reading in total.readings] == [1.0, 2.0, 3.0, 4.0]


def test_a_clock_may_be_a_day_ahead() -> None:
    assert not normalise([log(NOW_NS + DAY_NS)]).rejected


def test_a_fault_of_ours_costs_one_signal_and_is_logged_without_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Faulty(ClaudeCode):
        def knows(self, what: str, name: str) -> bool:
            if name == "broken":
                message = "a fault"
                raise ValueError(message)
            return super().knows(what, name)

    total = normalise([log(name="claude_code.broken"), log()], agent=Faulty)
    assert total.rejected == {Reason.FAULT: 1}
    assert len(total.events) == 1
    (record,) = caplog.records
    assert record.getMessage() == "a signal could not be read"


@pytest.mark.parametrize("name", ["claude_code.new_thing", "new_thing"])
def test_a_name_that_nobody_knows_is_listed(name: str) -> None:
    total = normalise([log(name=name)])
    assert total.strangers == {Stranger("claude_code", "event", "new_thing"): 1}


def test_a_name_that_could_be_prose_is_not_kept() -> None:
    total = normalise([log(name="please write a poem")])
    assert [event.name for event in total.events] == [UNNAMED]
    assert not total.strangers


def test_clients_that_send_content_are_counted_by_version_and_nothing_of_it_is_kept() -> None:
    def said(version: str | None, **attributes: AttributeValue) -> LogRecord:
        told = {"service.name": "claude-code", "service.version": version, **attributes}
        return LogRecord(NOW_NS, "claude_code.user_prompt", dict(told))

    total = normalise(
        [
            said("2.1.330", prompt="sell the farm", prompt_text="sell the farm"),
            said("2.1.330", prompt="<REDACTED>", prompt_text="<REDACTED>"),
            said("2.1.330", prompt="", prompt_text="buy it back"),
            said(None, response="the farm is sold"),
            said("2.1.40", tool_input='{"command": "sell"}', body="farm"),
            said("2.1.40", prompt_length=12),
        ]
    )
    assert total.sent_content == {
        SentContent("claude_code", "2.1.330", "prompt"): 2,
        SentContent("claude_code", "", "response"): 1,
        SentContent("claude_code", "2.1.40", "tool"): 1,
        SentContent("claude_code", "2.1.40", "body"): 1,
    }
    assert "farm" not in repr(total)


def test_strangers_are_listed_up_to_a_bound_and_counted_beyond() -> None:
    signals = [log(NOW_NS - number, f"claude_code.new_{number}") for number in range(1_100)]
    total = normalise([*signals, log(name="claude_code.new_7")])
    assert len(total.strangers) == 1_000
    assert total.strangers[Stranger("claude_code", "event", "new_7")] == 2
    assert len(total.events) == 1_101


def test_any_number_of_services_is_told_apart() -> None:
    signals = [
        LogRecord(NOW_NS, "hello", {"service.name": f"service-{number % 1_500}"})
        for number in range(3_000)
    ]
    total = normalise(signals)
    assert len({event.origin.agent for event in total.events}) == 1_500
