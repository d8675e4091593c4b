"""`codometer simulate` sends a fleet over the network, and a server counts what it wrote down."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer
from tests.running import CODOMETER
from tests.truth import find_differences

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import RunningServer

SETTLE_SECONDS: Final = 30.0
FEW_DAYS: Final = (
    *("--people", "6", "--since", "2026-11-16", "--until", "2026-11-19"),
    *("--sessions", "1", "--minutes", "3"),
)


def ends(server: RunningServer) -> list[str]:
    return ["--endpoint", server.otlp_url, "--grpc-endpoint", server.grpc_target]


def read_truth(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return document


def ask(server: RunningServer, measures: list[str], by: str | None) -> list[dict[str, Any]]:
    dimension = f"&by={by}" if by else ""
    rows: list[dict[str, Any]] = server.get_json(
        f"/api/v1/query?measures={','.join(measures)}&from=2026-11-01&to=2026-12-01{dimension}"
    )["rows"]
    return rows


def find_lasting_differences(server: RunningServer, truth: dict[str, Any]) -> list[str]:
    """Return where answers are not the truth; right after a load they may be seconds behind."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (
        differences := find_differences(truth, lambda measures, by: ask(server, measures, by))
    ) and time.monotonic() < deadline:
        time.sleep(0.2)
    return differences


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["mixed", "grpc", "http/protobuf", "http/json"])
def test_a_server_counts_what_the_simulator_wrote_down(
    server: RunningServer, tmp_path: Path, protocol: str
) -> None:
    truth = tmp_path / "truth.json"
    result = run_codometer(
        "simulate", *ends(server), *FEW_DAYS, "--protocol", protocol, "--truth", str(truth)
    )
    assert result.exit_code == ExitStatus.DONE, result.output
    document = read_truth(truth)
    assert document["totals"]["requests"] > 100
    assert document["exports"]["accepted"] == document["exports"]["sent"] > 0
    assert f"{document['totals']['requests']:,} requests" in result.stdout
    assert find_lasting_differences(server, document) == []


@pytest.mark.slow
def test_what_is_lost_on_the_way_is_not_in_the_truth(server: RunningServer, tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    run_codometer("simulate", *ends(server), *FEW_DAYS, "--lose", "0.2", "--truth", str(truth))
    lossy = read_truth(truth)
    exact = {"requests", "prompts", "tool_calls", "lines_added", "commits"}
    only_exact = {"totals": {name: lossy["totals"][name] for name in exact}, "by": {}}
    assert find_lasting_differences(server, only_exact) == []
    run_codometer("simulate", *ends(server), *FEW_DAYS, "--truth", str(truth))
    whole = read_truth(truth)
    assert lossy["totals"]["requests"] < whole["totals"]["requests"]
    # Sent again in full, it is what it would have been at once.
    assert find_lasting_differences(server, whole) == []


def test_without_a_server_it_says_what_was_tried(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for protocol, address in (("grpc", f"127.0.0.1:{port}"), ("http/json", f"http://[::1]:{port}")):
        result = run_codometer(
            *("simulate", "--protocol", protocol, "--truth", str(tmp_path / "truth.json")),
            *("--endpoint", f"http://[::1]:{port}", "--grpc-endpoint", f"127.0.0.1:{port}"),
        )
        assert result.exit_code == ExitStatus.UNREACHABLE
        assert f"nobody takes OTLP over {protocol} at {address}" in result.stderr
        assert "codometer serve" in result.stderr
    assert not (tmp_path / "truth.json").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--since", "2026-11-20", "--until", "2026-11-20"], "is not before"),
        (["--since", "2200-01-01", "--until", "2200-02-01"], "lies ahead"),
        (["--speed", "fast"], "max, live or a number"),
        (["--speed", "0"], "max, live or a number"),
        (["--header", "authorization"], "NAME=VALUE"),
        (["--lose", "5"], "0<=x<=1"),
    ],
)
def test_wrong_options_are_explained(options: list[str], complaint: str) -> None:
    result = run_codometer("simulate", *options)
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert complaint in result.stderr


@pytest.mark.slow
def test_an_interrupted_fleet_still_writes_down_what_was_taken(
    server: RunningServer, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.json"
    slow = ["--speed", "2000", "--truth", str(truth)]
    with subprocess.Popen(
        [*CODOMETER, "simulate", *ends(server), *FEW_DAYS, *slow],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not ask(server, ["requests"], None)[0]["requests"]:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.DONE, stderr
    assert "exports sent" in stdout
    document = read_truth(truth)
    assert document["totals"]["requests"] > 0
    assert find_lasting_differences(server, document) == []
