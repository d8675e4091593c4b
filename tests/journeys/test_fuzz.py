"""Whatever is sent, the whole server takes it or says that it cannot, and goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fuzz import AT_ONCE, Fuzz, send_over_http, send_through_intake
from tests.receiving import ON_UVLOOP, receive, tighten

if TYPE_CHECKING:
    from tests.site import Site

INPUTS = 4_000


@pytest.mark.slow
def test_any_export_is_taken_or_called_malformed(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    fuzz = Fuzz(seed=1)
    accepted = 0
    for _ in range(INPUTS // AT_ONCE):
        exports = [fuzz.export() for _ in range(AT_ONCE)]
        accepted += asyncio.run(send_through_intake(site.intake, exports))
    assert INPUTS / 3 < accepted < INPUTS
    assert caplog.records == []
    assert site.totals("requests", "cost", "tool_calls", "lines_added")["requests"] > 0


@pytest.mark.slow
@pytest.mark.anyio
@ON_UVLOOP[1]
async def test_any_request_over_http_is_answered_or_its_connection_closed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("codometer.intake.receivers.otlp_http._LINGER_SECONDS", 0.05)
    limits = tighten(body_bytes=3_000, header_seconds=0.1, body_seconds=0.1, keep_alive_seconds=0.1)
    fuzz = Fuzz(seed=2)
    async with receive(limits) as receivers:
        statuses = await send_over_http(receivers.http.port, (fuzz.http() for _ in range(INPUTS)))
        assert receivers.budget.used_bytes == 0
    assert statuses[200] > INPUTS / 10
    assert statuses.keys() == {200, 400, 404, 405, 408, 413, 415}
    assert caplog.records == []
