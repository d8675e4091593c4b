"""A journey: a real client at work in one namespace with the stand-in and the server.

The namespace is fresh, so the ports below are fixed.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlencode

from tests.e2e.client import Client, Result, prepare_home, prepare_repository
from tests.e2e.messages_api import LedgerLine, read_ledger
from tests.e2e.namespace import Namespace, open_namespace
from tests.e2e.script import (
    MODEL,
    MODEL_THAT_IS_DOWN,
    RESUMED_MODEL,
    SCRIPTED_API_ERRORS,
    SCRIPTED_COMMITS,
)

GRPC_PORT: Final = 4317
OTLP_PORT: Final = 4318
PORT: Final = 4319
MESSAGES_PORT: Final = 8080


def _export_by(protocol: str, port: int) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
    }


# The ways to export that an administrator can choose; each is a journey of its own.
WAYS_TO_EXPORT: Final = {
    "grpc": _export_by("grpc", GRPC_PORT),
    "http/protobuf": _export_by("http/protobuf", OTLP_PORT),
    "http/json": _export_by("http/json", OTLP_PORT),
    # Each process counts from zero again, also when it takes up a session.
    "cumulative": {
        **_export_by("http/protobuf", OTLP_PORT),
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative",
    },
}
_SETTINGS: Final = {
    "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{MESSAGES_PORT}",
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "OTEL_LOGS_EXPORT_INTERVAL": "1000",
    "OTEL_RESOURCE_ATTRIBUTES": "team.id=payments,cost_center=cc-1200",
}

_START_SECONDS: Final = 30.0
# From the client's end until the server's answers hold all of it.
_SETTLE_SECONDS: Final = 20.0

# Rows are of measures by name; a measure nothing is known about is None.
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What happened, three times told: by the stand-in, by the client, by the server."""

    ledger: list[LedgerLine]
    results: list[Result]
    namespace: Namespace
    started: datetime

    @property
    def paid(self) -> list[LedgerLine]:
        """The requests that a model answered."""
        return [line for line in self.ledger if line.status == HTTPStatus.OK]

    def query(self, *measures: str, by: str = "") -> list[Row]:
        """Ask the server for measures over the time of the journey."""
        hour = self.started.replace(minute=0, second=0, microsecond=0)
        question = {
            "measures": ",".join(measures),
            "from": (hour - timedelta(hours=1)).isoformat(),
            "to": (hour + timedelta(hours=3)).isoformat(),
        }
        if by:
            question["by"] = by
        url = f"http://127.0.0.1:{PORT}/api/v1/query?{urlencode(question)}"
        rows: list[Row] = json.loads(self.namespace.fetch(url), parse_float=Decimal)["rows"]
        return rows

    def query_one(self, measure: str) -> Any:  # noqa: ANN401 - a number of any kind, or None
        """Ask the server for one number."""
        return self.query(measure)[0][measure]


@contextmanager
def travel(settings: Mapping[str, str], *, program: Path, folder: Path) -> Iterator[Journey]:
    """Let a client work and its telemetry arrive; the server answers until the block ends."""
    home, work, ledger = folder / "home", folder / "shop", folder / "ledger.jsonl"
    prepare_home(home)
    prepare_repository(work, home)
    with ExitStack() as stack:
        namespace = stack.enter_context(open_namespace())
        _serve_messages_api(stack, namespace, work, ledger)
        _serve_codometer(stack, namespace, folder)
        client = Client(
            program=program,
            namespace=namespace,
            home=home,
            work=work,
            settings={**_SETTINGS, **settings},
        )
        started = datetime.now(UTC)
        results = _work(client)
        journey = Journey(
            ledger=read_ledger(ledger), results=results, namespace=namespace, started=started
        )
        _wait_until_settled(journey)
        yield journey


def _serve_messages_api(stack: ExitStack, namespace: Namespace, work: Path, ledger: Path) -> None:
    module = [sys.executable, "-m", "tests.e2e.messages_api"]
    options = ["--port", str(MESSAGES_PORT), "--work", str(work), "--ledger", str(ledger)]
    log = ledger.with_name("messages_api.log")
    stack.enter_context(namespace.serve([*module, *options], environment={}, log=log))
    namespace.fetch(f"http://127.0.0.1:{MESSAGES_PORT}/ready", within_seconds=_START_SECONDS)


def _serve_codometer(stack: ExitStack, namespace: Namespace, folder: Path) -> None:
    log = folder / "codometer.log"

    def add_log(
        _kind: type[BaseException] | None,
        fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if fault is not None:
            fault.add_note(log.read_text(encoding="utf-8")[-8_000:])

    stack.push(add_log)
    command: list[str | Path] = [
        Path(sys.executable).with_name("codometer"),
        "serve",
        f"--data={folder / 'data'}",
        f"--port={PORT}",
        f"--otlp-port={OTLP_PORT}",
        f"--grpc-port={GRPC_PORT}",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    stack.enter_context(namespace.serve(command, environment=environment, folder=folder, log=log))
    namespace.fetch(f"http://127.0.0.1:{PORT}/readyz", within_seconds=_START_SECONDS)


def _work(client: Client) -> list[Result]:
    """Let the client write and commit, take the session up again, then meet a model that is down.

    A resumed session is one session from two processes: its counters and its event sequence
    begin again.
    """
    first = client.ask("Write a module that adds numbers and commit it.", model=MODEL)
    resumed = client.ask(
        "Now add a third sum.", model=RESUMED_MODEL, options=[f"--resume={first.session_id}"]
    )
    failed = client.ask("And multiply.", model=MODEL_THAT_IS_DOWN)
    return [first, resumed, failed]


def _wait_until_settled(journey: Journey) -> None:
    # What the first two sessions did, in events and in metrics, and what the last one did.
    expected = {
        "requests": len(journey.paid),
        "commits": SCRIPTED_COMMITS,
        "api_errors": SCRIPTED_API_ERRORS,
    }
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        row = journey.query(*expected)[0]
        if all(row[measure] == value for measure, value in expected.items()):
            return
        time.sleep(0.2)
