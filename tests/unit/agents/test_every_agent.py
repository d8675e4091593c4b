"""What every coding agent's folder promises, whatever its client sends."""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.agents.agent import Agent
from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.origin import OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.model.event import Event, Reading, Rows
from codometer.model.signal import (
    NESTED,
    AttributeColumns,
    Attributes,
    AttributeValue,
    DataPoint,
    LogRecord,
    Sheet,
    Signal,
    Span,
    Temporality,
)
from codometer.pricing import normalise_model

AGENTS: Final[list[Agent]] = [
    ClaudeCode(Origins(OriginRules()), normalise_model),
    UnknownAgent(Origins(OriginRules())),
]
NOW_NS: Final = 1_790_000_000 * 10**9
every_agent: Final = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)

VALUES: Final[st.SearchStrategy[AttributeValue]] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=30)
    | st.just(NESTED)
)
KEYS: Final = st.sampled_from(
    sorted({"brand.new", *(key for agent in AGENTS for key in agent.known_attributes)})
)
ATTRIBUTES: Final = st.dictionaries(KEYS, VALUES, max_size=12)
NAMES: Final = st.text(max_size=20) | st.sampled_from(
    ["claude_code.api_request", "claude_code.token.usage", "claude_code.tool", "claude_code."]
)


def log(attributes: Attributes, name: str = "claude_code.api_request") -> LogRecord:
    return LogRecord(NOW_NS, name, attributes)


def point(attributes: Attributes, name: str = "claude_code.cost.usage") -> DataPoint:
    return DataPoint(name, "", Temporality.DELTA, 0, NOW_NS, 1.0, 0, attributes)


def span(attributes: Attributes, name: str = "claude_code.tool") -> Span:
    return Span(name, "aa", "bb", 1, NOW_NS, failed=False, attributes=attributes)


def read(agent: Agent, signal: Signal) -> Any:  # noqa: ANN401 - an event or a reading
    """Return what an agent makes of one signal."""
    attributes: AttributeColumns = {name: (value,) for name, value in signal.attributes.items()}
    if isinstance(signal, LogRecord):
        rows: Rows[Event] | Rows[Reading] = Rows(Event)
        rows.extend(agent.read_logs(Sheet(signal.name, [signal], attributes)))
    elif isinstance(signal, Span):
        rows = Rows(Event)
        rows.extend(agent.read_spans(Sheet(signal.name, [signal], attributes)))
    else:
        rows = Rows(Reading)
        rows.extend(agent.read_points(Sheet(signal.metric, [signal], attributes)))
    (row,) = rows
    return row


def read_all(agent: Agent, attributes: Attributes, name: str) -> list[object]:
    """Return what an agent makes of a record, a point and a span of these attributes."""
    return [
        read(agent, log(attributes, name)),
        read(agent, point(attributes, name)),
        read(agent, span(attributes, name)),
    ]


@every_agent
@given(attributes=ATTRIBUTES, name=NAMES, luck=st.randoms(use_true_random=False))
def test_anything_is_read_the_same_each_time_and_in_any_order(
    agent: Agent, attributes: Attributes, name: str, luck: random.Random
) -> None:
    pairs = list(attributes.items())
    luck.shuffle(pairs)
    assert repr(read_all(agent, attributes, name)) == repr(read_all(agent, dict(pairs), name))


@every_agent
@given(attributes=ATTRIBUTES, name=NAMES)
def test_ids_fit_the_tables(agent: Agent, attributes: Attributes, name: str) -> None:
    event, reading = (
        read(agent, log(attributes, name)),
        read(agent, point(attributes, name)),
    )
    assert 0 <= event.key < 2**128
    assert 0 <= reading.key < 2**128
    for id_ in (event.scope, event.day_scope, event.origin.id, reading.scope, reading.series):
        assert 0 <= id_ < 2**64


@every_agent
@pytest.mark.parametrize(
    "change",
    [
        lambda record: record._replace(time_ns=NOW_NS + 1),
        lambda record: record._replace(name="claude_code.another"),
        lambda record: record._replace(attributes={**record.attributes, "session.id": "other"}),
        lambda record: record._replace(attributes={**record.attributes, "model": "other"}),
    ],
    ids=["time", "name", "session", "attribute"],
)
def test_another_event_has_another_key(
    agent: Agent, change: Callable[[LogRecord], LogRecord]
) -> None:
    first = log({"session.id": "s", "model": "m"}, "claude_code.something")
    assert read(agent, first).key != read(agent, change(first)).key


@every_agent
def test_sessions_are_scopes_of_their_own(agent: Agent) -> None:
    first, same, other = (
        read(agent, log({"session.id": session, "user.id": "u"}))
        for session in ("one", "one", "two")
    )
    assert first.scope == same.scope != other.scope


@every_agent
def test_a_name_that_no_client_has_is_not_known(agent: Agent) -> None:
    assert not any(agent.knows(what, "brand_new") for what in ("event", "metric", "span"))


def test_the_last_agent_recognises_everything() -> None:
    for service in (None, "", "codex", 7, True, NESTED):
        assert AGENTS[-1].recognises(service, "anything")


@pytest.mark.parametrize(
    "make", [lambda origins: ClaudeCode(origins, normalise_model), UnknownAgent]
)
def test_nobody_is_remembered_as_they_were_stored_before(make: Callable[[Origins], Agent]) -> None:
    stored = {"person": "ada"}
    origins = Origins(OriginRules(), lambda told: told._replace(**stored))
    agent = make(origins)
    record = log({"user.id": "0f", "request_id": "req_1"})
    assert read(agent, record).origin.person == "ada"
    stored["person"] = "p_1"
    origins.forget()
    assert read(agent, record).origin.person == "p_1"
