"""What an event cost."""

from __future__ import annotations

from typing import NamedTuple

from codometer.model.money import PicoUSD


class Charge(NamedTuple):
    """The list cost of one request, and how sure it is.

    All None for what is no request and for a model without a price: unknown, not
    zero. `list_cost_basis` is `counted`, `derived` (the 1-hour part of the cache
    writes follows from the reported cost) or `estimated`. `cache_savings` is what
    the same tokens would have cost more, at list prices, had nothing been cached;
    it is negative when the cache writes cost more than they saved.
    """

    list_cost: PicoUSD | None = None
    list_cost_basis: str | None = None
    cache_write_1h_tokens: int | None = None
    price_tier: str | None = None
    cache_savings: int | None = None
