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
    from collections.abc import Callable, Iterable
    from datetime import date

    from codometer.model.event import Event
    from codometer.pricing import PriceCatalogue

_NOTHING: Final = Charge()
_NS_PER_DAY: Final = 86_400 * 10**9


def pricer(catalogue: PriceCatalogue) -> Callable[[Iterable[Event]], list[Charge]]:
    """Return the function that says what each event cost at list prices."""

    def price(event: Event) -> Charge:
        if event.kind is not Kind.REQUEST or event.output_tokens is None:
            return _NOTHING
        return price_request(
            catalogue,
            model=event.model,
            provider=event.provider,
            endpoint_scope=event.endpoint_scope,
            day=_day(event.time_ns // _NS_PER_DAY),
            speed=event.speed,
            uncached_input_tokens=event.uncached_input_tokens or 0,
            cache_read_tokens=event.cache_read_tokens or 0,
            cache_write_tokens=event.cache_write_tokens or 0,
            cache_write_1h_tokens=event.cache_write_1h_tokens,
            output_tokens=event.output_tokens,
            reported_cost=event.reported_cost,
        )

    return lambda events: [price(event) for event in events]


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
