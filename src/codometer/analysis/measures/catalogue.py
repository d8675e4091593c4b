"""Every measure, once. Each surface, document and export is made from this list.

To add one, write its entry and list it in `MEASURES`; to correct one, correct it
here. Names never change their meaning: other programs rely on them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from codometer.analysis.measures.dimensions import TOKEN_COLUMNS, TOKEN_TYPE
from codometer.analysis.measures.measure import (
    Direction,
    Display,
    Distinct,
    Measure,
    Provenance,
    Quantile,
    Ratio,
    Sum,
    SumOf,
)
from codometer.store.tables import MODEL_DIMENSIONS

_REQUEST: Final = frozenset(MODEL_DIMENSIONS)
_TOKEN: Final = _REQUEST | {TOKEN_TYPE.name}
_ERROR: Final = _REQUEST | {"error_status"}
_TOOL: Final = frozenset({"tool", "mcp_server", "decision_source"})
_EDIT: Final = frozenset({"tool", "language", "decision_source"})

# Cost

COST: Final = Sum(
    name="cost",
    label="Cost",
    definition="List price of the tokens used; what the client reported where its model has none.",
    unit="USD",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    columns=("cost",),
    known_by=_REQUEST,
    prometheus="codometer_cost_usd_total",
)
REPORTED_COST: Final = Sum(
    name="reported_cost",
    label="Reported cost",
    definition="What the clients themselves estimate that the requests cost.",
    unit="USD",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    columns=("reported_cost",),
    known_by=_REQUEST,
    prometheus="codometer_reported_cost_usd_total",
)
LIST_COST: Final = Sum(
    name="list_cost",
    label="List cost",
    definition="Tokens used, at the list prices of their day; models without a price add none.",
    unit="USD",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    columns=("list_cost",),
    known_by=_REQUEST,
    prometheus="codometer_list_cost_usd_total",
)
CACHE_SAVINGS: Final = Sum(
    name="cache_savings",
    label="Cache savings",
    definition="What the same tokens would have cost more at list prices without a prompt cache.",
    unit="USD",
    display=Display.MONEY,
    direction=Direction.UP,
    provenance=Provenance.ESTIMATED,
    columns=("cache_savings",),
    known_by=_REQUEST,
)

# Tokens

TOKENS: Final = Sum(
    name="tokens",
    label="Tokens",
    definition="All tokens that models read or wrote, from and into caches too.",
    unit="tokens",
    columns=tuple(TOKEN_COLUMNS.values()),
    known_by=_TOKEN,
    prometheus="codometer_tokens_total",
)
UNCACHED_INPUT_TOKENS: Final = Sum(
    name="uncached_input_tokens",
    label="Uncached input tokens",
    definition="Tokens that models read, neither from a cache nor into one.",
    unit="tokens",
    columns=("uncached_input_tokens",),
    known_by=_REQUEST,
)
CACHE_READ_TOKENS: Final = Sum(
    name="cache_read_tokens",
    label="Cache read tokens",
    definition="Tokens that models read from a prompt cache.",
    unit="tokens",
    columns=("cache_read_tokens",),
    known_by=_REQUEST,
)
CACHE_WRITE_TOKENS: Final = Sum(
    name="cache_write_tokens",
    label="Cache write tokens",
    definition="Tokens that models read and wrote into a prompt cache.",
    unit="tokens",
    columns=("cache_write_tokens",),
    known_by=_REQUEST,
)
OUTPUT_TOKENS: Final = Sum(
    name="output_tokens",
    label="Output tokens",
    definition="Tokens that models wrote, their reasoning included.",
    unit="tokens",
    columns=("output_tokens",),
    known_by=_REQUEST,
)
CACHE_HIT_RATIO: Final = Ratio(
    name="cache_hit_ratio",
    label="Cache hit ratio",
    definition="Tokens read from a prompt cache, out of all tokens that models read.",
    unit="ratio",
    direction=Direction.UP,
    over=CACHE_READ_TOKENS,
    under=replace(
        TOKENS, columns=("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens")
    ),
)

# Use

# A session that only metrics told of counts too: its output tokens prove a request.
SESSIONS: Final = Distinct(
    name="sessions",
    label="Sessions",
    definition="Sessions with at least one request, prompt or tool call; where metrics came without"
    " session ids, the clients' own count.",
    unit="sessions",
    column="session_id",
    evidence=("requests", "prompts", "tool_calls", "output_tokens"),
    counted=SumOf(column="counted_sessions"),
)
PROMPTS: Final = Sum(
    name="prompts",
    label="Prompts",
    definition="Prompts that people typed, without commands to the client itself.",
    unit="prompts",
    columns=("prompts",),
    prometheus="codometer_prompts_total",
)
REQUESTS: Final = Sum(
    name="requests",
    label="Requests",
    definition="Successful calls to a model; unknown where only metrics came.",
    unit="requests",
    columns=("requests",),
    known_by=_REQUEST,
    prometheus="codometer_requests_total",
)
ACTIVE_PEOPLE: Final = Distinct(
    name="active_people",
    label="Active people",
    definition="Persons with at least one request.",
    unit="people",
    column="person_id",
    evidence=("requests", "output_tokens"),
    known_by=_REQUEST,
)
ACTIVE_SERVICES: Final = Distinct(
    name="active_services",
    label="Active services",
    definition="Build machines and other services with at least one request; they are no people.",
    unit="services",
    column="service",
    evidence=("requests", "output_tokens"),
    absence_tells=True,
    known_by=_REQUEST,
)
ACTIVE_TIME_SECONDS: Final = Sum(
    name="active_time_seconds",
    label="Active time",
    definition="Time in which people typed, or models and tools worked, as the clients count it.",
    unit="s",
    display=Display.SECONDS,
    columns=("active_time_seconds",),
    prometheus="codometer_active_time_seconds_total",
    of_groups_only=True,
)
REQUESTS_PER_SESSION: Final = Ratio(
    name="requests_per_session",
    label="Requests per session",
    definition="Requests, divided by sessions.",
    unit="requests per session",
    display=Display.NUMBER,
    over=REQUESTS,
    under=SESSIONS,
)

# Output

LINES_ADDED: Final = Sum(
    name="lines_added",
    label="Lines added",
    definition="Lines of code that clients added.",
    unit="lines",
    columns=("lines_added",),
    known_by=frozenset({"model"}),
    prometheus="codometer_lines_added_total",
)
LINES_REMOVED: Final = Sum(
    name="lines_removed",
    label="Lines removed",
    definition="Lines of code that clients removed.",
    unit="lines",
    columns=("lines_removed",),
    known_by=frozenset({"model"}),
    prometheus="codometer_lines_removed_total",
)
COMMITS: Final = Sum(
    name="commits",
    label="Commits",
    definition="Commits that clients made.",
    unit="commits",
    columns=("commits",),
    prometheus="codometer_commits_total",
)
PULL_REQUESTS: Final = Sum(
    name="pull_requests",
    label="Pull requests",
    definition="Pull requests that clients opened.",
    unit="pull requests",
    columns=("pull_requests",),
    prometheus="codometer_pull_requests_total",
)

# Cost for what came of it

COST_PER_ACTIVE_PERSON: Final = Ratio(
    name="cost_per_active_person",
    label="Cost per active person",
    definition="Cost, divided by active people.",
    unit="USD per person",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    over=COST,
    under=ACTIVE_PEOPLE,
)
COST_PER_COMMIT: Final = Ratio(
    name="cost_per_commit",
    label="Cost per commit",
    definition="Cost, divided by commits that clients made.",
    unit="USD per commit",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    over=COST,
    under=COMMITS,
    of_groups_only=True,
)
COST_PER_PULL_REQUEST: Final = Ratio(
    name="cost_per_pull_request",
    label="Cost per pull request",
    definition="Cost, divided by pull requests that clients opened.",
    unit="USD per pull request",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    over=COST,
    under=PULL_REQUESTS,
    of_groups_only=True,
)
COST_PER_ACTIVE_HOUR: Final = Ratio(
    name="cost_per_active_hour",
    label="Cost per active hour",
    definition="Cost, divided by hours of active time.",
    unit="USD per hour",
    display=Display.MONEY,
    provenance=Provenance.ESTIMATED,
    over=COST,
    under=ACTIVE_TIME_SECONDS,
    scale=3600,
    of_groups_only=True,
)
COST_PER_MILLION_TOKENS: Final = Ratio(
    name="cost_per_million_tokens",
    label="Cost per million tokens",
    definition="Cost, divided by millions of tokens of all types.",
    unit="USD per million tokens",
    display=Display.MONEY,
    direction=Direction.DOWN,
    provenance=Provenance.ESTIMATED,
    over=COST,
    under=TOKENS,
    scale=1_000_000,
)

# Trust

EDITS_DECIDED: Final = Sum(
    name="edits_decided",
    label="Edits decided",
    definition="Edits that were accepted or rejected, by a person or automatically.",
    unit="edits",
    columns=("edits_accepted", "edits_rejected"),
    known_by=_EDIT,
)
EDITS_ACCEPTED: Final = Sum(
    name="edits_accepted",
    label="Edits accepted",
    definition="Edits that were accepted, by a person or automatically.",
    unit="edits",
    columns=("edits_accepted",),
    known_by=_EDIT,
    prometheus="codometer_edits_accepted_total",
)
EDITS_REJECTED: Final = Sum(
    name="edits_rejected",
    label="Edits rejected",
    definition="Edits that were rejected, by a person or automatically.",
    unit="edits",
    columns=("edits_rejected",),
    known_by=_EDIT,
    prometheus="codometer_edits_rejected_total",
)
# A high ratio may be trust or inattention: neither up nor down is better.
ACCEPTANCE_RATIO: Final = Ratio(
    name="acceptance_ratio",
    label="Acceptance ratio",
    definition="Edits that people accepted, out of those that people decided on; decisions by"
    " configuration and hooks are left out.",
    unit="ratio",
    over=replace(EDITS_ACCEPTED, columns=("edits_accepted_by_people",)),
    under=replace(EDITS_DECIDED, columns=("edits_accepted_by_people", "edits_rejected_by_people")),
    of_groups_only=True,
)

# Tools

TOOL_CALLS: Final = Sum(
    name="tool_calls",
    label="Tool calls",
    definition="Tools that were run, and calls that were rejected before they ran.",
    unit="calls",
    columns=("tool_calls",),
    known_by=_TOOL,
    prometheus="codometer_tool_calls_total",
)
TOOL_FAILURES: Final = Sum(
    name="tool_failures",
    label="Tool failures",
    definition="Tools that were run and failed; a rejected call is none.",
    unit="calls",
    direction=Direction.DOWN,
    columns=("tool_failures",),
    known_by=_TOOL,
    prometheus="codometer_tool_failures_total",
)
TOOL_SUCCESS_RATIO: Final = Ratio(
    name="tool_success_ratio",
    label="Tool success ratio",
    definition="Tool calls that did not fail, out of all tool calls; a rejected one did not fail.",
    unit="ratio",
    direction=Direction.UP,
    over=TOOL_FAILURES,
    under=TOOL_CALLS,
    complement=True,
)
TOOL_DURATION_P50_MS: Final = Quantile(
    name="tool_duration_p50_ms",
    label="Tool duration, median",
    definition="Half of all tools took no longer to run.",
    what="tool",
    percent=50,
    known_by=frozenset({"tool", "mcp_server"}),
)
TOOL_DURATION_P95_MS: Final = replace(
    TOOL_DURATION_P50_MS,
    name="tool_duration_p95_ms",
    label="Tool duration, 95th percentile",
    definition="95 of 100 tools took no longer to run.",
    percent=95,
)

# API

API_ERRORS: Final = Sum(
    name="api_errors",
    label="API errors",
    definition="Calls to a model that failed for good, after the client's own retries.",
    unit="requests",
    direction=Direction.DOWN,
    columns=("api_errors",),
    known_by=_ERROR,
    prometheus="codometer_api_errors_total",
)
API_ERROR_RATIO: Final = Ratio(
    name="api_error_ratio",
    label="API error ratio",
    definition="Calls to a model that failed for good, out of all calls.",
    unit="ratio",
    direction=Direction.DOWN,
    over=API_ERRORS,
    under=replace(REQUESTS, columns=("requests", "api_errors")),
)
REQUEST_DURATION_P50_MS: Final = Quantile(
    name="request_duration_p50_ms",
    label="Request duration, median",
    definition="Half of all requests took no longer.",
    what="request",
    percent=50,
    known_by=_REQUEST,
)
REQUEST_DURATION_P95_MS: Final = replace(
    REQUEST_DURATION_P50_MS,
    name="request_duration_p95_ms",
    label="Request duration, 95th percentile",
    definition="95 of 100 requests took no longer.",
    percent=95,
)
TTFT_P50_MS: Final = Quantile(
    name="ttft_p50_ms",
    label="Time to first token, median",
    definition="Half of all requests had their first token no later.",
    what="ttft",
    percent=50,
    known_by=_REQUEST,
)
TTFT_P95_MS: Final = replace(
    TTFT_P50_MS,
    name="ttft_p95_ms",
    label="Time to first token, 95th percentile",
    definition="95 of 100 requests had their first token no later.",
    percent=95,
)

GROUPS: Final[dict[str, tuple[Measure, ...]]] = {
    "Cost": (
        COST,
        REPORTED_COST,
        LIST_COST,
        CACHE_SAVINGS,
        COST_PER_ACTIVE_PERSON,
        COST_PER_COMMIT,
        COST_PER_PULL_REQUEST,
        COST_PER_ACTIVE_HOUR,
        COST_PER_MILLION_TOKENS,
    ),
    "Tokens": (
        TOKENS,
        UNCACHED_INPUT_TOKENS,
        CACHE_READ_TOKENS,
        CACHE_WRITE_TOKENS,
        OUTPUT_TOKENS,
        CACHE_HIT_RATIO,
    ),
    "Use": (
        SESSIONS,
        PROMPTS,
        REQUESTS,
        ACTIVE_PEOPLE,
        ACTIVE_SERVICES,
        ACTIVE_TIME_SECONDS,
        REQUESTS_PER_SESSION,
    ),
    "Output": (LINES_ADDED, LINES_REMOVED, COMMITS, PULL_REQUESTS),
    "Trust": (EDITS_DECIDED, EDITS_ACCEPTED, EDITS_REJECTED, ACCEPTANCE_RATIO),
    "Tools": (
        TOOL_CALLS,
        TOOL_FAILURES,
        TOOL_SUCCESS_RATIO,
        TOOL_DURATION_P50_MS,
        TOOL_DURATION_P95_MS,
    ),
    "API": (
        API_ERRORS,
        API_ERROR_RATIO,
        REQUEST_DURATION_P50_MS,
        REQUEST_DURATION_P95_MS,
        TTFT_P50_MS,
        TTFT_P95_MS,
    ),
}
"""The measures by what they are about, in the order in which they are listed."""

MEASURES: Final[dict[str, Measure]] = {
    measure.name: measure for measures in GROUPS.values() for measure in measures
}
"""Every measure by its name."""
