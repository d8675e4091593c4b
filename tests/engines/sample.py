"""Several hundred rollup rows of every shape, the same ones each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Final

from codometer.store.tables import (
    COST_SUMS,
    COUNT_SUMS,
    LATENCY_DIMENSIONS,
    MODEL_DIMENSIONS,
    ROLLUP_DIMENSIONS,
    resource_column,
)
from tests.engines.embedded import RESOURCE_KEYS, FillableEngine, Values, give_rollups, who

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIRST: Final = datetime(2026, 2, 27, tzinfo=UTC)
DAYS: Final = 40
"""The rows lie in `DAYS` days from `FIRST`: two months, and New York's change of clocks."""

_ROWS: Final = 600
_ORIGINS: Final = 20
_WORKPLACES: Final = 8
_SOURCES: Final = ("event", "event", "event", "span", "metric", "metric_daily")
ODD_TEAM: Final = 'it\'s "odd" \\ \t\n ünïcode'
_TEAMS: Final = ("payments", "search", ODD_TEAM, None)
_DECISION_SOURCES: Final = ("user_permanent", "user_reject", "config", "hook", None)


def fill(engine: FillableEngine, *, zone: ZoneInfo) -> None:
    """Fill the tables; the daily tier is cut in the zone."""
    random = Random(7)  # noqa: S311 - the same each time, and no secret
    latencies = [_latency(random) for _ in range(_ROWS)]
    engine.insert("workplace", (_workplace(random, number) for number in range(_WORKPLACES)))
    engine.insert("origin", origins())
    give_rollups(engine, rollups(), zone)
    engine.insert("latency_15m", latencies)


@cache
def rollups() -> list[Values]:
    """Return the rows by quarter hour."""
    random = Random(2026)  # noqa: S311 - as above
    return [_rollup(random) for _ in range(_ROWS)]


@cache
def origins() -> list[Values]:
    """Return the origins; several work at each workplace."""
    random = Random(14)  # noqa: S311 - as above
    return [_origin(random, number) for number in range(_ORIGINS)]


def _origin(random: Random, number: int) -> Values:
    session = random.choice((f"session-{number}", f"session-{number}", None))
    known = {"session": session, "person": random.choice(("ada", "grace", "linus", None))}
    return {
        "origin": 2**63 + number,
        "workplace": 2**63 + random.randrange(_WORKPLACES),
        **known,
        **who(known),
    }


def _workplace(random: Random, number: int) -> Values:
    pool, x = (resource_column(key).name for key in RESOURCE_KEYS)
    return {
        "workplace": 2**63 + number,
        "agent": random.choice(("claude_code", "codex")),
        "version": random.choice(("2.1.330", "2.1.197", None)),
        "terminal": random.choice(("vscode", None)),
        "organisation": random.choice(("acme", None)),
        "team": random.choice(_TEAMS),
        "cost_center": random.choice(("CC-1", "CC-2", None)),
        "repository": random.choice(("shop", None)),
        pool: random.choice(("blue", "green", None)),
        x: random.choice(("1", "2", None)),
    }


def _rollup(random: Random) -> Values:
    source = random.choice(_SOURCES)
    keys = _keys(random, source)
    numbers = {name: _origin_of(keys)[name] for name in ("session_id", "person_id")}
    return {
        **keys,
        **numbers,
        **{name: _label(random, name) for name in ROLLUP_DIMENSIONS},
        **{name: _sometimes(random, random.randrange(50)) for name in COUNT_SUMS},
        "active_time_seconds": _sometimes(random, random.random() * 900),
        **{name: _sometimes(random, _money(random)) for name in COST_SUMS},
    }


def _latency(random: Random) -> Values:
    return {
        **_keys(random, random.choice(("event", "span"))),
        **{name: _label(random, name) for name in LATENCY_DIMENSIONS},
        "what": random.choice(("request", "ttft", "tool")),
        "bin": random.randrange(-1, 250),
        "count": random.randrange(1, 9),
    }


def _keys(random: Random, source: str) -> Values:
    quarters = random.randrange(DAYS * 96)
    origin = random.choice(origins())
    return {
        "bucket": FIRST.replace(tzinfo=None) + quarters * timedelta(minutes=15),
        "scope": random.randrange(1, 30),
        "origin": origin["origin"],
        "workplace": origin["workplace"],
        "part": random.choice(("live", "sealed")),
        "source": source,
    }


def _origin_of(keys: Values) -> Values:
    return next(origin for origin in origins() if origin["origin"] == keys["origin"])


def _label(random: Random, name: str) -> str | None:
    if name == "decision_source":
        return random.choice(_DECISION_SOURCES)
    if name in MODEL_DIMENSIONS or name in {"tool", "language", "error_status"}:
        return random.choice((f"{name}-a", f"{name}-b", None))
    return None


def _money(random: Random) -> Decimal:
    return Decimal(random.randrange(-(10**10), 10**13)).scaleb(-12)


def _sometimes(random: Random, value: float | Decimal) -> float | Decimal | None:
    return value if random.random() < 0.7 else None
