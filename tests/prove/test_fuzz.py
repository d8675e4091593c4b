"""A million inputs that nobody ought to send, other ones every time; with figures."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.fuzz import AT_ONCE, Fuzz, send_over_http, send_through_intake
from tests.receiving import ON_UVLOOP, receive, tighten
from tests.site import Site

if TYPE_CHECKING:
    from pathlib import Path

EXPORTS: Final = 800_000
A_SITE: Final = 20_000
REQUESTS: Final = 200_000

pytestmark = pytest.mark.prove


@pytest.fixture
def fuzz() -> Fuzz:
    seed = random.SystemRandom().getrandbits(32)
    print(f"\n  seed {seed}")  # noqa: T201
    return Fuzz(seed)


def test_any_export_is_taken_or_called_malformed(
    fuzz: Fuzz, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()
    accepted = 0
    for number in range(EXPORTS // A_SITE):
        site = Site.open(tmp_path / str(number))
        for _ in range(A_SITE // AT_ONCE):
            exports = [fuzz.export() for _ in range(AT_ONCE)]
            accepted += asyncio.run(send_through_intake(site.intake, exports))
        assert site.totals("requests", "cost", "tool_calls", "lines_added")["requests"] > 0
        site.close()
        assert caplog.records == []
    seconds = time.monotonic() - began
    print(f"  {EXPORTS} exports, {accepted} of them accepted, in {seconds:.0f} s")  # noqa: T201


@pytest.mark.anyio
@ON_UVLOOP[1]
async def test_any_request_over_http_is_answered_or_its_connection_closed(
    fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("codometer.intake.receivers.otlp_http._LINGER_SECONDS", 0.05)
    limits = tighten(body_bytes=3_000, header_seconds=0.1, body_seconds=0.1, keep_alive_seconds=0.1)
    began = time.monotonic()
    async with receive(limits) as receivers:
        receivers.store.keep = False
        statuses = await send_over_http(receivers.http.port, (fuzz.http() for _ in range(REQUESTS)))
        assert receivers.budget.used_bytes == 0
    seconds = time.monotonic() - began
    print(f"  {REQUESTS} requests, answered {dict(statuses)}, in {seconds:.0f} s")  # noqa: T201
    assert statuses.keys() == {200, 400, 404, 405, 408, 413, 415}
    assert caplog.records == []
