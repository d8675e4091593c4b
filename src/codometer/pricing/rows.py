"""What a row of prices holds, in whole picodollars per token."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from codometer.model.money import PicoUSD


class Premium(StrEnum):
    """Why a request costs a factor more than the list price of its model."""

    REGIONAL = "regional"
    """Served by a regional or geographic endpoint of Bedrock or Google Cloud."""
    US = "us"
    """Asked to be computed in the United States (`inference_geo`)."""


class UnitPrices(NamedTuple):
    """Picodollars per token, by class of token, and where they come from.

    `tier` is a stable short text for the price class: `standard`, `long` (the
    whole prompt is over the model's threshold) or `fast`, followed by `-regional`
    or `-us` where that premium is inside. `source` holds keys of the file's
    sources; `confidence` is one of the levels that the file explains.
    """

    uncached_input: PicoUSD
    cache_read: PicoUSD
    cache_write_5m: PicoUSD
    cache_write_1h: PicoUSD
    output: PicoUSD
    tier: str
    source: str
    confidence: str


class PriceRow(NamedTuple):
    """The prices of one model from one UTC day to another, both included.

    `over_prompt_tokens` is the threshold of a `long` row, None on all others.
    """

    model: str
    fast: bool
    premium: Premium | None
    over_prompt_tokens: int | None
    effective_from: date
    effective_to: date
    prices: UnitPrices
