"""Where pages lead: only ever to addresses of this site."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from codometer.serve.gate import CONFIRM

SIGN_IN: Final = "/sign-in"
_SEE_OTHER: Final = 303
_LONGEST: Final = 1_000


def go(address: str) -> Response:
    """Lead on to an address, by GET."""
    return RedirectResponse(address, _SEE_OTHER)


def sign_in_address(back: str) -> str:
    """Return where to sign in and come back from."""
    return f"{SIGN_IN}?next={quote(back, safe='')}"


def confirm_address(back: str) -> str:
    """Return where to show again who one is, and come back from."""
    return f"{CONFIRM}?next={quote(local_address(back), safe='')}"


def here(request: Request) -> str:
    """Return the address that was asked for."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def local_address(address: str | None) -> str:
    """Return an address of this site; any other, which a link might smuggle in, is the front page.

    So is one that is too long for a ticket, which carries it as JSON in a cookie. Browsers
    take a backslash for a slash and drop tabs and line breaks.
    """
    if not address or not address.startswith("/") or address.startswith("//"):
        return "/"
    parts = urlsplit(address)
    if (
        len(json.dumps(address)) > _LONGEST
        or parts.scheme
        or parts.netloc
        or not address.isprintable()
        or "\\" in address
    ):
        return "/"
    return address
