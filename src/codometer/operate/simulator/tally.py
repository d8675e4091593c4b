"""The truth as numbers: what clients were told to send and what of it was taken, added up.

It is made from the fleet's own ledger, and knows nothing of how a server counts:
only which names measures and dimensions go by, so that the two can be compared.
What only metrics told is placed where they told it, as nobody can know better.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from codometer.model.money import usd_from_pico
from codometer.model.signal import Temporality
from codometer.operate.simulator.client import Batch, Series
from codometer.operate.simulator.day import Day, Run
from codometer.operate.simulator.facts import Pairs, Process, Record, Request, Value
from codometer.operate.simulator.network import Delivery
from codometer.operate.simulator.truth import Fate, list_fates
from codometer.pricing import normalise_model

_TOTAL: Final = "total"
_MONEY: Final = frozenset({"cost", "reported_cost", "list_cost"})
_DISTINCT: Final = ("sessions", "active_people", "active_services")

_COUNTERS: Final = {
    ("lines_of_code.count", "added"): "lines_added",
    ("lines_of_code.count", "removed"): "lines_removed",
    ("commit.count", None): "commits",
    ("pull_request.count", None): "pull_requests",
    ("active_time.total", "user"): "active_time_seconds",
    ("active_time.total", "cli"): "active_time_seconds",
}
"""Metrics that tell what no event does, and the measure of each."""

_OF_REQUESTS: Final = {
    "model": "model",
    "subagent": "agent.name",
    "skill": "skill.name",
    "mcp_server": "mcp_server.name",
    "effort": "effort",
}
"""Dimensions of a request, and the attribute that tells each."""

Label = str | None
Dimensions = dict[str, Label]


class _Told(NamedTuple):
    """Something that was told: what it adds to which measures, and in which groups."""

    at_ms: int
    process: Process
    dimensions: Dimensions
    amounts: Mapping[str, float]
    is_request: bool = False
    is_session: bool = False
    """Whether it proves that there was a session."""


class Tally:
    """Adds up days. Everything is by the day (UTC), and by what people ask for."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, Label], dict[str, float]] = defaultdict(
            lambda: defaultdict(int)
        )
        self._distinct: dict[tuple[str, Label], dict[str, set[str]]] = defaultdict(
            lambda: {name: set() for name in _DISTINCT}
        )
        self.uncertain_requests = 0
        """Requests of which nobody can tell whether both signals told them, as one was lost."""

    def add(self, day: Day, arrived: Sequence[Batch]) -> None:
        """Add what of a day the batches that arrived tell."""
        fates = list_fates(day, Delivery(batches=tuple(arrived)))
        self.uncertain_requests += sum(
            fate.misleading or fate.torn for fate in fates if isinstance(fate.fact, Request)
        )
        taken = frozenset(arrived)
        for fate in fates:
            if fate.told_ms is not None:
                self._count(_tell(fate, fate.told_ms))
        for run in day.runs:
            for told in (*_list_records(run, taken), *_list_counters(run, taken)):
                self._count(told)

    def document(self) -> dict[str, Any]:
        """Return the totals, and the same by every value of every dimension.

        Costs are decimals, in USD; what a dimension does not know goes by the name "".
        """
        by: dict[str, dict[str, Any]] = {}
        for dimension, value in sorted(self._sums, key=lambda key: (key[0], key[1] or "")):
            if dimension != _TOTAL:
                by.setdefault(dimension, {})[value or ""] = self._numbers((dimension, value))
        return {"totals": self._numbers((_TOTAL, None)), "by": by}

    def _numbers(self, group: tuple[str, Label]) -> dict[str, int | float | Decimal]:
        sums = self._sums[group]
        found: dict[str, int | float | Decimal] = {
            name: usd_from_pico(int(amount)) if name in _MONEY else round(amount)
            for name, amount in sums.items()
        }
        if "active_time_seconds" in found:
            found["active_time_seconds"] = round(sums["active_time_seconds"], 3)  # to the ms
        distinct = {name: len(ids) for name, ids in self._distinct[group].items()}
        return dict(sorted({**found, **{name: n for name, n in distinct.items() if n}}.items()))

    def _count(self, told: _Told) -> None:
        at = datetime.fromtimestamp(told.at_ms / 1000, UTC)
        always = {**_origin(told.process), "day": f"{at:%Y-%m-%d}", "month": f"{at:%Y-%m}-01"}
        process = told.process
        active = "active_services" if process.person.is_service else "active_people"
        for group in (_TOTAL, None), *always.items():
            self._add(group, told.amounts)
            if told.is_session:
                self._distinct[group]["sessions"].add(process.session)
            if told.is_request:
                self._distinct[group][active].add(process.identity)
        for group in told.dimensions.items():
            self._add(group, told.amounts)
            if told.is_request:
                self._distinct[group][active].add(process.identity)
        if told.is_request:
            for name in ("uncached_input", "cache_read", "cache_write", "output"):
                self._add(("token_type", name), {"tokens": told.amounts[f"{name}_tokens"]})

    def _add(self, group: tuple[str, Label], amounts: Mapping[str, float]) -> None:
        sums = self._sums[group]
        for name, amount in amounts.items():
            sums[name] += amount


def _origin(process: Process) -> Dimensions:
    person, installation = process.person, process.installation
    return {
        "agent": "claude_code",
        "organisation": person.organisation if person.account else None,
        "team": person.team,
        "cost_center": person.cost_center,
        "person": process.identity,
        "repository": process.repository,
        "terminal": process.terminal,
        "version": installation.release.version,
    }


def _tell(fate: Fate, at_ms: int) -> _Told:
    """Return what a request or a decision on an edit counts for."""
    fact, process = fate.fact, fate.process
    if not isinstance(fact, Request):
        dimensions = {
            "tool": fact.tool,
            "decision_source": fact.source,
            "language": None if fate.by_event else fact.language,  # which events do not tell
        }
        verdict = "edits_accepted" if fact.accepted else "edits_rejected"
        return _Told(at_ms, process, dimensions, {verdict: 1, "edits_decided": 1})
    tokens = fact.tokens
    amounts = {
        "uncached_input_tokens": tokens.uncached_input,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_tokens": tokens.cache_write,
        "output_tokens": tokens.output,
        "tokens": sum(tokens),
        **dict.fromkeys(_MONEY, fact.cost),
    }
    if fate.by_event:
        amounts["requests"] = 1  # metrics do not tell how many there were
    dimensions = _request_dimensions(process.records[fact.sequence].pairs)
    return _Told(at_ms, process, dimensions, amounts, is_request=True, is_session=True)


def _request_dimensions(pairs: Pairs) -> Dimensions:
    said = dict(pairs)
    dimensions = {name: _label(said.get(key)) for name, key in _OF_REQUESTS.items()}
    source = str(said["query_source"])
    main = "main" if source in {"repl_main_thread", "sdk"} else "auxiliary"
    dimensions["query_source"] = "subagent" if source.startswith("agent:") else main
    return dimensions


def _list_records(run: Run, arrived: frozenset[Batch]) -> Iterator[_Told]:
    """Give what only events tell."""
    for batch in run.events:
        if batch in arrived:
            for record in batch.records:
                if (told := _tell_record(run.process, record)) is not None:
                    yield told


def _tell_record(process: Process, record: Record) -> _Told | None:
    said = dict(record.pairs)
    match record.name:
        case "user_prompt":
            return _Told(record.stamped_ms, process, {}, {"prompts": 1}, is_session=True)
        case "api_error":
            model = normalise_model(str(said["model"])).name
            dimensions: Dimensions = {
                **_request_dimensions(record.pairs),
                "model": model,
                "error_status": str(said["status_code"]),
            }
            return _Told(record.stamped_ms, process, dimensions, {"api_errors": 1})
        case "tool_decision" if said["decision"] == "accept":
            return None  # its result tells the same
        case "tool_decision" | "tool_result":
            source = said.get("source", said.get("decision_source"))
            dimensions = {"tool": str(said["tool_name"]), "decision_source": _label(source)}
            amounts = {"tool_calls": 1, "tool_failures": int(said.get("success") == "false")}
            return _Told(record.stamped_ms, process, dimensions, amounts, is_session=True)
    return None


def _list_counters(run: Run, arrived: frozenset[Batch]) -> Iterator[_Told]:
    """Give what only metrics tell. A total that was lost is told by the next."""
    stood: dict[Series, float] = defaultdict(float)
    is_cumulative = run.process.installation.temporality is Temporality.CUMULATIVE
    for batch in run.metrics:
        if batch not in arrived:
            continue
        for point in batch.points:
            said = dict(point.series.pairs)
            measure = _COUNTERS.get((point.series.metric, _label(said.get("type"))))
            if measure is None:
                continue
            amount = point.value - stood[point.series]
            if is_cumulative:
                stood[point.series] = point.value
            model = said.get("model")
            of_model: Dimensions = {"model": normalise_model(str(model)).name} if model else {}
            yield _Told(batch.sent_ms, run.process, of_model, {measure: amount})


def _label(value: Value | None) -> Label:
    return None if value is None else str(value)
