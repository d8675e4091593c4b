"""Letting go of what is old, once a day, as the profile, the settings and the holds say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from codometer.access.actions import Action
from codometer.access.actor import SYSTEM
from codometer.access.audit import Filter
from codometer.model.period import start_of_day
from codometer.privacy.profile import Kept, find_kept
from codometer.store.retention import Cuts

if TYPE_CHECKING:
    from codometer.people.people import People
    from codometer.settings import Retention as RetentionSettings
    from codometer.store.retention import Held

_OBJECT: Final = "telemetry"


class Run(NamedTuple):
    """One run: when, under which version of the policy, and what went.

    `detail`, `persons` and `sums` are rows; `persons` stay without a person. `sessions` are
    those that lost their names, `pseudonyms` those that went from the vault with them,
    `memberships` stays in a team that ended long ago, or are of nobody who is stored.
    """

    time: datetime
    version: int = 0
    detail: int = 0
    sessions: int = 0
    persons: int = 0
    sums: int = 0
    pseudonyms: int = 0
    memberships: int = 0


class Stock(NamedTuple):
    """One kind of data: for how many days it is kept at most, and what says so.

    `rows` are there now, the oldest of them from `oldest`, in `bytes` where that is known;
    `due` is how many of them the next run lets go, or takes names and persons from.
    """

    kind: str
    days: int
    decided_by: str
    rows: int
    oldest: datetime | None
    bytes: int | None
    due: int


@dataclass(frozen=True, slots=True)
class Retention:
    """Lets go of what is past its time in the telemetry of one server."""

    people: People
    settings: RetentionSettings
    zone: ZoneInfo

    @property
    def kept(self) -> Kept:
        """How long what is kept now."""
        return find_kept(self.people.policy, self.settings)

    def find_last(self) -> Run | None:
        """Return what the last run did, from the audit log."""
        wanted = Filter(actions=(Action.RETENTION_RUN,), limit=1)
        found = self.people.access.audit.list_entries(wanted)
        if not found:
            return None
        entry = found[0].entry
        told = json.loads(entry.after)
        return Run(
            datetime.fromisoformat(entry.time),
            **{name: told.get(name, 0) for name in Run._fields[1:]},
        )

    def find_next(self) -> datetime:
        """Return when the next run is due: now, or with the next day."""
        last, now = self.find_last(), self.people.access.audit.now()
        is_same = last is not None and last.version == self.people.in_force.version
        if last is None or not is_same or self._day(last.time) < self._day(now):
            return now
        return start_of_day(self._day(now) + timedelta(days=1), self.zone).astimezone(UTC)

    def list_stocks(self) -> list[Stock]:
        """Return what there is of each kind, and what goes with the next run.

        It reads all that is stored, which takes as long as that is much.
        """
        policy, settings, at = self.people.policy, self.settings, self.find_next()
        kept, held = self.kept, self.people.find_held()
        before = at - timedelta(days=kept.detail_days)
        amounts = self.people.store.count_amounts(before, self._cuts(kept, at), held)
        content = self.people.contents.count(at)
        entries, first, old = self.people.access.audit.count(
            at - timedelta(days=settings.audit_days)
        )
        stocks = [
            Stock(
                "content", settings.content_days, "retention.content_days",
                content.texts, content.oldest, content.bytes, content.due,
            )
        ]  # fmt: skip
        for name in ("detail", "sessions", "persons", "sums"):
            setting = f"{name.removesuffix('s')}_days"
            is_policy = getattr(policy, setting, settings.sum_days) < getattr(settings, setting)
            by = f"profile {policy.profile}" if is_policy else f"retention.{setting}"
            amount = getattr(amounts, name)
            days = getattr(kept, setting)
            stocks.append(Stock(name, days, by, amount.rows, amount.oldest, None, amount.due))
        due = 0 if held is None else old
        stocks.append(
            Stock("audit", settings.audit_days, "retention.audit_days", entries, first, None, due)
        )
        return stocks

    def run_if_due(self) -> Run | None:
        """Run, unless this was done today under the policy in force."""
        last, today = self.find_last(), self._day(self.people.access.audit.now())
        is_same = last is not None and last.version == self.people.in_force.version
        if last is not None and is_same and self._day(last.time) >= today:
            return None
        return self.run()

    def run(self) -> Run:
        """Let go of what is past its time, and write down how much that was.

        Once a week, and where rows lost their persons, the file is written anew, so that it does
        not hold what went. Clients wait for that.
        """
        audit, store = self.people.access.audit, self.people.store
        now, last = audit.now(), self.find_last()
        self.people.follow()  # while it is known whose rows are that were held until now
        done = Run(now, self.people.in_force.version)
        held = self.people.find_held()
        if held is not None:
            kept = self.kept
            detail = store.seal(now - timedelta(days=kept.detail_days), held)
            cuts = self._cuts(kept, now)
            removed = store.let_go(cuts, held, self.people.pausing)
            ended = self._drop_memberships(kept, now, held)
            done = done._replace(
                detail=detail,
                memberships=ended,
                pseudonyms=self.people.drop_unused(),
                **removed._asdict(),
            )
            is_new_week = last is None or self._week(last.time) != self._week(now)
            if removed.persons or is_new_week:
                store.rewrite()
        with audit.change(SYSTEM) as change:
            after = {name: value for name, value in done._asdict().items() if name != "time"}
            change.record(Action.RETENTION_RUN, object=_OBJECT, after=after)
        return done

    def _drop_memberships(self, kept: Kept, now: datetime, held: Held) -> int:
        people = self.people
        before = self._day(now) - timedelta(days=kept.person_days)
        with people.pausing():
            stored = people.find_stored(people.memberships.list_people())
            with people.access.control.write() as connection:
                ended = people.memberships.drop_old(
                    connection, before, held=held.persons, stored=stored
                )
            if ended:
                people.access.control.purge()
                people.memberships.refresh()
        return ended

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _week(self, moment: datetime) -> tuple[int, int]:
        year, week, _ = self._day(moment).isocalendar()
        return year, week

    def _cuts(self, kept: Kept, now: datetime) -> Cuts:
        today = self._day(now)
        sums = today - timedelta(days=kept.sum_days)
        # What comes for a month that lost its persons is nobody's, so none may that still runs:
        # here, or in UTC, in which quarter hours are told.
        running = min(today, now.astimezone(UTC).date()).replace(day=1)
        return Cuts(
            sessions=today - timedelta(days=kept.session_days),
            quarters=min(_first_after(today - timedelta(days=kept.session_days)), running),
            persons=min(_first_after(today - timedelta(days=kept.person_days)), running),
            sums=sums,
            sums_start=start_of_day(sums, self.zone).astimezone(UTC).replace(tzinfo=None),
        )


def _first_after(day: date) -> date:
    """Return the first of the month after: no row of the day's month is kept too long then."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
