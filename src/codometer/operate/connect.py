"""What a developer pastes so that Claude Code reports to this server."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Final
from urllib.parse import urlsplit

from codometer.access.secret import Kind
from codometer.settings import Listen, Settings, base_url, client_host, pages_url, scheme_of

# https://code.claude.com/docs/en/monitoring-usage (2026-10); seen with client 2.1.330.
_VARIABLES: Final = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
}

WITHOUT_CONTENT: Final = {
    "OTEL_LOG_USER_PROMPTS": "0",
    "OTEL_LOG_ASSISTANT_RESPONSES": "0",
    "OTEL_LOG_TOOL_DETAILS": "0",
    "OTEL_LOG_TOOL_CONTENT": "0",
    "OTEL_LOG_RAW_API_BODIES": "0",
}
"""What Claude Code is told so that it sends nothing that people or models write. Each of them is
said: since 2.1.193 responses follow prompts where nothing is said of them, and another file of
settings may have the rest. https://code.claude.com/docs/en/monitoring-usage (2026-10)"""

_NAME: Final = "codometer"
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"
_SCRAPE: Final = """scrape_configs:
  - job_name: codometer
    scheme: {scheme}
    authorization:
      credentials: {secret}
    static_configs:
      - targets: ["{host}"]"""


def command() -> str:
    """Return what to type to run this program: its name where a shell finds it, else its path."""
    started_as = sys.argv[0]
    is_hidden = Path(started_as).name == _NAME and shutil.which(_NAME) is None
    return started_as if is_hidden else _NAME


def otlp_url(listen: Listen) -> str:
    """Return the address that clients send OTLP over HTTP to."""
    return listen.otlp_url or f"{scheme_of(listen)}://{client_host(listen)}:{listen.otlp_port}"


def grpc_url(listen: Listen) -> str:
    """Return the address that clients send OTLP over gRPC to."""
    return f"{scheme_of(listen)}://{client_host(listen)}:{listen.grpc_port}"


def variables_to_connect(endpoint: str) -> dict[str, str]:
    """Return the environment in which Claude Code reports to `endpoint`, OTLP over HTTP."""
    return {**_VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **WITHOUT_CONTENT}


def lines_with(kind: Kind, secret: str, settings: Settings) -> str:
    """Return what to paste where a new credential of this kind is used."""
    url = pages_url(settings.listen)
    match kind:
        case Kind.INGEST:
            variables = variables_to_connect(otlp_url(settings.listen))
            return _exports({**variables, _HEADERS: f"Authorization=Bearer {secret}"})
        case Kind.SCRAPE:
            parts = urlsplit(url)
            return _SCRAPE.format(scheme=parts.scheme, host=parts.netloc, secret=secret)
        case Kind.PERSONAL | Kind.SERVICE:
            return _exports({"CODOMETER_URL": url, "CODOMETER_CREDENTIAL": secret})


def _exports(variables: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={quote(value)}" for name, value in variables.items())


def connection_lines(settings: Settings) -> str:
    """Return what to paste into a shell and what to run then, ready to print."""
    return lines_to_connect(otlp_url(settings.listen), base_url(settings.listen))


def lines_to_connect(endpoint: str, url: str) -> str:
    """Return the same for a server that takes OTLP over HTTP at `endpoint` and answers at `url`."""
    variables = variables_to_connect(endpoint)
    exports = "\n".join(f"  export {name}={value}" for name, value in variables.items())
    where = "" if url == base_url(Listen()) else f" --url {url}"
    return (
        "To connect Claude Code, paste this into a shell:\n\n"
        f"{exports}\n\n"
        "Start `claude` in that shell and give it something to do. A few seconds later:\n\n"
        f"  {command()} query tokens cost --by model{where}\n"
    )
