"""What a request costs at list prices, and how sure that is.

Pure, exact and quick: whole picodollars, and one cached look-up for each
model, day and way of being served, because this runs for every event.

Two things can make it less than exact. Most versions of Claude Code send one
number for cache writes, although those that live an hour cost more than those
that live five minutes; but the client's own cost knows, so the split that
explains it to the last digit is taken. And from Bedrock and Vertex it is not
always known whether a regional endpoint, which costs more, served a request.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from codometer.model.charge import Charge
from codometer.model.money import MAX_PICO_USD, PicoUSD
from codometer.pricing.catalogue import PriceCatalogue, TieredPrices
from codometer.pricing.rows import Premium, UnitPrices

# Clients send dollars as a double, summed from five products: 1e-9 USD is far more than its
# rounding, and far less than one token's difference between the two kinds of cache write.
_TOLERANCE: Final = 1_000

_FAST_PROVIDERS: Final = frozenset({None, "anthropic"})
"""Fast mode is of the first-party API alone."""
_PREMIUM_PROVIDERS: Final = frozenset({"bedrock", "vertex"})


class Basis(StrEnum):
    """What a list cost rests on."""

    COUNTED = "counted"
    """Exact: every token is of a known class and has a known price."""
    DERIVED = "derived"
    """Exact if the client's prices were right: the split of cache writes follows from its cost."""
    ESTIMATED = "estimated"
    """Something that changes the price is not known; the cheaper case is taken."""


# Looking up a member of an enum costs as much as a multiplication.
_COUNTED, _DERIVED, _ESTIMATED = Basis.COUNTED, Basis.DERIVED, Basis.ESTIMATED


_NO_CHARGE: Final = Charge()


class _Rate(NamedTuple):
    prices: TieredPrices
    is_certain: bool


def price_request(
    catalogue: PriceCatalogue,
    *,
    model: str | None,
    provider: str | None,
    endpoint_scope: str | None,
    day: date,
    speed: str | None,
    uncached_input_tokens: int,
    cache_read_tokens: int,
    cache_write_tokens: int,
    cache_write_1h_tokens: int | None,
    output_tokens: int,
    reported_cost: PicoUSD | None,
    aggregated: bool = False,
) -> Charge:
    """Price one request, or a sum of requests (`aggregated`), at list prices.

    `model`, `endpoint_scope` and, where the event has none, `provider` are those
    of `normalise_model`; `speed` is `fast` where that says so. `day` is the UTC
    day of the request. Token counts are disjoint and not negative. Of an
    aggregate nobody knows how long each prompt was, so its cost is an estimate.
    An amount too large for the store is not a cost: the counts cannot be true.
    """
    rate = _find_rate(catalogue, model, provider, endpoint_scope, day, speed)
    if rate is None:
        return _NO_CHARGE
    tiers, is_certain = rate
    prompt_tokens = uncached_input_tokens + cache_read_tokens + cache_write_tokens
    is_long = prompt_tokens > tiers.over_prompt_tokens and not aggregated
    prices = tiers.long if is_long else tiers.standard
    output_cost = output_tokens * prices.output
    list_cost = (
        uncached_input_tokens * prices.uncached_input
        + cache_read_tokens * prices.cache_read
        + cache_write_tokens * prices.cache_write_5m
        + output_cost
    )
    basis = _COUNTED
    one_hour = cache_write_1h_tokens
    if not cache_write_tokens:
        one_hour = 0
    elif one_hour is None or not 0 <= one_hour <= cache_write_tokens:
        one_hour = _derive_1h_tokens(prices, cache_write_tokens, list_cost, reported_cost)
        basis = _ESTIMATED if one_hour is None else _DERIVED
    if one_hour:
        list_cost += one_hour * (prices.cache_write_1h - prices.cache_write_5m)
    if aggregated or not is_certain:
        basis = _ESTIMATED
    uncached_cost = prompt_tokens * prices.uncached_input + output_cost
    if list_cost > MAX_PICO_USD or uncached_cost > MAX_PICO_USD:
        return _NO_CHARGE
    # Charge(...) ends here too; going straight there saves an eighth of the whole function.
    return tuple.__new__(
        Charge, (list_cost, basis, one_hour, prices.tier, uncached_cost - list_cost)
    )


def _derive_1h_tokens(
    prices: UnitPrices, cache_write_tokens: int, cost_at_5m: int, reported_cost: int | None
) -> int | None:
    """Return the part of the writes at the 1 hour price that explains the reported cost, if any."""
    if reported_cost is None:
        return None
    more_per_token = prices.cache_write_1h - prices.cache_write_5m
    # Rounded to the nearest: a double may lie a little below the whole number that it means.
    one_hour = (reported_cost - cost_at_5m + more_per_token // 2) // more_per_token
    unexplained = reported_cost - cost_at_5m - one_hour * more_per_token
    if 0 <= one_hour <= cache_write_tokens and abs(unexplained) < _TOLERANCE:
        return one_hour
    return None


@lru_cache(maxsize=8192)
def _find_rate(  # noqa: PLR0917 - cached by all of them, and a look-up by position is the quickest
    catalogue: PriceCatalogue,
    model: str | None,
    provider: str | None,
    endpoint_scope: str | None,
    day: date,
    speed: str | None,
) -> _Rate | None:
    if model is None:
        return None
    fast = speed == "fast" and provider in _FAST_PROVIDERS
    premium = Premium.REGIONAL if endpoint_scope == "regional" else None
    prices = catalogue.find_prices(model, day=day, fast=fast, premium=premium)
    if prices is None:
        return None
    if endpoint_scope is not None or provider not in _PREMIUM_PROVIDERS:
        return _Rate(prices, is_certain=True)
    regional = catalogue.find_prices(model, day=day, fast=fast, premium=Premium.REGIONAL)
    return _Rate(prices, is_certain=regional == prices)
