"""Forms as a browser sends them: with the token of the page that holds them."""

import re
from typing import Final

_TOKEN: Final = re.compile(r'name="form_token" value="([0-9a-f]{96})"')


def find_token(page: str) -> str:
    """Return the token that the forms of a page bring back; "" where it has none."""
    found = _TOKEN.search(page)
    return found[1] if found else ""


def without_tokens(page: str) -> str:
    """Return a page without the tokens of its forms, which are others each time."""
    return _TOKEN.sub("", page)


def page_of(path: str, link: str = "") -> str:
    """Return the address of the page that holds the form for a path."""
    if path == "/join":
        return f"/join?link={link}"
    return "/sign-in" if path.startswith("/sign-in") else "/account"


def list_marked(page: str) -> list[str]:
    """Return the names of the fields that are marked, once a page says what is wrong with them."""
    assert 'id="problem" role="alert"' in page
    return re.findall(r'name="(\w+)"[^>]* aria-invalid="true" aria-describedby="problem"', page)
