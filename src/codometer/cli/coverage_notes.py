"""What an answer rests on, in sentences, when it is not all counted from events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from codometer.analysis.numbers import format_value
from codometer.cli.output import clean
from codometer.cli.times import format_day, parse_instant
from codometer.model.words import counted

_LATE_START: Final = timedelta(days=1)
_TOLERANCE: Final = 0.0005
_MODELS_NAMED: Final = 3
_TOKEN_UNITS: Final = ("tokens", "USD")
_SOURCES: Final = {
    "metric": "counted from metrics, because no events of them came",
    "metric_daily": "an estimate, from metrics without session ids",
}


def coverage_notes(answer: dict[str, Any]) -> list[str]:
    """Return the sentences, none if there is nothing to say."""
    coverage = answer["coverage"]
    units = {measure["unit"].partition(" ")[0] for measure in answer["measures"]}
    notes = []
    if units & set(_TOKEN_UNITS):
        notes += _share_notes(coverage)
    if any(measure["display"] == "money" for measure in answer["measures"]):
        notes += _cost_notes(answer, coverage)
    if missing := coverage["missing_events"]:
        notes.append(f"{counted(missing, 'event was', 'events were')} sent and did not arrive.")
    first = coverage["reported_from"]
    if first and parse_instant(first) - parse_instant(answer["period"]["start"]) >= _LATE_START:
        notes.append(f"These data begin on {format_day(first, answer['period']['timezone'])}.")
    return notes


def _share_notes(coverage: dict[str, Any]) -> list[str]:
    return [
        f"{format_value(share, 'ratio')} of the tokens are {_SOURCES[source]}."
        for source, share in coverage["token_shares"].items()
        if source in _SOURCES and share >= _TOLERANCE
    ]


def _cost_notes(answer: dict[str, Any], coverage: dict[str, Any]) -> list[str]:
    notes = []
    estimated = [
        measure["label"]
        for measure in answer["measures"]
        if measure["display"] == "money" and measure["provenance"] == "estimated"
    ]
    if estimated:
        verb = "is" if len(estimated) == 1 else "are"
        notes.append(f"{' and '.join(estimated)} {verb} estimated, not billed.")
    if requests := coverage["unpriced_requests"]:
        models = [clean(model) for model in coverage["unpriced_models"]]
        named = ", ".join(models[:_MODELS_NAMED]) or "unknown models"
        more = f" and {len(models) - _MODELS_NAMED} more" if len(models) > _MODELS_NAMED else ""
        without = counted(requests, "request has", "requests have")
        notes.append(f"{without} no list price ({named}{more}){_fallback(coverage)}.")
    if coverage["estimated_cost"]:
        part = format_value(coverage["estimated_cost"], "money")
        notes.append(f"{part} of the list cost rests on an assumption about prices.")
    return notes


def _fallback(coverage: dict[str, Any]) -> str:
    if not coverage["fallback_cost"]:
        return ""
    return (
        f"; {format_value(coverage['fallback_cost'], 'money')} of the cost is what clients reported"
    )
