"""A generated day in a site: what the server answers, beside the truth and what naive sums say.

    python -m tests.fleet --people 60
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.model.money import PICO_PER_USD, usd_from_pico
from codometer.model.period import Period
from codometer.model.signal import Temporality
from codometer.operate.simulator import (
    Network,
    Scenario,
    Sums,
    deliver,
    list_fates,
    simulate_day,
    sum_requests,
)
from codometer.operate.simulator.encode import encode
from codometer.pricing import load_catalogue, normalise_model
from tests.site import EVERYTHING, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from codometer.analysis.measures.coverage import Coverage
    from codometer.operate.simulator import Batch, Day, Delivery, Fate

AT_ONCE: Final = 1_000
"""Requests under way at the same time; the intake commits them in groups."""

TOKENS: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
)
MEASURES: Final = (*TOKENS, "reported_cost", "list_cost")


class Numbers(NamedTuple):
    """What is compared: tokens by type, and the client's own cost."""

    uncached_input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reported_cost: Decimal = Decimal(0)

    @classmethod
    def of(cls, sums: Sums) -> Numbers:
        return cls(*(getattr(sums, name) for name in TOKENS), usd_from_pico(sums.cost))

    @property
    def tokens(self) -> int:
        return sum(self[:4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A day of which the truth is known, and what arrived of it."""

    day: Day
    delivery: Delivery
    fates: tuple[Fate, ...]

    @classmethod
    def make(cls, scenario: Scenario, network: Network | None = None) -> Told:
        day = simulate_day(scenario, load_catalogue())
        delivery = deliver(day, network or Network(seed=scenario.seed))
        return cls(day=day, delivery=delivery, fates=list_fates(day, delivery))

    def sums(
        self,
        by: Callable[[Fate], Any],
        where: Callable[[Fate], bool] = lambda fate: fate.told,
    ) -> dict[Any, Numbers]:
        found = sum_requests(self.fates, by=by, where=where)
        return {key: Numbers.of(sums) for key, sums in found.items()}

    def total(self, where: Callable[[Fate], bool] = lambda fate: fate.told) -> Numbers:
        return self.sums(lambda _: None, where).get(None, Numbers())


def send(site: Site, batches: Sequence[Batch]) -> None:
    """Deliver batches as clients do: many at the same time."""
    for start in range(0, len(batches), AT_ONCE):
        send_bodies(site, [(b.kind, encode(b)) for b in batches[start : start + AT_ONCE]])


def send_bodies(site: Site, bodies: Iterable[tuple[Any, bytes]]) -> None:
    requests = [
        ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=body) for kind, body in bodies
    ]

    async def send_all() -> None:
        answers = await asyncio.gather(*map(site.intake.accept, requests))
        assert not any(answer.rejected for answer in answers)

    asyncio.run(send_all())


def ask(site: Site, *by: str, zone: str | None = None) -> dict[Any, dict[str, Any]]:
    """Return the measures by the values of dimensions (the value itself if there is one)."""
    rows = site.ask(*MEASURES, by=by, zone=zone)
    return {
        row[by[0]] if len(by) == 1 else tuple(row[name] for name in by): {
            name: row[name] for name in MEASURES
        }
        for row in rows
    }


def find_coverage(site: Site) -> Coverage:
    site.store.roll_up()
    query = parse_query(["tokens"], period=Period.covering(*EVERYTHING, site.zone))
    return run_query(site.store, query, organisation_zone=site.zone).coverage


def numbers(row: Mapping[str, Any]) -> Numbers:
    """Return an answer's row as what is compared; nothing is none."""
    return Numbers(
        *(row[name] or 0 for name in TOKENS), Decimal(row["reported_cost"] or 0)
    )
