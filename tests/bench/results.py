"""Where measurements put their figures, and how much they measure."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Final

Figures = dict[str, dict[str, dict[str, float]]]
"""By section, row and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured."""

    flood_events: int
    warm_up_events: int
    chain_events: int
    decoder_events: int
    rounds: int
    clients: int
    pace_seconds: float
    interval_seconds: float
    day_sessions: int
    session_events: int
    days: int
    sessions_a_day_before: int
    killed_events: int
    starts: int
    refresh_rounds: int
    questions: int
    history_events: tuple[int, ...]
    refreshed_sessions: tuple[int, ...]


FULL: Final = Scale(
    flood_events=150_000,
    warm_up_events=15_000,
    chain_events=60_000,
    decoder_events=40_000,
    rounds=3,
    clients=1000,
    pace_seconds=60,
    interval_seconds=5,
    day_sessions=1000,
    session_events=300,
    days=30,
    sessions_a_day_before=33,
    killed_events=60_000,
    starts=5,
    refresh_rounds=10,
    questions=20,
    history_events=(10_000_000,),
    refreshed_sessions=(10, 50, 500),
)
LARGE: Final = replace(FULL, history_events=(*FULL.history_events, 100_000_000))
QUICK: Final = Scale(
    flood_events=12_000,
    warm_up_events=3_000,
    chain_events=12_000,
    decoder_events=8_000,
    rounds=1,
    clients=300,
    pace_seconds=6,
    interval_seconds=3,
    day_sessions=100,
    session_events=120,
    days=10,
    sessions_a_day_before=5,
    killed_events=3_000,
    starts=1,
    refresh_rounds=3,
    questions=5,
    history_events=(300_000,),
    refreshed_sessions=(10, 50),
)
TINY: Final = Scale(
    flood_events=600,
    warm_up_events=600,
    chain_events=600,
    decoder_events=600,
    rounds=1,
    clients=5,
    pace_seconds=1.2,
    interval_seconds=0.2,
    day_sessions=4,
    session_events=60,
    days=2,
    sessions_a_day_before=1,
    killed_events=600,
    starts=1,
    refresh_rounds=1,
    questions=1,
    history_events=(40_000, 80_000),
    refreshed_sessions=(50,),
)
"""So little that it measures nothing: for the test that it still works."""


@dataclass(slots=True)
class Results:
    """The figures so far. Tells on the way what is being measured."""

    scale: Scale
    folder: Path
    quiet: bool = False
    figures: Figures = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def tell(self, text: str) -> None:
        """Say what is being measured now."""
        if not self.quiet:
            sys.stderr.write(f"[{time.monotonic() - self._began:4.0f} s] {text}\n")
            sys.stderr.flush()

    def add(self, section: str, row: str, **values: float) -> None:
        """Keep figures of one row of a section."""
        self.figures.setdefault(section, {}).setdefault(row, {}).update(values)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
