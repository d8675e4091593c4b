"""Elements of SVG and HTML from parts that are escaped unless they are elements themselves."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup, escape


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """Return an element; text and attribute values are escaped.

    In the name of an attribute `_` stands for `-`, and one at the end for nothing.
    An attribute that is None is left out.
    """
    given = "".join(
        f' {_name(name)}="{value if type(value) is int else escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(map(escape, children))
    return Markup(f"<{tag}{given}>{inner}</{tag}>")  # noqa: S704 - each part is escaped above


@cache
def _name(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def join(*parts: str) -> Markup:
    """Put parts behind each other; text is escaped."""
    return Markup().join(parts)


def percent(share: float) -> str:
    """Write a share of the width or height as a length, to a hundredth of a percent."""
    text = f"{share * 100:.2f}".rstrip("0").rstrip(".")
    return f"{'0' if text == '-0' else text}%"
