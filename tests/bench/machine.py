"""What a measurement ran on, and what its processes took of it, read from Linux's /proc."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Self

ROOT: Final = Path(__file__).parents[2]
PROC: Final = Path("/proc")
CORES: Final = os.cpu_count() or 1
BUSY_LOAD: Final = 0.25
"""More load than this for each core at the start, and absolute figures say little."""

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PACKAGES: Final = (
    "duckdb",
    "arro3-core",
    "protobuf",
    "uvicorn",
    "uvloop",
    "httptools",
    "grpcio",
    "starlette",
)
_IDLE: Final = slice(3, 5)
"""Idle and waiting for the disk, among the numbers of a line of /proc/stat."""
_GUEST: Final = slice(8, None)
"""Time of guests, which is counted as user time already."""


def describe_machine() -> dict[str, Any]:
    """Return what is worth knowing of this machine, without its name."""
    memory = _fields("meminfo")["MemTotal"].split()[0]
    cpu = _fields("cpuinfo")
    return {
        "cpu": cpu.get("model name", platform.machine()),
        "cores": CORES,
        "memory_gib": round(int(memory) / 2**20, 1),
        "kernel": platform.release(),
        "system": platform.system(),
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of what the figures depend on."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **versions}


def describe_commit() -> dict[str, Any]:
    """Return the commit that was measured, and whether files differed from it."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "src")
    return {"commit": _git("rev-parse", "--short=12", "HEAD"), "changed": bool(changed)}


def read_load() -> float:
    """Return how many processes wanted to run, on average of the last minute."""
    return os.getloadavg()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used up to a moment: seconds of the wall clock, of all cores, and of processes."""

    wall: float
    all_cores: float
    of_processes: tuple[float, ...]

    @classmethod
    def read(cls, pids: Sequence[int]) -> Self:
        """Read what these processes, all their threads, and everybody used until now."""
        return cls(
            wall=time.monotonic(),
            all_cores=_read_busy_seconds(),
            of_processes=tuple(read_cpu_seconds(pid) for pid in pids),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one process used between two moments, and what others left of the machine."""

    wall_seconds: float
    cpu_seconds: float
    others: float
    """The share of all cores that neither it nor the clients used, from 0 to 1."""

    @property
    def share(self) -> float:
        """The share of all cores that the process had."""
        return self.cpu_seconds / self.wall_seconds / CORES

    @classmethod
    def between(cls, before: Usage, after: Usage) -> Self:
        """Compare two moments; the first process is the one that is measured."""
        used = [b - a for a, b in zip(before.of_processes, after.of_processes, strict=True)]
        wall = after.wall - before.wall
        others = after.all_cores - before.all_cores - sum(used)
        return cls(
            wall_seconds=wall,
            cpu_seconds=used[0],
            others=max(0.0, others / wall / CORES),
        )


def read_cpu_seconds(pid: int) -> float:
    """Return the seconds of all cores that a process used so far, its threads included."""
    # The name, in brackets, may hold anything; what follows it may not.
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def read_memory_mib(pid: int) -> tuple[float, float]:
    """Return how much memory a process has resident now, and had at most."""
    fields = _fields(f"{pid}/status")
    now, peak = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def _read_busy_seconds() -> float:
    first = (PROC / "stat").read_text().partition("\n")[0]
    ticks = [int(number) for number in first.split()[1:]]
    return (sum(ticks) - sum(ticks[_IDLE]) - sum(ticks[_GUEST])) / _TICKS_PER_SECOND


def _fields(name: str) -> dict[str, str]:
    lines = (PROC / name).read_text().splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip()
