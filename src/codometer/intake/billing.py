"""Which events cost something, and the question that prices them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from codometer.model.charge import Charge
from codometer.model.event import Kind
from codometer.model.money import usd_from_pico
from codometer.pricing import price_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from codometer.model.event import Event, Rows
    from codometer.pricing import PriceCatalogue

_NOTHING: Final = Charge()
_REQUEST: Final = Kind.REQUEST
_TOLD: Final = (
    "kind", "time_ns", "model", "provider", "endpoint_scope", "speed", "reported_cost",
    "uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "output_tokens",
)  # fmt: skip
"""The fields of an event that its price depends on."""
_NS_PER_DAY: Final = 86_400 * 10**9


def pricer(catalogue: PriceCatalogue) -> Callable[[Rows[Event]], list[Charge]]:
    """Return the function that says what each event cost at list prices."""

    def price(events: Rows[Event]) -> list[Charge]:
        charges = []
        for (
            kind, time_ns, model, provider, endpoint_scope, speed, reported_cost,
            uncached_input, cache_read, cache_write, cache_write_1h, output,
        ) in zip(*map(events.columns.__getitem__, _TOLD), strict=True):  # fmt: skip
            if kind is not _REQUEST or output is None:
                charges.append(_NOTHING)
                continue
            charge = price_request(
                catalogue,
                model=model,
                provider=provider,
                endpoint_scope=endpoint_scope,
                day=_day(time_ns // _NS_PER_DAY),
                speed=speed,
                uncached_input_tokens=uncached_input or 0,
                cache_read_tokens=cache_read or 0,
                cache_write_tokens=cache_write or 0,
                cache_write_1h_tokens=cache_write_1h,
                output_tokens=output,
                reported_cost=reported_cost,
            )
            charges.append(charge)
        return charges

    return price


@lru_cache(maxsize=1024)
def _day(number: int) -> date:
    return datetime.fromtimestamp(number * 86_400, UTC).date()


def unit_prices(catalogue: PriceCatalogue) -> list[tuple[object, ...]]:
    """Return the standard prices as rows of the store's table `unit_price`, in dollars a token.

    They price what only a metric told, whose prompt size and mode are not known.
    """
    return [
        (row.model, row.effective_from, row.effective_to, *map(usd_from_pico, row.prices[:5]))
        for row in catalogue.rows
        if not row.fast and row.premium is None and row.over_prompt_tokens is None
    ]
