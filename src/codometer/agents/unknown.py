"""A client that is no agent we know: kept under its own service name, counted as other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codometer.agents.read import json_objects, label
from codometer.model.event import UNNAMED, Counter, Kind, Source
from codometer.model.identity import hash64, hash128

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codometer.agents.origin import Origins
    from codometer.model.event import Columns, Origin
    from codometer.model.signal import AttributeValue, DataPoint, LogRecord, Sheet, Span


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

    def read_logs(self, sheet: Sheet[LogRecord]) -> Columns:
        """Keep that the events happened."""
        times = [record.time_ns for record in sheet.signals]
        return self._read_events(sheet, Source.EVENT, times, ("",) * len(times))

    def read_spans(self, sheet: Sheet[Span]) -> Columns:
        """Keep that the spans ended."""
        spans = sheet.signals
        times, ids = [span.end_ns for span in spans], [span.span_id for span in spans]
        return self._read_events(sheet, Source.SPAN, times, ids)

    def read_points(self, sheet: Sheet[DataPoint]) -> Columns:
        """Keep where the counters stood."""
        points = sheet.signals
        columns = self._read_shared(sheet, [point.time_ns for point in points])
        series = [
            hash64(self._origins.salt, sheet.name, point.temporality, sheet.content(place))
            for place, point in enumerate(points)
        ]
        for field in ("temporality", "start_ns", "value"):
            columns[field] = [getattr(point, field) for point in points]
        return columns | {
            "key": [
                hash128(of, point.start_ns, point.time_ns, point.value, point.ordinal)
                for of, point in zip(series, points, strict=True)
            ],
            "counter": [Counter.OTHER] * len(points),
            "series": series,
        }

    def _read_events(
        self, sheet: Sheet[Any], source: Source, times: Sequence[int], ids: Sequence[str]
    ) -> Columns:
        columns = self._read_shared(sheet, times)
        scopes, salt = columns["scope"], self._origins.salt
        told = enumerate(zip(scopes, times, ids, strict=True))
        return columns | {
            "key": [
                hash128(salt, scope, source, sheet.name, time_ns, id_, sheet.content(place))
                for place, (scope, time_ns, id_) in told
            ],
            "day_scope": scopes,
            "source": [source] * len(times),
            "kind": [Kind.OTHER] * len(times),
        }

    def _read_shared(self, sheet: Sheet[Any], times: Sequence[int]) -> dict[str, Sequence[Any]]:
        """Return the columns that Event and Reading both have."""
        names, count = sheet.attributes.keys(), len(sheet.signals)
        read = names & self.known_attributes
        services = sheet.column("service.name")
        origins = [
            self._origins.find(
                label(services[place]) or self.name,
                {name: sheet.attributes[name][place] for name in read},
                stamp,
            )
            for place, stamp in zip(range(count), self._origins.stamps(times), strict=False)
        ]
        columns: dict[str, Sequence[Any]] = {
            "time_ns": times,
            "origin": origins,
            "scope": list(map(_scope, origins)),
            "name": [label(sheet.name) or UNNAMED] * count,
        }
        if extra := sorted(names - read):
            columns["extra"] = json_objects(sheet, extra)
        return columns


def _scope(origin: Origin) -> int:
    return hash64(origin.agent, origin.session, origin.owner)
