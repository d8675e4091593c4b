"""IP addresses and the networks they are in, as settings and credentials name them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_CLIENT_BITS: Final = 64


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`, a name or an address."""
    address = find_address(host)
    return host == "localhost" if address is None else address.is_loopback


def find_address(text: str) -> Address | None:
    """Return an IP address, an IPv4 one also where it is written as IPv6; None for a name."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket that listens on both kinds tells IPv4 clients like this.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def find_neighbourhood(address: str) -> str:
    """Return by what to count what comes from an address: all that one client may well have.

    With IPv6 that is a network: its last 64 bits are the client's to choose (RFC 4291, 2.5.1).
    """
    found = find_address(address)
    if not isinstance(found, ipaddress.IPv6Address):
        return address if found is None else str(found)
    return str(ipaddress.ip_network((int(found), _CLIENT_BITS), strict=False))


def parse_network(text: str) -> Network:
    """Return a network such as 10.0.0.0/8, or one address as the network that is only it.

    Raises:
        ValueError: it is neither, or has bits beyond its mask.
    """
    return ipaddress.ip_network(text)


def is_network(text: str) -> bool:
    """Say whether `parse_network` takes it."""
    try:
        parse_network(text)
    except ValueError:
        return False
    return True


def is_within(network: Network, others: Iterable[Network]) -> bool:
    """Say whether all addresses of a network are in one of the others."""
    first, last = network[0], network[-1]
    return any(first in other and last in other for other in others)


def is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    """Say whether an address is in one of the networks. No address is in none."""
    return address is not None and any(address in network for network in networks)
