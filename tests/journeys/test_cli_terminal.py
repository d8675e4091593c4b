import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator

import pytest

from tests.journeys.office import serving
from tests.unit.serve.parts import Office

COLOURS = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Office()) as address:
        yield address


def run_in_terminal(*arguments: str, url: str, columns: int) -> list[str]:
    """Run a command in a terminal of that width and return its lines, colours included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environ = {key: text for key, text in os.environ.items() if key not in {"COLUMNS", "NO_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "codometer", *arguments],
        stdout=theirs,
        env=environ | {"CODOMETER_URL": url, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    output = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while piece := os.read(ours, 65536):
            output += piece
    os.close(ours)
    assert process.wait() == 0
    return output.decode().splitlines()


@pytest.mark.parametrize("columns", [80, 120])
def test_nothing_is_wider_than_the_terminal(url: str, columns: int) -> None:
    lines = run_in_terminal(
        "query", "tokens", "cost", "requests", "list_cost", "--by", "team", "--by", "model",
        "--since", "2026-10-25", "--compare", "previous", url=url, columns=columns,
    )  # fmt: skip
    plain = [COLOURS.sub("", line) for line in lines]
    assert max(len(line) for line in plain) <= columns
    assert sum(line.startswith("Team") for line in plain) == 2
    assert any("1,920,417" in line for line in plain)


def test_a_terminal_gets_bars_and_dimmed_unknowns(url: str) -> None:
    lines = run_in_terminal(
        "query", "cost", "--by", "day", "--since", "2026-11-01", url=url, columns=80
    )
    assert any("$4.10" in line and "━" * 24 in line for line in lines)
    assert any("\x1b[2m" in line and "–" in line for line in lines)
