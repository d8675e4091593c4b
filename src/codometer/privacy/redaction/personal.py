"""What names a person or their machine inside of a text, as data and a few finders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from codometer.privacy.redaction import checks

_LOCAL: Final = re.compile(r"[\w.%+'-]{1,512}\Z")
"""What may stand before the sign of an e-mail address, up to that."""
_DOMAIN: Final = re.compile(
    r"(?:@|%40|&#64;|&#x40;)[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[^\W\d_]{2,63}"
)
_NOBODY: Final = frozenset({"git", "noreply"})
_LONGEST_LOCAL: Final = 512

# What these two may take ends where they say; they look ahead, so that nothing they see is skipped.
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}[0-9]{2}[A-Za-z0-9 -]{11,45}))")
_CARD: Final = re.compile(r"(?<![0-9])(?=([2-6][0-9 -]{12,30}))")
_PHONE: Final = re.compile(
    r"(?<![\w.])(?:\+|00)[1-9][0-9]{0,2}(?:[ ./()-]{0,2}[0-9]{1,6}){2,7}(?![0-9])"
    r"|(?<![\w.-])\(?0[0-9]{2,5}\)?[ /-][0-9]{3,5}(?:[ -]?[0-9]{2,5}){0,2}(?![\w-])"
    r"|(?<![\w.-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[0-9]{3}[-. ][0-9]{4}(?![\w-])"
)
_IPV4: Final = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{0,4}){2,8}(?:\.[0-9]{1,3}){0,3}(?![\w:])"
)
_SEPARATOR: Final = r"(?:\\{0,4}/|%2F|\\{1,4})"
_NAME: Final = r"[^/\s\"'`\\:;,<>|)\]}]{1,128}"
_SURNAME: Final = r"(?:\\{0,2} \w[\w.'-]{0,63}){1,3}(?=[/\\\"'`]|%2F|\Z)"
_HOME: Final = re.compile(
    rf"{_SEPARATOR}(?:export/)?home{_SEPARATOR}({_NAME})"
    rf"|(?:{_SEPARATOR}(?:Users|Benutzer)|(?i:[a-z]:{_SEPARATOR}|\\{{1,4}})(?i:users|benutzer|home))"
    rf"{_SEPARATOR}({_NAME}(?:{_SURNAME})?)"
    # A path as the name of a folder, as Claude Code writes it: where the name ends is not told.
    r"|(?<![\w-])(?:[A-Za-z]-)?-(?i:home|users|benutzer)-([\w.-]{1,256})"
)
_MAC: Final = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])")


class Span(NamedTuple):
    """A part of a text that goes."""

    start: int
    end: int
    kind: str


def find_personal(text: str) -> Iterator[Span]:
    """Yield what names a person or machine; parts of it may overlap."""
    if "@" in text or "%40" in text or "&#" in text:
        yield from _emails(text)
    lowered = text.lower()
    if "home" in lowered or "users" in lowered or "benutzer" in lowered:
        for match in _HOME.finditer(text):
            yield Span(*match.span(match.lastindex or 0), "user")
    if _DIGITS.search(text):
        yield from _numbers(text)
    if "::" in text or text.count(":") > 1:
        yield from _checked(_IPV6, text, "ip")
        yield from (Span(*match.span(), "mac") for match in _MAC.finditer(text))


_MEASURED: Final = (
    (_IBAN, checks.iban_length, "iban"),
    (_CARD, checks.card_length, "card"),
)
_DIGITS: Final = re.compile(r"[0-9]{2}")


def _emails(text: str) -> Iterator[Span]:
    for match in _DOMAIN.finditer(text):
        at = match.start()
        before = _LOCAL.search(text[max(0, at - _LONGEST_LOCAL) : at])
        if before and before.group().lower() not in _NOBODY:
            yield Span(at - len(before.group()), match.end(), "email")


def _numbers(text: str) -> Iterator[Span]:
    for shape, length_of, kind in _MEASURED:
        for match in shape.finditer(text):
            if length := length_of(match[1]):
                yield Span(match.start(), match.start() + length, kind)
    for match in _PHONE.finditer(text):
        if checks.is_phone(match.group()):
            yield Span(*match.span(), "phone")
    yield from _checked(_IPV4, text, "ip")


def _checked(shape: re.Pattern[str], text: str, kind: str) -> Iterator[Span]:
    for match in shape.finditer(text):
        if checks.is_address(match.group()):
            yield Span(*match.span(), kind)
