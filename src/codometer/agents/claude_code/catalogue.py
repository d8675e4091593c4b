"""The names that Claude Code sends, as data.

From the client's monitoring documentation and recordings of versions 1.0.60 to
2.1.330. What a newer version adds is kept as `other` and listed as a stranger.
"""

from __future__ import annotations

from typing import Final

from codometer.agents.read import Reader, each, labels, truth, usd, usd_from_micros, wholes
from codometer.model.event import Counter, Kind
from codometer.model.signal import AttributeValue

PREFIX: Final = "claude_code."
SERVICE_NAMES: Final = frozenset({"claude-code", "claude-code-desktop", "cowork"})

EVENTS: Final[dict[str, Kind]] = {
    "api_request": Kind.REQUEST,
    "api_error": Kind.ERROR,
    "user_prompt": Kind.PROMPT,
    "tool_decision": Kind.DECISION,
    "tool_result": Kind.TOOL_CALL,
    "assistant_response": Kind.ACTIVITY,
    "api_refusal": Kind.ACTIVITY,
    "api_request_body": Kind.ACTIVITY,
    "api_response_body": Kind.ACTIVITY,
    "api_retries_exhausted": Kind.ACTIVITY,
    "at_mention": Kind.ACTIVITY,
    "compaction": Kind.ACTIVITY,
    "feedback_survey": Kind.ACTIVITY,
    "skill_activated": Kind.ACTIVITY,
    "subagent_completed": Kind.ACTIVITY,
    "auth": Kind.SESSION,
    "hook_execution_complete": Kind.SESSION,
    "hook_execution_start": Kind.SESSION,
    "hook_plugin_metrics": Kind.SESSION,
    "hook_registered": Kind.SESSION,
    "internal_error": Kind.SESSION,
    "managed_settings_resolved": Kind.SESSION,
    "mcp_server_connection": Kind.SESSION,
    "permission_mode_changed": Kind.SESSION,
    "plugin_installed": Kind.SESSION,
    "plugin_loaded": Kind.SESSION,
    "retention_sweep": Kind.SESSION,
    "system_prompt": Kind.SESSION,
}

SPANS: Final[dict[str, Kind]] = {
    "llm_request": Kind.REQUEST,
    "tool": Kind.TOOL_CALL,
    "interaction": Kind.PROMPT,
    "tool.execution": Kind.ACTIVITY,
    "tool.blocked_on_user": Kind.ACTIVITY,
    "hook": Kind.SESSION,
}

COUNTERS: Final[dict[tuple[str, AttributeValue], Counter]] = {
    ("token.usage", "input"): Counter.UNCACHED_INPUT_TOKENS,
    ("token.usage", "cacheRead"): Counter.CACHE_READ_TOKENS,
    ("token.usage", "cacheCreation"): Counter.CACHE_WRITE_TOKENS,
    ("token.usage", "output"): Counter.OUTPUT_TOKENS,
    ("cost.usage", None): Counter.REPORTED_COST,
    ("session.count", None): Counter.SESSIONS,
    ("lines_of_code.count", "added"): Counter.LINES_ADDED,
    ("lines_of_code.count", "removed"): Counter.LINES_REMOVED,
    ("pull_request.count", None): Counter.PULL_REQUESTS,
    ("commit.count", None): Counter.COMMITS,
    ("code_edit_tool.decision", "accept"): Counter.EDITS_ACCEPTED,
    ("code_edit_tool.decision", "reject"): Counter.EDITS_REJECTED,
    ("active_time.total", "user"): Counter.ACTIVE_TIME_SECONDS,
    ("active_time.total", "cli"): Counter.ACTIVE_TIME_SECONDS,
}
"""Metric and, where one decides, the value of its attribute `type` or `decision`."""

METRICS: Final = frozenset(name for name, _ in COUNTERS)

EDIT_TOOLS: Final = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit"})

PROMPTING_COMMANDS: Final = frozenset({"custom", "mcp"})
"""Sources of commands that stand for a prompt; the others are to the client itself."""

PROVIDERS: Final = {
    "firstParty": "anthropic",
    "bedrock": "bedrock",
    "vertex": "vertex",
    "foundry": "foundry",
}

MAIN_QUERY_SOURCES: Final = frozenset({"main", "sdk", "repl_main_thread"})


def _accepted(decision: AttributeValue) -> bool | None:
    return decision == "accept" if decision in ("accept", "reject") else None


EVENT_FIELDS: Final[tuple[tuple[str, str, Reader], ...]] = (
    ("sequence", "event.sequence", wholes),
    ("uncached_input_tokens", "input_tokens", wholes),
    ("cache_read_tokens", "cache_read_tokens", wholes),
    ("cache_write_tokens", "cache_creation_tokens", wholes),
    ("cache_write_1h_tokens", "cache_creation_1h_tokens", wholes),
    ("output_tokens", "output_tokens", wholes),
    (
        "reported_cost",
        "cost_usd_micros",
        each(usd_from_micros),
    ),  # rounded; some versions sent only it
    ("reported_cost", "cost_usd", each(usd)),
    ("duration_ms", "interaction.duration_ms", wholes),
    ("duration_ms", "duration_ms", wholes),
    ("ttft_ms", "ttft_ms", wholes),
    ("tool", "tool_name", labels),
    ("success", "success", each(truth)),
    ("accepted", "decision", each(_accepted)),
    ("decision_source", "source", labels),
    ("decision_source", "decision_source", labels),
    ("language", "language", labels),
    ("error_status", "status_code", labels),
    ("prompt_id", "prompt.id", labels),
)
"""Field of an Event, the attribute that tells it, and how it is read.

Where several attributes tell one field, the last of them that can be read has the say.
"""

MODEL_ATTRIBUTES: Final = (
    "model",
    "anthropic.provider",
    "speed",
    "query_source",
    "query_source_safe",
    "agent.name",
    "skill.name",
    "mcp_server.name",
    "effort",
)
"""What the columns from `model` to `speed` are made of."""

_REQUEST_IDS: Final = ("request_id", "client_request_id")
TOOL_CALL_IDS: Final = ("tool_use_id", "use_id")
CALL_IDS: Final = dict.fromkeys(("api_request", "api_error", "llm_request"), _REQUEST_IDS)
"""The attributes that identify what an event or span is about, where it is no tool call."""

IDENTIFIED_EVENTS: Final = frozenset({"api_request", "api_error", "tool_decision", "tool_result"})
"""Events of which there is one for each call."""

TWINS: Final = {
    Kind.REQUEST: "api_request",
    Kind.ERROR: "api_error",
    Kind.TOOL_CALL: "tool_result",
}
"""The event that tells the same as a span."""

COLUMN_ATTRIBUTES: Final = frozenset(
    {
        *(attribute for _, attribute, _ in EVENT_FIELDS),
        *MODEL_ATTRIBUTES,
        *_REQUEST_IDS,
        *TOOL_CALL_IDS,
        "event.name", "event.timestamp", "type", "command_name",
        "cache_creation_5m_tokens",  # what is left of the writes without those of an hour
    }
)  # fmt: skip
"""Attributes that have a column of their own, or are told by one."""

EXTRA_ATTRIBUTES: Final = frozenset(
    {
        "prompt_length", "command_source", "response_length", "message.uuid", "attempt",
        "total_attempts", "total_retry_duration_ms", "tool_source", "tool_input_size_bytes",
        "tool_result_size_bytes", "mcp_server_scope", "error_type", "decision_type",
        "permission_mode", "from_mode", "to_mode", "trigger", "action", "auth_method",
        "error_category", "status", "transport_type", "server_scope", "error_code", "is_plugin",
        "error_name", "plugin.name", "plugin.version", "plugin.scope", "marketplace.name",
        "marketplace.is_official", "install.trigger", "enabled_via", "plugin_id_hash",
        "plugin_id", "has_hooks", "has_mcp", "host_owned_mcp", "skill_path_count",
        "command_path_count", "agent_path_count", "safe_mode", "invocation_trigger",
        "skill.source", "skill.kind", "mention_type", "hook_event", "hook_type", "hook_source",
        "hook_name", "num_hooks", "managed_only", "num_success", "num_blocking",
        "num_non_blocking_error", "num_cancelled", "total_duration_ms", "stdout_chars",
        "additional_context_chars", "system_message_chars", "initial_user_message_chars",
        "num_outputs_persisted", "pre_tokens", "post_tokens", "precompute_reuse", "agent_type",
        "agent.source", "is_built_in", "is_async", "total_tokens", "total_tool_uses",
        "final_model", "model_swapped", "event_type", "appearance_id", "survey_type",
        "enabled_via_override", "result", "period_days", "used_default", "skip_reason",
        "transcripts_deleted", "transcripts_exempted_desktop", "session_files_deleted",
        "artifacts_deleted", "files_retained_fresh", "files_past_cutoff", "error_count",
        "history_entries_pruned", "managed_settings.trigger", "managed_settings.source_behavior",
        "managed_settings.helper.state", "managed_settings.helper.applied",
        "managed_settings.resolved_sha256", "managed_settings.settings_truncated", "error.type",
        "agent_id", "parent_agent_id", "workflow.run_id", "workflow.name", "mcp_tool.name",
        "body_length", "body_truncated", "request_body_id", "is_fallback_hop", "has_category",
        "server_fallback_hop", "message.id",
        "has_explanation", "user_prompt_length", "interaction.sequence", "parent.source",
        "queued_sends", "llm_request.context", "first_content_ms", "stop_reason",
        "response.has_tool_call", "error_class", "result_tokens", "tool_name_safe",
        "bash_command_class", "bash_argv0", "start_type", "bare_model",
    }
)  # fmt: skip
"""Attributes without a column that are harmless by their nature and worth keeping."""

IGNORED_ATTRIBUTES: Final = frozenset(
    {
        "anthropic.custom_base_url", "host.arch", "os.version", "wsl.version", "service.name",
        "span.type", "gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model",
        "gen_ai.operation.name", "gen_ai.conversation.id", "gen_ai.tool.name",
        "gen_ai.tool.call.id", "gen_ai.response.id", "gen_ai.response.finish_reasons",
        "user.groups", "ccr.session.id", "workspace.host_paths", "managed_settings.sources",
        "managed_settings.helper.entry", "managed_settings.helper.path",
        "vcs.owner.name", "vcs.provider.name", "vcs.repository.url.full",
        "vcs.ref.head.revision", "vcs.ref.head.name", "vcs.ref.head.type",
    }
)  # fmt: skip
"""Attributes that repeat what others say, or that nobody asked for; they are not kept."""
