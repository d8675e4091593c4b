"""The file of prices: its format, and every mistake that a hand can make in it.

`prices/anthropic.json` is written for people, in dollars per million tokens.
Here it becomes rows in whole picodollars per token, one for each model, speed,
length of prompt and premium, so that the catalogue only has to look them up.
A wrong price is wrong money, so nothing doubtful passes: reading ends with all
rows, or with one error that lists every mistake.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Any, Final

from codometer.errors import BadSettings
from codometer.model.money import PICO_PER_USD, PicoUSD
from codometer.pricing import entry
from codometer.pricing.rows import Premium, PriceRow, UnitPrices

_PICO_PER_TOKEN: Final = PICO_PER_USD // 1_000_000
"""Picodollars per token in one dollar per million tokens."""
_DAY: Final = timedelta(days=1)


def read_prices(text: str) -> tuple[PriceRow, ...]:
    """Read a file of prices; rows that are not to be applied are checked and left out.

    Raises:
        BadSettings: the file has mistakes; the message has a line for each.
    """
    mistakes: list[str] = []
    file = entry.read_entry("file", _decode(text), _FILE_FIELDS, mistakes)
    rows = list(_read_rows(file, mistakes))
    mistakes += _list_bad_periods(rows)
    premium_rows = list(_read_premium_rows(file, rows, mistakes))
    if mistakes:
        raise _bad_prices(mistakes)
    return (*rows, *premium_rows)


def _decode(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_object)
    except ValueError as error:
        raise _bad_prices([f"file: {error}"]) from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(f"a field is given twice among {', '.join(key for key, _ in pairs)}")
    return fields


def _bad_prices(mistakes: Iterable[str]) -> BadSettings:
    return BadSettings(
        "\n".join(["the prices have mistakes", *mistakes]),
        hint="mend the named entries; the first lines of the file explain its format",
    )


def _price(value: object) -> PicoUSD:
    return _whole(entry.number(value) * _PICO_PER_TOKEN)


def _whole(pico: Fraction) -> PicoUSD:
    if pico.denominator == 1:
        return PicoUSD(int(pico))
    raise entry.Unfit("whole picodollars per token, that is 6 decimals at most")


_FILE_FIELDS: Final[entry.Fields] = MappingProxyType(
    {
        "about": entry.entries,
        "unit": entry.one_of({"USD per million tokens"}),
        "checked": entry.day,
        "sources": entry.explanations,
        "confidence": entry.explanations,
        "prices": entry.entries,
        "premiums": entry.entries,
    }
)
_ROW_FIELDS: Final[entry.Fields] = MappingProxyType(
    {
        "model": entry.text,
        "effective_from": entry.day,
        "effective_to": entry.day,
        "input": _price,
        "cache_read": _price,
        "cache_write_5m": _price,
        "cache_write_1h": _price,
        "output": _price,
    }
)
_ROW_OPTIONS: Final[entry.Fields] = MappingProxyType(
    {
        "speed": entry.one_of({"normal", "fast"}),
        "over_prompt_tokens": entry.count,
        "apply": entry.flag,
        "note": entry.text,
    }
)
_PREMIUM_FIELDS: Final[entry.Fields] = MappingProxyType(
    {
        "name": entry.one_of(set(Premium)),
        "factor": entry.number,
        "note": entry.text,
    }
)


def _read_rows(file: Mapping[str, Any], mistakes: list[str]) -> Iterator[PriceRow]:
    required = {
        **_ROW_FIELDS,
        "sources": entry.some_of(file.get("sources", ())),
        "confidence": entry.one_of(file.get("confidence", ())),
    }
    for number, raw in enumerate(file.get("prices", ()), start=1):
        place = f"price {number}"
        fields = entry.read_entry(place, raw, required, mistakes, optional=_ROW_OPTIONS)
        if not fields.keys() >= required.keys():
            continue
        row = _row(fields)
        mistakes += [f"{place}: {mistake}" for mistake in _list_contradictions(row)]
        if fields.get("apply", True):
            yield row


def _row(fields: Mapping[str, Any]) -> PriceRow:
    fast = fields.get("speed") == "fast"
    over_prompt_tokens = fields.get("over_prompt_tokens")
    return PriceRow(
        model=fields["model"],
        fast=fast,
        premium=None,
        over_prompt_tokens=over_prompt_tokens,
        effective_from=fields["effective_from"] or date.min,
        effective_to=fields["effective_to"] or date.max,
        prices=UnitPrices(
            uncached_input=fields["input"],
            cache_read=fields["cache_read"],
            cache_write_5m=fields["cache_write_5m"],
            cache_write_1h=fields["cache_write_1h"],
            output=fields["output"],
            tier="fast" if fast else "long" if over_prompt_tokens else "standard",
            source=", ".join(fields["sources"]),
            confidence=fields["confidence"],
        ),
    )


def _list_contradictions(row: PriceRow) -> Iterator[str]:
    if row.effective_to < row.effective_from:
        yield f"effective_to is {row.effective_to}, expected no day before effective_from"
    if row.fast and row.over_prompt_tokens:
        yield "over_prompt_tokens is given, but fast mode has one price for all prompts"
    # Deriving a split of cache writes divides by the difference of the two.
    if row.prices.cache_write_1h <= row.prices.cache_write_5m:
        yield "cache_write_1h is not above cache_write_5m"


def _list_bad_periods(rows: Iterable[PriceRow]) -> Iterator[str]:
    """List overlaps, gaps, and days of a fast or long row on which there is no standard one."""

    def tier_of_model(row: PriceRow) -> tuple[str, str]:
        return row.model, row.prices.tier

    ordered = sorted(rows, key=lambda row: (*tier_of_model(row), row.effective_from))
    lives: dict[tuple[str, str], tuple[date, date]] = {}
    for (model, tier), group in groupby(ordered, key=tier_of_model):
        in_turn = list(group)
        for row, successor in pairwise(in_turn):
            if successor.effective_from <= row.effective_to:
                yield f"{model}, {tier}: two rows hold on {successor.effective_from}"
            elif successor.effective_from > row.effective_to + _DAY:
                yield f"{model}, {tier}: no row holds on {row.effective_to + _DAY}"
        lives[model, tier] = in_turn[0].effective_from, in_turn[-1].effective_to
    for (model, tier), (first, last) in lives.items():
        standard_first, standard_last = lives.get((model, "standard"), (date.max, date.min))
        if first < standard_first or last > standard_last:
            yield f"{model}, {tier}: holds on days without a standard row"


def _read_premium_rows(
    file: Mapping[str, Any], rows: Collection[PriceRow], mistakes: list[str]
) -> Iterator[PriceRow]:
    required = {
        **_PREMIUM_FIELDS,
        "models": entry.some_of({row.model for row in rows}),
        "sources": entry.some_of(file.get("sources", ())),
    }
    seen: set[tuple[str, str]] = set()
    for number, raw in enumerate(file.get("premiums", ()), start=1):
        place = f"premium {number}"
        fields = entry.read_entry(place, raw, required, mistakes)
        if not fields.keys() >= required.keys():
            continue
        chosen = {(fields["name"], model) for model in fields["models"]}
        mistakes += [f"{place}: {model} has it already" for _, model in sorted(chosen & seen)]
        seen |= chosen
        for row in rows:
            if row.model in fields["models"]:
                try:
                    yield _with_premium(row, fields)
                except entry.Unfit as unfit:
                    mistakes.append(f"{place}: {row.model}, {row.prices.tier}: expected {unfit}")


def _with_premium(row: PriceRow, fields: Mapping[str, Any]) -> PriceRow:
    prices, factor = row.prices, fields["factor"]
    return row._replace(
        premium=Premium(fields["name"]),
        prices=UnitPrices(
            uncached_input=_whole(prices.uncached_input * factor),
            cache_read=_whole(prices.cache_read * factor),
            cache_write_5m=_whole(prices.cache_write_5m * factor),
            cache_write_1h=_whole(prices.cache_write_1h * factor),
            output=_whole(prices.output * factor),
            tier=f"{prices.tier}-{fields['name']}",
            source=", ".join([prices.source, *fields["sources"]]),
            confidence=prices.confidence,
        ),
    )
