"""A whole site without a network: the intake, the store and the measures, in this process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.origin import OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.intake.billing import pricer, unit_prices
from codometer.intake.normalise import Normaliser
from codometer.intake.pipeline import Intake
from codometer.intake.receivers.export import Encoding
from codometer.model.period import Period
from codometer.pricing import load_catalogue, normalise_model
from codometer.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from codometer.intake.receivers.export import Accepted
    from codometer.store.engine import Row
    from tests.capture import Recorded

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERYTHING: Final = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@dataclass
class Site:
    """What a server has between its receivers and its API."""

    store: Store
    intake: Intake
    zone: ZoneInfo

    @classmethod
    def open(cls, folder: Path, *, zone: str = "UTC", now: datetime = NOW) -> Site:
        """Open the site in a folder, with the clock standing at `now`."""
        catalogue = load_catalogue()
        rules = OriginRules()
        store = Store(
            folder,
            ZoneInfo(zone),
            memory_limit="512MB",
            threads=1,
            resource_keys=rules.dimensions,
        )
        store.set_prices(unit_prices(catalogue))
        origins = Origins(rules)
        agents = (ClaudeCode(origins, normalise_model), UnknownAgent(origins))
        now_ns = int(now.timestamp() * 10**9)
        intake = Intake(
            Normaliser(agents, lambda: now_ns), pricer(catalogue), store, min_interval_seconds=0
        )
        intake.start()
        return cls(store, intake, ZoneInfo(zone))

    def close(self) -> None:
        """Stop and let the files go."""
        self.intake.stop()
        self.store.close()

    def send(
        self, requests: Iterable[Recorded], encoding: Encoding = Encoding.PROTOBUF
    ) -> list[Accepted]:
        """Send requests one after the other, as one client would."""

        async def send_all() -> list[Accepted]:
            return [await self.intake.accept(request.export(encoding)) for request in requests]

        return asyncio.run(send_all())

    def ask(
        self,
        *measures: str,
        by: Sequence[str] = (),
        since: datetime = EVERYTHING[0],
        until: datetime = EVERYTHING[1],
        zone: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        self.store.roll_up()
        cut = ZoneInfo(zone) if zone else self.zone
        query = parse_query(list(measures), by=list(by), period=Period.covering(since, until, cut))
        answer = run_query(self.store, query, organisation_zone=self.zone)
        return [{**group.key, **group.values} for group in answer.groups]

    def totals(self, *measures: str) -> dict[str, Any]:
        """Return the numbers of all there is; each None when nothing came."""
        rows = self.ask(*measures)
        return rows[0] if rows else dict.fromkeys(measures)

    def fetch(self, sql: str) -> list[Row]:
        """Look into the tables, rolled up."""
        self.store.roll_up()
        return self.store.fetch(sql)
