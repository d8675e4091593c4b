"""Which privacy profile is in force, since when, why, and what was decided for later.

A server of one machine is `open`: the only person it shows is the one at the
keyboard. With the first administrator it becomes an organisation's, and
`standard` unless they chose otherwise. To know less about people takes effect at
once; to know more takes seven days, in which everybody can see that it is coming. That the
purpose is another one everybody can see for as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from codometer.access.actions import Action
from codometer.access.actor import SYSTEM, Actor
from codometer.errors import BadRequest, CodometerError
from codometer.privacy.profile import Profile, find_strictest, is_weaker
from codometer.store.control_tables import PRIVACY_DECISION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from codometer.access.audit import AuditLog, Change
    from codometer.access.sessions import KnownSessions

NOTICE: Final = timedelta(days=7)
_MAX_LENGTH: Final = 500
_LOCAL: Final = "nobody needs to sign in"
_FIRST: Final = "the first administrator joined"


class NotConfirmed(CodometerError):
    """What would be known about people grows, so it must be asked for twice."""

    code = "not_confirmed"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision. `version` is stored with whatever is collected under it."""

    version: int
    profile: Profile
    purpose: str
    reason: str
    decided: datetime
    effective: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPurpose:
    """What the numbers were for, what they are for now, and since when."""

    before: str
    after: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """What everybody is to see, wherever they look."""

    upcoming: Decision | None = None
    new_purpose: NewPurpose | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions of an installation, the newest of which that is effective is in force."""

    audit: AuditLog
    sessions: KnownSessions

    def find_in_force(self) -> Decision:
        """Return what is in force now."""
        found = _in_force(self.settle(), self.audit.now())
        return found or self.find_in_force()  # it was decided on a moment from now

    def settle(self) -> list[Decision]:
        """Return all of them, the oldest first; decide before what follows from who may sign in."""
        decided = self.list_decisions()
        if self._wanted(decided, _in_force(decided, self.audit.now())) is None:
            return decided
        with self.audit.change(SYSTEM) as change:
            decided = _read(change.connection)
            current = _in_force(decided, change.time)
            if (wanted := self._wanted(decided, current)) is not None:
                profile, reason = wanted
                purpose = current.purpose if current else ""
                decided.append(_insert(change, profile, purpose, reason, effective=change.time))
        return decided

    def find_upcoming(self) -> Decision | None:
        """Return what was decided last, if it is not in force yet."""
        return self.find_notices().upcoming

    def find_notices(self) -> Notices:
        """Return what is about to change, and whether the purpose did within the last days."""
        decided, now = self.list_decisions(), self.audit.now()
        return Notices(
            upcoming=decided[-1] if decided[-1].effective > now else None,
            new_purpose=_find_new_purpose(decided, now),
        )

    def list_decisions(self) -> list[Decision]:
        """Return all of them, the oldest first."""
        with self.audit.control.read() as connection:
            return _read(connection)

    def decide(
        self,
        profile: Profile,
        purpose: str | None,
        reason: str,
        actor: Actor,
        *,
        confirmed: str = "",
    ) -> Decision:
        """Decide on a profile, and on the purpose if one is given.

        To know more about people needs a second confirmation: `confirmed` names the profile
        again. A decision that waits gives way to any later one.

        Raises:
            BadRequest: there is no reason, or a text is too long.
            NotConfirmed: more would be known, and that is not confirmed.
        """
        reason = _clean_reason(reason)
        current = self.find_in_force()
        kept = current.purpose if purpose is None else _clean("purpose", purpose)
        notice = timedelta()
        if is_weaker(profile, than=current.profile):
            notice = NOTICE
            if confirmed != profile:
                raise NotConfirmed(
                    f"under {profile} more would be known about people than under"
                    f" {current.profile}, from {NOTICE.days} days after this on",
                    hint=f"confirm {profile}",
                )
        with self.audit.change(actor) as change:
            return _insert(change, profile, kept, reason, effective=change.time + notice)

    def cancel(self, reason: str, actor: Actor) -> Decision:
        """Have what was decided for later not happen; return what stays in force.

        Raises:
            BadRequest: there is no reason, or nothing waits.
        """
        reason = _clean_reason(reason)
        current, upcoming = self.find_in_force(), self.find_upcoming()
        if upcoming is None:
            raise BadRequest("nothing was decided for later", hint="codometer privacy show")
        with self.audit.change(actor) as change:
            return _insert(
                change,
                current.profile,
                current.purpose,
                reason,
                effective=change.time,
                action=Action.PRIVACY_CANCEL,
            )

    def choose_first(self, profile: Profile, purpose: str, change: Change) -> None:
        """Begin an organisation with a profile, in the change that makes its first administrator.

        Raises:
            BadRequest: there is no purpose, or it is too long.
        """
        if not (purpose := _clean("purpose", purpose)):
            raise BadRequest(
                "there is no purpose", hint="say in a sentence what the numbers are for"
            )
        _insert(change, profile, purpose, _FIRST, effective=change.time)

    def _wanted(
        self, decided: list[Decision], current: Decision | None
    ) -> tuple[Profile, str] | None:
        """Return the profile that must be decided on, because nobody has."""
        if current is None:
            if self.sessions.have_accounts:
                return Profile.STANDARD, _FIRST
            return Profile.OPEN, _LOCAL
        is_local = not any(each.reason == _FIRST for each in decided)
        if is_local and self.sessions.have_accounts:
            stricter = Profile.STANDARD if current.profile is Profile.OPEN else current.profile
            return stricter, _FIRST
        return None


def find_strictest_since(decided: Sequence[Decision], since: datetime, *, now: datetime) -> Profile:
    """Return the strictest profile in force at any time from `since` until now.

    It holds for what is known of that time, also where it came late: a profile that is weakened
    does not show more of what was collected before.
    """
    begun = [each.effective for each in decided if since < each.effective <= now]
    known = [_in_force(decided, moment) for moment in (since, *begun, now)]
    return find_strictest(each.profile for each in known if each is not None)


def _clean_reason(reason: str) -> str:
    reason = _clean("reason", reason)
    if not reason:
        raise BadRequest(
            "a change of privacy needs a reason", hint="it is kept and shown", field="reason"
        )
    return reason


def _clean(name: str, text: str) -> str:
    text = text.strip()
    if len(text) > _MAX_LENGTH or not text.isprintable():
        raise BadRequest(f"the {name} is no line of at most {_MAX_LENGTH} characters", field=name)
    return text


def _find_new_purpose(decided: Sequence[Decision], now: datetime) -> NewPurpose | None:
    """Return the last change of a purpose that was declared; a first one is no change."""
    held = _list_held(decided, now)
    for before, after in reversed([*pairwise(held)]):
        is_change = before.purpose not in {"", after.purpose} and after.reason != _FIRST
        if is_change and now - after.effective < NOTICE:
            return NewPurpose(before=before.purpose, after=after.purpose, since=after.effective)
    return None


def _in_force(decided: Sequence[Decision], now: datetime) -> Decision | None:
    held = _list_held(decided, now)
    return held[-1] if held else None


def _list_held(decided: Sequence[Decision], now: datetime) -> Sequence[Decision]:
    """Return what was in force until now, in order: nothing that gave way while it waited."""
    later = [*(each.decided for each in decided[1:]), now]
    return [
        each
        for each, next_decided in zip(decided, later, strict=False)
        if each.effective <= min(next_decided, now)
    ]


def _read(connection: Connection) -> list[Decision]:
    rows = connection.execute(select(PRIVACY_DECISION).order_by(PRIVACY_DECISION.c.version))
    return [
        Decision(
            version=row.version,
            profile=Profile(row.profile),
            purpose=row.purpose,
            reason=row.reason,
            decided=row.decided,
            effective=row.effective,
        )
        for row in rows
    ]


def _insert(
    change: Change,
    profile: Profile,
    purpose: str,
    reason: str,
    *,
    effective: datetime,
    action: Action = Action.PRIVACY_CHANGE,
) -> Decision:
    earlier = _read(change.connection)
    before = _in_force(earlier, change.time)
    made = Decision(
        version=earlier[-1].version + 1 if earlier else 1,
        profile=profile,
        purpose=purpose,
        reason=reason,
        decided=change.time,
        effective=effective,
    )
    change.connection.execute(
        insert(PRIVACY_DECISION).values(
            version=made.version,
            profile=profile,
            purpose=purpose,
            reason=reason,
            decided=change.time,
            effective=effective,
        )
    )
    change.record(
        action,
        object="privacy",
        reason=reason,
        before={"profile": before.profile, "purpose": before.purpose} if before else None,
        after={
            "profile": profile,
            "purpose": purpose,
            "version": made.version,
            "effective": effective.isoformat(),
        },
    )
    return made
