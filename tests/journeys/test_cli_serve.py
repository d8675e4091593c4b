import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer

PATIENCE_SECONDS = 20.0


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]


def start(folder: Path, ports: list[int]) -> subprocess.Popen[str]:
    empty = folder / "empty.toml"
    empty.touch()
    flags = zip(("--port", "--otlp-port", "--grpc-port"), map(str, ports), strict=True)
    return subprocess.Popen(
        [sys.executable, "-m", "codometer", "serve", "--data", str(folder / "data")]
        + [part for flag in flags for part in flag],
        env=os.environ | {"CODOMETER_CONFIG": str(empty)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_ready(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    process.kill()
    raise TimeoutError(process.communicate())


@pytest.mark.slow
def test_a_server_starts_answers_and_stops_when_asked(tmp_path: Path) -> None:
    ports = free_ports(3)
    url = f"http://127.0.0.1:{ports[0]}"
    process = start(tmp_path, ports)
    try:
        wait_until_ready(url, process)
        status = run_codometer("status", url=url)
        open_to_others = {
            str(path): oct(path.stat().st_mode)
            for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]
            if path.stat().st_mode & 0o077
        }
        other = start(tmp_path, free_ports(3))
        _, complaint = other.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert not errors
    assert not open_to_others
    assert "Nothing has arrived yet." in status.stdout
    assert f"export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{ports[1]}\n" in output
    assert f"--url {url}\n" in output
    assert process.returncode == ExitStatus.DONE
    assert other.returncode == ExitStatus.NO
    assert complaint.startswith("Error: ")
    assert "Traceback" not in complaint


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, [port, *free_ports(2)])
        _, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitStatus.NO
    assert complaint.startswith("Error: ")
    assert str(port) in complaint
    assert "Traceback" not in complaint


def test_ports_that_were_found_are_told(tmp_path: Path) -> None:
    process = start(tmp_path, [0, 0, 0])
    try:
        assert process.stdout is not None
        told = next(line for line in process.stdout if "Pages" in line)
        wait_until_ready(told.split()[-1], process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)
