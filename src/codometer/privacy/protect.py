"""Nothing that people or models wrote reaches a disk, a log or another host.

Attributes are judged by name. What an agent's folder declares is read by it, as
labels that hold no credential and no e-mail address (`is_telling`); content is
dropped. What is kept of an attribute that nobody knows depends on the
profile: under `standard` a value that cannot be prose (a number, a yes or no, or
one short token) and that names no person or machine, under `strict` nothing but
the attribute's name, under `open` also short texts, though no secret and no
e-mail address. A signal is never refused for what it carries, so that a newer
client does not fall silent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from codometer.model.signal import Nested
from codometer.privacy.policy import (
    CONTENT_ATTRIBUTES,
    MAX_NAME_LENGTH,
    MAX_STRANGER_LENGTH,
    MAX_STRANGERS,
    PERSONAL_ATTRIBUTES,
)
from codometer.privacy.profile import Strangers
from codometer.privacy.telling import SECRET, is_telling

if TYPE_CHECKING:
    from codometer.model.signal import AttributeColumns, AttributeValue

_TOKEN: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_STRANGER_LENGTH}}}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.:/-]+")


def protect(
    attributes: AttributeColumns,
    known: frozenset[str],
    kept: Strangers = Strangers.TOKENS,
) -> list[str]:
    """Remove from columns of attributes, in place, what may not be kept.

    `kept` is about unknown ones. A value that may not stay is None if others of its column may.

    Returns the names of the attributes that are neither known nor content, for
    the administrator's list; a name that could itself be content is not among them.
    """
    if known.issuperset(attributes):
        return []
    strangers: list[str] = []
    for name in [name for name in attributes if name not in known]:
        is_stranger = name not in CONTENT_ATTRIBUTES and is_name(name)
        if is_stranger and len(strangers) < MAX_STRANGERS:
            strangers.append(name)
            column = [value if is_kept(name, value, kept) else None for value in attributes[name]]
            if column.count(None) < len(column):
                attributes[name] = column
                continue
        del attributes[name]
    return strangers


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of an attribute, event or metric, and not prose."""
    return len(text) <= MAX_NAME_LENGTH and _matches_name(text)


@lru_cache(maxsize=4096)
def _matches_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and not is_telling(text)


def is_kept(name: str, value: AttributeValue, kept: Strangers) -> bool:
    """Tell whether the value of an unknown attribute may be kept."""
    if kept is Strangers.NAMES or value is None or isinstance(value, Nested):
        return False
    if kept is Strangers.TOKENS and name in PERSONAL_ATTRIBUTES:
        return False
    if not isinstance(value, str):
        return True
    is_harmless = _TOKEN.fullmatch(value) is not None or (
        kept is Strangers.LABELS and "@" not in value
    )
    return is_harmless and SECRET.search(value) is None
