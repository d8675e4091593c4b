from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.pricing import Premium, UnitPrices, load_catalogue

CATALOGUE = load_catalogue()
DAY = date(2026, 11, 22)
MTOK = 1_000_000
PRICED = sorted({row.model for row in CATALOGUE.rows})


def find(
    model: str,
    *,
    day: date = DAY,
    fast: bool = False,
    prompt_tokens: int | None = 1,
    premium: Premium | None = None,
) -> UnitPrices:
    prices = CATALOGUE.find_price(
        model, day=day, fast=fast, prompt_tokens=prompt_tokens, premium=premium
    )
    assert prices is not None
    return prices


def usd_per_mtok(prices: UnitPrices) -> list[float]:
    """Return input, cache read, 5 minute write, 1 hour write and output."""
    return [amount * MTOK / 1e12 for amount in prices[:5]]


# Typed in a second time, from the price page, so that a slip in the file shows here.
@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["fable-5-1", "mythos-5-1"], [10, 0.25, 12.5, 20, 50]),
        (["fable-5", "mythos-5"], [10, 1, 12.5, 20, 50]),
        (["opus-5-5"], [4, 0.2, 5, 8, 20]),
        (["opus-5", "opus-4-8", "opus-4-7", "opus-4-6", "opus-4-5"], [5, 0.5, 6.25, 10, 25]),
        (["opus-4-1", "opus-4", "3-opus"], [15, 1.5, 18.75, 30, 75]),
        (["sonnet-5-5"], [2, 0.1, 2.5, 4, 10]),
        (["sonnet-5"], [2, 0.2, 2.5, 4, 10]),
        (["sonnet-4-6", "sonnet-4-5", "sonnet-4", "3-7-sonnet"], [3, 0.3, 3.75, 6, 15]),
        (["haiku-5-5"], [0.1, 0.01, 0.125, 0.2, 0.5]),
        (["haiku-4-5"], [1, 0.1, 1.25, 2, 5]),
        (["3-5-haiku"], [0.8, 0.08, 1, 1.6, 4]),
        (["3-haiku"], [0.25, 0.03, 0.3, 0.5, 1.25]),
    ],
)
def test_a_model_has_the_prices_of_the_price_page(models: list[str], expected: list[float]) -> None:
    for model in models:
        prices = find(f"claude-{model}")
        assert usd_per_mtok(prices) == expected
        assert prices.tier == "standard"


def test_every_price_has_a_source_and_a_confidence() -> None:
    for row in CATALOGUE.rows:
        assert row.prices.source
        assert row.prices.confidence in {"official-copy", "quoted"}


def test_the_smallest_price_is_exact() -> None:
    # 0.01 USD / 1e6 tokens = 1e-8 USD a token = 10,000 picodollars
    assert find("claude-haiku-5-5").cache_read == 10_000


def test_an_unknown_model_has_no_price() -> None:
    price = CATALOGUE.find_price("claude-opus-9", day=DAY, fast=False, prompt_tokens=1)
    assert price is None


def test_a_price_holds_from_its_first_day_to_its_last() -> None:
    assert find("claude-sonnet-5-5", day=date(2026, 10, 6)).cache_read == 200_000
    assert find("claude-sonnet-5-5", day=date(2026, 10, 7)).cache_read == 100_000


def test_a_model_has_no_price_before_its_first_day() -> None:
    eve = date(2026, 9, 27)
    assert CATALOGUE.find_price("claude-sonnet-5-5", day=eve, fast=False, prompt_tokens=1) is None


def test_a_model_whose_first_day_is_not_known_has_always_had_its_price() -> None:
    assert find("claude-fable-5-1", day=date(2020, 1, 1)) == find("claude-fable-5-1")


@pytest.mark.parametrize(
    ("prompt_tokens", "tier", "expected"),
    [
        (None, "standard", 0.1),
        (100_000, "standard", 0.1),
        (100_001, "long", 0.5),
    ],
)
def test_haiku_5_5_costs_five_times_as_much_over_100_000_prompt_tokens(
    prompt_tokens: int | None, tier: str, expected: float
) -> None:
    prices = find("claude-haiku-5-5", prompt_tokens=prompt_tokens)
    assert prices.tier == tier
    factor = expected / 0.1
    standard = [0.1, 0.01, 0.125, 0.2, 0.5]
    assert usd_per_mtok(prices) == pytest.approx([factor * usd for usd in standard], rel=1e-12)


@pytest.mark.parametrize("model", ["claude-sonnet-4", "claude-sonnet-4-5"])
def test_a_row_closed_for_the_record_prices_nothing(model: str) -> None:
    assert find(model, prompt_tokens=220_000).tier == "standard"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", [8, 0.4, 10, 16, 40]),  # read 0.05 x 8, writes 1.25 x 8 and 2 x 8
        ("claude-opus-5", [10, 1, 12.5, 20, 50]),  # read 0.1 x 10, writes 1.25 x 10 and 2 x 10
        ("claude-opus-4-8", [10, 1, 12.5, 20, 50]),
    ],
)
def test_fast_mode_has_its_own_price(model: str, expected: list[float]) -> None:
    prices = find(model, fast=True)
    assert usd_per_mtok(prices) == expected
    assert prices.tier == "fast"


def test_fast_prices_of_caching_follow_from_input_as_the_standard_ones_do() -> None:
    for row in CATALOGUE.rows:
        if row.fast:
            fast = row.prices
            standard = find(row.model, day=row.effective_from, premium=row.premium)
            ratio = fast.uncached_input // standard.uncached_input
            assert list(fast[:5]) == [ratio * amount for amount in standard[:5]]
            assert fast.cache_write_5m * 4 == fast.uncached_input * 5
            assert fast.cache_write_1h == fast.uncached_input * 2


def test_fast_requests_to_opus_4_6_are_charged_at_standard_from_2026_08_22() -> None:
    last = find("claude-opus-4-6", fast=True, day=date(2026, 8, 21))
    assert (last.tier, usd_per_mtok(last)) == ("fast", [30, 3, 37.5, 60, 150])
    assert find("claude-opus-4-6", fast=True, day=date(2026, 8, 22)).tier == "standard"


@pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-sonnet-5-5"])
def test_a_model_without_fast_mode_is_charged_at_standard(model: str) -> None:
    assert find(model, fast=True) == find(model)


def test_a_regional_endpoint_costs_a_tenth_more() -> None:
    prices = find("claude-opus-5-5", premium=Premium.REGIONAL)
    assert usd_per_mtok(prices) == [4.4, 0.22, 5.5, 8.8, 22]
    assert prices.tier == "standard-regional"


def test_premiums_apply_to_long_prompts_and_to_fast_mode_too() -> None:
    # 0.50 x 1.1 and 8 x 1.1
    long = find("claude-haiku-5-5", prompt_tokens=100_001, premium=Premium.REGIONAL)
    fast = find("claude-opus-5-5", fast=True, premium=Premium.US)
    assert (long.tier, long.uncached_input) == ("long-regional", 550_000)
    assert (fast.tier, fast.uncached_input) == ("fast-us", 8_800_000)


@pytest.mark.parametrize(
    ("premium", "model"),
    [(Premium.REGIONAL, "claude-sonnet-4"), (Premium.US, "claude-sonnet-4-5")],
)
def test_a_model_older_than_a_premium_is_charged_at_list(premium: Premium, model: str) -> None:
    assert find(model, premium=premium) == find(model)


@given(
    st.sampled_from(PRICED),
    st.dates(min_value=date(2024, 1, 1), max_value=date(2028, 1, 1)),
    st.sampled_from(["normal", "fast"]),
    st.sampled_from([None, *Premium]),
)
def test_a_model_that_has_a_price_keeps_having_one(
    model: str, day: date, speed: str, premium: Premium | None
) -> None:
    fast = speed == "fast"
    today = CATALOGUE.find_prices(model, day=day, fast=fast, premium=premium)
    tomorrow = day + timedelta(days=1)
    if today is not None:
        later = CATALOGUE.find_prices(model, day=tomorrow, fast=fast, premium=premium)
        assert later is not None
        assert today.long.uncached_input >= today.standard.uncached_input
