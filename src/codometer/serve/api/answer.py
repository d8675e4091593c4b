"""The shape in which a query's answer is told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.coverage import Coverage
from codometer.analysis.measures.dimensions import DIMENSIONS
from codometer.analysis.measures.groups import OTHER
from codometer.analysis.measures.run import Answer, Group
from codometer.model.period import Period
from codometer.serve.api.catalogue import (
    DIMENSION_SCHEMA,
    MEASURE_SCHEMA,
    dimension_document,
    measure_document,
)
from codometer.serve.api.schema import array_schema, object_schema, schema_of

_INSTANT: Final = {"type": "string", "format": "date-time"}
PERIOD_SCHEMA: Final = object_schema(
    start=_INSTANT,
    end={**_INSTANT, "description": "not included"},
    timezone={"type": "string"},
)
_NUMBERS: Final = {
    "type": "object",
    "additionalProperties": {"type": ["number", "null"]},
    "description": "by measure; null is unknown",
}
_ROW_SCHEMA: Final = {
    "type": "object",
    "description": "a value for every dimension and every measure; null is unknown",
    "properties": {
        "merged": {
            "const": True,
            "description": "there where the row has what is withheld of others, taken together:"
            f" its dimensions, but for times, are {OTHER!r}; null is unknown or does not add up",
        },
        "withheld": {
            "const": True,
            "description": "there where the values are null because they cover fewer people than"
            " `minimum_people`, or because with others they would tell of so few",
        },
        "previous": {**_NUMBERS, "description": "the values of the period before, if asked for"},
        "change": {
            **_NUMBERS,
            "description": "the difference as a share of the value before; null where that is"
            " zero or unknown",
        },
    },
    "additionalProperties": {"type": ["number", "string", "null"]},
}
_MINIMUM_SCHEMA: Final = {
    "type": "integer",
    "minimum": 1,
    "description": "nothing is told of fewer people; 1 tells of everybody",
}
_WITHHELD_SCHEMA: Final = {
    "type": "boolean",
    "description": "whether anything is not told, or not by itself, because it covers too few",
}
ANSWER_SCHEMA: Final = object_schema(
    period=PERIOD_SCHEMA,
    previous_period={"anyOf": [PERIOD_SCHEMA, {"type": "null"}]},
    measures=array_schema(MEASURE_SCHEMA),
    dimensions=array_schema(DIMENSION_SCHEMA),
    rows=array_schema(_ROW_SCHEMA),
    coverage=schema_of(Coverage),
    minimum_people=_MINIMUM_SCHEMA,
    withheld=_WITHHELD_SCHEMA,
)


def answer_document(answer: Answer) -> dict[str, Any]:
    """Return an answer as the API tells it."""
    previous = answer.previous_period
    return {
        "period": period_document(answer.period),
        "previous_period": period_document(previous) if previous else None,
        "measures": [measure_document(measure) for measure in answer.measures],
        "dimensions": [dimension_document(dimension) for dimension in answer.dimensions],
        "rows": [_row_document(group) for group in answer.groups],
        "coverage": answer.coverage,
        "minimum_people": answer.minimum_people,
        "withheld": answer.withheld
        or any(group.merged or group.withheld for group in answer.groups),
    }


def period_document(period: Period) -> dict[str, Any]:
    """Return a period as the API tells it."""
    return {"start": period.start, "end": period.end, "timezone": period.zone.key}


def _row_document(group: Group) -> dict[str, Any]:
    row: dict[str, Any] = {**group.key, **group.values}
    row |= {name: True for name in ("merged", "withheld") if getattr(group, name)}
    if group.previous is not None:
        row |= {"previous": group.previous, "change": group.change}
    return row


_START: Final = datetime(2026, 10, 25, tzinfo=UTC)
_END: Final = datetime(2026, 11, 23, 14, 15, tzinfo=UTC)
ANSWER_EXAMPLE: Final = answer_document(
    Answer(
        period=Period(start=_START, end=_END, zone=ZoneInfo("UTC")),
        previous_period=None,
        measures=(MEASURES["tokens"], MEASURES["cost"]),
        dimensions=(DIMENSIONS["model"],),
        groups=(
            Group(
                key={"model": "claude-opus-4-5"},
                values={"tokens": 1_920_417, "cost": Decimal("4.10297625")},
            ),
            Group(key={"model": "claude-next"}, values={"tokens": 8_012, "cost": None}),
        ),
        coverage=Coverage(
            signals=("event", "metric"),
            token_shares={"event": 0.984, "metric": 0.016},
            estimated_cost=Decimal("0.2113"),
            fallback_cost=None,
            unpriced_requests=3,
            unpriced_models=("claude-next",),
            missing_events=0,
            reported_from=_START,
            reported_until=_END,
        ),
    )
)
