"""A PostgreSQL of the test's own: a fresh cluster that only a socket in a folder leads to."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg

_UNPRIVILEGED: Final = ("postgres", "nobody")
"""Whom root runs the server as, which refuses to be run by root."""


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A running cluster."""

    folder: Path
    user: str

    def create_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self._address(name)

    def _address(self, database: str) -> str:
        return f"postgresql://{self.user}@/{database}?host={self.folder}"


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextmanager
def running_postgresql() -> Iterator[Postgresql]:
    """Run a cluster for a `with` block."""
    programs = find_programs()
    assert programs is not None
    user = _find_user()
    # Short, for a socket's path may have no more than 107 characters.
    with tempfile.TemporaryDirectory(prefix="codometer-pg-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o700)
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = _as_user(user)
        data = folder / "data"
        _run(
            programs / "initdb", "--pgdata", data, "--no-sync", "--auth=trust", "-E", "UTF8",
            "--locale=C", f"--username={user.pw_name}", **as_user,
        )  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        control = programs / "pg_ctl"
        log = folder / "log"
        _run(control, "start", "-w", "-D", data, "-l", log, "-o", options, **as_user)
        try:
            yield Postgresql(folder, user.pw_name)
        finally:
            _run(control, "stop", "-w", "-D", data, "-m", "immediate", **as_user)


def _find_user() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    names = {entry.pw_name for entry in pwd.getpwall()}
    return pwd.getpwnam(next(name for name in _UNPRIVILEGED if name in names))


def _as_user(user: pwd.struct_passwd) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(*command: str | Path, **options: Any) -> None:  # noqa: ANN401 - of subprocess
    # pg_ctl's server keeps what it inherits: a pipe would never end.
    subprocess.run(
        command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options
    )
