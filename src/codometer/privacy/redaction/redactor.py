"""Cuts out of a text what must not be stored, whoever agreed to the rest.

    text ─▶ unmask ─▶ JSON? each text in it ─▶ slices ─▶ spans of secrets and names ─▶ marks

A mark says what was there and, by a keyed hash, where the same was there again:
`[REDACTED:email:1f0a77c2]`. A text is cut in slices which overlap, so that the
time grows with its length and no pattern ever sees more than 64 KiB. Whoever
calls drops the text when this raises: what could not be redacted is not kept.
"""

from __future__ import annotations

import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from codometer.privacy.redaction import checks
from codometer.privacy.redaction.cut import Closed, list_closed
from codometer.privacy.redaction.patterns import RANDOM, SECRET_NAME, SECRETS
from codometer.privacy.redaction.personal import Span, find_personal

SLICE: Final = 64 * 2**10
_OVERLAP: Final = 16 * 2**10
"""Longer than any pattern can match; whatever begins before it is in the slice as a whole."""
_MAX_DEPTH: Final = 32
_MARK: Final = re.compile(r"\[REDACTED:[a-z0-9-]{1,24}:[0-9a-f]{8}\]")
_MARK_DIGITS: Final = 8
_JSON_BEGINS: Final = ("{", "[", '"')

_ESCAPED: Final = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_INVISIBLE: Final = dict.fromkeys(
    (0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
)
_WIDE: Final = {0xFF01 + place: 0x21 + place for place in range(94)}
_UNMASKED: Final[dict[int, int | None]] = {**_INVISIBLE, **_WIDE}

_KEY_BEGINS: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d"
)
_KEY_ENDS: Final = re.compile(
    r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|Private-MAC: ?[0-9a-f]{1,64}"
)
_PRIVATE_KEY: Final = "private-key"
_TOKEN_END: Final = re.compile(r"[A-Za-z0-9_+/=-]*")
_PERSONAL: Final = frozenset({"email", "user", "iban", "card", "phone", "ip", "mac"})


_NEAR: Final = [(word, pattern) for pattern in SECRETS for word in pattern.near]
"""One list to go through, since most texts are short and have none of these words."""


class TooDeep(ValueError):
    """A document is nested deeper than anything that a client writes."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Redacts with the marks of one installation, whose secret tells equal values."""

    secret: bytes = field(repr=False)

    def redact(self, text: str, *, longest: int | None = None) -> str:
        """Return the text without what must not be stored, cut to about `longest` characters.

        Raises:
            Exception: something went wrong; nothing of the text may be kept then.
        """
        return self._document(_unmask(text), 0, longest)

    def _document(
        self, text: str, depth: int, longest: int | None = None, *, is_secret: bool = False
    ) -> str:
        """Redact a text that may be a JSON document, in which escapes would hide what is there."""
        if depth > _MAX_DEPTH:
            raise TooDeep
        if text.lstrip().startswith(_JSON_BEGINS):
            head = text if longest is None else text[: longest + SLICE]
            redacted = self._json(head, depth, is_secret=is_secret)
            if redacted is not None:
                # At the end of a head may be half of a secret.
                sure = len(redacted) if head == text else max(0, len(redacted) - _OVERLAP)
                return redacted[: sure if longest is None else min(sure, longest)]
        return self._plain(text, longest)

    def _json(self, text: str, depth: int, *, is_secret: bool) -> str | None:
        """Redact a JSON document, also one that was cut off; None if the text is none."""
        for left, closing in (Closed(text, ""), *list_closed(text)):
            try:
                document = json.loads(left + closing, object_pairs_hook=_keep_all)
            except (ValueError, RecursionError):
                continue
            if not isinstance(document, dict | list | str):
                return None
            redacted = self._value(document, depth, is_secret=is_secret)
            if redacted == document:
                return left
            return json.dumps(redacted, ensure_ascii=False, separators=(",", ":"))
        return None

    def _value(self, value: Any, depth: int, *, is_secret: bool = False) -> Any:  # noqa: ANN401 - what a JSON document has
        """Redact a value: of what is in a field that is named like a secret, all of its text."""
        if depth > _MAX_DEPTH:
            raise TooDeep
        if isinstance(value, dict):
            return {
                self._plain(_unmask(name)): self._value(
                    item, depth + 1, is_secret=is_secret or _is_secret(name)
                )
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(item, depth + 1, is_secret=is_secret) for item in value]
        if is_secret and isinstance(value, str | int) and checks.is_token_value(str(value)):
            return value if _MARK.fullmatch(str(value)) else self._mark("password", str(value))
        if isinstance(value, str):
            return self._document(_unmask(value), depth + 1, is_secret=is_secret)
        if isinstance(value, bool) or value is None:
            return value
        redacted = self._plain(str(value))
        return value if redacted == str(value) else redacted

    def _plain(self, text: str, longest: int | None = None) -> str:
        if longest is not None:
            text = text[: longest + SLICE]
        spans = _merge(_find(text), text)
        pieces: list[str] = []
        done = 0
        for span in spans:
            if longest is not None and span.start >= longest:
                break
            pieces += text[done : span.start], self._mark(span.kind, text[span.start : span.end])
            done = span.end
        pieces.append(text[done:longest] if longest is None or done < longest else "")
        return "".join(pieces)

    def _mark(self, kind: str, value: str) -> str:
        told = f"redacted\0{kind}\0{value.lower() if kind in _PERSONAL else value}"
        digest = hmac.digest(self.secret, told.encode("utf-8", "surrogatepass"), sha256)
        return f"[REDACTED:{kind}:{digest.hex()[:_MARK_DIGITS]}]"


_LONGEST_NAME: Final = 200


def _is_secret(name: str) -> bool:
    return SECRET_NAME.search(name[:_LONGEST_NAME]) is not None


def _keep_all(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, with all that it has for a name that comes more than once."""
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _unmask(text: str) -> str:
    """Undo what hides a text from a pattern and not from a reader: escapes, invisible signs."""
    if "\\u00" in text:
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return text if text.isascii() else text.translate(_UNMASKED)


def _find(text: str) -> Iterator[Span]:
    yield from _private_keys(text)
    for start in range(0, max(1, len(text) - _OVERLAP), SLICE - _OVERLAP):
        for span in _find_in_slice(text[start : start + SLICE]):
            yield Span(start + span.start, start + span.end, span.kind)


def _find_in_slice(text: str) -> Iterator[Span]:
    lowered = text.lower()
    # In the order of the catalogue: of equal spans the first kind has the say.
    for pattern in dict.fromkeys([pattern for word, pattern in _NEAR if word in lowered]):
        yield from _matches(pattern.kind, pattern.shape, text, pattern.is_real)
    yield from find_personal(text)
    yield from _matches("random", RANDOM, text, checks.is_random)


def _matches(
    kind: str, shape: re.Pattern[str], text: str, is_real: Callable[[str], bool] | None
) -> Iterator[Span]:
    for match in shape.finditer(text):
        group = match.lastindex or 0
        if is_real is None or is_real(match[group]):
            yield Span(*match.span(group), kind)


def _private_keys(text: str) -> Iterator[Span]:
    """Find keys over many lines. One that has no end goes to the end of the text."""
    begins = _KEY_BEGINS.search(text)
    while begins:
        ends = _KEY_ENDS.search(text, begins.end())
        end = ends.end() if ends else len(text)
        yield Span(begins.start(), end, _PRIVATE_KEY)
        begins = _KEY_BEGINS.search(text, end)


def _merge(found: Iterable[Span], text: str) -> Iterator[Span]:
    """Yield spans in order, none of which touch; what they cut of a secret goes with them."""
    marks = [match.span() for match in _MARK.finditer(text)] if "[REDACTED:" in text else []
    kept = [
        span
        for span in found
        if not any(start <= span.start and span.end <= end for start, end in marks)
    ]
    current: Span | None = None
    for span in sorted(kept, key=lambda each: (each.start, -each.end)):
        if current is None:
            current = _whole(span, text)
        elif span.start < current.end:
            if span.end > current.end:
                current = _whole(current._replace(end=span.end), text)
        else:
            yield current
            current = _whole(span, text)
    if current is not None:
        yield current


def _whole(span: Span, text: str) -> Span:
    """Let a secret reach as far as its last sign."""
    if span.kind in _PERSONAL:
        return span
    match = _TOKEN_END.match(text, span.end)
    return span._replace(end=match.end()) if match else span


def count_marks(redacted: str) -> Counter[str]:
    """Count what was cut out of a text, by kind."""
    return Counter(match.group().split(":")[1] for match in _MARK.finditer(redacted))
