"""What every test shares: what it may need of the machine, and how long properties run."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.postgresql import find_programs
from tests.running import RunningServer, running
from tests.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that not every machine has, and what to do about it."""

    is_met: Callable[[], bool]
    hint: str


@cache
def _has_network_namespaces() -> bool:
    if not shutil.which("unshare"):
        return False
    # Root makes one as it is; others first become root of a user namespace.
    ways_in = (["unshare", "--net", "true"], ["unshare", "--map-root-user", "--net", "true"])
    return any(
        subprocess.run(way, check=False, capture_output=True).returncode == 0 for way in ways_in
    )


def _has_loopback_addresses() -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.2", 0))
        return True
    return False


# A test names what it needs: pytest.mark.needs("npm").
NEEDS: Final = {
    "chdb": Need(
        is_met=lambda: find_spec("chdb") is not None,
        hint="make clean, then make test, on a platform that chdb has a wheel for",
    ),
    "chromium": Need(
        is_met=lambda: shutil.which("chromium") is not None,
        hint="on Debian: apt-get install chromium",
    ),
    "ip": Need(
        is_met=lambda: shutil.which("ip") is not None,
        hint="on Debian: apt-get install iproute2",
    ),
    "loopback addresses": Need(
        is_met=_has_loopback_addresses,
        hint="Linux, where all of 127.0.0.0/8 is this machine",
    ),
    "network namespaces": Need(
        is_met=_has_network_namespaces,
        hint="Linux, as root or where users may make namespaces (see `unshare --net`)",
    ),
    "npm": Need(
        is_met=lambda: shutil.which("npm") is not None,
        hint="on Debian: apt-get install nodejs npm",
    ),
    "postgresql": Need(
        is_met=lambda: find_programs() is not None,
        hint="on Debian: apt-get install postgresql",
    ),
}

# Repeatable, so that a change fails for what it changed; `make prove` looks for what is new.
settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "prove",
    deadline=None,
    derandomize=False,
    max_examples=5_000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a test whose needs are not met; where all must be, fail it."""
    for mark in item.iter_markers("needs"):
        for what in mark.args:
            if not NEEDS[what].is_met():
                _leave_out(f"needs {what}: {NEEDS[what].hint}")


def _leave_out(reason: str) -> None:
    if os.environ.get("CODOMETER_TEST_NEEDS_ALL") == "1":
        pytest.fail(f"{reason} (CODOMETER_TEST_NEEDS_ALL is set)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Give a whole site without a network, on an empty folder."""
    opened = Site.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """Give a server in a process of its own, on an empty data folder; it must stop with 0."""
    with running(tmp_path) as started:
        yield started
