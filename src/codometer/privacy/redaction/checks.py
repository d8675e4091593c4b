"""What tells a secret or a number of a person from what only looks like one."""

from __future__ import annotations

import ipaddress
import math
import re
from binascii import crc32
from collections import Counter
from typing import Final

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_GITHUB_CHECKSUM: Final = 6
_CARD_DIGITS: Final = range(13, 20)
_PHONE_DIGITS: Final = range(8, 16)
_NEARLY_RANDOM: Final = 4.5
_EVEN: Final = 3.7
_MIXED: Final = 0.36
_VERY_MIXED: Final = 0.45
_HEX: Final = 3.0
_HEX_TOKEN: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TURN: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")
"""Where small letters, capitals and digits follow each other."""
_GROUP_END: Final = re.compile(r"(?<=[0-9])(?![0-9])")
_NO_DIGIT: Final = re.compile(r"\D")
_PLACEHOLDER: Final = re.compile(
    r"(?i)(?:none|null|nil|true|false|undefined|str|string|bytes|int|number|boolean|bool|object"
    r"|optional(?:\[.*)?|required|secret|token|password|example|xxx+|\*+|\.+|-+|_+)[)\]},;:.]*"
    r"|(?:os|process|self|this|settings|config|env|args|request|req|secrets)\.[\w.\[\]()]*"
    r"|[$<{%(\[].*"
)


def card_length(text: str) -> int:
    """Return how many characters of a text are a payment card's number, 0 if it has none there.

    It has 13 to 19 digits, maybe in groups, the last of which fits the others.
    https://en.wikipedia.org/wiki/Luhn_algorithm (2026-11)
    """
    for match in reversed([*_GROUP_END.finditer(text)]):
        if _is_luhn([int(digit) for digit in _NO_DIGIT.sub("", text[: match.start()])]):
            return match.start()
    return 0


def _is_luhn(digits: list[int]) -> bool:
    if len(digits) not in _CARD_DIGITS or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban_length(text: str) -> int:
    """Return how many characters of a text are an IBAN, 0 if it does not begin with one.

    ISO 13616: of the country's length, with the remainder 1 by 97 once the beginning is moved
    to the end. https://www.swift.com/standards/data-standards/iban (2026-11)
    """
    packed = [(place, char) for place, char in enumerate(text) if char.isalnum()]
    length = _IBAN_LENGTHS.get(text[:2].upper())
    for count in [length] if length else range(34, 14, -1):
        if count <= len(packed) and _is_iban("".join(char for _, char in packed[:count]).upper()):
            return packed[count - 1][0] + 1
    return 0


def is_phone(text: str) -> bool:
    """Tell whether a text has as many digits as a telephone number."""
    digits = _NO_DIGIT.sub("", text)
    return len(digits) in _PHONE_DIGITS and len(set(digits)) > 1


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address of some machine, and not of any."""
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or text == "255.255.255.255")


def is_github(token: str) -> bool:
    """Tell whether the checksum at the end of a token of GitHub is right.

    https://github.blog/engineering/behind-githubs-new-authentication-token-formats (2026-11)
    """
    random = token.partition("_")[2][:-_GITHUB_CHECKSUM]
    number, checksum = crc32(random.encode("ascii", "replace")), ""
    for _ in range(_GITHUB_CHECKSUM):
        number, digit = divmod(number, len(_BASE62))
        checksum = _BASE62[digit] + checksum
    return token.endswith(checksum)


def is_random(token: str) -> bool:
    """Tell whether the characters of a long token are too even for a word, a name or a path.

    A UUID numbers something and is no secret.
    """
    found = entropy(token)
    if _HEX_TOKEN.fullmatch(token):
        return found > _HEX and not token.isdigit()
    if found > _NEARLY_RANDOM:
        return True
    # A short token cannot reach that: 20 characters have 4.3 bits at most. But in a nameLikeThis a
    # third of the characters differ in kind from the one before, here over half.
    if found <= _EVEN or _UUID.fullmatch(token):
        return False
    has_digits = any(map(str.isdigit, token))
    return len(_TURN.findall(token)) > (_MIXED if has_digits else _VERY_MIXED) * len(token)


def entropy(text: str) -> float:
    """Return how many bits a character tells, by how often each of them comes."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def is_value(text: str) -> bool:
    """Tell whether what is assigned to a password or the like is one, and not code or a type."""
    return _PLACEHOLDER.fullmatch(text) is None


def is_token_value(text: str) -> bool:
    """Tell the same of what is assigned to a token or key; models' tokens are counted, too."""
    return is_value(text) and not text.strip(".,%").replace("_", "").isdigit()


def _is_iban(packed: str) -> bool:
    number = "".join(str(int(char, 36)) for char in packed[4:] + packed[:4])
    return int(number) % 97 == 1


_COUNTRIES: Final = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL SD",  # codespell:ignore
    19: "MK SI", 20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC",
    32: "LC",
}  # fmt: skip
_IBAN_LENGTHS: Final = {
    country: length for length, countries in _COUNTRIES.items() for country in countries.split()
}
