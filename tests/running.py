"""A server as people run it: a process of its own, on a data folder and ports of this machine."""

import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

HOST: Final = "127.0.0.1"
CODOMETER: Final = (sys.executable, "-m", "codometer")

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 40.0
_POLL_SECONDS: Final = 0.005

# Systems give the ports above to whoever connects out. A server that is killed must find its
# own still free, and a client that tries a port in that range over and over can meet itself.
_PORTS: Final = range(20_000, 32_000)
_ATTEMPTS: Final = 5
_IN_USE: Final = "is already in use"


class DidNotStart(AssertionError):
    """The process ended, or took too long, before it was ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a server listens."""

    api: int
    otlp: int
    grpc: int

    @classmethod
    def find_free(cls) -> Self:
        """Find three ports that nobody listens on now."""
        found: list[int] = []
        while len(found) < 3:
            port = random.SystemRandom().choice(_PORTS)
            if port not in found and _is_free(port):
                found.append(port)
        api, otlp, grpc = found
        return cls(api=api, otlp=otlp, grpc=grpc)


class RunningServer:
    """`codometer serve` in a process of its own, which can be stopped, killed and started again.

    `folder` gets the data folder and the log, to which all that the process prints is added.
    With `trust` it is asked over TLS, for which `environment` has its certificate.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        trust: ssl.SSLContext | None = None,
        command: Sequence[str | Path] = CODOMETER,
    ) -> None:
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.ports = Ports.find_free()
        self._folder = folder
        self._environment = environment or {}
        self._trust = trust
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._spawned = 0.0
        self._clients_know_ports = False

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def _scheme(self) -> str:
        return "https" if self._trust else "http"

    @property
    def url(self) -> str:
        """Where pages and API are."""
        return f"{self._scheme}://{HOST}:{self.ports.api}"

    @property
    def otlp_url(self) -> str:
        return f"{self._scheme}://{HOST}:{self.ports.otlp}"

    @property
    def grpc_target(self) -> str:
        return f"{HOST}:{self.ports.grpc}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, within_seconds: float = START_SECONDS) -> float:
        """Start the process; return after how many seconds it was ready."""
        for _ in range(_ATTEMPTS):
            self.spawn()
            try:
                seconds = self.wait_until_ready(within_seconds=within_seconds)
            except DidNotStart:
                if self._clients_know_ports or _IN_USE not in self.read_log():
                    raise
                self.ports = Ports.find_free()
            else:
                self._clients_know_ports = True
                return seconds
        raise DidNotStart(f"no free ports in {_ATTEMPTS} attempts")

    def spawn(self) -> None:
        """Start the process and do not wait for it."""
        assert not self.is_running
        options = ["serve", f"--data={self.data}", f"--port={self.ports.api}"]
        options += [f"--otlp-port={self.ports.otlp}", f"--grpc-port={self.ports.grpc}"]
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("CODOMETER_")
        }
        self._spawned = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *options],
                cwd=self._folder,
                env={**inherited, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self, *, within_seconds: float = START_SECONDS) -> float:
        """Wait until /readyz says so; return after how many seconds since the start."""
        deadline = self._spawned + within_seconds
        while not self.is_ready():
            if not self.is_running:
                raise DidNotStart(f"ended with {self._running.returncode}:\n{self.read_log()}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"not ready in {within_seconds} s:\n{self.read_log()}")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - self._spawned

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == HTTPStatus.OK
        except OSError:
            return False

    def send_signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def wait(self, *, within_seconds: float = STOP_SECONDS) -> int:
        """Wait until the process has ended, and return its exit status."""
        return self._running.wait(within_seconds)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Stop the process as an administrator does; return how many seconds that took."""
        began = time.monotonic()
        self.send_signal(number)
        status = self.wait()
        assert status == 0, f"ended with {status}:\n{self.read_log()}"
        return time.monotonic() - began

    def kill(self) -> None:
        """Let the process be gone between two of its instructions."""
        self._running.kill()
        self._running.wait()

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the port of the API."""
        connection = (
            http.client.HTTPSConnection(HOST, self.ports.api, timeout=10, context=self._trust)
            if self._trust
            else http.client.HTTPConnection(HOST, self.ports.api, timeout=10)
        )
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def get_json(self, path: str) -> Any:  # noqa: ANN401 - a document of any shape
        status, body = self.get(path)
        assert status == HTTPStatus.OK, body
        return json.loads(body, parse_float=Decimal)

    def query(self, *measures: str, by: str = "") -> list[dict[str, Any]]:
        """Return the rows of a query over the last 30 days up to now."""
        question = {"measures": ",".join(measures), **({"by": by} if by else {})}
        rows: list[dict[str, Any]] = self.get_json(f"/api/v1/query?{urlencode(question)}")["rows"]
        return rows

    def read_log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process


@contextmanager
def running(
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str | Path] = CODOMETER,
) -> Iterator[RunningServer]:
    """Run a server for a `with` block; if it still runs then, it must stop with status 0."""
    server = RunningServer(folder, environment=environment, command=command)
    try:
        server.start()
        yield server
        if server.is_running:
            server.stop()
    except BaseException as fault:
        fault.add_note(f"the server's log ends with:\n{server.read_log()[-4_000:]}")
        raise
    finally:
        if server.is_running:
            server.kill()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        with suppress(OSError):
            probe.bind((HOST, port))
            return True
    return False
