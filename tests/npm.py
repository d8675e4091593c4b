"""Programs of other people that come as npm packages, installed from a pinned lock file."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NoReturn

import pytest

_CACHE: Final = Path(__file__).parents[1] / ".cache"
_INSTALL_SECONDS: Final = 300.0


class InstallFailed(Exception):
    """The packages could not be installed; the message is npm's."""


def leave_out(what: str, fault: InstallFailed) -> NoReturn:
    """Skip a test that needs `what`; fail it where nothing may be left out."""
    if os.environ.get("CODOMETER_TEST_NEEDS_ALL") == "1":
        raise fault
    pytest.skip(f"{what} could not be installed: {fault}")


def install_packages(folder: Path) -> Path:
    """Install what the package files of a folder name, and return where.

    That happens once per lock file, under `.cache`. Scripts of packages never run.

    Raises:
        InstallFailed: npm could not bring them.
    """
    lock = (folder / "package-lock.json").read_bytes()
    cache = _CACHE / folder.name
    installed = cache / hashlib.sha256(lock).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n", encoding="utf-8")
    with (cache / "lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # parallel workers install once
        if not installed.exists():
            _install_into(installed, folder)
    return installed


def _install_into(installed: Path, folder: Path) -> None:
    building = Path(tempfile.mkdtemp(dir=installed.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, building)
    try:
        npm = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=building,
            check=False,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
        if npm.returncode != 0:
            raise InstallFailed(npm.stderr[-2_000:])
        building.rename(installed)
    finally:
        shutil.rmtree(building, ignore_errors=True)
