"""A server without accounts, which refuses nobody, and telemetry with any names in it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

_NAMES = {
    "event.name": "api_request",
    "session.id": "s-1",
    "user.id": "installation-1",
    "model": "claude-opus-4-5",
    "input_tokens": "10",
    "output_tokens": "5",
    "cost_usd": "0.5",
}


def report(
    otlp_url: str, resource: Mapping[str, str], *events: Mapping[str, str]
) -> httpx.Response:
    """Send events of a client, each a request to a model unless it says otherwise."""
    records = [
        {
            "timeUnixNano": str(time.time_ns() - number),
            "body": {"stringValue": f"claude_code.{event.get('event.name', 'api_request')}"},
            "attributes": _attributes({**_NAMES, "request_id": str(time.time_ns()), **event}),
        }
        for number, event in enumerate(events or ({},))
    ]
    told = _attributes({"service.name": "claude-code", **resource})
    body = {
        "resourceLogs": [{"resource": {"attributes": told}, "scopeLogs": [{"logRecords": records}]}]
    }
    content = json.dumps(body)  # which escapes what httpx would not send
    headers = {"content-type": "application/json"}
    return httpx.post(
        f"{otlp_url}/v1/logs", content=content, headers=headers, trust_env=False, timeout=60
    )


def _attributes(told: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
