"""What Codometer is made of: `python -m tools.supply licences|bill`.

Both read the pins of `requirements.lock` and, of each, what the installed package
says of itself, so that nothing is asked of a network and the answer is the same
wherever the same packages are installed.
"""

from __future__ import annotations

import argparse
import re
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "requirements.lock"

ALLOWED: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",  # of files of its own, which we do not change
        "OFL-1.1",  # the font
        "PSF-2.0",
    }
)
"""Licences under which we may be passed on, whole and under Apache-2.0."""

_WORDS: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages said before there were expressions, as one."""

_PIN: Final = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(?:\[[a-z,]+\])?==(?P<version>[^\s;\\]+)"
    r"(?: ; (?P<marker>[^\\\n]+))?(?P<hashes>(?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)",
    re.MULTILINE,
)
_OURS: Final = uuid.UUID("6f3f8f7e-3d0f-5c0b-9a57-5f6d4f0f3c1d")
"""The space in which bills get their numbers, so that the same contents have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One line of the lock: a package that runs with Codometer, or that it is built with."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def is_of_this_machine(self) -> bool:
        """Whether the package is installed here."""
        return not self.marker or Marker(self.marker).evaluate()


def read_pins(text: str) -> list[Pin]:
    """Return the pins of a lock, in its order."""
    return [
        Pin(
            name=found["name"],
            version=found["version"],
            marker=(found["marker"] or "").strip(),
            hashes=tuple(sorted(re.findall(r"[0-9a-f]{64}", found["hashes"]))),
        )
        for found in _PIN.finditer(text)
    ]


def find_licence(package: metadata.PackageMetadata) -> str | None:
    """Return the licence that a package names, as an SPDX expression; None where it does not."""
    if expressions := package.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = package.get_all("Classifier") or []
    said = [each for each in classifiers if each.startswith("License ::")]
    text = "".join(package.get_all("License") or [])
    if text in ALLOWED:  # more exact than a classifier
        return text
    words = said or [text]
    known = sorted({_WORDS[word] for word in words if word in _WORDS})
    return " OR ".join(known) if len(known) == len(words) else None


def is_allowed(expression: str) -> bool:
    """Say whether one way through an SPDX expression is allowed; exceptions (WITH) never are."""
    ways = re.sub(r"[()]", " ", expression).split(" OR ")
    return any(all(part.strip() in ALLOWED for part in way.split(" AND ")) for way in ways)


def list_faults(pins: Sequence[Pin]) -> Iterator[str]:
    """Say of which packages the licence is unknown or not allowed, and which are not as pinned."""
    for pin in pins:
        if not pin.is_of_this_machine:
            continue
        try:
            package = metadata.metadata(pin.name)
        except metadata.PackageNotFoundError:
            yield f"{pin.name} is pinned and not installed"
            continue
        licence = find_licence(package)
        if package["Version"] != pin.version:
            yield f"{pin.name} is {package['Version']}, and pinned to {pin.version}"
        elif licence is None:
            yield f"{pin.name} does not say its licence in words that we know"
        elif not is_allowed(licence):
            yield f"{pin.name} has the licence {licence}, which is not among those allowed"


def make_bill(pins: Sequence[Pin]) -> str:
    """Return the bill of materials as CycloneDX 1.6, the same for the same lock and packages."""
    ours = Component(
        name="codometer",
        version=metadata.version("codometer"),
        type=ComponentType.APPLICATION,
        bom_ref="codometer",
        licenses=[LicenseExpression("Apache-2.0")],
    )
    components = {pin.name: _component(pin) for pin in pins}
    bom = Bom(components=components.values())
    bom.metadata.component = ours
    bom.metadata.timestamp = datetime(1980, 1, 1, tzinfo=UTC)  # of contents, not of a moment
    bom.register_dependency(ours, [components[name] for name in _needs("codometer", components)])
    for name, component in components.items():
        needed = [components[each] for each in _needs(name, components)]
        bom.register_dependency(component, needed)
    lines = [f"{pin.name}=={pin.version} {' '.join(pin.hashes)}" for pin in pins]
    bom.serial_number = uuid.uuid5(_OURS, "\n".join([ours.version or "", *lines]))
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(pin: Pin) -> Component:
    url = PackageURL("pypi", name=pin.name, version=pin.version)
    licence = find_licence(metadata.metadata(pin.name)) if pin.is_of_this_machine else None
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(url),
        purl=url,
        licenses=[LicenseExpression(licence)] if licence else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.hashes],
    )


def _needs(name: str, known: dict[str, Component]) -> list[str]:
    """Return what an installed package needs of what is pinned."""
    try:
        said = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    wanted = [Requirement(each) for each in said]
    here = {
        canonicalize_name(each.name)
        for each in wanted
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }
    return sorted(here & set(known))


def main() -> None:
    """Check the licences, or print the bill of materials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["licences", "bill"])
    what = parser.parse_args().what
    pins = read_pins(LOCK.read_text(encoding="utf-8"))
    if what == "bill":
        sys.stdout.write(make_bill(pins))
    elif faults := list(list_faults(pins)):
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
