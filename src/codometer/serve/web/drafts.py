"""What somebody wrote into a form, while they show once more that it is them.

It is in memory alone, for some minutes: a restart forgets it, and the form is empty then.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from codometer.serve.web.forms import TOKEN, Fields

_KEPT: Final = timedelta(minutes=15)
_MOST: Final = 256
_ID_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    account: str
    page: str
    form: str
    fields: Fields
    until: datetime


class Drafts:
    """The last forms that could not be obeyed yet. Safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: dict[str, _Draft] = {}

    def keep(self, account: str, page: str, form: str, fields: Fields) -> str:
        """Keep the fields of a form that stands on a page, and return what finds them again.

        They must hold no secret; their token stays behind, for the page makes another one.
        """
        found, until = secrets.token_urlsafe(_ID_BYTES), self._now() + _KEPT
        typed = {name: value for name, value in fields.items() if name != TOKEN}
        self._forget()
        while len(self._kept) >= _MOST:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[found] = _Draft(account=account, page=page, form=form, fields=typed, until=until)
        return found

    def find(self, draft: str, account: str, page: str) -> tuple[str, Fields]:
        """Return a form of a page, and what somebody wrote into it; nothing if it is not known."""
        self._forget()
        kept = self._kept.get(draft)
        if kept is None or (kept.account, kept.page) != (account, page):
            return "", {}
        return kept.form, kept.fields

    def _forget(self) -> None:
        """Let go of those whose time is over."""
        now = self._now()
        for draft, kept in [*self._kept.items()]:
            if now >= kept.until:
                self._kept.pop(draft, None)
