"""What real clients said a request cost, against our prices."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from codometer.model.charge import Charge
from codometer.model.money import PicoUSD, pico_from_usd
from codometer.pricing import Basis, load_catalogue, normalise_model, price_request
from tests.capture import NAMES, recorded

# One recording is of errors only.
WITH_REQUESTS = [name for name in NAMES if name != "2.1.330-errors"]
SPLITTING = [name for name in WITH_REQUESTS if name.startswith("2.1.330")]
NANO_USD = 1_000
"""1e-9 USD in picodollars: what a sum of doubles may be off."""

CATALOGUE = load_catalogue()


def list_requests(capture: str) -> Iterator[dict[str, Any]]:
    """Yield the attributes of each `api_request` event."""
    for request in recorded(capture):
        if not isinstance(request.message, ExportLogsServiceRequest):
            continue
        for resource in request.message.resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    attributes = {item.key: _value(item.value) for item in record.attributes}
                    if attributes.get("event.name") == "api_request":
                        yield attributes


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


def price(request: dict[str, Any]) -> tuple[PicoUSD | None, Charge]:
    """Return the client's cost and our charge."""
    model = normalise_model(request["model"])
    one_hour = request.get("cache_creation_1h_tokens")
    reported_cost = pico_from_usd(float(request["cost_usd"]))
    return reported_cost, price_request(
        CATALOGUE,
        model=model.name,
        provider=request.get("anthropic.provider"),
        endpoint_scope=model.endpoint_scope,
        day=date.fromisoformat(request["event.timestamp"][:10]),
        speed=request.get("speed"),
        uncached_input_tokens=int(request["input_tokens"]),
        cache_read_tokens=int(request["cache_read_tokens"]),
        cache_write_tokens=int(request["cache_creation_tokens"]),
        cache_write_1h_tokens=None if one_hour is None else int(one_hour),
        output_tokens=int(request["output_tokens"]),
        reported_cost=reported_cost,
    )


@pytest.mark.parametrize("capture", WITH_REQUESTS)
def test_the_list_cost_is_what_the_client_computed(capture: str) -> None:
    prices = [price(request) for request in list_requests(capture)]
    assert prices
    for reported_cost, charge in prices:
        assert reported_cost is not None
        assert charge.list_cost is not None
        assert abs(charge.list_cost - reported_cost) < NANO_USD


@pytest.mark.parametrize("capture", WITH_REQUESTS)
def test_a_client_that_splits_cache_writes_is_counted_and_another_derived(capture: str) -> None:
    expected = Basis.COUNTED if capture in SPLITTING else Basis.DERIVED
    bases = {price(request)[1].list_cost_basis for request in list_requests(capture)}
    assert bases == {expected}


@pytest.mark.parametrize("capture", SPLITTING)
def test_the_split_that_a_client_sent_is_also_found_from_its_cost(capture: str) -> None:
    for request in list_requests(capture):
        sent = request.pop("cache_creation_1h_tokens")
        charge = price(request)[1]
        assert charge.list_cost_basis is Basis.DERIVED
        assert charge.cache_write_1h_tokens == sent
