"""The seam between the store and a database engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from codometer.store.dialect import Dialect

Row = tuple[Any, ...]
"""One row: numbers, str, bool, Decimal, date, or datetime, which is naive and UTC."""


class Engine(Protocol):
    """Runs SELECT statements and returns all rows. Safe to call from several threads."""

    @property
    def dialect(self) -> Dialect:
        """The words that this engine uses."""

    def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one SELECT with `?` placeholders and return its rows."""
