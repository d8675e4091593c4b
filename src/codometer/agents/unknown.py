"""A client that is no agent we know: kept under its own service name, counted as other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codometer.agents.read import json_object, label
from codometer.model.event import UNNAMED, Counter, Event, Kind, Reading, Source
from codometer.model.identity import hash64, hash128

if TYPE_CHECKING:
    from codometer.agents.origin import Origins
    from codometer.model.event import Origin
    from codometer.model.signal import Attributes, AttributeValue, DataPoint, LogRecord, Span


class UnknownAgent:
    """The Agent for everything that no other agent recognises."""

    name: Final = "unknown"

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self.known_attributes = origins.attributes

    def recognises(self, service: AttributeValue, name: str) -> bool:  # noqa: ARG002 - the seam's signature
        """Recognise everything."""
        return True

    def knows(self, what: str, name: str) -> bool:  # noqa: ARG002 - the seam's signature
        """Know nothing."""
        return False

    def event_from_log(self, record: LogRecord) -> Event:
        """Keep that the event happened."""
        name = label(record.attributes.get("event.name")) or record.name
        return self._event(record.time_ns, name, Source.EVENT, record.attributes)

    def event_from_span(self, span: Span) -> Event:
        """Keep that the span ended."""
        return self._event(span.end_ns, span.name, Source.SPAN, span.attributes, span.span_id)

    def reading_from_point(self, point: DataPoint) -> Reading:
        """Keep where the counter stood."""
        origin = self._origin(point.attributes)
        scope = _scope(origin)
        content = sorted(point.attributes.items(), key=str)
        series = hash64(self._origins.salt, point.metric, point.temporality, content)
        return Reading(
            hash128(series, point.start_ns, point.time_ns, point.value, point.ordinal),
            point.time_ns,
            scope,
            origin,
            Counter.OTHER,
            label(point.metric) or UNNAMED,
            series,
            point.temporality,
            point.start_ns,
            point.value,
            extra=self._extra(point.attributes),
        )

    def _event(
        self, time_ns: int, name: str, source: Source, attributes: Attributes, identity: str = ""
    ) -> Event:
        origin = self._origin(attributes)
        scope = _scope(origin)
        content = sorted(attributes.items(), key=str)
        return Event(
            hash128(self._origins.salt, scope, source, name, time_ns, identity, content),
            time_ns,
            scope,
            scope,
            origin,
            source,
            Kind.OTHER,
            label(name) or UNNAMED,
            extra=self._extra(attributes),
        )

    def _origin(self, attributes: Attributes) -> Origin:
        return self._origins.find(label(attributes.get("service.name")) or self.name, attributes)

    def _extra(self, attributes: Attributes) -> str | None:
        return json_object(attributes, sorted(attributes.keys() - self.known_attributes))


def _scope(origin: Origin) -> int:
    return hash64(origin.agent, origin.session, origin.owner)
