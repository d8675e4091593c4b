"""What was looked at lately, so that it can be built before somebody looks again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from codometer.access.permissions import Subject
from codometer.serve.web.page import Page
from codometer.serve.web.view import View

_LATELY: Final = timedelta(seconds=15)
_MOST: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who looked at which page, with which parameters, and when."""

    page: Page[View]
    path: str
    given: Mapping[str, str]
    subject: Subject
    at: datetime


class Looks:
    """The latest look at each of a few views. Safe to use from threads."""

    def __init__(self) -> None:
        self._by_view: dict[Hashable, Look] = {}
        self._lock = Lock()

    def add(self, view: Hashable, look: Look) -> None:
        """Remember a look at what is shown alike to all who look at this view."""
        with self._lock:
            self._by_view.pop(view, None)
            self._by_view[view] = look
            if len(self._by_view) > _MOST:
                del self._by_view[next(iter(self._by_view))]

    def lately(self, now: datetime) -> list[Look]:
        """Return those of the last seconds, the latest first."""
        with self._lock:
            looks = [*self._by_view.values()]
        return [look for look in reversed(looks) if now - look.at <= _LATELY]
