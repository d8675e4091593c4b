"""What an administrator says of teams: who belongs to which, from which day until which.

It beats what clients say, which beats what their credentials say by default. What is stored
already is brought to it too, as far back as it is known whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codometer.access.actions import Action
from codometer.access.audit import check_reason
from codometer.agents.read import MAX_LABEL_LENGTH, label
from codometer.errors import BadRequest
from codometer.model.identity import Identities
from codometer.people.identifier import list_named
from codometer.people.memberships import Membership
from codometer.people.requests import NoSuchPerson
from codometer.store.teams import find_last_unmoved

if TYPE_CHECKING:
    from codometer.access.actor import Actor
    from codometer.access.chain import Json
    from codometer.people.people import People
    from codometer.people.requests import Requests

_DAY: Final = timedelta(days=1)


class Stretch(NamedTuple):
    """Days from one until another, which is not included; without it, all that follow."""

    first: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A person's memberships now, and what of what is stored follows them.

    `sessions` belong elsewhere now, and `held` will once no legal hold keeps them. If
    `since` is given, that holds from then on only: of earlier days there are sums of which
    nobody knows any more whose they are.
    """

    person: str
    memberships: Sequence[Membership]
    sessions: int
    held: int
    since: date | None


@dataclass(frozen=True, slots=True)
class Teams:
    """The teams of one installation, as an administrator says."""

    requests: Requests

    def assign(
        self,
        subject: str,
        team: str,
        cost_center: str | None,
        stretch: Stretch,
        *,
        reason: str,
        actor: Actor,
    ) -> Corrected:
        """Have somebody belong to a team in a stretch, whatever was said of it before.

        Without a cost centre, the one that their client says holds. An e-mail address may be
        of somebody who sent nothing yet.

        Raises:
            NoSuchPerson: nobody of this name is known.
            Erased: they were erased.
            BadRequest: the stretch is empty, a name is none, or there is no reason.
        """
        team = _clean("team", team)
        cost_center = _clean("cost centre", cost_center) if cost_center else None
        told = {"team": team, "cost_center": cost_center}
        return self._change(Action.TEAM_ASSIGN, subject, stretch, told, reason, actor)

    def remove(self, subject: str, stretch: Stretch, *, reason: str, actor: Actor) -> Corrected:
        """Have what clients say hold again in a stretch.

        Raises:
            NoSuchPerson: nobody of this name is known.
            BadRequest: the stretch is empty, or there is no reason.
        """
        return self._change(Action.TEAM_REMOVE, subject, stretch, {}, reason, actor)

    def show_history(self, subject: str, actor: Actor) -> tuple[str, Sequence[Membership]]:
        """Return the pseudonym and the memberships of somebody.

        Raises:
            NoSuchPerson: nobody of this name is known.
        """
        people = self._people
        with people.pausing():
            person = self.requests.get_person(subject)
            people.settle()
            found = people.memberships.list_of(person)
        with people.access.audit.change(actor) as change:
            change.record(Action.PERSON_SHOW, object=person)
        return person, found

    def learn(self, subject: str) -> str:
        """Return the pseudonym of somebody, by which they are known from now on.

        Whoever sent nothing yet can be named by their e-mail address. The intake must pause.

        Raises:
            NoSuchPerson: nobody of this name is known.
            Erased: they were erased.
        """
        known = self.requests.find_person(subject.strip())
        if known is not None:
            return known
        people = self._people
        stored = {each.identities for each in self.requests.find_origins(subject)}
        told = {each for each in stored if list_named(each)}
        if not told and "@" in subject:
            told = {Identities(email=subject.strip().lower())}
        learned = {people.identifier.learn(each) for each in told}
        people.vault.save()
        if not learned:
            raise NoSuchPerson(
                "nobody of this name is known", hint="by an e-mail address also somebody new is"
            )
        return people.vault.people.find_person(learned.pop()) or ""

    def count_by_team(self) -> Mapping[str, int]:
        """Return how many people belong to each team today, of those that anybody does."""
        return self._people.memberships.count_by_team(self._people.today)

    @property
    def _people(self) -> People:
        return self.requests.people

    def _change(  # noqa: PLR0917 - what both acts have in common
        self,
        action: Action,
        subject: str,
        stretch: Stretch,
        told: Mapping[str, str | None],
        reason: str,
        actor: Actor,
    ) -> Corrected:
        check_reason(reason)
        _check(stretch)
        people, memberships = self._people, self._people.memberships
        with people.pausing():
            person = self.learn(subject) if told else self.requests.get_person(subject)
            people.settle()
            known = people.vault.people.list_pseudonyms(person)
            with people.access.audit.change(actor) as change:
                by = _membership(person, stretch, told, change.time) if told else None
                before: list[Json] = [_entry(each) for each in memberships.list_of(person)]
                names = {person, *(each.pseudonym for each in known)}
                memberships.change(change.connection, names, *stretch, by)
                people.vault.tell_anew(change.connection, person)
                change.record(
                    action,
                    object=person,
                    reason=reason,
                    before={"memberships": before},
                    after={**told, "since": _text(stretch.first), "until": _text(stretch.until)},
                )
            moved = people.settle()
            return Corrected(
                person=person,
                memberships=memberships.list_of(person),
                sessions=moved.sessions,
                held=moved.held,
                since=self._find_since(person, stretch),
            )

    def _find_since(self, person: str, stretch: Stretch) -> date | None:
        """Return from when on all that is stored of a person is where it belongs, if not all is."""
        called = self._people.list_called({person})[person]
        with self._people.store.reading() as connection:
            last = find_last_unmoved(connection, called, *stretch)
        return None if last is None else last + _DAY


def _membership(
    person: str, stretch: Stretch, told: Mapping[str, Any], decided: datetime
) -> Membership:
    return Membership(
        person=person,
        first=stretch.first,
        until=stretch.until,
        decided=decided,
        team=told["team"],
        cost_center=told["cost_center"],
    )


def _check(stretch: Stretch) -> None:
    if stretch.until is not None and stretch.until <= stretch.first:
        raise BadRequest("it would end before it begins", hint="until is not included")


def _clean(what: str, name: str) -> str:
    found = label(name)
    if found is None:
        raise BadRequest(
            f"this is no {what}", hint=f"one line of at most {MAX_LABEL_LENGTH} characters"
        )
    return found


def _entry(membership: Membership) -> dict[str, Json]:
    """Return a membership as the audit log has it, under the person that the entry names."""
    return {
        "team": membership.team,
        "cost_center": membership.cost_center,
        "since": _text(membership.first),
        "until": _text(membership.until),
    }


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
