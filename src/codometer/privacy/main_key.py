"""Where the main key comes from: a variable, a command, or a file that nobody else may read.

Only the file in the data folder is ever made by us, and only while nothing is
locked yet: a key made over existing data would lose that data without a word.
"""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from codometer.errors import CodometerError
from codometer.privacy.encryption import KEY_BYTES, Key, main_key

if TYPE_CHECKING:
    from codometer.settings import Keys

FILE_NAME: Final = "main.key"
_NEXT: Final = ".next"
_COMMAND_SECONDS: Final = 30
_MAX_KEY_FILE_BYTES: Final = 1024
_OTHERS: Final = 0o077


class MainKeyUnusable(CodometerError):
    """The main key is missing, or is not the one that locked what is stored."""

    code = "main_key_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class MainKeySource:
    """Where an installation has its main key."""

    file: Path
    is_ours: bool
    """Whether it is a file of ours, which we may make and replace."""
    command: str = ""
    variable: str = ""
    previous: str = ""

    @property
    def name(self) -> str:
        """What to call it."""
        if self.variable:
            return "the variable CODOMETER_KEY"
        return "the command in keys.command" if self.command else str(self.file)

    def find(self) -> Key | None:
        """Return the key; None when there is no such file.

        Raises:
            MainKeyUnusable: it is no key, others can read it, or the command failed.
        """
        if self.variable:
            return _parse(self.variable, self.name)
        if self.command:
            return _parse(_run(self.command), self.name)
        return read_key_file(self.file)

    def find_others(self) -> list[Key]:
        """Return the keys that may have locked what is stored when that one did not.

        They are the one before it, which an operator gives while replacing it, and ours
        that was made when the last replacement was cut short.
        """
        found = [_parse(self.previous, "CODOMETER_KEY_PREVIOUS")] if self.previous else []
        if self.is_ours and (upcoming := read_key_file(self._upcoming)):
            found.append(upcoming)
        return found

    def make(self) -> Key:
        """Make the file, with a new key in it."""
        key = _make()
        self._upcoming.unlink(missing_ok=True)
        _write(self.file, key)
        return key

    def prepare(self) -> Key:
        """Put a new key beside the file: `settle` makes it the one, once it locks everything."""
        key = _make()
        self._upcoming.unlink(missing_ok=True)
        _write(self._upcoming, key)
        return key

    def settle(self, key: Key) -> None:
        """Make the key that was prepared the one in the file; others are left as they are."""
        if self.is_ours and read_key_file(self._upcoming) == key:
            self._upcoming.replace(self.file)

    @property
    def _upcoming(self) -> Path:
        return self.file.with_name(self.file.name + _NEXT)


def main_key_source(
    settings: Keys, folder: Path, *, variable: str = "", previous: str = ""
) -> MainKeySource:
    """Return where the main key of the server in a data folder is."""
    return MainKeySource(
        file=Path(settings.file) if settings.file else folder / FILE_NAME,
        is_ours=not (settings.file or settings.command or variable),
        command=settings.command,
        variable=variable,
        previous=previous,
    )


def read_key_file(path: Path) -> Key | None:
    """Return the key in a file, None when there is none.

    Raises:
        MainKeyUnusable: it is no key, or others can read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_KEY_FILE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise MainKeyUnusable(f"the main key in {path} cannot be read: {reason}") from error
    if mode & _OTHERS:
        raise MainKeyUnusable(
            f"others than its owner can read the main key in {path}",
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )
    return _parse(content.decode("ascii", "replace"), str(path))


def _parse(text: str, source: str) -> Key:
    text = text.strip()
    try:
        secret = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else _from_base64(text)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise MainKeyUnusable(
            f"what {source} gives is no key",
            hint="32 random bytes in base64 or hexadecimal: `openssl rand -base64 32`",
        )
    return main_key(secret)


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _run(command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            shlex.split(command),
            check=True,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        # Never what it printed: that may be half a key.
        raise MainKeyUnusable(
            "the command in keys.command did not print the main key", hint="run it by hand"
        ) from error
    return done.stdout.decode("ascii", "replace")


def _make() -> Key:
    return main_key(os.urandom(KEY_BYTES))


def _write(path: Path, key: Key) -> None:
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(base64.b64encode(key.secret) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
