from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.model.charge import Charge
from codometer.model.money import MAX_PICO_USD, PicoUSD, pico_from_usd
from codometer.pricing import Basis, load_catalogue, price_request

CATALOGUE = load_catalogue()
DAY = date(2026, 11, 22)
MODELS = sorted({row.model for row in CATALOGUE.rows})
NANO_USD = 1_000

ORDINARY: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "provider": "anthropic",
    "endpoint_scope": None,
    "day": DAY,
    "speed": "normal",
    "uncached_input_tokens": 1_000,
    "cache_read_tokens": 20_000,
    "cache_write_tokens": 3_000,
    "cache_write_1h_tokens": 1_000,
    "output_tokens": 500,
    "reported_cost": None,
}
ONE_MTOK_OF_EACH = {
    "uncached_input_tokens": 1_000_000,
    "cache_read_tokens": 1_000_000,
    "cache_write_tokens": 2_000_000,
    "cache_write_1h_tokens": 1_000_000,
    "output_tokens": 1_000_000,
}


def price(**changes: object) -> Charge:
    """Price the ordinary request with these changes."""
    return price_request(CATALOGUE, **{**ORDINARY, **changes})


def usd(dollars: float) -> PicoUSD:
    pico = pico_from_usd(dollars)
    assert pico is not None
    return pico


def test_an_ordinary_request() -> None:
    # 1,000 x 2 + 20,000 x 0.10 + 2,000 x 2.50 + 1,000 x 4 + 500 x 10 USD per million
    # = 0.002 + 0.002 + 0.005 + 0.004 + 0.005 = 0.018; without caching
    # 24,000 x 2 + 500 x 10 = 0.048 + 0.005 = 0.053, which is 0.035 more
    assert price() == Charge(usd(0.018), Basis.COUNTED, 1_000, "standard", usd(0.035))


# A million tokens of each class: input + read + 5 minute write + 1 hour write + output.
@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("claude-fable-5-1", 92.75),  # 10 + 0.25 + 12.50 + 20 + 50
        ("claude-mythos-5-1", 92.75),
        ("claude-fable-5", 93.50),  # 10 + 1 + 12.50 + 20 + 50
        ("claude-mythos-5", 93.50),
        ("claude-opus-5-5", 37.20),  # 4 + 0.20 + 5 + 8 + 20
        ("claude-opus-5", 46.75),  # 5 + 0.50 + 6.25 + 10 + 25
        ("claude-opus-4-8", 46.75),
        ("claude-opus-4-7", 46.75),
        ("claude-opus-4-6", 46.75),
        ("claude-opus-4-5", 46.75),
        ("claude-opus-4-1", 140.25),  # 15 + 1.50 + 18.75 + 30 + 75
        ("claude-opus-4", 140.25),
        ("claude-3-opus", 140.25),
        ("claude-sonnet-5-5", 18.60),  # 2 + 0.10 + 2.50 + 4 + 10
        ("claude-sonnet-5", 18.70),  # 2 + 0.20 + 2.50 + 4 + 10
        ("claude-sonnet-4-6", 28.05),  # 3 + 0.30 + 3.75 + 6 + 15
        ("claude-sonnet-4-5", 28.05),
        ("claude-sonnet-4", 28.05),
        ("claude-3-7-sonnet", 28.05),
        ("claude-haiku-5-5", 4.675),  # a long prompt: 0.50 + 0.05 + 0.625 + 1 + 2.50
        ("claude-haiku-4-5", 9.35),  # 1 + 0.10 + 1.25 + 2 + 5
        ("claude-3-5-haiku", 7.48),  # 0.80 + 0.08 + 1 + 1.60 + 4
        ("claude-3-haiku", 2.33),  # 0.25 + 0.03 + 0.30 + 0.50 + 1.25
    ],
)
def test_a_million_tokens_of_each_class(model: str, dollars: float) -> None:
    assert price(model=model, **ONE_MTOK_OF_EACH).list_cost == usd(dollars)


@pytest.mark.parametrize("model", ["claude-opus-9", None])
def test_an_unknown_model_has_no_cost_and_not_a_cost_of_zero(model: str | None) -> None:
    assert price(model=model, reported_cost=usd(1)) == Charge(None, None, None, None, None)


def test_a_cost_that_the_store_cannot_hold_is_no_cost() -> None:
    # 200 billion tokens at 10 USD per million are 2 million dollars
    assert price(output_tokens=200 * 10**9) == Charge()


def test_savings_that_the_store_cannot_hold_are_no_cost() -> None:
    # a trillion tokens read at 0.10 USD cost 100,000 dollars; at 2 USD, 2 million
    assert price(cache_read_tokens=10**12) == Charge()


def test_cache_writes_that_are_never_read_cost_more_than_they_save() -> None:
    charge = price(cache_read_tokens=0, cache_write_1h_tokens=0)
    # 3,000 x (2 - 2.50) USD per million
    assert charge.cache_savings == -usd(0.0015)


@pytest.mark.parametrize(
    ("uncached_input_tokens", "tier", "dollars"),
    [
        # 75,000 x 0.10 + 20,000 x 0.01 + 4,000 x 0.125 + 1,000 x 0.20 + 500 x 0.50
        # = 0.0075 + 0.0002 + 0.0005 + 0.0002 + 0.00025 = 0.00865 for 100,000 prompt tokens
        (75_000, "standard", 0.00865),
        # one token more, and all of it costs five times as much: 5 x (0.00865 + 0.0000001)
        (75_001, "long", 0.0432505),
    ],
)
def test_the_prompt_that_counts_is_input_and_all_of_the_cache(
    uncached_input_tokens: int, tier: str, dollars: float
) -> None:
    charge = price(
        model="claude-haiku-5-5",
        uncached_input_tokens=uncached_input_tokens,
        cache_write_tokens=5_000,
    )
    assert (charge.price_tier, charge.list_cost) == (tier, usd(dollars))


def test_an_aggregate_is_priced_as_standard_and_estimated() -> None:
    charge = price(model="claude-haiku-5-5", aggregated=True, **ONE_MTOK_OF_EACH)
    # 0.10 + 0.01 + 0.125 + 0.20 + 0.50
    assert charge.list_cost == usd(0.935)
    assert (charge.price_tier, charge.list_cost_basis) == ("standard", Basis.ESTIMATED)


@pytest.mark.parametrize(
    ("day", "dollars"),
    [
        (date(2026, 10, 6), 0.020),  # reads: 20,000 x 0.20 = 0.004
        (date(2026, 10, 7), 0.018),  # reads: 20,000 x 0.10 = 0.002
    ],
)
def test_a_request_is_priced_by_its_own_day(day: date, dollars: float) -> None:
    assert price(day=day).list_cost == usd(dollars)


def test_a_fast_request_has_the_fast_price() -> None:
    charge = price(model="claude-opus-5-5", speed="fast", **ONE_MTOK_OF_EACH)
    # 8 + 0.40 + 10 + 16 + 40
    assert (charge.list_cost, charge.price_tier) == (usd(74.40), "fast")


def test_only_the_first_party_has_a_fast_mode() -> None:
    assert price(model="claude-opus-5", speed="fast", provider=None).price_tier == "fast"
    assert price(model="claude-opus-5", speed="fast", provider="bedrock").price_tier == "standard"


@pytest.mark.parametrize("provider", ["bedrock", "vertex"])
def test_a_regional_endpoint_costs_a_tenth_more(provider: str) -> None:
    charge = price(provider=provider, endpoint_scope="regional")
    # 0.018 x 1.1
    assert charge.list_cost == usd(0.0198)
    assert (charge.price_tier, charge.list_cost_basis) == ("standard-regional", Basis.COUNTED)


def test_a_global_endpoint_costs_what_the_list_says() -> None:
    charge = price(provider="bedrock", endpoint_scope="global")
    assert charge == price()


@pytest.mark.parametrize(
    ("provider", "model", "basis"),
    [
        ("bedrock", "claude-opus-5-5", Basis.ESTIMATED),
        ("vertex", "claude-opus-5-5", Basis.ESTIMATED),
        ("bedrock", "claude-sonnet-4", Basis.COUNTED),  # older than the premium
        ("foundry", "claude-opus-5-5", Basis.COUNTED),  # has no regional premium
        (None, "claude-opus-5-5", Basis.COUNTED),
    ],
)
def test_a_request_whose_endpoint_might_be_regional_is_an_estimate(
    provider: str | None, model: str, basis: Basis
) -> None:
    charge = price(provider=provider, model=model)
    assert (charge.list_cost_basis, charge.price_tier) == (basis, "standard")


def test_a_split_that_was_not_sent_is_derived_from_the_reported_cost() -> None:
    # all at 5 minutes: 0.002 + 0.002 + 3,000 x 2.50 + 0.005 = 0.0165; of the reported
    # 0.018 are left 0.0015 = 1,000 x (4 - 2.50) USD per million
    charge = price(cache_write_1h_tokens=None, reported_cost=usd(0.018))
    assert charge == price()._replace(list_cost_basis=Basis.DERIVED)


@pytest.mark.parametrize(
    "reported_cost",
    [
        None,
        usd(0.0165) - 1_500_000,  # one token below none
        usd(0.021) + 1_500_000,  # one token above all: 0.0165 + 3,000 x 1.50 = 0.021
        usd(0.018) + 1_000,  # 1e-9 USD off a whole number
        usd(0.018) - 1_000,
        0,
    ],
)
def test_a_reported_cost_that_no_split_explains_leaves_an_estimate(
    reported_cost: PicoUSD | None,
) -> None:
    charge = price(cache_write_1h_tokens=None, reported_cost=reported_cost)
    assert charge[:4] == (usd(0.0165), Basis.ESTIMATED, None, "standard")


@pytest.mark.parametrize("nonsense", [-1, 3_001])
def test_a_split_out_of_bounds_is_taken_as_not_sent(nonsense: int) -> None:
    charge = price(cache_write_1h_tokens=nonsense, reported_cost=usd(0.018))
    assert charge == price()._replace(list_cost_basis=Basis.DERIVED)


def test_without_cache_writes_no_split_is_needed() -> None:
    charge = price(cache_write_tokens=0, cache_write_1h_tokens=None)
    assert charge[1:3] == (Basis.COUNTED, 0)


TOKENS = st.integers(min_value=0, max_value=2_000_000)
CLASSES = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request with a split."""
    counts = {name: draw(TOKENS) for name in CLASSES}
    one_hour = draw(st.integers(min_value=0, max_value=counts["cache_write_tokens"]))
    return {
        **ORDINARY,
        **counts,
        "model": draw(st.sampled_from(MODELS)),
        "speed": draw(st.sampled_from(["fast", "normal", None])),
        "cache_write_1h_tokens": one_hour,
    }


@given(requests())
def test_a_split_is_found_again_from_the_cost_as_a_double(request: dict[str, Any]) -> None:
    counted = price(**request)
    assert counted.list_cost is not None
    double = counted.list_cost / 1e12
    again = price(**{**request, "cache_write_1h_tokens": None, "reported_cost": usd(double)})
    assert again.cache_write_1h_tokens == request["cache_write_1h_tokens"]
    assert again.list_cost == counted.list_cost


@given(requests(), st.integers(min_value=0, max_value=10**15))
def test_a_derived_split_is_within_bounds_and_explains_the_reported_cost(
    request: dict[str, Any], reported_cost: int
) -> None:
    request.update(cache_write_1h_tokens=None, reported_cost=reported_cost)
    charge = price(**request)
    assert charge.list_cost is not None
    if charge.list_cost_basis is Basis.DERIVED:
        assert charge.cache_write_1h_tokens is not None
        assert 0 <= charge.cache_write_1h_tokens <= request["cache_write_tokens"]
        assert abs(charge.list_cost - reported_cost) < NANO_USD


@given(requests(), st.sampled_from(CLASSES), TOKENS)
def test_more_tokens_never_cost_less(request: dict[str, Any], name: str, more: int) -> None:
    before = price(**request).list_cost
    after = price(**{**request, name: request[name] + more}).list_cost
    assert before is not None
    assert after is not None
    assert after >= before


@given(requests(), requests())
def test_two_requests_cost_exactly_what_their_sum_costs(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    # As aggregates, since the sum of two short prompts may be a long one.
    same = {"model": one["model"], "speed": one["speed"], "aggregated": True}
    total = {name: one[name] + other[name] for name in (*CLASSES, "cache_write_1h_tokens")}
    costs = [price(**{**request, **same}).list_cost for request in (one, other)]
    assert price(**{**one, **same, **total}).list_cost == sum(cost or 0 for cost in costs)


@given(requests())
def test_no_cost_is_larger_than_the_store_can_hold(request: dict[str, Any]) -> None:
    charge = price(**{**request, "output_tokens": request["output_tokens"] * 10**6})
    assert (charge.list_cost or 0) <= MAX_PICO_USD
