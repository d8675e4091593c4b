"""Makes the font for the pages when the package is built, editable installs included.

Inter is 880 kB with every script and style it has. Pages need its Latin letters in the
weights that they use: about 40 kB, small enough to be there at the first paint. The result
is not committed; pages without it use the system's font.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET: Final = "src/codometer/serve/web/static/inter.woff2"

# The ranges that Google Fonts calls Latin, and the arrows and signs that our texts use.
# https://fonts.google.com/knowledge/glossary/subsetting (2026-11)
_LATIN: Final = (
    "0000-00FF,0131,0152-0153,02BB-02BC,02C6,02DA,02DC,0304,0308,0329,2000-206F,20AC,2122,"
    "2190-2193,2212,2215,2248,2264-2265,FEFF,FFFD"
)
_FEATURES: Final = ("ccmp", "kern", "locl", "mark", "tnum")
_WEIGHTS: Final = (400, 700)
_NAMES: Final = (0, 1, 2, 13, 14)  # with the copyright and the licence, which must stay with it
_SIZE: Final = 14  # pt: the optical size for text


class FontHook(BuildHookInterface[Any]):
    """Adds the font to what is built, and makes it first where it is not there."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's name and signature  # codespell:ignore initialize
        """Make the font once; a source distribution has it already."""
        target = Path(self.root) / TARGET
        if not target.exists():
            _make_font(target)
        build_data["artifacts"].append(f"/{TARGET}")  # codespell:ignore artifacts

    def clean(self, versions: list[str]) -> None:  # noqa: ARG002 - hatchling's signature
        """Let the next build make it anew."""
        (Path(self.root) / TARGET).unlink(missing_ok=True)


def _make_font(target: Path) -> None:
    from fontpkg_inter import ROOT  # noqa: PLC0415 - a requirement of building, not of cleaning
    from fontTools import subset  # noqa: PLC0415 - likewise
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - likewise
    from fontTools.varLib import instancer  # noqa: PLC0415 - likewise

    font = TTFont(ROOT / "files" / "Inter[opsz,wght].ttf")
    options = subset.Options(flavor="woff2", layout_features=list(_FEATURES), name_IDs=list(_NAMES))
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(_LATIN))
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"opsz": _SIZE, "wght": _WEIGHTS})
    partial = target.with_suffix(".partial")
    subset.save_font(font, partial, options)
    partial.replace(target)
