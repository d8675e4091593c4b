"""Nothing that people or models wrote reaches a disk, a log or another host.

Attributes are judged by name. What an agent's folder declares is read by it;
content is dropped; the value of an attribute that nobody knows is kept only
when it cannot be prose: a number, a yes or no, or one short token. A signal is
never refused for what it carries, so that a newer client does not fall silent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codometer.model.signal import Nested
from codometer.privacy.policy import CONTENT_ATTRIBUTES, MAX_NAME_LENGTH, MAX_STRANGER_LENGTH

if TYPE_CHECKING:
    from codometer.model.signal import Attributes, AttributeValue

_TOKEN: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_STRANGER_LENGTH}}}")
_NAME: Final = re.compile(rf"[A-Za-z0-9_.:/-]{{1,{MAX_NAME_LENGTH}}}")
_SECRET: Final = re.compile(r"(?:AKIA|ASIA|AIza|sk-|gh[pousr]_|glpat-|xox[abprs]-|npm_|pypi-|eyJ)")


def protect(attributes: Attributes, known: frozenset[str]) -> list[str]:
    """Remove from `attributes`, in place, what may not be kept.

    Returns the names of the attributes that are neither known nor content, for
    the administrator's list; a name that could itself be content is not among them.
    """
    strangers = []
    for name in attributes.keys() - known:
        if name in CONTENT_ATTRIBUTES or not is_name(name):
            del attributes[name]
            continue
        strangers.append(name)
        if not _is_harmless(attributes[name]):
            del attributes[name]
    return strangers


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of an attribute, event or metric, and not prose."""
    return _NAME.fullmatch(text) is not None


def _is_harmless(value: AttributeValue) -> bool:
    if value is None or isinstance(value, Nested):
        return False
    if isinstance(value, str):
        return _TOKEN.fullmatch(value) is not None and _SECRET.match(value) is None
    return True
