"""What the value of a setting may be: a check returns what was expected, "" for a good value."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from codometer.networks import find_address, is_network

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def between(low: int, high: int | None = None) -> Callable[[int], str]:
    """Return a check that a number is in bounds, both included."""
    bounds = f"of {low} or more" if high is None else f"from {low} to {high}"

    def check(value: int) -> str:
        good = value >= low and (high is None or value <= high)
        return "" if good else f"expected a whole number {bounds}"

    return check


def host(value: str) -> str:
    """Expect an address or a name of a machine."""
    good = find_address(value) or _HOST_NAME.fullmatch(value)
    return "" if good else "expected an address or a name, such as 127.0.0.1 or localhost"


def hosts(values: tuple[str, ...]) -> str:
    """Expect networks, addresses and names."""
    good = all(is_network(value) or _HOST_NAME.fullmatch(value) for value in values)
    return "" if good else "expected networks and names, such as 10.1.0.0/16 or git.example"


def networks(values: tuple[str, ...]) -> str:
    """Expect networks and addresses."""
    good = all(map(is_network, values))
    return "" if good else "expected networks, such as 10.1.0.0/16 or 10.1.2.3"


def ports(values: tuple[str, ...]) -> str:
    """Expect numbers of ports, as text."""
    good = all(re.fullmatch(r"[1-9]\d{0,4}", value) and int(value) < 2**16 for value in values)
    return "" if good else "expected ports, such as 443"


def proxy(value: str) -> str:
    """Expect the address of a proxy, or none."""
    good = not value or re.fullmatch(r"https?://[A-Za-z0-9.-]+:\d{1,5}/?", value)
    return "" if good else "expected an address such as http://proxy.example:3128"


def one_of(*words: str) -> Callable[[str], str]:
    """Return a check that a word is among these."""
    return lambda value: "" if value in words else f"expected {' or '.join(words)}"


def url(value: str) -> str:
    """Expect the address that a server has for others, or none."""
    good = not value or re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d{1,5})?", value)
    return "" if good else "expected an address such as https://codometer.example"


def issuer(value: str) -> str:
    """Expect the address of a provider of identities, or none."""
    good = not value or re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+(/[\w.~/%-]*)?", value)
    return "" if good else "expected an address such as https://login.example.com"


def pairs(values: tuple[str, ...]) -> str:
    """Expect words with an equals sign between them."""
    good = all(re.fullmatch(r".+=\s*\S.*", value) for value in values)
    return "" if good else "expected pairs such as admins=administrator"


def database(value: str) -> str:
    """Expect the address of a PostgreSQL database without its password, or none."""
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        return "expected an address such as postgresql://user@host/name"
    if parts.password or "password" in parse_qs(parts.query):
        # Everybody who may see the settings would see it.
        return "expected no password in it: put that into a file that PGPASSFILE names"
    return ""


def time_zone(value: str) -> str:
    """Expect a zone that this machine knows."""
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return "expected a name such as UTC or Europe/Berlin"
    return ""


def memory(value: str) -> str:
    """Expect an amount of memory with its unit."""
    good = re.fullmatch(r"[1-9]\d*(\.\d+)? ?[KMGT]i?B", value)
    return "" if good else "expected a size such as 512MB or 2GiB"


port: Final = between(0, 65535)
positive: Final = between(1)
