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

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.model.money import usd_from_pico
from codometer.model.period import Period
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
from codometer.operate.simulator.facts import Request
from codometer.pricing import load_catalogue
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
        tokens = {name: getattr(sums, name) for name in TOKENS}
        return cls(**tokens, reported_cost=usd_from_pico(sums.cost))

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
    tokens = {name: row[name] or 0 for name in TOKENS}
    return Numbers(**tokens, reported_cost=Decimal(row["reported_cost"] or 0))


def naive_sums(told: Told) -> dict[str, int]:
    """Return what simpler rules would make of the tokens that arrived."""
    events = told.sums(_subject, lambda fate: fate.by_event)
    metrics = told.sums(_subject, lambda fate: fate.by_metric)
    events_by_minute, metrics_by_minute = _by_minute(told)
    return {
        "events and metrics added": _tokens(events) + _tokens(metrics),
        "events alone": _tokens(events),
        "metrics alone": _tokens(metrics),
        "the larger of both, by session and model": _larger(
            _all_tokens(events), _all_tokens(metrics)
        ),
        "the larger of both, by minute": _larger(events_by_minute, metrics_by_minute),
    }


def _by_minute(told: Told) -> tuple[dict[Any, int], dict[Any, int]]:
    """Return the tokens of each subject and minute that events told, and those that metrics did."""
    events: dict[Any, int] = defaultdict(int)
    metrics: dict[Any, int] = defaultdict(int)
    for fate in told.fates:
        if isinstance(fate.fact, Request):
            tokens = sum(fate.fact.tokens)
            if fate.by_event:
                events[fate.subject, fate.fact.stamped_ms // 60_000] += tokens
            if fate.read_ms is not None:
                metrics[fate.subject, fate.read_ms // 60_000] += tokens
    return events, metrics


def _subject(fate: Fate) -> tuple[str, str]:
    return fate.subject


def _all_tokens(sums: Mapping[Any, Numbers]) -> dict[Any, int]:
    return {key: found.tokens for key, found in sums.items()}


def _tokens(sums: Mapping[Any, Numbers]) -> int:
    return sum(_all_tokens(sums).values())


def _larger(one: Mapping[Any, int], other: Mapping[Any, int]) -> int:
    return sum(max(one.get(key, 0), other.get(key, 0)) for key in {*one, *other})


def write_table(told: Told, answer: int) -> str:
    """Return the tokens that were used, told, answered, and naively added, as lines of text."""
    truth = told.total()
    rows = {
        "used": told.total(lambda _: True).tokens,
        "told by any signal": truth.tokens,
        "Codometer": answer,
        **naive_sums(told),
    }
    return "\n".join(
        f"{name:42} {tokens:>16,} {(tokens - truth.tokens) / truth.tokens:>+10.4%}"
        for name, tokens in rows.items()
    )


def write_sizes(told: Told) -> str:
    """Return how much a day is, as a line of text."""
    runs = told.day.runs
    misleading = [fate for fate in told.fates if fate.misleading and isinstance(fate.fact, Request)]
    return (
        f"{sum(len(run.process.requests) for run in runs):,} requests, "
        f"{sum(len(run.process.records) for run in runs):,} events, "
        f"{sum(len(batch.points) for run in runs for batch in run.metrics):,} points, "
        f"{len(told.delivery.batches):,} batches arrived; {len(misleading):,} misleading requests "
        f"in {len({fate.process.session for fate in misleading}):,} of "
        f"{len({run.process.session for run in runs}):,} sessions"
    )


def main() -> None:
    """Simulate a day, send it to a site, and print what it makes of it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    told = Told.make(Scenario(seed=given.seed, last_day=date(2026, 11, 20), people=given.people))
    with tempfile.TemporaryDirectory() as folder:
        site = Site.open(Path(folder), now=datetime(2026, 11, 23, tzinfo=UTC))
        started = time.monotonic()
        send(site, told.delivery.batches)
        sent = time.monotonic()
        site.store.roll_up()
        rolled_up = time.monotonic()
        answer = ask(site, "session")
        truth = told.sums(lambda fate: fate.process.session)
        differ = sum(numbers(answer[session]) != truth[session] for session in truth)
        print(write_table(told, sum(numbers(row).tokens for row in answer.values())))  # noqa: T201 - what it is for
        print(f"{write_sizes(told)}; {differ} sessions differ")  # noqa: T201
        print(f"{sent - started:.1f} s to take, {rolled_up - sent:.1f} s to roll up")  # noqa: T201
        print(find_coverage(site))  # noqa: T201
        site.close()


if __name__ == "__main__":
    main()
