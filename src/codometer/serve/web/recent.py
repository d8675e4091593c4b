"""What readers share: what may be a minute old, because nothing on a page shows it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
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
    as the days of the past. Of those who want the same at one time, one finds it and the
    others wait. A fault is raised for all of them, and not remembered.
    """

    def __init__(self) -> None:
        self._found: dict[K, tuple[datetime, Future[T]]] = {}
        self._lock = Lock()

    def get(self, key: K, find: Callable[[], T], *, now: datetime) -> T:
        """Return what was found for a key less than a minute ago, else find it."""
        with self._lock:
            known = self._found.pop(key, None)
            is_known = known is not None and timedelta(0) <= now - known[0] < AGE
            at, found = known if known is not None and is_known else (now, Future())
            self._found[key] = at, found
            while len(self._found) > _MOST:
                del self._found[next(iter(self._found))]
        if not is_known:
            self._find(key, find, found)
        return found.result()

    def _find(self, key: K, find: Callable[[], T], found: Future[T]) -> None:
        try:
            found.set_result(find())
        except BaseException as fault:  # noqa: BLE001 - raised for all who wait
            with self._lock:
                self._found.pop(key, None)
            found.set_exception(fault)
