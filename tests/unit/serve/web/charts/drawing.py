"""A chart, read back as a reader of its markup would."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from markupsafe import Markup


def parse(chart: Markup) -> ET.Element:
    """Parse a chart; it has one root, and every attribute is allowed by a strict policy."""
    root = ET.fromstring(chart)  # noqa: S314 - our own drawing
    for each in root.iter():
        assert "style" not in each.attrib
        assert not any(name.startswith("on") for name in each.attrib)
    return root


def with_class(root: ET.Element, name: str) -> list[ET.Element]:
    """Return the elements of a class."""
    return [each for each in root.iter() if name in each.get("class", "").split()]


def texts(root: ET.Element, name: str) -> list[str]:
    """Return the texts of the axis of that class."""
    (axis,) = with_class(root, name)
    return [each.text or "" for each in axis]


def table(root: ET.Element) -> list[list[str]]:
    """Return the data table, its head first."""
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def lengths(element: ET.Element, *names: str) -> list[float]:
    """Return attributes that are lengths in percent."""
    return [float(element.attrib[name].removesuffix("%")) for name in names]
