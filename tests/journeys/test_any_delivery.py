"""However what was sent arrives, and whenever it is rolled up, the rollups are the same."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.model.signal import SignalKind
from codometer.operate.simulator import Network, Scenario, deliver, simulate_day
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.encode import encode
from codometer.pricing import load_catalogue
from codometer.store.tables import TIERS
from tests.fleet import send_bodies
from tests.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codometer.operate.simulator import Batch, Day

    Body = tuple[SignalKind, bytes]

CATALOGUE: Final = load_catalogue()
TABLES: Final = (*(tier.table for tier in TIERS), "latency_15m")

DAYS: Final = st.builds(
    Scenario,
    seed=st.integers(0, 10_000),
    last_day=st.just(date(2026, 11, 17)),
    people=st.integers(1, 2),
    sessions_per_person=st.just(1),
    session_minutes=st.sampled_from((2, 6)),
    cumulative_share=st.sampled_from((0, 0.5, 1)),
    metrics_have_session_ids=st.booleans(),
    resumed_share=st.sampled_from((0, 0.6)),
    parallel_share=st.sampled_from((0, 0.6)),
)
LOSSES: Final = st.builds(
    Network,
    seed=st.integers(0, 10_000),
    lost_events=st.sampled_from((0, 0.2)),
    lost_metrics=st.sampled_from((0, 0.2)),
    repeated=st.just(0),
    shuffled=st.just(value=False),
)


def crosses_midnight(day: Day) -> bool:
    midnight_ms = 1_794_960_000_000  # 2026-11-18
    return any(run.process.starts_ms < midnight_ms < run.process.ends_ms for run in day.runs)


def find_rows(site: Site) -> list[str]:
    """Return every row of every rollup, in an order that does not depend on how it was made.

    Seconds are sums of doubles, whose last digits do depend on it.
    """
    return sorted(
        f"{table} {[round(value, 6) if isinstance(value, float) else value for value in row]}"
        for table in TABLES
        for row in site.fetch(f"SELECT * FROM {table}")
    )


def rows_of_one_delivery(batches: Sequence[Batch]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        site = Site.open(Path(folder))
        send_bodies(site, [(batch.kind, encode(batch)) for batch in batches])
        rows = find_rows(site)
        site.close()
    return rows


def rows_as_they_come(batches: Sequence[Batch]) -> list[str]:
    """Send events, then metrics, in the order of time, and roll up again and again."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site.open(Path(folder))
        for kind in (SignalKind.LOGS, SignalKind.METRICS):
            bodies = [(batch.kind, encode(batch)) for batch in batches if batch.kind is kind]
            for start in range(0, len(bodies), 4):
                send_bodies(site, bodies[start : start + 4])
                site.store.roll_up()
        rows = find_rows(site)
        site.close()
    return rows


def rows_of_any_delivery(batches: Sequence[Batch], chance: Chance) -> list[str]:
    """Send in any order, some twice, cut and joined anywhere, with roll-ups at any time."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site.open(Path(folder))
        bodies = list(cut_and_join(batches, chance))
        while bodies:
            count = chance.randint(1, len(bodies))
            send_bodies(site, bodies[:count])
            bodies = bodies[count:]
            if chance.happens(0.7):
                site.store.roll_up()
        rows = find_rows(site)
        site.close()
    return rows


def cut_and_join(batches: Sequence[Batch], chance: Chance) -> Iterator[Body]:
    pieces: list[Batch] = []
    for batch in batches:
        for _ in range(chance.choice((1, 1, 2))):
            pieces += batch.pieces() if chance.happens(0.3) else [batch]
    if chance.happens(0.8):
        chance.shuffle(pieces)
    for kind, run in groupby(pieces, key=lambda piece: piece.kind):
        waiting = [encode(piece) for piece in run]
        while waiting:
            # Two export requests, one after the other, are the bytes of one with both in it.
            count = chance.choice((1, 1, 3))
            yield kind, b"".join(waiting[:count])
            waiting = waiting[count:]


def check(scenario: Scenario, network: Network, seed: int) -> None:
    batches = deliver(simulate_day(scenario, CATALOGUE), network).batches
    expected = rows_of_one_delivery(batches)
    assert rows_of_any_delivery(batches, Chance(seed)) == expected


@pytest.mark.slow
@given(scenario=DAYS, network=LOSSES, seed=st.integers(0, 10_000))
@settings(max_examples=8)
def test_any_delivery_rolls_up_to_the_same(scenario: Scenario, network: Network, seed: int) -> None:
    check(scenario, network, seed)


@pytest.mark.prove
@given(scenario=DAYS, network=LOSSES, seed=st.integers(0, 10_000))
@settings(max_examples=400)
def test_any_delivery_rolls_up_to_the_same_many_times(
    scenario: Scenario, network: Network, seed: int
) -> None:
    check(scenario, network, seed)


@pytest.mark.slow
@pytest.mark.parametrize("metrics_have_session_ids", [True, False])
@pytest.mark.parametrize("cumulative_share", [0, 1])
def test_a_session_across_midnight_rolls_up_to_the_same(
    *, cumulative_share: float, metrics_have_session_ids: bool
) -> None:
    scenario = Scenario(
        seed=0,
        last_day=date(2026, 11, 17),
        people=1,
        sessions_per_person=1,
        session_minutes=20,
        cumulative_share=cumulative_share,
        metrics_have_session_ids=metrics_have_session_ids,
    )
    seeds = (replace(scenario, seed=seed) for seed in range(1000))
    crossing = next(s for s in seeds if crosses_midnight(simulate_day(s, CATALOGUE)))
    network = Network(lost_events=0.1, lost_metrics=0.1, repeated=0, shuffled=False)
    batches = deliver(simulate_day(crossing, CATALOGUE), network).batches
    expected = rows_of_one_delivery(batches)
    assert rows_as_they_come(batches) == expected
    assert rows_of_any_delivery(batches, Chance(0)) == expected
