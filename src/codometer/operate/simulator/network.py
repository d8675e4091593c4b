"""What happens to batches between a client and a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from codometer.model.signal import SignalKind
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.client import Batch
from codometer.operate.simulator.day import Day

_LATE_MS: Final = 40 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Shares of batches, from 0 to 1, of which something becomes."""

    seed: int = 0
    lost_events: float = 0.05
    """Never delivered."""
    lost_metrics: float = 0.05
    repeated: float = 0.05
    """Delivered twice, as after an answer that the client did not see."""
    late: float = 0
    """Delivered up to some hours later, as by a machine that was asleep."""
    shuffled: bool = True
    """Delivered in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What arrives, in this order."""

    batches: tuple[Batch, ...]


def deliver(day: Day, network: Network) -> Delivery:
    """Return what of a day's batches arrives, the same for the same network."""
    chance = Chance(network.seed, "network", day.day)
    lost = {SignalKind.LOGS: network.lost_events, SignalKind.METRICS: network.lost_metrics}
    arriving: list[tuple[int, Batch]] = []
    for batch in day.batches:
        if chance.happens(lost[batch.kind]):
            continue
        times = 2 if chance.happens(network.repeated) else 1
        at_ms = batch.sent_ms
        if chance.happens(network.late):
            at_ms += chance.around(_LATE_MS)
        arriving += [(at_ms, batch)] * times
    arriving.sort(key=_arrives)
    if network.shuffled:
        chance.shuffle(arriving)
    return Delivery(batches=tuple(batch for _, batch in arriving))


def _arrives(arrival: tuple[int, Batch]) -> int:
    return arrival[0]
