"""A simulated client tries again and gives up as OpenTelemetry's exporters do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from functools import cache

import pytest

from codometer.errors import Malformed, Overloaded
from codometer.intake.receivers.export import Accepted, Encoding
from codometer.operate.simulator import Batch, Network, Scenario, simulate_day
from codometer.operate.simulator.exporter import Endpoint, Exporter, Protocol
from codometer.operate.simulator.send import NobodyTakesIt, Sending
from codometer.pricing import load_catalogue
from tests.receiving import ON_UVLOOP, Receivers, receive

pytestmark = ON_UVLOOP

SCENARIO = Scenario(seed=2, last_day=date(2026, 11, 19), people=1, session_minutes=2)
HTTP = [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON]


@cache
def one_batch() -> Batch:
    return simulate_day(SCENARIO, load_catalogue()).batches[0]


@asynccontextmanager
async def exporting(protocol: Protocol) -> AsyncIterator[tuple[Receivers, Exporter]]:
    async with receive() as receivers:
        endpoint = Endpoint(
            http=f"http://127.0.0.1:{receivers.http.port}", grpc=f"127.0.0.1:{receivers.rpc.port}"
        )
        async with Exporter(endpoint, [protocol]) as exporter:
            yield receivers, exporter


@pytest.mark.parametrize("protocol", Protocol)
async def test_every_protocol_carries_a_batch(protocol: Protocol) -> None:
    async with exporting(protocol) as (receivers, exporter):
        await exporter.check()
        receivers.store.requests.clear()
        assert await exporter.send(one_batch())
        (request,) = receivers.store.requests
        is_json = protocol is Protocol.HTTP_JSON
        assert request.encoding is (Encoding.JSON if is_json else Encoding.PROTOBUF)
        assert exporter.counts.accepted == exporter.counts.sent == 1


@pytest.mark.slow
@pytest.mark.parametrize("protocol", HTTP)
async def test_over_http_it_tries_again_when_told_to(protocol: Protocol) -> None:
    async with exporting(protocol) as (receivers, exporter):
        receivers.store.failures.append(Overloaded("later"))
        assert await exporter.send(one_batch())
        assert exporter.counts.retried == 1
        assert exporter.counts.answers == {"503": 1}
        assert len(receivers.store.requests) == 1


@pytest.mark.parametrize("protocol", HTTP)
async def test_over_http_it_gives_up_what_is_wrong_for_good(protocol: Protocol) -> None:
    async with exporting(protocol) as (receivers, exporter):
        receivers.store.failures.append(Malformed("no"))
        assert not await exporter.send(one_batch())
        assert (exporter.counts.retried, exporter.counts.lost) == (0, 1)


async def test_over_grpc_it_never_tries_again() -> None:
    async with exporting(Protocol.GRPC) as (receivers, exporter):
        receivers.store.failures.append(Malformed("no"))
        assert not await exporter.send(one_batch())
        assert exporter.counts.answers == {"INVALID_ARGUMENT": 1}


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("refused", [1, 300])
async def test_what_is_refused_in_part_is_counted(protocol: Protocol, refused: int) -> None:
    async with exporting(protocol) as (receivers, exporter):
        receivers.store.accepted = Accepted(rejected=refused, message="refused: no_time")
        assert await exporter.send(one_batch())
        assert exporter.counts.refused_signals == refused


async def test_it_stops_when_nobody_takes_anything_any_more() -> None:
    async def lose(batch: Batch) -> bool:
        del batch
        return False

    scenario = Scenario(seed=2, last_day=date(2026, 11, 19), people=5)
    sending = Sending(scenario, Network(), load_catalogue(), lose)
    with pytest.raises(NobodyTakesIt):
        await sending.send_days(progress=lambda _: None)
    assert sending.tally.document()["by"] == {}
