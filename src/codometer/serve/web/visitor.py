"""Who opens a page, and what its address or form says: all that a page without a period needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from codometer.access.account import Account
from codometer.access.actor import Actor
from codometer.access.permissions import Permission, Subject, is_allowed
from codometer.model.period import local_date

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One visit. `account` is None in local mode, for a program, and for nobody.

    `given` has the parameters of the address, `sent` the fields of a form that could not
    be obeyed and is shown again, `sent_to` its address, and `wrong` the name of the field to
    blame, if one is. It `is_draft` where it was not tried yet, because who sent it had to show
    first that it is them. `make_token` is asked where a form is shown.
    """

    subject: Subject
    account: Account | None
    path: str
    given: Mapping[str, str]
    now: datetime
    zone: ZoneInfo
    sent: Mapping[str, str] = field(default_factory=dict)
    sent_to: str = ""
    wrong: str = ""
    is_draft: bool = False
    make_token: Callable[[], str] = lambda: ""
    _found: dict[str, object] = field(default_factory=dict, init=False, repr=False)

    @property
    def form_token(self) -> str:
        """What a form of this answer must bring back."""
        return self.make_token()

    @property
    def asked(self) -> Mapping[str, str]:
        """What a form that is shown again was sent with, else what the address says."""
        return self.sent or self.given

    def typed(self, form: str, **which: str) -> Mapping[str, str]:
        """Return what was sent with one form of several; `which` tells it from those alike."""
        is_it = form == self.sent_to and which.items() <= self.sent.items()
        return self.sent if is_it else {}

    @property
    def actor(self) -> Actor:
        """Who it is, for the audit log."""
        return self.subject.actor

    @property
    def today(self) -> date:
        """The date where days are cut."""
        return local_date(self.now, self.zone)

    def may(self, permission: Permission | str) -> bool:
        """Tell whether they have a permission."""
        return is_allowed(self.subject, Permission(permission))

    def once(self, name: str, find: Callable[[], T]) -> T:
        """Return what several panels of one visit share, found by the first that needs it."""
        if name not in self._found:
            self._found[name] = find()
        return cast("T", self._found[name])

    def href(self, path: str | None = None, **changes: str | None) -> str:
        """Return the address of this page, or of another one; a change to None leaves it out."""
        kept = {} if path else self.given
        wanted = {name: value for name, value in {**kept, **changes}.items() if value}
        return f"{path or self.path}?{urlencode(wanted)}" if wanted else path or self.path
