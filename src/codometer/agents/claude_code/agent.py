"""Claude Code's signals, turned into events and readings.

Everything specific to the client is in this folder; `catalogue.py` has its
names. Versions differ in types (numbers as strings before 2.1), in spellings of
the model between signals, and in which ids they send; none of that leaves here.

Signals of Claude Code overlap: the same tokens are on an `api_request` event,
on `token.usage` and on an `llm_request` span. Events are the record of use; the
store counts metrics and spans only where no event tells the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codometer.agents.claude_code import catalogue
from codometer.agents.read import json_object, label, truth
from codometer.model.event import UNNAMED, Counter, Event, Kind, Reading, Source
from codometer.model.identity import LOW_64, hash64, hash128

if TYPE_CHECKING:
    from codometer.agents.agent import NormaliseModel
    from codometer.agents.origin import Origins
    from codometer.agents.read import Reader
    from codometer.model.event import Origin
    from codometer.model.signal import Attributes, AttributeValue, DataPoint, LogRecord, Span

_NS_PER_DAY: Final = 86_400 * 10**9
_AGENT_QUERY_SOURCE: Final = "agent"
_MAX_REMEMBERED: Final = 1024

_FIRST_VALUE: Final = Event._fields.index("sequence")
_VALUES: Final = Event._fields[_FIRST_VALUE:]
"""The fields of an Event that attributes fill; those before say what it is, when and whose."""
_SEQUENCE: Final = _VALUES.index("sequence")
_MODEL_COLUMNS: Final = slice(_VALUES.index("model"), _VALUES.index("speed") + 1)
_CALL_ID: Final = _VALUES.index("call_id")
_EXTRA: Final = _VALUES.index("extra")

# On Python 3.11 it takes as long to look up the member of an enum as to read an attribute.
_EVENT, _SPAN, _OTHER = Source.EVENT, Source.SPAN, Kind.OTHER


class _Part(NamedTuple):
    """Some of the attributes that signals of one shape have."""

    names: tuple[str, ...]
    take: Callable[[Attributes], tuple[AttributeValue, ...]]
    """Returns the values of those names."""


class _Shape(NamedTuple):
    """What is read of signals that have the same attributes, worked out once for all of them."""

    fields: tuple[tuple[int, str, Reader], ...]
    """The place among the values, the attribute, and how it is read; who has the say is first."""
    whose: _Part
    """What tells the origin. A client says it again with every signal, so it is remembered."""
    model: _Part
    """What tells the columns of the model, likewise."""
    extra: tuple[str, ...]


class ClaudeCode:
    """The Agent for Claude Code, in the terminal, in editors, on the desktop and in SDKs."""

    name: Final = "claude_code"

    def __init__(self, origins: Origins, normalise_model: NormaliseModel) -> None:
        self._origins = origins
        self._normalise_model = normalise_model
        self._columns = (
            catalogue.COLUMN_ATTRIBUTES | catalogue.IGNORED_ATTRIBUTES | origins.attributes
        )
        self.known_attributes = self._columns | catalogue.EXTRA_ATTRIBUTES
        # Signals are alike: what was worked out for one serves for thousands.
        self._find_shape = lru_cache(maxsize=_MAX_REMEMBERED)(self._make_shape)
        self._find_model_columns = lru_cache(maxsize=_MAX_REMEMBERED)(self._make_model_columns)
        self._find_whose = lru_cache(maxsize=16 * _MAX_REMEMBERED)(self._make_whose)

    def recognises(self, service: AttributeValue, name: str) -> bool:
        """Tell whether this is Claude Code; desktop and Cowork use service names of their own.

        Some versions in the cloud left the service name out.
        """
        if service is None:
            return name.startswith(catalogue.PREFIX)
        return service in catalogue.SERVICE_NAMES

    def knows(self, what: str, name: str) -> bool:
        """Tell whether the catalogue has an `event`, `metric` or `span` of this name."""
        if what == "metric":
            return name in catalogue.METRICS
        return name in (catalogue.EVENTS if what == "event" else catalogue.SPANS)

    def event_from_log(self, record: LogRecord) -> Event:
        """Return what the record says happened."""
        attributes, time_ns = record.attributes, record.time_ns
        name = _bare_name(attributes.get("event.name") or record.name)
        shape = self._find_shape(tuple(attributes))
        origin, scope, day_scope = self._whose(shape, attributes, time_ns)
        values = self._values(name, shape, attributes)
        call_id, sequence = values[_CALL_ID], values[_SEQUENCE]
        # By its request or tool call, else by its place in the process, else by all it says.
        if call_id is not None and name in catalogue.IDENTIFIED_EVENTS:
            key = hash128(scope, name, call_id)
        elif sequence is not None:
            key = hash128(scope, name, time_ns, sequence)
        else:
            key = hash128(self._origins.salt, scope, name, time_ns, _content(attributes))
        kind = _kind_of_event(name, attributes)
        twin = None
        return Event._make(
            (key, time_ns, scope, day_scope, origin, _EVENT, kind, name, twin, *values)
        )

    def event_from_span(self, span: Span) -> Event:
        """Return what the span says happened, and the key of the event that tells the same."""
        attributes, time_ns = span.attributes, span.end_ns
        name = _bare_name(span.name)
        kind = catalogue.SPANS.get(name, _OTHER)
        if kind is Kind.REQUEST and truth(attributes.get("success")) is False:
            kind = Kind.ERROR
        shape = self._find_shape(tuple(attributes))
        origin, scope, day_scope = self._whose(shape, attributes, time_ns)
        key = hash128(scope, "span", span.trace_id, span.span_id)
        values = self._values(name, shape, attributes)
        call_id, twin = values[_CALL_ID], None
        if call_id is not None and kind in catalogue.TWINS:
            twin = hash128(scope, catalogue.TWINS[kind], call_id) & LOW_64
        return Event._make(
            (key, time_ns, scope, day_scope, origin, _SPAN, kind, name, twin, *values)
        )

    def reading_from_point(self, point: DataPoint) -> Reading:
        """Return where the counter stood, or grew to."""
        attributes = point.attributes
        get = attributes.get
        name = _bare_name(point.metric)
        shape = self._find_shape(tuple(attributes))
        origin, scope, day_scope = self._whose(shape, attributes, point.time_ns)
        series = hash64(self._origins.salt, name, point.temporality, _content(attributes))
        return Reading(
            hash128(series, point.start_ns, point.time_ns, point.value, point.ordinal),
            point.time_ns,
            scope if origin.session else day_scope,
            origin,
            _counter(name, attributes),
            name,
            series,
            point.temporality,
            point.start_ns,
            point.value,
            *self._find_model_columns(shape.model.names, shape.model.take(attributes)),
            label(get("tool_name")),
            label(get("source")),
            label(get("language")),
            json_object(attributes, shape.extra),
        )

    def _whose(
        self, shape: _Shape, attributes: Attributes, time_ns: int
    ) -> tuple[Origin, int, int]:
        """Return the origin, and the scopes of its session and of its installation's day."""
        names, take = shape.whose
        return self._find_whose(
            self._origins.generation, names, take(attributes), time_ns // _NS_PER_DAY
        )

    def _values(self, name: str, shape: _Shape, attributes: Attributes) -> list[Any]:
        """Return the fields of an Event from `sequence` on."""
        values: list[Any] = [None] * len(_VALUES)
        for place, attribute, read in shape.fields:
            if values[place] is None:
                values[place] = read(attributes[attribute])
        names, take = shape.model
        values[_MODEL_COLUMNS] = self._find_model_columns(names, take(attributes))
        for attribute in catalogue.CALL_IDS.get(name, catalogue.TOOL_CALL_IDS):
            if (call_id := label(attributes.get(attribute))) is not None:
                values[_CALL_ID] = call_id
                break
        if shape.extra:
            values[_EXTRA] = json_object(attributes, shape.extra)
        return values

    def _make_shape(self, names: tuple[str, ...]) -> _Shape:
        present = frozenset(names)
        return _Shape(
            tuple(
                (_VALUES.index(field), attribute, read)
                for field, attribute, read in reversed(catalogue.EVENT_FIELDS)
                if attribute in present
            ),
            _part(sorted(present & self._origins.attributes)),
            _part(sorted(present.intersection(catalogue.MODEL_ATTRIBUTES))),
            tuple(sorted(present - self._columns)),
        )

    def _make_whose(
        self, _: int, names: tuple[str, ...], values: tuple[AttributeValue, ...], day: int
    ) -> tuple[Origin, int, int]:
        origin = self._origins.find(self.name, dict(zip(names, values, strict=True)))
        return origin, *_scopes(origin, day)

    def _make_model_columns(
        self, names: tuple[str, ...], values: tuple[AttributeValue, ...]
    ) -> _ModelColumns:
        """Return the columns from `model` to `speed`, in the order of Event and Reading."""
        told = dict(zip(names, values, strict=True))
        raw, provider, speed, source, safe_source, subagent, skill, mcp_server, effort = map(
            told.get, catalogue.MODEL_ATTRIBUTES
        )
        model = self._normalise_model(raw) if isinstance(raw, str) and label(raw) else None
        if isinstance(provider, str):
            provider = catalogue.PROVIDERS.get(provider, label(provider))
        else:
            provider = model.provider_hint if model else None
        return (
            model.name if model else None,
            provider,
            model.endpoint_scope if model else None,
            _query_source(source or safe_source, subagent),
            label(subagent),
            label(skill),
            label(mcp_server),
            label(effort),
            "fast" if model and model.fast else label(speed),
        )


_Label = str | None
_ModelColumns = tuple[_Label, _Label, _Label, _Label, _Label, _Label, _Label, _Label, _Label]


def _part(names: Iterable[str]) -> _Part:
    few = tuple(names)
    if len(few) > 1:
        return _Part(few, itemgetter(*few))  # of one name it would not return a tuple
    return _Part(few, lambda attributes: tuple(attributes[name] for name in few))


def _content(attributes: Attributes) -> list[tuple[str, AttributeValue]]:
    """Return all that a signal says of itself, whatever the order it says it in."""
    return sorted(attributes.items(), key=_name_of)


def _name_of(pair: tuple[str, object]) -> str:
    return pair[0]


@lru_cache(maxsize=_MAX_REMEMBERED)
def _bare_name(name: AttributeValue) -> str:
    """Return the name of an event, span or metric without the prefix that some places have."""
    return (label(name) or UNNAMED).removeprefix(catalogue.PREFIX) or UNNAMED


def _kind_of_event(name: str, attributes: Attributes) -> Kind:
    kind = catalogue.EVENTS.get(name, _OTHER)
    if name == "tool_decision" and attributes.get("tool_name") in catalogue.EDIT_TOOLS:
        return Kind.EDIT_DECISION
    if (
        name == "user_prompt"
        and attributes.get("command_name") is not None
        and attributes.get("command_source") not in catalogue.PROMPTING_COMMANDS
    ):
        return Kind.ACTIVITY  # a command to the client itself, such as /exit
    return kind


def _counter(metric: str, attributes: Attributes) -> Counter:
    if metric == "session.count" and attributes.get("start_type") == "agents_view":
        return Counter.OTHER  # a dashboard of sessions, not a session
    detail = attributes.get("decision" if metric == "code_edit_tool.decision" else "type")
    counters = catalogue.COUNTERS
    return counters.get((metric, detail)) or counters.get((metric, None)) or Counter.OTHER


def _scopes(origin: Origin, day: int) -> tuple[int, int]:
    """Return the scopes of an origin's session and of its installation's day, in UTC."""
    day_scope = hash64(origin.agent, "day", origin.owner, day)
    if origin.session is None:
        return day_scope, day_scope
    return hash64(origin.agent, "session", origin.session), day_scope


def _query_source(source: AttributeValue, subagent: AttributeValue) -> str | None:
    """Map an event's free subsystem name to the categories that metrics use."""
    if source is None or not isinstance(source, str):
        return None
    if subagent is not None or source.startswith(_AGENT_QUERY_SOURCE) or source == "subagent":
        return "subagent"
    return "main" if source in catalogue.MAIN_QUERY_SOURCES else "auxiliary"
