"""What people work with on a day: versions of the client, and models as they appear."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from codometer.pricing import PriceCatalogue


class Release(NamedTuple):
    """A version of the client, and how many days before the last day it came out."""

    version: str
    days_before_end: int
    tells_more: bool = True
    """Whether it sends what came with 2.1.214 to 2.1.269, such as the repository."""
    edit_failures: float = 0.03
    """The share of edits that fail."""


_RELEASES: Final = (
    Release("2.1.330", 7),
    Release("2.1.322", 15),
    Release("2.1.318", 24, edit_failures=0.21),  # the one that breaks something
    Release("2.1.301", 45),
    Release("2.1.284", 80),
    Release("2.1.212", 130, tells_more=False),
    Release("2.1.197", 10_000, tells_more=False),
)

_MODELS: Final = {
    "opus": (
        "claude-opus-5-5",
        "claude-opus-5",
        "claude-opus-4-8",
        "claude-opus-4-7",
        "claude-opus-4-6",
        "claude-opus-4-5",
    ),
    "sonnet": ("claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6", "claude-sonnet-4-5"),
    "haiku": ("claude-haiku-5-5", "claude-haiku-4-5"),
    "fable": ("claude-fable-5", "claude-opus-4-8", "claude-opus-4-6"),
}
"""Families of models, the newest first."""


def find_release(days_before_end: int, lag_days: int) -> Release:
    """Return the version of somebody who waits so many days before an upgrade."""
    return next(
        release for release in _RELEASES if release.days_before_end >= days_before_end + lag_days
    )


@lru_cache(maxsize=1024)
def find_model(catalogue: PriceCatalogue, family: str, day: date) -> str:
    """Return the newest model of a family that had a price on a day, `day` itself or earlier.

    Raises:
        ValueError: none had.
    """
    for name in _MODELS[family]:
        if catalogue.find_prices(name, day=day):
            return name
    raise ValueError(f"no {family} has a price on {day}")


def choose_model(catalogue: PriceCatalogue, family: str, day: date, lag_days: int) -> str:
    """Return the model of somebody who takes to a new one after so many days."""
    try:
        return find_model(catalogue, family, day - timedelta(days=lag_days))
    except ValueError:
        return find_model(catalogue, family, day)
