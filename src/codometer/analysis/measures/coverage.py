"""What an answer rests on, so that no number stands without its footing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.analysis.measures.dimensions import TOKEN_COLUMNS
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.rows import (
    Sql,
    Stretch,
    need_of,
    select_rows,
    stretches,
    weave,
)
from codometer.model.event import Source
from codometer.model.period import BUCKET, start_of_day
from codometer.store.dialect import Dialect
from codometer.store.engine import Engine

_SUMS: Final = (
    *TOKEN_COLUMNS.values(),
    "estimated_cost",
    "fallback_cost",
    "unpriced_requests",
    "missing_events",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Where the rows of an answer came from, over its whole period and all of its groups."""

    signals: tuple[str, ...]
    """Which of event, metric and span came."""
    token_shares: dict[str, float]
    """By source, the share of the tokens that were counted from it; empty without tokens."""
    estimated_cost: Decimal | None
    """The part of the list cost that rests on an assumption about prices."""
    fallback_cost: Decimal | None
    """The part of `cost` that only the client reported, because its model has no price."""
    unpriced_requests: int | None
    """How many requests have no list price; unknown where only metrics came."""
    unpriced_models: tuple[str, ...]
    """Those of them that are told of: not where too few people used one."""
    missing_events: int | None
    """How many events were sent, by their sequence numbers, and did not arrive."""
    reported_from: datetime | None
    reported_until: datetime | None
    """When the first and last rows begin and end; to the day where whole days were read."""


NOT_ASKED: Final = Coverage(
    signals=(),
    token_shares={},
    estimated_cost=None,
    fallback_cost=None,
    unpriced_requests=None,
    unpriced_models=(),
    missing_events=None,
    reported_from=None,
    reported_until=None,
)
"""The coverage of an answer to a query that does not ask for it: nothing is known."""


def without_amounts(coverage: Coverage) -> Coverage:
    """Return what may be told of the footing without saying how many people are behind it."""
    shares = {source: round(share, 2) for source, share in coverage.token_shares.items()}
    return replace(
        NOT_ASKED,
        signals=coverage.signals,
        token_shares=shares,
        reported_from=coverage.reported_from,
        reported_until=coverage.reported_until,
    )


class _Part(NamedTuple):
    """What one source told of one model, in one stretch of the period."""

    source: str
    model: str | None
    sums: dict[str, int | Decimal | None]
    start: datetime
    end: datetime


def find_coverage(engine: Engine, query: Query, organisation_zone: ZoneInfo) -> Coverage:
    """Ask what the rows behind a query rest on, whatever it is grouped by."""
    query = replace(query, by=())
    need = need_of(query)
    need = replace(need, dimensions=need.dimensions | {"source", "model"})
    parts = [
        part
        for stretch in stretches(query, need, organisation_zone)
        for part in _find_parts(engine, query, stretch, organisation_zone)
    ]
    signals = {_signal(part.source) for part in parts}
    unpriced = {part.model for part in parts if part.model and _lacks_price(part)}
    return Coverage(
        signals=tuple(sorted(signals)),
        token_shares=_token_shares(parts),
        estimated_cost=_money(parts, "estimated_cost"),
        fallback_cost=_money(parts, "fallback_cost"),
        unpriced_requests=_count(parts, "unpriced_requests"),
        unpriced_models=tuple(sorted(unpriced)),
        missing_events=_count(parts, "missing_events"),
        reported_from=min((part.start for part in parts), default=None),
        reported_until=max((part.end for part in parts), default=None),
    )


def _find_parts(engine: Engine, query: Query, stretch: Stretch, zone: ZoneInfo) -> Iterable[_Part]:
    statement = _compile(query, engine.dialect, stretch)
    for source, model, first, last, *sums in engine.fetch(statement.text, statement.values):
        yield _Part(
            source=source,
            model=model,
            sums=dict(zip(_SUMS, sums, strict=True)),
            start=_instant(first, zone),
            end=_instant(last + timedelta(days=1), zone)
            if stretch.has_days
            else _instant(last, zone) + BUCKET,
        )


def _compile(query: Query, dialect: Dialect, stretch: Stretch) -> Sql:
    time = stretch.tier.time
    columns = ("source", "model", time, *_SUMS)
    sums = ", ".join(f"sum({name})" for name in _SUMS)
    return weave(
        f"SELECT source, model, min({time}), max({time}), {sums} FROM ({{}}) AS rows"
        " GROUP BY source, model",
        select_rows(query, dialect, stretch, columns=columns, keys=()),
    )


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    """Return when a quarter hour (UTC, without saying so) or a day of the zone begins."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=UTC)
    return start_of_day(moment, zone)


def _lacks_price(part: _Part) -> bool:
    return bool(part.sums["unpriced_requests"] or part.sums["fallback_cost"])


def _signal(source: str) -> str:
    return Source.METRIC.value if source == Source.METRIC_DAILY else source


def _token_shares(parts: Iterable[_Part]) -> dict[str, float]:
    tokens: dict[str, int] = {}
    for part in parts:
        told = sum(int(part.sums[name] or 0) for name in TOKEN_COLUMNS.values())
        tokens[part.source] = tokens.get(part.source, 0) + told
    total = sum(tokens.values())
    return {source: count / total for source, count in sorted(tokens.items())} if total else {}


def _count(parts: Iterable[_Part], name: str) -> int | None:
    known = [int(value) for part in parts if (value := part.sums[name]) is not None]
    return sum(known) if known else None


def _money(parts: Iterable[_Part], name: str) -> Decimal | None:
    known = [Decimal(value) for part in parts if (value := part.sums[name]) is not None]
    return sum(known, Decimal(0)) if known else None
