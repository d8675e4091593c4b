"""What gives a credential or a person away, in any short text."""

from __future__ import annotations

import re
from typing import Final

_MAKES: Final = (
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AIza|sk-|[rs]k_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|npm_"
    r"|pypi-|hf_|SG\.|ya29\.|cdm_|eyJ)"
)
"""How credentials of known makes begin."""
SECRET: Final = re.compile(_MAKES)
"""Begins like one, which is enough in a value that nobody knows."""
_WHOLE_SECRET: Final = re.compile(_MAKES + r"[A-Za-z0-9_./+=-]{12}")
"""A team may well be called sk-sales."""
_ADDRESS: Final = re.compile(r"(?<=[\w.+-])@(?:[\w-]+\.)+[A-Za-z]{2}")
"""An e-mail address. On Vertex AI, models have versions behind an @: claude-opus-4@20250514."""


def is_telling(text: str) -> bool:
    """Tell whether a text has what looks like a credential, or an e-mail address."""
    if "@" in text and _ADDRESS.search(text) is not None:
        return True
    return _WHOLE_SECRET.search(text) is not None
