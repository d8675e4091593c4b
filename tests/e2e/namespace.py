"""A network of its own: loopback and nothing else.

What runs in here can reach what else runs in here, and no other host. Every namespace is
fresh, so ports are fixed and two tests at once do not meet.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
# Root makes a network namespace as it is; others first become root of a user namespace.
_WAYS_IN: Final = (("--net",), ("--map-root-user", "--net"))
_STOP_SECONDS: Final = 15.0
_NSENTER: Final = shutil.which("nsenter") or "nsenter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a command inside a namespace ended."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """An open network namespace; `open_namespace` makes one."""

    holder_pid: int
    has_user: bool

    def run(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        folder: Path = _ROOT,
        timeout_seconds: float,
    ) -> Finished:
        """Run a command to its end.

        Raises:
            subprocess.TimeoutExpired: it took too long; it and its children are ended.
        """
        process = self._spawn(command, environment, folder, subprocess.PIPE, subprocess.PIPE)
        with process:
            try:
                output, errors = process.communicate(timeout=timeout_seconds)
            except subprocess.TimeoutExpired:
                _kill_group(process)
                raise
        return Finished(status=process.returncode, output=output, errors=errors)

    @contextmanager
    def serve(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        folder: Path = _ROOT,
        log: Path,
    ) -> Iterator[None]:
        """Run a server for the length of a `with` block; `log` takes what it prints."""
        with log.open("ab") as file:
            process = self._spawn(command, environment, folder, file.fileno(), subprocess.STDOUT)
        with process:
            try:
                yield
            finally:
                process.terminate()
                try:
                    process.wait(timeout=_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    _kill_group(process)

    def fetch(self, url: str, *, within_seconds: float = 0) -> str:
        """Return the body at a URL, asking again until it answers 200 or time is up.

        Raises:
            AssertionError: it never answered 200; the message has its last answer.
        """
        finished = self.run(
            [sys.executable, "-m", "tests.e2e.fetch", url, str(within_seconds)],
            environment={},
            timeout_seconds=within_seconds + 30,
        )
        assert finished.status == 0, finished.errors
        return finished.output

    def _spawn(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path,
        output: int,
        errors: int,
    ) -> subprocess.Popen[str]:
        user = ["--user", "--preserve-credentials"] if self.has_user else []
        return subprocess.Popen(
            [_NSENTER, "--target", str(self.holder_pid), "--net", *user, "--", *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


@contextmanager
def open_namespace() -> Iterator[Namespace]:
    """Make a namespace with loopback up. It ends with the block, or when this process dies."""
    way_in = find_way_in()
    assert way_in is not None, "this machine makes no network namespaces"
    # `cat` keeps the namespace until its input, our end of the pipe, is closed.
    script = "ip link set lo up && echo up && exec cat"
    with subprocess.Popen(
        ["unshare", *way_in, "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n", "loopback did not come up"
        yield Namespace(holder_pid=holder.pid, has_user="--map-root-user" in way_in)
        holder.communicate(timeout=_STOP_SECONDS)


@cache
def find_way_in() -> tuple[str, ...] | None:
    """Return the arguments with which `unshare` makes a namespace here, None if it cannot."""
    if not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return None
    for way_in in _WAYS_IN:
        trial = subprocess.run(
            ["unshare", *way_in, "--", "ip", "link", "set", "lo", "up"],
            check=False,
            capture_output=True,
            timeout=10,
        )
        if trial.returncode == 0:
            return way_in
    return None


def _kill_group(process: subprocess.Popen[str]) -> None:
    # Each command is started as the leader of its own group, which its children share.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
