"""What a thousand clients would send, made from a recording of one.

Records keep the attributes, types and order that a real client sent. Whatever
tells one record from another is new in each: session, person, times, ids,
sequence, counts of tokens and their cost. The same seed makes the same bodies,
and every body says what it holds, so that a benchmark can end with a check.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count, islice
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from codometer.model.signal import SignalKind
from tests.capture import recorded

RECORDING: Final = "2.1.330-http-protobuf"
_RHYTHM: Final = (
    "user_prompt",
    *("api_request", "tool_decision", "tool_result") * 7,
    "api_request",
    "assistant_response",
)
"""What happens after one prompt, as in the recording."""

_MODELS: Final = ("claude-sonnet-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5")
_TOOLS: Final = ("Bash", "Edit", "Read", "Grep", "Write")
_TEAM: Final = "team.id"
_TEAMS: Final = 20
_TOKEN_KINDS: Final = ("input", "output", "cacheRead", "cacheCreation")
_DOLLARS_PER_TOKEN: Final = (3e-6, 15e-6, 0.3e-6, 3.75e-6)
"""Near enough: what is measured does not depend on the price."""

_NS_PER_MS: Final = 10**6
_METRICS_EVERY_NS: Final = 60 * 10**9

Value = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One export request, and what it holds. `tokens` is of its events: all kinds together."""

    kind: SignalKind
    data: bytes
    session: str
    events: int = 0
    readings: int = 0
    requests: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Totals:
    """What bodies hold together."""

    events: int = 0
    readings: int = 0
    requests: int = 0
    tokens: int = 0

    def add(self, body: Body | Totals) -> None:
        """Add what one more holds."""
        self.events += body.events
        self.readings += body.readings
        self.requests += body.requests
        self.tokens += body.tokens


def total_by_session(bodies: Iterable[Body]) -> dict[str, Totals]:
    """Return what the bodies hold, by session."""
    found: dict[str, Totals] = {}
    for body in bodies:
        found.setdefault(body.session, Totals()).add(body)
    return found


def total(bodies: Iterable[Body]) -> Totals:
    """Return what the bodies hold together."""
    found = Totals()
    for body in bodies:
        found.add(body)
    return found


class Session:
    """One client at work: what it sends, piece by piece."""

    def __init__(self, number: int, start_ns: int, *, people: int = 1000, seed: int = 0) -> None:
        """Make the session of this number; sessions are spread over the people evenly."""
        self._random = random.Random(f"{seed}/{number}")  # noqa: S311 - not a secret
        self.id = _uuid(self._random)
        self.now_ns = start_ns
        self._team = f"team-{number % people % _TEAMS:02}"
        self._constant = {**_person(number % people), "session.id": self.id, _TEAM: self._team}
        self._events = self._happen()
        self._spent: dict[str, list[float]] = {}
        self._counted_ns = start_ns
        self._edits = 0

    def logs(self, records: int, *, pause_ms: float = 400) -> Body:
        """Return the next export of so many events, that happened `pause_ms` apart on average."""
        request = ExportLogsServiceRequest()
        outer = request.resource_logs.add()
        outer.resource.CopyFrom(_resource())
        _write_team(outer.resource, self._team)
        inner = outer.scope_logs.add()
        inner.scope.CopyFrom(_log_scope())
        requests = tokens = 0
        for name, values, used in islice(self._events, records):
            self.now_ns += max(1, round(self._random.expovariate(1 / pause_ms))) * _NS_PER_MS
            template = _templates()[name]
            record = inner.log_records.add()
            values["event.timestamp"] = _timestamp(self.now_ns)
            template.write(record, {**self._constant, **values})
            record.time_unix_nano = record.observed_time_unix_nano = self.now_ns
            if name == "api_request":
                requests += 1
                tokens += used
        return Body(
            kind=SignalKind.LOGS,
            data=request.SerializeToString(),
            session=self.id,
            events=records,
            requests=requests,
            tokens=tokens,
        )

    def metrics(self) -> Body | None:
        """Return the metrics of all that happened since the last ones; None when nothing did."""
        if not self._spent:
            return None
        request = ExportMetricsServiceRequest()
        request.CopyFrom(_metrics())
        outer = request.resource_metrics[0]
        _write_team(outer.resource, self._team)
        readings = 0
        kept = []
        for metric in outer.scope_metrics[0].metrics:
            points = list(self._points(metric))
            if points:
                del metric.sum.data_points[:]
                metric.sum.data_points.extend(points)
                readings += len(points)
                kept.append(metric)
        del outer.scope_metrics[0].metrics[:]
        outer.scope_metrics[0].metrics.extend(kept)
        self._spent, self._edits, self._counted_ns = {}, 0, self.now_ns
        return Body(
            kind=SignalKind.METRICS,
            data=request.SerializeToString(),
            session=self.id,
            readings=readings,
        )

    def work(self, events: int, *, batch: int, pause_ms: float = 400) -> Iterator[Body]:
        """Send events in batches, and metrics every minute, until all is sent."""
        for first in range(0, events, batch):
            yield self.logs(min(batch, events - first), pause_ms=pause_ms)
            is_last = first + batch >= events
            if is_last or self.now_ns - self._counted_ns >= _METRICS_EVERY_NS:
                body = self.metrics()
                if body is not None:
                    yield body

    def _happen(self) -> Iterator[tuple[str, dict[str, Value], int]]:
        """Yield each event's name, what is new in it, and the tokens that it used."""
        rng = self._random
        model = rng.choice(_MODELS)
        sequence = count()
        while True:
            prompt = _uuid(rng)
            request = call = tool = ""
            for name in _RHYTHM:
                values: dict[str, Value] = {"prompt.id": prompt, "event.sequence": next(sequence)}
                used = 0
                if name == "api_request":
                    request = f"req_{rng.getrandbits(96):024x}"
                    used = self._spend(values, model)
                elif name == "tool_decision":
                    call, tool = f"toolu_{rng.getrandbits(96):024x}", rng.choice(_TOOLS)
                    self._edits += tool in {"Edit", "Write"}
                elif name == "tool_result":
                    values["duration_ms"] = str(rng.randrange(5, 4000))
                    values["tool_result_size_bytes"] = str(rng.randrange(20, 20_000))
                else:
                    values["message.uuid"] = _uuid(rng)
                if name != "user_prompt":
                    values["request_id"] = request
                if name.startswith("tool_"):
                    values |= {"tool_use_id": call, "tool_name": tool}
                if name in {"api_request", "assistant_response"}:
                    values["model"] = model
                yield name, values, used

    def _spend(self, values: dict[str, Value], model: str) -> int:
        rng = self._random
        tokens = (
            rng.randrange(2, 2000),
            rng.randrange(20, 3000),
            rng.randrange(10_000, 150_000),
            rng.randrange(200, 9000),
        )
        cost = sum(n * price for n, price in zip(tokens, _DOLLARS_PER_TOKEN, strict=True))
        values |= {
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cache_read_tokens": tokens[2],
            "cache_creation_tokens": tokens[3],
            "cache_creation_5m_tokens": tokens[3],
            "cost_usd": cost,
            "cost_usd_micros": round(cost * 1e6),
            "duration_ms": rng.randrange(300, 30_000),
            "ttft_ms": rng.randrange(100, 3000),
        }
        spent = self._spent.setdefault(model, [0.0] * 5)
        self._spent[model] = [a + b for a, b in zip(spent, (*tokens, cost), strict=True)]
        return sum(tokens)

    def _points(self, metric: Any) -> Iterator[Any]:  # noqa: ANN401 - a protobuf message
        name = metric.name.removeprefix("claude_code.")
        if name == "code_edit_tool.decision":
            if self._edits:
                yield self._point(metric, self._edits, {})
            return
        for model, spent in self._spent.items():
            if name == "cost.usage":
                yield self._point(metric, spent[4], {"model": model})
            elif name == "token.usage":
                for kind, amount in zip(_TOKEN_KINDS, spent, strict=False):
                    yield self._point(metric, amount, {"model": model, "type": kind})
            elif name == "lines_of_code.count":
                for kind in ("added", "removed"):
                    amount = self._random.randrange(40)
                    yield self._point(metric, amount, {"model": model, "type": kind})

    def _point(self, metric: Any, amount: float, values: Mapping[str, Value]) -> Any:  # noqa: ANN401 - as above
        point = type(metric.sum.data_points[0])()
        point.CopyFrom(metric.sum.data_points[0])
        point.start_time_unix_nano, point.time_unix_nano = self._counted_ns, self.now_ns
        point.as_double = amount
        for attribute in point.attributes:
            value = values.get(attribute.key, self._constant.get(attribute.key))
            if value is not None:
                attribute.value.string_value = str(value)
        return point


class _Template:
    """A recorded event, of which the attributes that differ are written anew."""

    def __init__(self, record: Any) -> None:  # noqa: ANN401 - a protobuf message
        self._record = record
        self._places = {
            attribute.key: (place, attribute.value.WhichOneof("value"))
            for place, attribute in enumerate(record.attributes)
        }

    def write(self, into: Any, values: Mapping[str, Value]) -> None:  # noqa: ANN401 - as above
        into.CopyFrom(self._record)
        for key, value in values.items():
            place, kind = self._places[key]
            setattr(into.attributes[place].value, kind, value)


@cache
def _templates() -> dict[str, _Template]:
    """Return one recorded event of each kind that the rhythm has."""
    found: dict[str, Any] = {}
    for request in recorded(RECORDING):
        message: Any = request.message
        for record in _records(message) if request.kind is SignalKind.LOGS else ():
            found.setdefault(record.body.string_value.removeprefix("claude_code."), record)
    return {name: _Template(found[name]) for name in sorted(set(_RHYTHM))}


def _records(request: Any) -> Iterator[Any]:  # noqa: ANN401 - a protobuf message
    for outer in request.resource_logs:
        for inner in outer.scope_logs:
            yield from inner.log_records


@cache
def _resource() -> Any:  # noqa: ANN401 - a protobuf message
    return _first(SignalKind.LOGS).resource_logs[0].resource


@cache
def _log_scope() -> Any:  # noqa: ANN401 - as above
    return _first(SignalKind.LOGS).resource_logs[0].scope_logs[0].scope


@cache
def _metrics() -> Any:  # noqa: ANN401 - as above
    return _first(SignalKind.METRICS)


def _first(kind: SignalKind) -> Any:  # noqa: ANN401 - as above
    return next(request.message for request in recorded(RECORDING) if request.kind is kind)


def _write_team(resource: Any, team: str) -> None:  # noqa: ANN401 - as above
    for attribute in resource.attributes:
        if attribute.key == _TEAM:
            attribute.value.string_value = team


@cache
def _person(number: int) -> dict[str, Value]:
    rng = random.Random(f"person/{number}")  # noqa: S311 - not a secret
    return {
        "user.id": f"{rng.getrandbits(256):064x}",
        "user.email": f"person-{number}@example.com",
        "user.account_uuid": _uuid(rng),
        "user.account_id": f"user_{rng.getrandbits(96):024x}",
    }


def _timestamp(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns / 10**9, UTC)
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"


def _uuid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def count_attributes(body: Body) -> Counter[int]:
    """Return how many records of a body have how many attributes, with the resource's."""
    request = ExportLogsServiceRequest.FromString(body.data)
    return Counter(
        len(outer.resource.attributes) + len(record.attributes)
        for outer in request.resource_logs
        for inner in outer.scope_logs
        for record in inner.log_records
    )
