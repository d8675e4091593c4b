"""Where this server may send to.

An address that somebody may set, of a webhook say, is a way to have the server
ask what only the server can reach: its own ports, its neighbours, and what the
cloud under it tells every machine that asks, keys included. The name in it
proves nothing, for whoever owns a name decides what it resolves to, and may
decide anew for every question. So the addresses themselves are looked at, all
that a name has, and the connection goes to one that was looked at.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from codometer.errors import BadRequest
from codometer.networks import Address, Network, find_address, is_in, is_network, parse_network

if TYPE_CHECKING:
    from codometer.settings import Outgoing

_PLAIN_PORT: Final = 80
_PORTS: Final = {"https": 443, "http": _PLAIN_PORT}


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(parse_network, texts))


# What clouds tell their machines, keys to the whole account among it. Nobody may allow these.
# AWS and most others, ECS and EKS; Google's is fd20:ce::254 too; Alibaba, Oracle, Azure.
# https://cheatsheetseries.owasp.org/, "Server Side Request Forgery Prevention" (2026-11)
_METADATA: Final = _networks(
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::/32",
    "fd20:ce::/32",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
)
_METADATA_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "rancher-metadata"}
)
"""Where a proxy resolves names, names are all there is to look at."""

# `is_global` lets through what it did not know of in some version of Python.
_NOT_GLOBAL: Final = _networks("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
_UNICAST: Final = parse_network("2000::/3")  # what IPv6 has given out so far
_NAT64: Final = _networks("64:ff9b::/96", "64:ff9b:1::/48")
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)


class OutgoingRefused(BadRequest):
    """An address that this server does not send to."""

    code = "outgoing_refused"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow, in a form to ask."""

    networks: tuple[Network, ...]
    names: frozenset[str]
    plain: tuple[Network, ...]
    plain_names: frozenset[str]
    ports: frozenset[int]

    @classmethod
    def of(cls, settings: Outgoing) -> Rules:
        """Return the rules that the settings state."""
        networks, names = _split(settings.allow)
        plain, plain_names = _split(settings.plain)
        return cls(networks, names, plain, plain_names, frozenset(map(int, settings.ports)))

    def check_url(self, address: httpx.URL | str) -> None:
        """Refuse what can be refused without resolving the name. Also for forms and settings.

        Raises:
            OutgoingRefused: it says what would be taken. No more than the host is quoted,
                for the rest may be a secret.
        """
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise _refused("it is no address", "write https://host/…") from error
        host = host_of(url)
        if url.scheme not in _PORTS:
            raise _refused(f"it begins with {url.scheme or 'nothing'}", "write https://…")
        if not host:
            raise _refused("it names no host", "write https://host/…")
        if url.userinfo:
            raise _refused(f"there is a user or password before {host}", "leave it out")
        if host in _METADATA_NAMES:
            raise _refused(f"{host} tells of the machine itself", "name another host")
        literal = find_address(host)
        if literal is None and _NUMBER.fullmatch(host.rpartition(".")[2]):
            raise _refused(
                f"{host} is an address in a spelling of its own", "write it as 192.0.2.7"
            )
        if url.scheme == "http" and not self._is_listed(
            host, literal, self.plain, self.plain_names
        ):
            raise _refused(
                f"{host} would be spoken to without TLS",
                "write https://…, or list the host in outgoing.plain",
            )
        port = url.port or _PORTS[url.scheme]
        if port not in self.ports and (url.scheme, port) != ("http", _PLAIN_PORT):
            raise _refused(f"port {port} of {host} is not allowed", "list it in outgoing.ports")
        if literal is not None:
            self.check_address(host, literal)

    def check_address(self, host: str, address: Address) -> None:
        """Refuse an address that a host has.

        Raises:
            OutgoingRefused: it is neither global nor allowed.
        """
        inner = _find_inner(address)
        if is_in(address, _METADATA) or is_in(inner, _METADATA):
            raise _refused(
                f"{host} leads to where a cloud keeps keys ({address})", "name another host"
            )
        if self.is_inside(host, address):
            return
        if inner is not None or not _is_global(address):
            raise _refused(
                f"{host} leads to {address}, which is not on the Internet",
                "if it is yours, list the host or its network in outgoing.allow",
            )

    def is_inside(self, host: str, address: Address | None) -> bool:
        """Say whether the administrator listed this host, or its network."""
        return self._is_listed(host, address, self.networks, self.names)

    def _is_listed(
        self,
        host: str,
        address: Address | None,
        networks: tuple[Network, ...],
        names: frozenset[str],
    ) -> bool:
        return host in names or is_in(address, networks)


def host_of(url: httpx.URL) -> str:
    """Return the host as names are resolved and certificates written: ASCII, no dot at the end."""
    return url.raw_host.decode("ascii").removesuffix(".")


def _refused(why: str, hint: str) -> OutgoingRefused:
    return OutgoingRefused(f"this server does not send there: {why}", hint=hint)


def _split(entries: tuple[str, ...]) -> tuple[tuple[Network, ...], frozenset[str]]:
    networks = tuple(parse_network(entry) for entry in entries if is_network(entry))
    return networks, frozenset(entry.lower() for entry in entries if not is_network(entry))


def _is_global(address: Address) -> bool:
    if address.version == 6 and address not in _UNICAST:  # noqa: PLR2004 - the protocol's version
        return False
    return address.is_global and not (address.is_multicast or is_in(address, _NOT_GLOBAL))


def _find_inner(address: Address) -> Address | None:
    """Return the IPv4 address that one of IPv6 is only a way to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if is_in(address, _NAT64):
        return ipaddress.IPv4Address(address.packed[-4:])
    # The client of Teredo; the other is the server that it went through.
    return address.sixtofour or (address.teredo or (None, None))[1]
