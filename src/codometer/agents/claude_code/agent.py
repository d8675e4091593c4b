"""Claude Code's signals, turned into events and readings.

Everything specific to the client is in this folder; `catalogue.py` has its
names. Versions differ in types (numbers as strings before 2.1), in spellings of
the model between signals, and in which ids they send; none of that leaves here.

Signals of Claude Code overlap: the same tokens are on an `api_request` event,
on `token.usage` and on an `llm_request` span. Events are the record of use; the
store counts metrics and spans only where no event tells the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codometer.agents.claude_code import catalogue
from codometer.agents.read import json_object, label, truth, usd, usd_from_micros, whole
from codometer.model.event import Counter, Event, Kind, Reading, Source
from codometer.model.identity import LOW_64, hash64, hash128

if TYPE_CHECKING:
    from codometer.agents.agent import NormaliseModel
    from codometer.agents.origin import Origins
    from codometer.model.event import Origin
    from codometer.model.money import PicoUSD
    from codometer.model.signal import Attributes, AttributeValue, DataPoint, LogRecord, Span

_NS_PER_DAY: Final = 86_400 * 10**9
_AGENT_QUERY_SOURCE: Final = "agent"


class ClaudeCode:
    """The Agent for Claude Code, in the terminal, in editors, on the desktop and in SDKs."""

    name: Final = "claude_code"

    def __init__(self, origins: Origins, normalise_model: NormaliseModel) -> None:
        self._origins = origins
        self._normalise_model = normalise_model
        self.known_attributes = (
            catalogue.COLUMN_ATTRIBUTES
            | catalogue.EXTRA_ATTRIBUTES
            | catalogue.IGNORED_ATTRIBUTES
            | origins.attributes
        )
        self._columns = (
            catalogue.COLUMN_ATTRIBUTES | catalogue.IGNORED_ATTRIBUTES | origins.attributes
        )

    def recognises(self, attributes: Attributes) -> bool:
        """Tell whether the service is Claude Code; desktop and Cowork use names of their own."""
        return attributes.get("service.name") in catalogue.SERVICE_NAMES

    def knows(self, what: str, name: str) -> bool:
        """Tell whether the catalogue has an `event`, `metric` or `span` of this name."""
        bare = name.removeprefix(catalogue.PREFIX)
        if what == "metric":
            return bare in catalogue.METRICS
        return bare in (catalogue.EVENTS if what == "event" else catalogue.SPANS)

    def event_from_log(self, record: LogRecord) -> Event:
        """Return what the record says happened."""
        get = record.attributes.get
        name = _event_name(record)
        kind = catalogue.EVENTS.get(name, Kind.OTHER)
        origin = self._origins.find(self.name, record.attributes)
        scope, day_scope = _scopes(origin, record.time_ns)
        if kind is Kind.PROMPT and get("command_name") is not None:
            kind = Kind.ACTIVITY  # a command of the client itself, such as /exit
        elif kind is Kind.DECISION and get("tool_name") in catalogue.EDIT_TOOLS:
            kind = Kind.EDIT_DECISION
        call_id = label(
            _call_id(get("request_id"), get("client_request_id"))
            if kind in _API_KINDS
            else _call_id(get("tool_use_id"), get("use_id"))
        )
        sequence = whole(get("event.sequence"))
        return Event(
            _event_key(
                scope, name, call_id if kind in _IDENTIFIED_KINDS else None, record, sequence
            ),
            record.time_ns,
            scope,
            day_scope,
            origin,
            Source.EVENT,
            kind,
            name,
            None,
            sequence,
            *self._model_columns(record.attributes),
            whole(get("input_tokens")),
            whole(get("cache_read_tokens")),
            whole(get("cache_creation_tokens")),
            whole(get("cache_creation_1h_tokens")),
            whole(get("output_tokens")),
            _cost(get("cost_usd"), get("cost_usd_micros")),
            whole(get("duration_ms")),
            whole(get("ttft_ms")),
            label(get("tool_name")),
            truth(get("success")),
            _accepted(get("decision")),
            label(get("decision_source") or get("source")),
            label(get("language")),
            label(get("status_code")),
            label(get("prompt.id")),
            call_id,
            self._extra(record.attributes),
        )

    def event_from_span(self, span: Span) -> Event:
        """Return what the span says happened, and the key of the event that tells the same."""
        get = span.attributes.get
        name = span.name.removeprefix(catalogue.PREFIX)
        kind = catalogue.SPANS.get(name, Kind.OTHER)
        if kind is Kind.REQUEST and truth(get("success")) is False:
            kind = Kind.ERROR
        origin = self._origins.find(self.name, span.attributes)
        scope, day_scope = _scopes(origin, span.end_ns)
        tool = kind is Kind.TOOL_CALL
        call_id = label(
            _call_id(get("tool_use_id"), None)
            if tool
            else _call_id(get("request_id"), get("client_request_id"))
        )
        twin = (
            hash128(scope, _TWINS[kind], call_id) & LOW_64 if call_id and kind in _TWINS else None
        )
        return Event(
            hash128(scope, "span", span.trace_id, span.span_id),
            span.end_ns,
            scope,
            day_scope,
            origin,
            Source.SPAN,
            kind,
            name,
            twin,
            None,
            *self._model_columns(span.attributes),
            whole(get("input_tokens")),
            whole(get("cache_read_tokens")),
            whole(get("cache_creation_tokens")),
            None,
            whole(get("output_tokens")),
            None,
            whole(get("duration_ms")),
            whole(get("ttft_ms")),
            label(get("tool_name")),
            truth(get("success")),
            _accepted(get("decision")),
            label(get("source")),
            None,
            label(get("status_code")),
            None,
            call_id,
            self._extra(span.attributes),
        )

    def reading_from_point(self, point: DataPoint) -> Reading:
        """Return where the counter stood, or grew to."""
        get = point.attributes.get
        name = point.metric.removeprefix(catalogue.PREFIX)
        detail = get("decision") if name == "code_edit_tool.decision" else get("type")
        counter = catalogue.COUNTERS.get((name, detail if isinstance(detail, str) else None))
        if name == "session.count" and get("start_type") == "agents_view":
            counter = None  # a dashboard of sessions, not a session
        origin = self._origins.find(self.name, point.attributes)
        scope, day_scope = _scopes(origin, point.time_ns)
        identity = repr(sorted(point.attributes.items(), key=_key_of))
        series = hash64(name, point.temporality, identity)
        return Reading(
            hash128(series, point.start_ns, point.time_ns, point.value, point.ordinal),
            point.time_ns,
            scope if origin.session else day_scope,
            origin,
            counter or Counter.OTHER,
            name,
            series,
            point.temporality,
            point.start_ns,
            point.value,
            *self._model_columns(point.attributes),
            label(get("tool_name")),
            label(get("source")),
            label(get("language")),
            self._extra(point.attributes),
        )

    def _model_columns(self, attributes: Attributes) -> _ModelColumns:
        """Return the columns from `model` to `speed`, in the order of Event and Reading."""
        get = attributes.get
        raw = get("model")
        model = self._normalise_model(raw) if isinstance(raw, str) and label(raw) else None
        provider = get("anthropic.provider")
        speed = label(get("speed"))
        return (
            model.name if model else None,
            catalogue.PROVIDERS.get(provider, label(provider))
            if isinstance(provider, str)
            else (model.provider_hint if model else None),
            model.endpoint_scope if model else None,
            _query_source(get("query_source") or get("query_source_safe"), get("agent.name")),
            label(get("agent.name")),
            label(get("skill.name")),
            label(get("mcp_server.name")),
            label(get("effort")),
            "fast" if model and model.fast else speed,
        )

    def _extra(self, attributes: Attributes) -> str | None:
        """Return what has no column of its own, as a JSON object."""
        names = attributes.keys() - self._columns
        return json_object(attributes, sorted(names)) if names else None


_Label = str | None
_ModelColumns = tuple[_Label, _Label, _Label, _Label, _Label, _Label, _Label, _Label, _Label]
_API_KINDS: Final = frozenset({Kind.REQUEST, Kind.ERROR})
_IDENTIFIED_KINDS: Final = _API_KINDS | {Kind.TOOL_CALL, Kind.DECISION, Kind.EDIT_DECISION}
_TWINS: Final = {
    Kind.REQUEST: "api_request",
    Kind.ERROR: "api_error",
    Kind.TOOL_CALL: "tool_result",
}


def _key_of(pair: tuple[str, object]) -> str:
    return pair[0]


def _event_name(record: LogRecord) -> str:
    """Find the name in the attribute, the record's field or its body, with or without prefix."""
    name = record.attributes.get("event.name") or record.name
    return (label(name) or "unnamed").removeprefix(catalogue.PREFIX)


def _scopes(origin: Origin, time_ns: int) -> tuple[int, int]:
    owner = origin.installation or origin.person or origin.email or ""
    day_scope = hash64(origin.agent, "day", owner, time_ns // _NS_PER_DAY)
    if origin.session is None:
        return day_scope, day_scope
    return hash64(origin.agent, "session", origin.session), day_scope


def _event_key(
    scope: int, name: str, call_id: str | None, record: LogRecord, sequence: int | None
) -> int:
    """Identify an event by its request or tool call, else by process order, else by all it says."""
    if call_id is not None:
        return hash128(scope, name, call_id)
    if sequence is not None:
        return hash128(scope, name, record.time_ns, sequence)
    content = sorted(record.attributes.items(), key=_key_of)
    return hash128(scope, name, record.time_ns, content)


def _call_id(first: AttributeValue, second: AttributeValue) -> AttributeValue:
    return first if isinstance(first, str) and first else second


def _cost(dollars: AttributeValue, micros: AttributeValue) -> PicoUSD | None:
    """Return the exact cost, else the one rounded to millionths: some versions sent only that."""
    exact = usd(dollars)
    return usd_from_micros(micros) if exact is None else exact


def _accepted(decision: AttributeValue) -> bool | None:
    return decision == "accept" if decision in ("accept", "reject") else None


def _query_source(source: AttributeValue, subagent: AttributeValue) -> str | None:
    """Map an event's free subsystem name to the categories that metrics use."""
    if source is None or not isinstance(source, str):
        return None
    if subagent is not None or source.startswith(_AGENT_QUERY_SOURCE) or source == "subagent":
        return "subagent"
    return "main" if source in catalogue.MAIN_QUERY_SOURCES else "auxiliary"
