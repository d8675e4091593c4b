"""Claude Code's signals, turned into events and readings.

Everything specific to the client is in this folder; `catalogue.py` has its
names. Versions differ in types (numbers as strings before 2.1), in spellings of
the model between signals, and in which ids they send; none of that leaves here.

Signals of Claude Code overlap: the same tokens are on an `api_request` event,
on `token.usage` and on an `llm_request` span. Events are the record of use; the
store counts metrics and spans only where no event tells the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeVar

from codometer.agents.claude_code import catalogue
from codometer.agents.read import json_objects, label, labels, truth
from codometer.model.event import UNNAMED, Counter, Kind, Source
from codometer.model.identity import LOW_64, hash64, hash128

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codometer.agents.agent import NormaliseModel
    from codometer.agents.origin import Origins, Stamp
    from codometer.agents.read import Reader
    from codometer.model.event import Columns, Origin
    from codometer.model.signal import AttributeValue, DataPoint, LogRecord, Sheet, Span

_NS_PER_DAY: Final = 86_400 * 10**9
_AGENT_QUERY_SOURCE: Final = "agent"
_MAX_REMEMBERED: Final = 1024

_MODEL_FIELDS: Final = (
    "model",
    "provider",
    "endpoint_scope",
    "query_source",
    "subagent",
    "skill",
    "mcp_server",
    "effort",
    "speed",
)
_POINT_FIELDS: Final = (
    ("tool", "tool_name"),
    ("decision_source", "source"),
    ("language", "language"),
)
"""Field of a Reading, and the attribute that tells it."""

# On Python 3.11 it takes as long to look up the member of an enum as to read an attribute.
_OTHER: Final = Kind.OTHER

_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """What is read of signals that have the same attributes, worked out once for all of them."""

    fields: tuple[tuple[str, str, Reader], ...]
    """A field of Event, the attribute that tells it, and how it is read; the first has the say."""
    whose: tuple[str, ...]
    """What tells the origin. A client says it again with every signal, so it is remembered."""
    model: tuple[str, ...]
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

    def read_logs(self, sheet: Sheet[LogRecord]) -> Columns:
        """Return what the records say happened."""
        name = _bare_name(sheet.name)
        times = [record.time_ns for record in sheet.signals]
        columns = self._read_events(name, sheet, times)
        columns["source"] = [Source.EVENT] * len(times)
        columns["kind"] = _kinds_of_events(name, sheet)
        columns["key"] = list(self._keys_of_events(name, sheet, columns))
        return columns

    def read_spans(self, sheet: Sheet[Span]) -> Columns:
        """Return what the spans say happened, and the keys of the events that tell the same."""
        name = _bare_name(sheet.name)
        columns = self._read_events(name, sheet, [span.end_ns for span in sheet.signals])
        scopes = columns["scope"]
        columns["source"] = [Source.SPAN] * len(scopes)
        columns["kind"] = kinds = _kinds_of_spans(name, sheet)
        columns["key"] = [
            hash128(scope, "span", span.trace_id, span.span_id)
            for scope, span in zip(scopes, sheet.signals, strict=True)
        ]
        columns["twin"] = list(map(_twin, scopes, kinds, columns["call_id"]))
        return columns

    def read_points(self, sheet: Sheet[DataPoint]) -> Columns:
        """Return where the counters stood, or grew to."""
        name = _bare_name(sheet.name)
        points = sheet.signals
        shape = self._find_shape(tuple(sheet.attributes))
        columns = self._read_shared(shape, sheet, [point.time_ns for point in points])
        series = [
            hash64(self._origins.salt, name, point.temporality, sheet.content(place))
            for place, point in enumerate(points)
        ]
        columns["scope"] = [
            scope if origin.session else day_scope
            for scope, day_scope, origin in zip(
                columns["scope"], columns.pop("day_scope"), columns["origin"], strict=True
            )
        ]
        for field in ("temporality", "start_ns", "value"):
            columns[field] = [getattr(point, field) for point in points]
        for field, attribute in _POINT_FIELDS:
            columns[field] = labels(sheet.column(attribute))
        return columns | {
            "key": [
                hash128(of, point.start_ns, point.time_ns, point.value, point.ordinal)
                for of, point in zip(series, points, strict=True)
            ],
            "counter": _counters(name, sheet),
            "name": [name] * len(points),
            "series": series,
        }

    def _read_events(
        self, name: str, sheet: Sheet[Any], times: list[int]
    ) -> dict[str, Sequence[Any]]:
        """Return the columns of Event that attributes and times fill."""
        attributes = sheet.attributes
        shape = self._find_shape(tuple(attributes))
        columns = self._read_shared(shape, sheet, times)
        for field, attribute, read in shape.fields:
            column = read(attributes[attribute])
            columns[field] = _first_known(columns[field], column) if field in columns else column
        columns["name"] = [name] * len(times)
        columns["call_id"] = (None,) * len(times)
        for attribute in catalogue.CALL_IDS.get(name, catalogue.TOOL_CALL_IDS):
            if attribute in attributes:
                columns["call_id"] = _first_known(columns["call_id"], labels(attributes[attribute]))
        return columns

    def _read_shared(
        self, shape: _Shape, sheet: Sheet[Any], times: list[int]
    ) -> dict[str, Sequence[Any]]:
        """Return the columns that Event and Reading both have."""
        attributes = sheet.attributes
        told = [attributes[name] for name in shape.whose]
        days = [time_ns // _NS_PER_DAY for time_ns in times]
        whose = map(
            self._find_whose,
            self._origins.stamps(times),
            repeat(shape),
            zip(*told, days, strict=True),
        )
        origins, scopes, day_scopes = zip(*whose, strict=True)
        columns: dict[str, Sequence[Any]] = {
            "time_ns": times,
            "origin": origins,
            "scope": scopes,
            "day_scope": day_scopes,
        }
        if shape.model:
            of_models = zip(*[attributes[name] for name in shape.model], strict=True)
            found = zip(*map(self._find_model_columns, repeat(shape), of_models), strict=True)
            columns.update(zip(_MODEL_FIELDS, found, strict=True))
        if shape.extra:
            columns["extra"] = json_objects(sheet, shape.extra)
        return columns

    def _keys_of_events(
        self, name: str, sheet: Sheet[LogRecord], columns: Columns
    ) -> Iterator[int]:
        """Make keys: of a request or tool call, else of a place in the process, else of it all."""
        is_identified = name in catalogue.IDENTIFIED_EVENTS
        sequences = columns.get("sequence") or repeat(None, len(sheet.signals))
        told = zip(columns["scope"], columns["time_ns"], columns["call_id"], sequences, strict=True)
        for place, (scope, time_ns, call_id, sequence) in enumerate(told):
            if is_identified and call_id is not None:
                yield hash128(scope, name, call_id)
            elif sequence is not None:
                yield hash128(scope, name, time_ns, sequence)
            else:
                yield hash128(self._origins.salt, scope, name, time_ns, sheet.content(place))

    def _make_shape(self, names: tuple[str, ...]) -> _Shape:
        present = frozenset(names)
        return _Shape(
            tuple(each for each in reversed(catalogue.EVENT_FIELDS) if each[1] in present),
            tuple(sorted(present & self._origins.attributes)),
            tuple(sorted(present.intersection(catalogue.MODEL_ATTRIBUTES))),
            tuple(sorted(present - self._columns)),
        )

    def _make_whose(
        self, stamp: Stamp, shape: _Shape, told: tuple[Any, ...]
    ) -> tuple[Origin, int, int]:
        *values, day = told
        origin = self._origins.find(self.name, dict(zip(shape.whose, values, strict=True)), stamp)
        return origin, *_scopes(origin, day)

    def _make_model_columns(
        self, shape: _Shape, values: tuple[AttributeValue, ...]
    ) -> _ModelColumns:
        """Return the values of `_MODEL_FIELDS`."""
        told = dict(zip(shape.model, values, strict=True))
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


def _first_known(first: Sequence[_Known], second: Sequence[_Known]) -> Sequence[_Known]:
    """Take from the second column what the first one does not know."""
    if None not in first:
        return first
    return [b if a is None else a for a, b in zip(first, second, strict=True)]


@lru_cache(maxsize=_MAX_REMEMBERED)
def _bare_name(name: AttributeValue) -> str:
    """Return the name of an event, span or metric without the prefix that some places have."""
    return (label(name) or UNNAMED).removeprefix(catalogue.PREFIX) or UNNAMED


def _kinds_of_events(name: str, sheet: Sheet[LogRecord]) -> list[Kind]:
    kind = catalogue.EVENTS.get(name, _OTHER)
    if name == "tool_decision":
        edits = catalogue.EDIT_TOOLS
        return [Kind.EDIT_DECISION if tool in edits else kind for tool in sheet.column("tool_name")]
    if name == "user_prompt" and "command_name" in sheet.attributes:
        commands = zip(sheet.column("command_name"), sheet.column("command_source"), strict=True)
        return [
            kind
            if command is None or source in catalogue.PROMPTING_COMMANDS
            # To the client itself, such as /exit.
            else Kind.ACTIVITY
            for command, source in commands
        ]
    return [kind] * len(sheet.signals)


def _kinds_of_spans(name: str, sheet: Sheet[Span]) -> list[Kind]:
    kind = catalogue.SPANS.get(name, _OTHER)
    if kind is not Kind.REQUEST:
        return [kind] * len(sheet.signals)
    return [Kind.ERROR if truth(value) is False else kind for value in sheet.column("success")]


def _twin(scope: int, kind: Kind, call_id: str | None) -> int | None:
    """Return the low half of the key of the event that tells the same as a span."""
    if call_id is None or kind not in catalogue.TWINS:
        return None
    return hash128(scope, catalogue.TWINS[kind], call_id) & LOW_64


def _counters(metric: str, sheet: Sheet[DataPoint]) -> list[Counter]:
    if metric == "session.count":
        # A dashboard of sessions is not a session.
        starts = sheet.column("start_type")
        return [Counter.OTHER if each == "agents_view" else Counter.SESSIONS for each in starts]
    known = catalogue.COUNTERS
    if (metric, None) in known:
        return [known[metric, None]] * len(sheet.signals)
    details = sheet.column("decision" if metric == "code_edit_tool.decision" else "type")
    return [known.get((metric, detail), Counter.OTHER) for detail in details]


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
