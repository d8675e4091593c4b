"""Who does something, as far as the record needs it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ActorKind(StrEnum):
    """How somebody is known."""

    LOCAL = "local"
    CREDENTIAL = "credential"
    ACCOUNT = "account"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: an id, never a name or e-mail address, so that the record survives an erasure.

    `address` is cut by `truncate_address`; `request` is the same in all entries of one request.
    """

    kind: ActorKind
    id: str = ""
    address: str = ""
    request: str = ""


SYSTEM: Final = Actor(kind=ActorKind.SYSTEM)
"""The server itself, as in its nightly work."""

_KEPT_BITS: Final = {4: 24, 6: 48}


def truncate_address(address: str) -> str:
    """Return the network that an IP address is in, without the host; "" for what is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if parsed.version == 6 and parsed.ipv4_mapped:  # noqa: PLR2004 - the version of the protocol
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, _KEPT_BITS[parsed.version]), strict=False))
