"""Seeded secrets and names, through every protocol: in no file, no table and no line of the log."""

from __future__ import annotations

import sqlite3
import time
from base64 import b64encode
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import duckdb
import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToJson, ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.origin import OriginRules, Origins
from codometer.pricing import normalise_model
from codometer.store.control import FILE_NAME as CONTROL_NAME
from codometer.store.duckdb_engine import FILE_NAME
from codometer.store.tables import TABLES
from tests.journeys.test_privacy import command, join, wait_for
from tests.receiving import EXPORT_LOGS, EXPORT_METRICS, EXPORT_TRACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

    from tests.running import RunningServer

pytestmark = pytest.mark.slow

KNOWN: Final = ClaudeCode(Origins(OriginRules()), normalise_model).known_attributes
NAMES: Final = {
    "user.id": "machine-of-ada-4f1ada00",
    "user.account_uuid": "0add-ada-uuid-lovelace",
    "user.email": "Ada.Lovelace@example.com",
    "enduser.id": "lovelace-enduser",
    "user.full_name": "Ada Lovelace",
    "host.name": "adas-laptop",
    "git.author.email": "ada.lovelace@home.example",
}
SECRETS: Final = {
    "prompt": "fix the login of grace",
    "tool_parameters": '{"command": "curl -u ada:hunter2hunter2"}',
    "error": "no such file: /home/lovelace/secrets.txt",
    "brand.new.key": "AKIAIOSFODNN7EXAMPLE",
    "brand.new.token": "sk-ant-api03-very-secret",
    "brand.new.github": "ghp_0123456789abcdefghij0123456789abcdef",
    "brand.new.mail": "ada.lovelace@elsewhere.example",
    "brand.new.text": "Ada Lovelace wrote this herself",
}
SEEDS: Final = (
    "4f1ada00",
    "0add-ada-uuid",
    "lovelace",
    "adas-laptop",
    "login of grace",
    "hunter2hunter2",
    "AKIAIOSFODNN7EXAMPLE",
    "very-secret",
    "ghp_0123456789",
)
STRAYED: Final = ("AKIAIOSFODNN7EXAMPLE", "ada.lovelace@elsewhere.example")
"""What no known attribute should carry, and any may."""
TRACE: Final = b"a" * 16
SPANS: Final = [number.to_bytes(8, "big") for number in range(1, 2 * len(STRAYED) * len(KNOWN) + 2)]
"""The ids of one trace and its spans."""
PROTOCOLS: Final = ("protobuf", "json", "grpc")


def attributes(told: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]


def requests(session: str) -> Iterator[tuple[str, str, Message]]:
    """Return an export of each kind, with the seeds in every place that has attributes or text."""
    now = str(time.time_ns())
    told = attributes({**NAMES, **SECRETS, "session.id": session})
    resource = {"attributes": attributes({"service.name": "claude-code", **NAMES, **SECRETS})}
    use = attributes(
        {
            "model": "claude-opus-4-5",
            "input_tokens": "10",
            "output_tokens": "5",
            "cost_usd": "0.25",
            "request_id": f"req-{session}",
        }
    )
    logs = [
        {"timeUnixNano": now, "body": {"stringValue": name}, "attributes": [*told, *use]}
        for name in ("claude_code.api_request", "claude_code.user_prompt", SECRETS["prompt"])
    ]
    logs += [
        {
            "timeUnixNano": now,
            "body": {"stringValue": event},
            "attributes": attributes({"session.id": session, name: value}),
        }
        for name, value in product(sorted(KNOWN), STRAYED)
        for event in ("claude_code.api_request", "claude_code.tool_result", "else.where")
    ]
    point = {"timeUnixNano": now, "asDouble": 1, "attributes": told}
    points = [
        {**point, "attributes": attributes({"session.id": session, name: value})}
        for name, value in product(sorted(KNOWN), STRAYED)
    ]
    metric = {
        "name": "claude_code.commit.count",
        "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point, *points]},
    }
    span = {
        "traceId": b64encode(TRACE).decode(),
        "spanId": b64encode(SPANS[0]).decode(),
        "name": "claude_code.llm_request",
        "startTimeUnixNano": now,
        "endTimeUnixNano": now,
        "attributes": [*told, *use],
        "status": {"code": 2, "message": SECRETS["error"]},
    }
    kinds = product(sorted(KNOWN), STRAYED, ("claude_code.llm_request", "claude_code.tool"))
    spans = [
        {
            **span,
            "spanId": b64encode(id_).decode(),
            "name": name,
            "attributes": attributes({"session.id": session, known: value}),
        }
        for id_, (known, value, name) in zip(SPANS[1:], kinds, strict=True)
    ]
    others = KNOWN - {"service.name"}
    strayed = [
        {"attributes": attributes({"service.name": "claude-code", **dict.fromkeys(others, value)})}
        for value in STRAYED
    ]
    yield (
        "logs",
        EXPORT_LOGS,
        ParseDict(
            {
                "resourceLogs": [
                    {"resource": resource, "scopeLogs": [{"logRecords": logs}]},
                    *(
                        {"resource": each, "scopeLogs": [{"logRecords": logs[1:2]}]}
                        for each in strayed
                    ),
                ]
            },
            ExportLogsServiceRequest(),
        ),
    )
    yield (
        "metrics",
        EXPORT_METRICS,
        ParseDict(
            {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]},
            ExportMetricsServiceRequest(),
        ),
    )
    yield (
        "traces",
        EXPORT_TRACES,
        ParseDict(
            {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span, *spans]}]}]},
            ExportTraceServiceRequest(),
        ),
    )


def to_json(message: Message) -> bytes:
    """Write a request as OTLP does, whose ids are hexadecimal and not base64."""
    text = MessageToJson(message)
    for id_ in (TRACE, *SPANS):
        text = text.replace(b64encode(id_).decode(), id_.hex())
    return text.encode()


def send(server: RunningServer, protocol: str) -> None:
    for kind, method, message in requests(f"session-{protocol}"):
        whole = message.SerializeToString()
        if protocol == "grpc":
            with grpc.insecure_channel(server.grpc_target) as channel:
                call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
                call(whole, timeout=60)
            continue
        body = whole if protocol == "protobuf" else to_json(message)
        form = "x-protobuf" if protocol == "protobuf" else "json"
        answer = httpx.post(
            f"{server.otlp_url}/v1/{kind}",
            content=body,
            headers={"content-type": f"application/{form}"},
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text


def held_in_files(server: RunningServer) -> set[tuple[str, str]]:
    """Return which seeds are in which file of the data folder, its log beside it included."""
    files = [path for path in server.data.parent.rglob("*") if path.is_file()]
    assert {FILE_NAME, CONTROL_NAME, "server.log"} <= {path.name for path in files}
    contents = {path.name: path.read_bytes().lower() for path in files}
    return {
        (seed, name)
        for name, content in contents.items()
        for seed in SEEDS
        if seed.lower().encode() in content
    }


def held_in_tables(server: RunningServer) -> set[tuple[str, str]]:
    """Return which seeds are in which table, since the engine compresses its file."""
    found: dict[str, str] = {}
    with duckdb.connect(str(server.data / FILE_NAME), read_only=True) as connection:
        for table in TABLES:
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            found[table] = "\n".join(map(str, rows)).lower()
    control = sqlite3.connect(server.data / CONTROL_NAME)
    try:
        names = control.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in names:
            rows = control.execute(f"SELECT * FROM {table}").fetchall()
            found[table] = "\n".join(map(str, rows)).lower()
    finally:
        control.close()
    return {
        (seed, table) for table, text in found.items() for seed in SEEDS if seed.lower() in text
    }


@pytest.mark.parametrize("profile", ["standard", "strict"])
def test_no_seeded_secret_and_no_name_is_found_in_clear(
    server: RunningServer, profile: str
) -> None:
    join(server, profile)
    wait_for(server, profile)
    for protocol in PROTOCOLS:
        send(server, protocol)
    arrived = {each["signal"]: each["events"] for each in command(server, "status")["signals"]}
    strayed = len(STRAYED) * len(KNOWN)
    assert arrived["metrics"] == (1 + strayed) * len(PROTOCOLS)
    # Spans that lost the name of their session do not differ between protocols.
    nameless = 2 * len(STRAYED)
    assert arrived["traces"] == (1 + 2 * strayed - nameless) * len(PROTOCOLS) + nameless
    assert arrived["logs"] == (3 + len(STRAYED) + 3 * strayed) * len(PROTOCOLS)
    assert held_in_files(server) == set()
    server.kill()
    assert held_in_files(server) == set()
    server.start()
    server.stop()
    assert held_in_files(server) == set()
    assert held_in_tables(server) == set()
    server.start()
