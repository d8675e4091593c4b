"""Who used what on which day, as the sums that an engine holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from codometer.model.period import parse_zone
from tests.engines.embedded import FillableEngine, client, give_rollups

ZONE: Final = parse_zone("UTC")
MONDAY: Final = date(2026, 11, 2)


@dataclass(frozen=True, slots=True)
class Use:
    """What somebody, or something that is nobody, used on a day."""

    person: int | None
    team: str | None
    day: int
    model: str = "opus"
    tokens: int = 10
    agent: str = "claude_code"

    def value(self, dimension: str) -> Any:  # noqa: ANN401 - of any dimension
        day = MONDAY + timedelta(days=self.day)
        if dimension == "hour":
            return datetime(day.year, day.month, day.day, 9 + self.tokens % 3, tzinfo=UTC)
        if dimension == "day":
            return day
        if dimension == "month":
            return day.replace(day=1)
        if dimension == "week":
            return day - timedelta(days=day.weekday())
        return getattr(self, dimension)


def fill(
    engine: FillableEngine, fleet: Sequence[Use], *, priced: Collection[str] | None = None
) -> None:
    """Empty the tables, and fill them with these uses alone; only some models may have a price."""
    engine.empty()
    clients = list(dict.fromkeys((use.person, use.team, use.agent) for use in fleet))
    rows = []
    for number, (person, team, agent) in enumerate(clients):
        known = client(
            number,
            team=team,
            agent=agent,
            session=f"session {number}",
            person=None if person is None else f"person {person}",
        )
        for table, row in known.items():
            engine.insert(table, [row])
        origin = known["origin"]
        rows += [
            {
                "bucket": use.value("hour").replace(tzinfo=None),
                "scope": number,
                "origin": number,
                "workplace": number,
                "session_id": origin["session_id"],
                "person_id": origin["person_id"],
                "part": "live",
                "source": "event",
                "model": use.model,
                "requests": 1,
                "unpriced_requests": int(priced is not None and use.model not in priced),
                "output_tokens": use.tokens,
                "cost": Decimal(use.tokens),
            }
            for use in fleet
            if (use.person, use.team, use.agent) == (person, team, agent)
        ]
    give_rollups(engine, rows, ZONE)
