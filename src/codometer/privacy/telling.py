"""What gives a credential or a person away, in any short text."""

from __future__ import annotations

import re
from typing import Final

_MAKES: Final = (
    r"AKIA|ASIA|AIza|[rs]k_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|SG\.|ya29\.|cdm_|eyJ"
)
"""How credentials of known makes begin."""
_WORDS: Final = r"sk-|npm_|pypi-|hf_"
"""The same of makes whose beginning begins names, too: hf_transformers_helper."""
_APART: Final = r"(?<![A-Za-z0-9])"
_TAIL: Final = r"[A-Za-z0-9_./+=-]"
SECRET: Final = re.compile(f"{_APART}(?:{_MAKES}|{_WORDS})")
"""Begins like one, which is enough in a value that nobody knows."""
_WHOLE_SECRET: Final = re.compile(f"{_APART}(?:{_MAKES}){_TAIL}{{12}}")
"""A team may well be called sk-sales."""
_LIKE_A_NAME: Final = re.compile(f"{_APART}(?:{_WORDS})({_TAIL}{{12,}})")
_RANDOM: Final = re.compile(r"(?=[a-z]{0,7}[A-Z0-9])[A-Za-z0-9]{8}|[a-z]{20}")
"""What no word looks like."""
_ADDRESS: Final = re.compile(r"(?<=[\w.+-])@(?:[\w-]+\.)+[A-Za-z]{2}")
"""An e-mail address. On Vertex AI, models have versions behind an @: claude-opus-4@20250514."""


def is_telling(text: str) -> bool:
    """Tell whether a text has what looks like a credential, or an e-mail address."""
    if "@" in text and _ADDRESS.search(text) is not None:
        return True
    if _WHOLE_SECRET.search(text) is not None:
        return True
    return any(_RANDOM.search(found[1]) for found in _LIKE_A_NAME.finditer(text))
