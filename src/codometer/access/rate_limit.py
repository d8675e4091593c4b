"""So many a minute for each key, and no memory for keys without end."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST_KEYS: Final = 10_000


class RateLimit:
    """Buckets of tokens: `burst` at once, refilled over `seconds`. Safe for several threads."""

    def __init__(
        self, burst: int, seconds: float, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = burst / seconds
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Take one; say whether there was one left.

        With more keys than are remembered the one longest unheard of begins anew.
        """
        with self._lock:
            level = self._level(key)
            allowed = level >= 1
            self._levels[key] = (level - allowed, self._now())
            self._levels.move_to_end(key)
            if len(self._levels) > _MOST_KEYS:
                self._levels.popitem(last=False)
            return allowed

    def has_room(self, key: str) -> bool:
        """Say whether there is one left, without taking it."""
        with self._lock:
            return self._level(key) >= 1

    def _level(self, key: str) -> float:
        level, at = self._levels.get(key, (float(self._burst), self._now()))
        return min(self._burst, level + (self._now() - at) * self._per_second)
