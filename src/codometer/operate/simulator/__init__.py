"""A believable fleet of coding agents, made from a seed, of which the truth is known.

    scenario ─▶ people ─▶ work ─▶ what their clients send ─▶ what of it arrives
                            └──────────── truth ◀──────────────────┘

The bodies have the size and shape of those of real clients, so that they can
stand in for them; the truth says what every signal counted, so that an answer
can be held against it.
"""

from codometer.operate.simulator.client import Batch
from codometer.operate.simulator.day import Day, Run, simulate_day
from codometer.operate.simulator.network import Delivery, Network, deliver
from codometer.operate.simulator.scenario import Scenario
from codometer.operate.simulator.truth import Fate, Sums, list_fates, sum_requests

__all__ = [
    "Batch",
    "Day",
    "Delivery",
    "Fate",
    "Network",
    "Run",
    "Scenario",
    "Sums",
    "deliver",
    "list_fates",
    "simulate_day",
    "sum_requests",
]
