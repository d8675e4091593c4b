"""The server's log, on standard error.

This module imports nothing of ours: the log outlives everything else, and
with it whatever its formatter can reach.
"""

from __future__ import annotations

import logging
import re
from typing import Final

# C0 but for tabs and line breaks, C1, and the marks that reorder or hide text.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def begin_log() -> None:
    """Write what we have to say, and of some libraries only their warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneEntryEach("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("uvicorn", "alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


class OneEntryEach(logging.Formatter):
    """Lets nothing that others wrote begin an entry of the log, or reach a terminal as a command.

    An error's text may have anything in it: lines after the first are set in, and control
    characters are escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of an entry."""
        text = super().format(record).replace("\n", "\n  ")
        return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
