"""What happened, in the same words for every coding agent.

A normaliser turns each Signal into one of two rows: an Event (something
happened once: a request, a tool call, a prompt) or a Reading (a counter stood
at a value). Both point to an Origin, which says who and where, and which
changes rarely while a client runs, so it is made and stored once and not
repeated on every row.

Many rows travel together by the column (`Rows`), since a busy server makes tens
of thousands of them a second: neither who makes them nor the store, which
writes columns, needs an object for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Generic, NamedTuple, TypeVar

from codometer.model.money import PicoUSD
from codometer.model.signal import Temporality


class Kind(StrEnum):
    """What an Event is about. `OTHER` keeps what a newer client says and we do not know yet."""

    REQUEST = "request"
    TOOL_CALL = "tool_call"
    DECISION = "decision"
    EDIT_DECISION = "edit_decision"
    """A decision on a tool that changes files."""
    PROMPT = "prompt"
    ERROR = "error"
    SESSION = "session"
    ACTIVITY = "activity"
    OTHER = "other"


class Source(StrEnum):
    """The signal that a row, or a rolled-up number, was counted from."""

    EVENT = "event"
    SPAN = "span"
    METRIC = "metric"
    METRIC_DAILY = "metric_daily"
    """A metric without a session id, compared per installation and day: an estimate."""


class Origin(NamedTuple):
    """Who sent it and from where: every identity key that came, and the resource's dimensions.

    `id` is a 64-bit hash of the other fields. `person` is whom the best identity
    among the keys belongs to (`person_kind` says which that is); the keys stay beside
    it so that a person with several installations can be resolved later. `owner` is
    the 64-bit id of the installation within whose days signals without a session are
    compared: the same under every privacy policy, of which `policy_version` names one.
    """

    id: int
    agent: str
    version: str | None
    entrypoint: str | None
    terminal: str | None
    session: str | None
    person: str | None
    person_kind: str | None
    installation: str | None
    account_uuid: str | None
    account_id: str | None
    email: str | None
    enduser_id: str | None
    organisation: str | None
    team: str | None
    cost_center: str | None
    repository: str | None
    os_type: str | None
    resource: tuple[tuple[str, str], ...]
    """Key and value of the resource attributes which the administrator allows as dimensions."""
    owner: int = 0
    policy_version: int = 0
    told_team: str | None = None
    """What the client says, whatever an administrator does."""
    told_cost_center: str | None = None


class Event(NamedTuple):
    """Something that happened once.

    `key` is a 128-bit hash of what identifies it, the same for a repeated
    delivery. `scope` is the 64-bit id of the session within which signals are
    compared, `day_scope` that of the installation's day, for metrics that carry no
    session id. A span's `twin` is the low half of the key that the event telling
    the same would have. Token counts never overlap:
    uncached input, cache read, cache write and output are disjoint, and
    `cache_write_1h_tokens` is the part of the writes that lives an hour, None
    where the client does not say. Durations are milliseconds. None is unknown.
    """

    key: int
    time_ns: int
    scope: int
    day_scope: int
    origin: Origin
    source: Source
    kind: Kind
    name: str
    twin: int | None = None
    sequence: int | None = None
    model: str | None = None
    provider: str | None = None
    endpoint_scope: str | None = None
    query_source: str | None = None
    subagent: str | None = None
    skill: str | None = None
    mcp_server: str | None = None
    effort: str | None = None
    speed: str | None = None
    uncached_input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reported_cost: PicoUSD | None = None
    duration_ms: int | None = None
    ttft_ms: int | None = None
    tool: str | None = None
    success: bool | None = None
    accepted: bool | None = None
    decision_source: str | None = None
    language: str | None = None
    error_status: str | None = None
    prompt_id: str | None = None
    call_id: str | None = None
    extra: str | None = None
    """What else came and may be kept, as a JSON object."""


class Counter(StrEnum):
    """What a Reading counts, by the names that the measures use."""

    UNCACHED_INPUT_TOKENS = "uncached_input_tokens"
    CACHE_READ_TOKENS = "cache_read_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    OUTPUT_TOKENS = "output_tokens"
    REPORTED_COST = "reported_cost"
    EDITS_ACCEPTED = "edits_accepted"
    EDITS_REJECTED = "edits_rejected"
    SESSIONS = "sessions"
    LINES_ADDED = "lines_added"
    LINES_REMOVED = "lines_removed"
    COMMITS = "commits"
    PULL_REQUESTS = "pull_requests"
    ACTIVE_TIME_SECONDS = "active_time_seconds"
    OTHER = "other"


class Reading(NamedTuple):
    """A counter stood at `value`, or grew by it, between `start_ns` (0: unknown) and `time_ns`.

    `series` is a 64-bit hash of everything but the times and the value, so that
    a cumulative counter can be followed from one reading to the next.
    """

    key: int
    time_ns: int
    scope: int
    origin: Origin
    counter: Counter
    name: str
    series: int
    temporality: Temporality
    start_ns: int
    value: float
    model: str | None = None
    provider: str | None = None
    endpoint_scope: str | None = None
    query_source: str | None = None
    subagent: str | None = None
    skill: str | None = None
    mcp_server: str | None = None
    effort: str | None = None
    speed: str | None = None
    tool: str | None = None
    decision_source: str | None = None
    language: str | None = None
    extra: str | None = None


Columns = Mapping[str, Sequence[Any]]
"""Values by field of an Event or Reading, all of one length; a missing field is unknown in all."""

_Row = TypeVar("_Row", Event, Reading)


class Rows(Generic[_Row]):
    """Events, or readings, by the column: for each field the values of all of them, in order."""

    def __init__(self, kind: type[_Row], rows: Sequence[_Row] = ()) -> None:
        self._kind: type[_Row] = kind
        self.columns: dict[str, list[Any]] = {field: [] for field in kind._fields}
        if rows:
            self.extend(dict(zip(kind._fields, zip(*rows, strict=True), strict=True)))

    def extend(self, columns: Columns) -> None:
        """Add the rows that these columns have."""
        unknown = (None,) * len(columns["key"])
        for field, column in self.columns.items():
            column.extend(columns.get(field, unknown))

    def __len__(self) -> int:
        return len(self.columns["key"])

    def __iter__(self) -> Iterator[_Row]:
        return map(self._kind._make, zip(*self.columns.values(), strict=True))


UNNAMED: Final = "unnamed"
"""The name of what came without one, or under one that could be prose."""


class SentContent(NamedTuple):
    """Which clients send what people or models wrote: counted, and nothing of it is kept here."""

    agent: str
    version: str
    """Empty where the client does not say."""
    part: str


class Stranger(NamedTuple):
    """A name that this version does not know: kept, counted, and listed for the administrator."""

    agent: str
    what: str
    """`event`, `metric`, `span` or `attribute`."""
    name: str
