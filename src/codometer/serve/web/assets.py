"""The files that pages need, under names that change with their content.

So a browser may keep each for a year and asks for nothing twice. They are read
once and held compressed; the font is made when the package is built, and pages
fall back to the system's font without it.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from codometer.errors import CodometerError

STATIC: Final = Path(__file__).parent / "static"
FONT: Final = "inter.woff2"
PREFIX: Final = "/assets/"

_STYLE: Final = "app.css"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PACKED: Final = frozenset({".woff2"})  # compressed by nature
_FONT_FACE: Final = (
    '@font-face {{ font-family: "Inter Variable"; src: url({url}) format("woff2");'
    " font-weight: 100 900; font-display: swap; }}\n"
)


class NoSuchAsset(CodometerError):
    """A page of another version asks, or somebody guesses."""

    code = "not_found"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is sent. `packed` is the same compressed, where that helps."""

    url: str
    media_type: str
    content: bytes
    packed: bytes | None


class Assets:
    """All assets of a folder, by their names in it."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._by_name = assets
        self._by_url = {asset.url: asset for asset in assets.values()}

    @classmethod
    def read(cls, folder: Path = STATIC) -> Assets:
        """Read a folder."""
        found = {
            path.name: _asset(path.name, path.read_bytes())
            for path in folder.iterdir()
            if path.suffix in _TYPES
        }
        if FONT in found:
            face = _FONT_FACE.format(url=found[FONT].url).encode()
            found[_STYLE] = _asset(_STYLE, face + found[_STYLE].content)
        return cls(found)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def url(self, name: str) -> str:
        """Return where a page finds the asset of that name."""
        return self._by_name[name].url

    async def answer(self, request: Request) -> Response:
        """Answer a request for one of the addresses that `url` gave.

        Raises:
            NoSuchAsset: it is none of them.
        """
        asset = self._by_url.get(request.url.path)
        if asset is None:
            raise NoSuchAsset(f"there is nothing at {request.url.path}", hint="load the page again")
        headers = {"cache-control": _FOR_EVER, "vary": "accept-encoding"}
        content = asset.content
        if asset.packed is not None and accepts_gzip(request):
            content = asset.packed
            headers["content-encoding"] = "gzip"
        return Response(content, headers=headers, media_type=asset.media_type)


def accepts_gzip(request: Request) -> bool:
    """Say whether the client reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def _asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(
        url=f"{PREFIX}{name.removesuffix(suffix)}.{digest}{suffix}",
        media_type=_TYPES[suffix],
        content=content,
        packed=None if suffix in _PACKED else gzip.compress(content, mtime=0),
    )
