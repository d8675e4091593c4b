"""JSON that was cut off, closed again, so that it can be read like any other.

Clients cut long texts, and so do we. What is left has keys that say which value
is a secret, and escapes that hide one, as the whole has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r'"(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+(?P<end>"?)|[{}\[\]]', re.DOTALL
)
_CLOSING: Final = {"{": "}", "[": "]"}
_HALF_ESCAPE: Final = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?")
_HALF_VALUE: Final = re.compile(
    r"(?<=[\s:,\[])(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-?[0-9.]{0,40}(?:[eE][+-]?)?)\Z"
)
_LONGEST_HALF: Final = 64


class Closed(NamedTuple):
    """What is left of a document, without a half value at its end, and what would close it."""

    left: str
    closing: str


def list_closed(text: str) -> Iterator[Closed]:
    """Yield the ways to close a document that may have been cut off, the likeliest first.

    Whether one of them makes it a document is for whoever parses it to see.
    """
    open_: list[str] = []
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign in _CLOSING:
            open_.append(_CLOSING[sign])
        elif not sign.startswith('"'):
            if not open_ or open_.pop() != sign:
                return
        elif not token["end"]:
            if _HALF_ESCAPE.fullmatch(text, token.end()):
                brackets = "".join(reversed(open_))
                yield Closed(text[: token.end()], f'"{brackets}')
                yield Closed(text[: token.end()], f'":null{brackets}')
            return
    brackets = "".join(reversed(open_))
    body = text.rstrip()
    # At the end alone: searched through a long text, a pattern that may be empty takes for ever.
    whole = body[:-_LONGEST_HALF] + _HALF_VALUE.sub("", body[-_LONGEST_HALF:])
    for left in dict.fromkeys((text, whole)):
        yield from (Closed(left, f"{value}{brackets}") for value in ("", "null", ":null"))
        yield Closed(left.rstrip().removesuffix(","), brackets)
