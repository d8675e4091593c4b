"""What readers share: answers that may be a minute old, because nothing on a page shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")

AGE: Final = timedelta(minutes=1)
_MOST: Final = 256


class Recent(Generic[K, T]):
    """Remembers what was found for a minute, for the keys used last. Safe to use from threads.

    It is for what cannot change within the minute in a way that a reader would see, such
    as the days of the past. Two threads that miss at the same time both ask.
    """

    def __init__(self) -> None:
        self._found: dict[K, tuple[datetime, T]] = {}
        self._lock = Lock()

    def get(self, key: K, find: Callable[[], T], *, now: datetime) -> T:
        """Return what was found for a key less than a minute ago, else find it."""
        with self._lock:
            known = self._found.pop(key, None)
            if known is not None and timedelta(0) <= now - known[0] < AGE:
                self._found[key] = known
                return known[1]
        found = find()
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = now, found
            while len(self._found) > _MOST:
                del self._found[next(iter(self._found))]
        return found
