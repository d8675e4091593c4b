"""Nothing that people or models wrote reaches a disk, a log or another host.

Attributes are judged by name. What an agent's folder declares is read by it;
content is dropped; the value of an attribute that nobody knows is kept only
when it cannot be prose: a number, a yes or no, or one short token. A signal is
never refused for what it carries, so that a newer client does not fall silent.
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
)

if TYPE_CHECKING:
    from codometer.model.signal import Attributes, AttributeValue

_TOKEN: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_STRANGER_LENGTH}}}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.:/-]+")
_SECRET: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AIza|sk-|[rs]k_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|npm_"
    r"|pypi-|hf_|SG\.|ya29\.|cdm_|eyJ)"
)
"""How credentials of known makes begin."""


def protect(attributes: Attributes, known: frozenset[str]) -> list[str]:
    """Remove from `attributes`, in place, what may not be kept.

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
            if _is_harmless(attributes[name]):
                continue
        del attributes[name]
    return strangers


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of an attribute, event or metric, and not prose."""
    return len(text) <= MAX_NAME_LENGTH and _matches_name(text)


@lru_cache(maxsize=4096)
def _matches_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _is_harmless(value: AttributeValue) -> bool:
    if isinstance(value, str):
        return _TOKEN.fullmatch(value) is not None and _SECRET.search(value) is None
    return value is not None and not isinstance(value, Nested)
