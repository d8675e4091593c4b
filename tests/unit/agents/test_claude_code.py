"""All that Claude Code's documentation names has a meaning, and none of it is a stranger.

The lists below are of the client's monitoring page and of recordings, as of November 2026
(https://code.claude.com/docs/en/monitoring-usage); a newer version's names are added here first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.origin import OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.intake.normalise import Normalised, Normaliser
from codometer.model.event import UNNAMED, Counter, Kind, Source, Stranger
from codometer.model.signal import DataPoint, LogRecord, Span, Temporality
from codometer.pricing import normalise_model
from codometer.privacy.policy import CONTENT_ATTRIBUTES

if TYPE_CHECKING:
    from codometer.model.signal import Attributes, AttributeValue, Signal

NOW_NS: Final = 1_790_000_000 * 10**9

STANDARD: Final = """
service.name service.version os.type os.version host.arch wsl.version user.id session.id
ccr.session.id organization.id user.account_uuid user.account_id user.email terminal.type
app.version app.entrypoint user.groups identity.source vcs.repository.url.full vcs.owner.name
vcs.repository.name vcs.provider.name
"""
OF_EVENTS: Final = """
event.name event.timestamp event.sequence prompt.id workspace.host_paths workflow.run_id
workflow.name
"""
ATTRIBUTION: Final = """
agent.name skill.name plugin.name marketplace.name mcp_server.name mcp_tool.name
"""
HOOK: Final = "hook_event hook_name num_hooks managed_only hook_source safe_mode hook_definitions "
COUNTS: Final = "num_success num_blocking num_non_blocking_error num_cancelled "

EVENTS: Final[dict[str, tuple[Kind, str]]] = {
    "user_prompt": (
        Kind.PROMPT,
        "prompt_length prompt prompt_text message.uuid",
    ),
    "assistant_response": (
        Kind.ACTIVITY,
        "response_length response model request_id message.uuid query_source",
    ),
    "api_request": (
        Kind.REQUEST,
        "model cost_usd cost_usd_micros duration_ms input_tokens output_tokens cache_read_tokens "
        "cache_creation_tokens cache_creation_5m_tokens cache_creation_1h_tokens ttft_ms "
        "request_id client_request_id speed query_source effort anthropic.provider "
        "anthropic.custom_base_url agent_id parent_agent_id" + ATTRIBUTION,
    ),
    "api_error": (
        Kind.ERROR,
        "model error status_code duration_ms attempt request_id client_request_id speed "
        "query_source effort" + ATTRIBUTION,
    ),
    "api_retries_exhausted": (
        Kind.ACTIVITY,
        "model error status_code total_attempts total_retry_duration_ms speed",
    ),
    "api_refusal": (
        Kind.ACTIVITY,
        "model request_id query_source speed attempt effort server_fallback_hop is_fallback_hop "
        "has_category has_explanation category" + ATTRIBUTION,
    ),
    "api_request_body": (
        Kind.ACTIVITY,
        "body body_ref body_length body_truncated model query_source request_body_id",
    ),
    "api_response_body": (
        Kind.ACTIVITY,
        (
            "body body_ref body_length body_truncated model query_source request_id "
            "request_body_id message.id message.uuid"
        ),
    ),
    "tool_decision": (
        Kind.DECISION,
        "tool_name tool_use_id decision tool_source source tool_parameters",
    ),
    "tool_result": (
        Kind.TOOL_CALL,
        (
            "tool_name tool_use_id success duration_ms error_type error decision_type "
            "decision_source tool_input_size_bytes tool_result_size_bytes mcp_server_scope "
            "tool_parameters tool_input vcs.ref.head.revision vcs.ref.head.name vcs.ref.head.type"
        ),
    ),
    "permission_mode_changed": (Kind.SESSION, "from_mode to_mode trigger"),
    "auth": (Kind.SESSION, "action success auth_method error_category status_code"),
    "mcp_server_connection": (
        Kind.SESSION,
        (
            "status transport_type server_scope duration_ms error_code is_plugin plugin_id_hash "
            "plugin.name server_name error"
        ),
    ),
    "internal_error": (Kind.SESSION, "error_name error_code"),
    "plugin_installed": (
        Kind.SESSION,
        "marketplace.is_official install.trigger plugin.name plugin.version marketplace.name",
    ),
    "plugin_loaded": (
        Kind.SESSION,
        (
            "plugin.name marketplace.name plugin.version plugin.scope enabled_via plugin_id_hash "
            "has_hooks has_mcp host_owned_mcp skill_path_count command_path_count "
            "agent_path_count safe_mode"
        ),
    ),
    "skill_activated": (
        Kind.ACTIVITY,
        "skill.name invocation_trigger skill.source skill.kind plugin.name marketplace.name",
    ),
    "at_mention": (Kind.ACTIVITY, "mention_type success"),
    "hook_registered": (
        Kind.SESSION,
        "hook_event hook_type hook_source safe_mode hook_matcher plugin.name plugin_id_hash",
    ),
    "hook_execution_start": (Kind.SESSION, HOOK),
    "hook_execution_complete": (
        Kind.SESSION,
        HOOK + COUNTS + "total_duration_ms stdout_chars additional_context_chars "
        "system_message_chars initial_user_message_chars num_outputs_persisted",
    ),
    "hook_plugin_metrics": (Kind.SESSION, "plugin_id hook_event"),
    "compaction": (
        Kind.ACTIVITY,
        "trigger success duration_ms pre_tokens post_tokens error precompute_reuse",
    ),
    "subagent_completed": (
        Kind.ACTIVITY,
        (
            "agent_type agent.source is_built_in is_async total_tokens total_tool_uses "
            "duration_ms model final_model model_swapped plugin_id_hash plugin.name"
        ),
    ),
    "feedback_survey": (
        Kind.ACTIVITY,
        "event_type appearance_id survey_type response enabled_via_override",
    ),
    "retention_sweep": (
        Kind.SESSION,
        (
            "result period_days used_default skip_reason transcripts_deleted "
            "transcripts_exempted_desktop session_files_deleted artifacts_deleted "
            "files_retained_fresh files_past_cutoff error_count history_entries_pruned"
        ),
    ),
    "managed_settings_resolved": (
        Kind.SESSION,
        (
            "managed_settings.trigger error.type managed_settings.sources "
            "managed_settings.source_behavior managed_settings.helper.state "
            "managed_settings.helper.applied managed_settings.helper.entry "
            "managed_settings.helper.path managed_settings.resolved_sha256 "
            "managed_settings.settings managed_settings.settings_truncated"
        ),
    ),
    "system_prompt": (
        Kind.SESSION,
        (
            "system_prompt system_prompt_preview system_reminders user_system_prompt new_context "
            "response.model_output"
        ),
    ),
}

SPANS: Final[dict[str, tuple[Kind, str]]] = {
    "interaction": (
        Kind.PROMPT,
        "user_prompt user_prompt_length interaction.sequence interaction.duration_ms parent.source",
    ),
    "llm_request": (
        Kind.REQUEST,
        (
            "model gen_ai.system gen_ai.request.model query_source query_source_safe agent_id "
            "parent_agent_id workflow.run_id workflow.name speed effort llm_request.context "
            "duration_ms ttft_ms first_content_ms input_tokens output_tokens cache_read_tokens "
            "cache_creation_tokens request_id gen_ai.response.id client_request_id attempt "
            "success status_code error error_class response.has_tool_call stop_reason "
            "gen_ai.response.finish_reasons"
        ),
    ),
    "tool": (
        Kind.TOOL_CALL,
        (
            "tool_name tool_name_safe bash_command_class bash_argv0 duration_ms result_tokens "
            "agent_id parent_agent_id workflow.run_id workflow.name tool_use_id "
            "gen_ai.tool.call.id file_path full_command skill_name subagent_type"
        ),
    ),
    "tool.blocked_on_user": (Kind.ACTIVITY, "duration_ms decision source"),
    "tool.execution": (
        Kind.ACTIVITY,
        "duration_ms tool_use_id gen_ai.tool.call.id success error error_class",
    ),
    "hook": (Kind.SESSION, f"hook_event hook_name num_hooks hook_definitions duration_ms {COUNTS}"),
}

OF_USE: Final = "model query_source speed effort" + ATTRIBUTION
METRICS: Final[list[tuple[str, dict[str, AttributeValue], Counter, str]]] = [
    ("session.count", {"start_type": "fresh"}, Counter.SESSIONS, ""),
    ("session.count", {"start_type": "resume"}, Counter.SESSIONS, ""),
    ("session.count", {"start_type": "continue"}, Counter.SESSIONS, ""),
    ("session.count", {"start_type": "agents_view"}, Counter.OTHER, ""),
    ("session.count", {}, Counter.SESSIONS, ""),
    ("lines_of_code.count", {"type": "added"}, Counter.LINES_ADDED, "model"),
    ("lines_of_code.count", {"type": "removed"}, Counter.LINES_REMOVED, "model"),
    ("pull_request.count", {}, Counter.PULL_REQUESTS, ""),
    ("commit.count", {}, Counter.COMMITS, ""),
    ("cost.usage", {}, Counter.REPORTED_COST, OF_USE),
    ("token.usage", {"type": "input"}, Counter.UNCACHED_INPUT_TOKENS, OF_USE),
    ("token.usage", {"type": "output"}, Counter.OUTPUT_TOKENS, OF_USE),
    ("token.usage", {"type": "cacheRead"}, Counter.CACHE_READ_TOKENS, OF_USE),
    ("token.usage", {"type": "cacheCreation"}, Counter.CACHE_WRITE_TOKENS, OF_USE),
    ("token.usage", {"type": "something new"}, Counter.OTHER, OF_USE),
    ("code_edit_tool.decision", {"decision": "accept"}, Counter.EDITS_ACCEPTED, "source language"),
    ("code_edit_tool.decision", {"decision": "reject"}, Counter.EDITS_REJECTED, "source language"),
    ("active_time.total", {"type": "user"}, Counter.ACTIVE_TIME_SECONDS, ""),
    ("active_time.total", {"type": "cli"}, Counter.ACTIVE_TIME_SECONDS, ""),
]


def named(*names: str) -> Attributes:
    attributes: Attributes = {name: "1" for text in names for name in text.split()}
    return attributes | {"service.name": "claude-code", "identity.source": "gateway-oidc"}


def normalise(signal: Signal) -> Normalised:
    origins = Origins(OriginRules())
    agents = (ClaudeCode(origins, normalise_model), UnknownAgent(origins))
    total = Normalised()
    Normaliser(agents, lambda: NOW_NS).normalise([[signal]], total)
    assert not total.rejected
    return total


def log(name: str, attributes: Attributes) -> LogRecord:
    return LogRecord(NOW_NS, f"claude_code.{name}", attributes | {"event.name": name})


def span(name: str, attributes: Attributes) -> Span:
    return Span(f"claude_code.{name}", "0a" * 16, "0b" * 8, NOW_NS - 1, NOW_NS, False, attributes)  # noqa: FBT003 - a tuple's field


def point(name: str, attributes: Attributes, value: float = 1.0) -> DataPoint:
    metric = f"claude_code.{name}"
    return DataPoint(metric, "", Temporality.DELTA, NOW_NS - 1, NOW_NS, value, 0, attributes)


def check_nothing_of_content(extra: str | None) -> None:
    assert not any(f'"{name}"' in (extra or "") for name in CONTENT_ATTRIBUTES)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_a_kind_and_no_strange_attribute(name: str) -> None:
    kind, attributes = EVENTS[name]
    total = normalise(log(name, named(STANDARD, OF_EVENTS, attributes)))
    (event,) = total.events
    assert (event.kind, event.name, event.source) == (kind, name, Source.EVENT)
    assert not total.strangers
    check_nothing_of_content(event.extra)


@pytest.mark.parametrize("name", SPANS)
def test_every_span_has_a_kind_and_no_strange_attribute(name: str) -> None:
    kind, attributes = SPANS[name]
    total = normalise(span(name, named(STANDARD, "span.type", attributes)))
    (event,) = total.events
    assert (event.kind, event.name, event.source) == (kind, name, Source.SPAN)
    assert not total.strangers
    check_nothing_of_content(event.extra)


@pytest.mark.parametrize(("name", "own", "counter", "others"), METRICS)
def test_every_metric_is_a_counter_and_has_no_strange_attribute(
    name: str, own: Attributes, counter: Counter, others: str
) -> None:
    total = normalise(point(name, named(STANDARD, others) | own))
    (reading,) = total.readings
    assert (reading.counter, reading.name, reading.value) == (counter, name, 1.0)
    assert not total.strangers


def test_what_a_newer_version_adds_is_kept_and_counted_as_a_stranger() -> None:
    attributes = named(STANDARD) | {"brand_new": 7}
    event = normalise(log("brand_new_event", attributes.copy()))
    assert [(each.kind, each.name) for each in event.events] == [(Kind.OTHER, "brand_new_event")]
    metric = normalise(point("brand_new.count", attributes.copy()))
    assert [(each.counter, each.name) for each in metric.readings] == [
        (Counter.OTHER, "brand_new.count")
    ]
    strange_span = normalise(span("brand_new_span", attributes.copy()))
    for total, what, name in [
        (event, "event", "brand_new_event"),
        (metric, "metric", "brand_new.count"),
        (strange_span, "span", "brand_new_span"),
    ]:
        assert total.strangers == {
            Stranger("claude_code", what, name): 1,
            Stranger("claude_code", "attribute", "brand_new"): 1,
        }


def test_the_metrics_of_a_plugin_are_strangers_and_no_cost_of_the_session() -> None:
    attributes = named(STANDARD, "plugin_id hook_event") | {"checks_run": 3, "cost_usd": 4.5}
    total = normalise(log("hook_plugin_metrics", attributes))
    assert total.strangers == {Stranger("claude_code", "attribute", "checks_run"): 1}
    assert total.events.columns["kind"] == [Kind.SESSION]


@pytest.mark.parametrize(
    ("name", "own", "kind"),
    [
        ("user_prompt", {"command_name": "exit", "command_source": "builtin"}, Kind.ACTIVITY),
        ("user_prompt", {"command_name": "review", "command_source": "custom"}, Kind.PROMPT),
        ("user_prompt", {"command_name": "ask", "command_source": "mcp"}, Kind.PROMPT),
        ("tool_decision", {"tool_name": "Bash"}, Kind.DECISION),
        ("tool_decision", {"tool_name": "NotebookEdit"}, Kind.EDIT_DECISION),
    ],
)
def test_some_events_are_what_an_attribute_says(name: str, own: Attributes, kind: Kind) -> None:
    total = normalise(log(name, named(STANDARD) | own))
    assert total.events.columns["kind"] == [kind]
    assert not total.strangers


def test_a_request_that_failed_is_an_error_in_spans_too() -> None:
    failed = normalise(span("llm_request", named(STANDARD) | {"success": "false"}))
    assert failed.events.columns["kind"] == [Kind.ERROR]


@pytest.mark.parametrize(
    ("body", "named_as"),
    [
        ("claude_code.api_request", "api_request"),
        ("api_request", "claude_code.api_request"),
        ("", "api_request"),
        ("claude_code.api_request", None),
    ],
)
def test_the_name_of_an_event_is_found_wherever_a_version_puts_it(
    body: str, named_as: str | None
) -> None:
    attributes = named(STANDARD)
    if named_as:
        attributes["event.name"] = named_as
    total = normalise(LogRecord(NOW_NS, body, attributes))
    assert total.events.columns["kind"] == [Kind.REQUEST]


def test_an_event_without_a_name_is_kept() -> None:
    total = normalise(LogRecord(NOW_NS, "", named(STANDARD)))
    assert [(event.kind, event.name) for event in total.events] == [(Kind.OTHER, UNNAMED)]


@pytest.mark.parametrize(
    ("service", "name", "agent"),
    [
        ("claude-code", "anything", "claude_code"),
        ("claude-code-desktop", "claude_code.api_request", "claude_code"),
        ("cowork", "claude_code.api_request", "claude_code"),
        (None, "claude_code.api_request", "claude_code"),
        (None, "api_request", "unknown"),
        ("another", "claude_code.api_request", "another"),
    ],
)
def test_a_client_is_recognised_by_its_service_or_else_by_the_name(
    service: str | None, name: str, agent: str
) -> None:
    attributes: Attributes = {"service.name": service} if service else {}
    total = normalise(LogRecord(NOW_NS, name, attributes))
    (event,) = total.events
    assert event.origin.agent == agent


@pytest.mark.parametrize(
    ("source", "subagent", "category"),
    [
        ("repl_main_thread", None, "main"),
        ("sdk", None, "main"),
        ("compact", None, "auxiliary"),
        ("agent:reviewer", None, "subagent"),
        ("repl_main_thread", "reviewer", "subagent"),
        ("subagent", None, "subagent"),
        (7, None, None),
        (None, None, None),
    ],
)
def test_who_asked_is_one_of_the_three_that_metrics_have(
    source: AttributeValue, subagent: AttributeValue, category: str | None
) -> None:
    own: Attributes = {"query_source": source, "agent.name": subagent}
    total = normalise(log("api_request", named(STANDARD) | own))
    assert total.events.columns["query_source"] == [category]
