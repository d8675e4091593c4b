"""Live checks of what a server needs before the first signal can arrive."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Final

from codometer.settings import Listen

_PATIENCE_SECONDS: Final = 1.0


def find_deaf_ports(listen: Listen) -> list[int]:
    """Return the ports for telemetry on which nobody takes a connection."""
    return [
        port for port in (listen.otlp_port, listen.grpc_port) if port and not _hears(listen, port)
    ]


def is_writable(folder: Path) -> bool:
    """Say whether this process may write into the folder."""
    return os.access(folder, os.W_OK)


def free_bytes(folder: Path) -> int:
    """Return how much room is left on the folder's disk."""
    return shutil.disk_usage(folder).free


def _hears(listen: Listen, port: int) -> bool:
    try:
        with socket.create_connection((listen.host, port), _PATIENCE_SECONDS):
            return True
    except OSError:
        return False
