"""Which prices hold for a model on a day.

The list of prices itself is data, `prices/anthropic.json`, with a source and a
date on every row; this module answers questions about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Final, NamedTuple

from codometer.pricing.price_file import read_prices
from codometer.pricing.rows import Premium, PriceRow, UnitPrices

_NO_PROMPT_IS_LONGER: Final = 2**63


class TieredPrices(NamedTuple):
    """The prices of a model on a day.

    Where the whole prompt of a request has more than `over_prompt_tokens`, all
    its tokens are charged at `long`. A model with one price for prompts of any
    length has it twice, and a threshold that no prompt reaches.
    """

    standard: UnitPrices
    over_prompt_tokens: int
    long: UnitPrices


@dataclass(frozen=True, slots=True, eq=False)
class PriceCatalogue:
    """The rows of a checked file. A catalogue equals only itself, so answers are cached by it."""

    rows: tuple[PriceRow, ...]

    def find_prices(
        self, model: str, *, day: date, fast: bool = False, premium: Premium | None = None
    ) -> TieredPrices | None:
        """Return the prices of a model (canonical name) on a UTC day, None when unknown.

        A model without a fast mode on that day is charged at standard speed, one
        without the premium at its list price; the tier says what was found.
        """
        rows = [
            row
            for row in self.rows
            if row.model == model and row.effective_from <= day <= row.effective_to
        ]
        if fast and any(row.fast for row in rows):
            rows = [row for row in rows if row.fast]
        else:
            rows = [row for row in rows if not row.fast]
        if not any(row.premium is premium for row in rows):
            premium = None
        tiers = {row.over_prompt_tokens: row.prices for row in rows if row.premium is premium}
        if not tiers:
            return None
        standard = tiers.pop(None)
        over_prompt_tokens, long = next(iter(tiers.items()), (None, standard))
        return TieredPrices(standard, over_prompt_tokens or _NO_PROMPT_IS_LONGER, long)

    def find_price(
        self,
        model: str,
        *,
        day: date,
        fast: bool,
        prompt_tokens: int | None,
        premium: Premium | None = None,
    ) -> UnitPrices | None:
        """Return the prices of one request, as `find_prices` does.

        `prompt_tokens` is the whole prompt: uncached input, cache reads and cache
        writes; None is unknown, and priced as standard.
        """
        prices = self.find_prices(model, day=day, fast=fast, premium=premium)
        if prices is None:
            return None
        is_long = prompt_tokens is not None and prompt_tokens > prices.over_prompt_tokens
        return prices.long if is_long else prices.standard


def load_catalogue() -> PriceCatalogue:
    """Read the prices that came with this version.

    Raises:
        BadSettings: the file has mistakes; the message has a line for each.
    """
    file = files("codometer.pricing") / "prices" / "anthropic.json"
    return PriceCatalogue(read_prices(file.read_text(encoding="utf-8")))
