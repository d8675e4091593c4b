"""Taking a port, with an error that a person can act on when it cannot be had."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

from codometer.errors import BadSettings, PortInUse

_BACKLOG: Final = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a TCP socket that listens on the address; port 0 takes any free one.

    Raises:
        PortInUse: somebody listens there already.
        BadSettings: the address is not ours, or the port not allowed.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise BadSettings(f"there is no address {host!r} to listen on") from error
    # Named, or asyncio would not switch off the delay of small packets: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it means sharing the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise port_in_use(host, port) from error
        reason = (error.strerror or "unknown error").lower()
        raise BadSettings(f"cannot listen on {host} port {port}: {reason}") from error
    return listener


def port_in_use(host: str, port: int) -> PortInUse:
    """Return the error to raise when somebody else listens on the port."""
    return PortInUse(
        f"port {port} on {host} is already in use",
        hint="stop the program that listens there (perhaps another Codometer or an "
        "OpenTelemetry Collector), or choose another port in the settings",
    )
