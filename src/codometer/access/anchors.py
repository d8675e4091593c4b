"""Marks outside the database of how far the audit log had come.

A chain alone cannot tell that its end was cut off, or that all of it was
written anew. So after every change a line goes to a file: which entry was the
last, its hash, and a code that only who has the key can make. The file can be
on another disk, and a log shipper can follow it to another machine.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from codometer.errors import StoreUnusable

ANCHORS_NAME: Final = "audit-anchors.jsonl"
KEY_NAME: Final = "audit.key"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One mark; `is_ours` when its code fits, so that nobody without the key made it.

    A line that cannot be read is entry 0, and not ours.
    """

    seq: int
    hash: str
    is_ours: bool


class Anchors:
    """The file of anchors, and the key in a file beside or elsewhere."""

    def __init__(self, path: Path, key_path: Path) -> None:
        """Take the key, or make one if there are no anchors yet.

        Raises:
            StoreUnusable: there are anchors and no key to them, or a file cannot be used.
        """
        self._path = path
        self.are_new = not path.exists() and not key_path.exists()
        """Whether this server never marked anything before."""
        try:
            self._key = _take_key(key_path, has_anchors=path.exists())
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise StoreUnusable(f"the key of the audit log in {key_path}: {reason}") from error

    def add(self, seq: int, entry_hash: str, time: str) -> None:
        """Mark that an entry was the last."""
        line = {"seq": seq, "hash": entry_hash, "time": time, "mac": self._mac(seq, entry_hash)}
        self._write(json.dumps(line).encode() + b"\n")

    def list_anchors(self) -> list[Anchor]:
        """Return all that are there, in the order in which they were made."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [self._parse(line) for line in lines]

    def _parse(self, line: str) -> Anchor:
        try:
            told = json.loads(line)
            seq, entry_hash, mac = int(told["seq"]), str(told["hash"]), str(told["mac"])
        except (ValueError, TypeError, KeyError):
            return Anchor(seq=0, hash="", is_ours=False)
        is_ours = hmac.compare_digest(mac.encode(), self._mac(seq, entry_hash).encode())
        return Anchor(seq=seq, hash=entry_hash, is_ours=is_ours)

    def _mac(self, seq: int, entry_hash: str) -> str:
        return hmac.digest(self._key, f"{seq}:{entry_hash}".encode(), "sha256").hex()

    def _write(self, line: bytes) -> None:
        file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)


def _take_key(path: Path, *, has_anchors: bool) -> bytes:
    if not path.exists():
        if has_anchors:
            raise StoreUnusable(
                f"the key of the audit log, {path}, is gone",
                hint="restore it from a backup; without it the log's anchors prove nothing",
            )
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(secrets.token_hex(_KEY_BYTES).encode())
    key = path.read_bytes().strip()
    if len(key) < _KEY_BYTES:
        raise StoreUnusable(
            f"the key of the audit log, {path}, is shorter than {_KEY_BYTES} bytes",
            hint="restore it from a backup",
        )
    return key
