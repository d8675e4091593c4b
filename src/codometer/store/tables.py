"""Every table of the telemetry store, as data, for both engines.

Detail is kept for a while; rollups are recomputed from it and stay:

    workplace     where somebody works: agent, version, team, …, once for every distinct answer
    origin        who works there, in which session, likewise
    event         what happened once          (detail)
    reading       where a counter stood       (detail)
    rollup_15m    counts and sums by 15 minutes UTC, session and dimensions (derived)
    session_15m   the same without dimensions                       (derived)
    session_day   the same by day of the organisation's time zone   (derived)
    workplace_day counts and sums by day, workplace and dimensions  (derived)
    latency_15m   durations in logarithmic bins                     (derived)
    sealed_key    keys of expired detail, so that twice stays once
    sealed_scope  scopes whose detail has expired
    sealed_usage  what metrics had filled in a sealed scope, and could not be compared
    sealed_series where a sealed scope's cumulative counters stood
    dirty         which (scope, bucket) must be rolled up again
    unit_price    list prices by model and day, for what only metrics told
    stranger      names that we do not know, counted
    sent_content  which clients send what people or models wrote, counted
    rejected      signals that were refused for good, counted by reason
    meta          schema version, time zone of the days, instance id

Four tables of derived sums hold the same numbers, one finer than the other
(`TIERS`); a question is answered from the smallest that can.

In a rollup a NULL sum says that the signal behind that row cannot tell; a sum
over rows of which none can tell is NULL too, which is how unknown stays
different from zero up to the screen.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

ColumnType = Literal[
    "u64", "i64", "i32", "f64", "bool", "text", "label", "time", "date", "usd", "usd_sum"
]
"""`label` is text with few distinct values, `time` is UTC in microseconds.

`usd` is DECIMAL(18,12), `usd_sum` DECIMAL(38,12)."""


class Column(NamedTuple):
    """A column; all but the ones of a table's key may be NULL."""

    name: str
    type: ColumnType
    required: bool = False


def _columns(type_: ColumnType, *names: str, required: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, type_, required) for name in names)


MODEL_DIMENSIONS: Final = (
    "model",
    "provider",
    "query_source",
    "subagent",
    "skill",
    "mcp_server",
    "effort",
    "speed",
)
_MODEL_COLUMNS: Final = ("model", "provider", "endpoint_scope", *MODEL_DIMENSIONS[2:])
"""Detail keeps the endpoint's scope too, on which prices depend; rollups keep the price tier."""

WORKPLACE_DIMENSIONS: Final = (
    "agent",
    "version",
    "terminal",
    "organisation",
    "team",
    "cost_center",
    "repository",
)
TOOL_DIMENSIONS: Final = ("tool", "decision_source", "language", "error_status")
ROLLUP_DIMENSIONS: Final = (*MODEL_DIMENSIONS, "price_tier", *TOOL_DIMENSIONS)
LATENCY_DIMENSIONS: Final = (*MODEL_DIMENSIONS, "tool")

TOKEN_SUMS: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
COST_SUMS: Final = (
    "reported_cost",
    "list_cost",
    "cost",
    "estimated_cost",
    "fallback_cost",
    "cache_savings",
)
"""`cost` is the list cost, else the reported one; `estimated_cost` is the part of the list cost
that rests on an estimate, `fallback_cost` the part of `cost` that is only reported."""

EVENT_SUMS: Final = (
    "requests",
    "unpriced_requests",
    "prompts",
    "api_errors",
    "tool_calls",
    "tool_failures",
    "missing_events",
)
DECISION_SUMS: Final = (
    "edits_accepted",
    "edits_rejected",
    "edits_accepted_by_people",
    "edits_rejected_by_people",
)
PEOPLE: Final = ("user_permanent", "user_temporary", "user_abort", "user_reject")
"""The decision sources that are a person; the others are configuration and hooks."""

COUNTER_SUMS: Final = (
    "counted_sessions",
    "lines_added",
    "lines_removed",
    "commits",
    "pull_requests",
    "active_time_seconds",
)
COUNT_SUMS: Final = (*EVENT_SUMS, *DECISION_SUMS, *TOKEN_SUMS, *COUNTER_SUMS[:-1])
ROLLUP_SUMS: Final = (*COUNT_SUMS, "active_time_seconds", *COST_SUMS)

_WHO: Final = (
    *_columns("u64", "scope", "origin", "workplace", required=True),
    *_columns("u64", "session_id", "person_id"),
)
_SUMS: Final = (
    *_columns("i64", *COUNT_SUMS),
    Column("active_time_seconds", "f64"),
    *_columns("usd", *COST_SUMS),
)
_BY_DIMENSION: Final = (
    Column("source", "label", required=True),
    *_columns("label", *ROLLUP_DIMENSIONS),
    *_SUMS,
)
_BUCKET: Final = Column("bucket", "time", required=True)
_DAY: Final = Column("day", "date", required=True)

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "workplace": (
        Column("workplace", "u64", required=True),
        Column("agent", "label", required=True),
        *_columns("label", *WORKPLACE_DIMENSIONS[1:]),
    ),
    "origin": (
        *_columns("u64", "origin", "workplace", required=True),
        *_columns("u64", "session_id", "person_id"),
        *_columns("text", "session", "person"),
        Column("person_kind", "label"),
        *_columns("text", "installation", "account_uuid", "account_id", "email", "enduser_id"),
        *_columns("label", "entrypoint", "os_type"),
        Column("policy_version", "i64"),
        *_columns("label", "told_team", "told_cost_center"),
    ),
    "event": (
        *_columns("u64", "key_high", "key_low", required=True),
        *_columns("time", "bucket", "time", required=True),
        *_columns("u64", "scope", "day_scope", "origin", required=True),
        *_columns("label", "source", "kind", "name", required=True),
        Column("twin", "u64"),
        Column("sequence", "i64"),
        *_columns("label", *_MODEL_COLUMNS),
        *_columns("i64", *TOKEN_SUMS),
        Column("reported_cost", "usd"),
        *_columns("i64", "duration_ms", "ttft_ms"),
        Column("tool", "label"),
        *_columns("bool", "success", "accepted"),
        *_columns("label", "decision_source", "language", "error_status"),
        *_columns("text", "prompt_id", "call_id", "extra"),
        Column("list_cost", "usd"),
        *_columns("label", "list_cost_basis", "price_tier"),
        Column("cache_savings", "usd"),
    ),
    "reading": (
        *_columns("u64", "key_high", "key_low", required=True),
        *_columns("time", "bucket", "time", required=True),
        *_columns("u64", "scope", "origin", required=True),
        *_columns("label", "counter", "name", required=True),
        Column("series", "u64", required=True),
        Column("temporality", "label", required=True),
        Column("start", "time"),
        Column("value", "f64", required=True),
        *_columns("label", *_MODEL_COLUMNS),
        *_columns("label", "tool", "decision_source", "language"),
        Column("extra", "text"),
    ),
    "rollup_15m": (_BUCKET, *_WHO, Column("part", "label", required=True), *_BY_DIMENSION),
    "session_15m": (_BUCKET, *_WHO, *_SUMS),
    "session_day": (_DAY, *_WHO, *_SUMS),
    "workplace_day": (_DAY, Column("workplace", "u64", required=True), *_BY_DIMENSION),
    "latency_15m": (
        _BUCKET,
        *_columns("u64", "scope", "origin", "workplace", required=True),
        *_columns("label", "part", "source", required=True),
        *_columns("label", *LATENCY_DIMENSIONS),
        Column("what", "label", required=True),
        Column("bin", "i32", required=True),
        Column("count", "i64", required=True),
    ),
    "sealed_key": (
        Column("bucket", "time", required=True),
        Column("key_low", "u64", required=True),
    ),
    "sealed_usage": (
        Column("scope", "u64", required=True),
        *_columns("label", "subject", "counter", required=True),
        *_columns("usd_sum", "filled", "uncovered", required=True),
        *_columns("time", "since", "until"),
    ),
    "sealed_series": (
        *_columns("u64", "series", "scope", required=True),
        Column("start", "time"),
        Column("highest", "usd_sum", required=True),
        Column("until", "time", required=True),
    ),
    "sealed_scope": (Column("scope", "u64", required=True),),
    "dirty": (
        Column("scope", "u64", required=True),
        _BUCKET,
        Column("first_event", "time"),
    ),
    "stranger": (
        *_columns("label", "agent", "what", "name", required=True),
        Column("count", "i64", required=True),
        Column("last", "time", required=True),
    ),
    "sent_content": (
        *_columns("label", "agent", "version", "part", required=True),
        Column("count", "i64", required=True),
        Column("last", "time", required=True),
    ),
    "rejected": (
        Column("reason", "label", required=True),
        Column("count", "i64", required=True),
        Column("last", "time", required=True),
    ),
    "unit_price": (
        Column("model", "label", required=True),
        *_columns("date", "first_day", "last_day", required=True),
        *_columns(
            "usd",
            "uncached_input",
            "cache_read",
            "cache_write_5m",
            "cache_write_1h",
            "output",
            required=True,
        ),
    ),
    "meta": (Column("name", "label", required=True), Column("value", "text", required=True)),
}


class Tier(NamedTuple):
    """A table of sums, and what can be asked of it. All tiers know the workplace."""

    table: str
    time: Literal["bucket", "day"]
    dimensions: frozenset[str]
    has_sessions: bool
    """Whether it tells sessions and persons apart."""


STAND_INS_OF_A_MONTH: Final = 2**20
"""How many numbers stand in for the persons of one month (`retention.py`)."""
STAND_IN_LIMIT: Final = 2**40
"""Numbers of persons below are stand-ins; those of known persons are 64-bit hashes."""


def epoch_of(column: str) -> str:
    """Return the SQL that says to which month a stand-in belongs, and 0 for a known person."""
    return (
        f"CASE WHEN {column} < {STAND_IN_LIMIT}"
        f" THEN floor({column} / {STAND_INS_OF_A_MONTH}) ELSE 0 END"
    )


_EVERY_DIMENSION: Final = frozenset({"source", *ROLLUP_DIMENSIONS})

TIERS: Final = (
    Tier("session_day", "day", frozenset(), has_sessions=True),
    Tier("workplace_day", "day", _EVERY_DIMENSION, has_sessions=False),
    Tier("session_15m", "bucket", frozenset(), has_sessions=True),
    Tier("rollup_15m", "bucket", _EVERY_DIMENSION, has_sessions=True),
)
"""The tables that hold all sums, the smallest first; the last one can answer everything."""

LATENCY_TIERS: Final = (
    Tier("latency_15m", "bucket", frozenset({"source", *LATENCY_DIMENSIONS}), has_sessions=True),
)


_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def column_name(column: str) -> str:
    """Return what a column is called to people: of a resource attribute, by its key."""
    prefix, is_resource, key = column.partition("resource_")
    if prefix or not is_resource:
        return column
    return "resource." + re.sub("_([0-9a-f]+)_", lambda found: chr(int(found[1], 16)), key)


def resource_column(key: str) -> Column:
    """Return the column of `workplace` for a resource attribute that is allowed as a dimension.

    Names differ where keys do, also for an engine to which upper and lower case are one.
    """
    name = "".join(c if c in _PLAIN else f"_{ord(c):x}_" for c in key)
    return Column(f"resource_{name}", "label")
