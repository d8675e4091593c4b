"""What may be read of content: by the person, and by those whom a project was opened to.

Nobody else reads any, whatever their role: not who runs the server, and no
program. Each reading is an entry of the audit log, which the person sees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, or_, select

from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.errors import BadRequest, Forbidden
from codometer.people.access_log import LOOKS, list_acts
from codometer.people.consents import ProjectConsent, check_project, read_project_consents
from codometer.privacy.encryption import Purpose
from codometer.privacy.policy import Part
from codometer.store.control_tables import CONTENT

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from codometer.access.access import Access
    from codometer.access.audit import Recorded
    from codometer.access.chain import Json
    from codometer.people.contents import Contents

MOST_READ: Final = 200
"""The most texts that are read at one time."""


class ContentFact(NamedTuple):
    """What may be told of a text that is kept, without the text."""

    id: str
    project: str
    person: str
    session: str | None
    time: datetime
    name: str
    part: Part


class ReadContent(NamedTuple):
    """A text that is kept, as whoever may read it gets it."""

    fact: ContentFact
    text: str


class Looked(NamedTuple):
    """Somebody looked at what is stored about a person: when, who, at what, and why."""

    time: str
    action: str
    actor_kind: str
    actor: str
    reason: str
    after: str


class ContentViews:
    """The readings of one installation.

    `find_own` returns which person acts, by the name that they are stored under; None
    where nobody vouches that an account is a person's.
    """

    def __init__(
        self,
        access: Access,
        contents: Contents,
        find_own: Callable[[Actor], str | None] = lambda _: None,
    ) -> None:
        self.find_own = find_own
        self._access = access
        self._contents = contents

    def content_of(self, person: str) -> list[ContentFact]:
        """Return what is kept of a person, the newest first, without the texts."""
        return [
            self._fact(row, projects)
            for row, projects in self._rows(CONTENT.c.subject.in_(self._contents.names_of(person)))
        ]

    def access_log_of(self, person: str) -> list[Looked]:
        """Return who looked at what is stored about a person, the newest first."""
        return self._looks(self._contents.names_of(person))

    def read(
        self,
        actor: Actor,
        *,
        project: str | None = None,
        person: str | None = None,
        session: str | None = None,
        reason: str = "",
    ) -> list[ReadContent]:
        """Return the newest texts that an actor may read; that they did is on the record.

        A person reads their own, reviewers what a project was opened to them for, and in local
        mode, where nobody signs in, whoever is there reads all.

        Raises:
            Forbidden: it is nobody who could be a person or a reviewer.
            BadRequest: a reviewer gives no reason.
        """
        conditions = [self._may_read(actor)]
        if project is not None:
            conditions.append(CONTENT.c.project_consent.in_(self._offers(check_project(project))))
        if person is not None:
            conditions.append(CONTENT.c.subject.in_(self._contents.names_of(person)))
        if session is not None:
            conditions.append(CONTENT.c.session == session)
        found = [
            (self._fact(row, projects), row)
            for row, projects in self._rows(and_(*conditions), MOST_READ)
        ]
        own = self.find_own(actor)
        of_others = any(fact.person != own for fact, _ in found)
        if of_others and actor.kind is ActorKind.ACCOUNT and not reason.strip():
            raise BadRequest("to read content of others needs a reason", hint="they see it")
        texts = [ReadContent(fact, self._decrypt(row)) for fact, row in found]
        self._record_views(actor, [fact for fact, _ in found], reason)
        return texts

    def export(
        self, names: Collection[str], *, with_texts: bool
    ) -> dict[str, list[dict[str, Any]]]:
        """Return content, consents and who looked, of a person, as tables to hand to them.

        Nobody but the person may have it `with_texts`.
        """
        content = [
            {
                **self._fact(row, projects)._asdict(),
                **({"text": self._decrypt(row)} if with_texts else {}),
            }
            for row, projects in self._rows(CONTENT.c.subject.in_(names))
        ]
        consents = self._consents(names)
        known = {each for name in names for each in self._contents.names_of(name)}
        looked = [each._asdict() for each in reversed(self._looks(known))]
        return {"content": content, "consents": consents, "looks": looked}

    def newest_of(self, names: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the newest content, without its text, and the newest consent of a person."""
        rows = self._rows(CONTENT.c.subject.in_(names), 1)
        content = [self._fact(row, projects)._asdict() for row, projects in rows]
        return {"content": content, "consents": self._consents(names)[:1]}

    def _consents(self, names: Collection[str]) -> list[dict[str, Any]]:
        return [
            {
                "project": each.offer.project,
                "purpose": each.offer.purpose,
                "text_version": each.text_version,
                "text_hash": each.text_hash,
                "granted": each.granted,
                "expires": each.expires,
                "withdrawn": each.withdrawn,
                "channel": each.channel,
            }
            for each in self._contents.consents.list_personal(names)
        ]

    def _looks(self, names: Iterable[str]) -> list[Looked]:
        return [_looked(each) for each in list_acts(self._access.audit, names, LOOKS)]

    def _may_read(self, actor: Actor) -> ColumnElement[bool]:
        if actor.kind is ActorKind.LOCAL and not self._access.sessions.have_accounts:
            return CONTENT.c.id.is_not(None)
        if actor.kind is not ActorKind.ACCOUNT:
            raise Forbidden("content is read by people, not by programs", hint="sign in")
        with self._access.control.read() as connection:
            offers = read_project_consents(connection).values()
        reviewed = [each.id for each in offers if actor.id in each.reviewers]
        own = self._names_of(actor)
        return or_(CONTENT.c.project_consent.in_(reviewed), CONTENT.c.subject.in_(own))

    def _names_of(self, actor: Actor) -> Collection[str]:
        """Return all pseudonyms of whoever acts, as far as that is known."""
        own = self.find_own(actor)
        return () if own is None else self._contents.names_of(own)

    def _record_views(self, actor: Actor, facts: Iterable[ContentFact], reason: str) -> None:
        own = self._names_of(actor)
        # Beside their own account, the pseudonym would say whose it is.
        seen = Counter(
            (actor.id if fact.person in own else fact.person, fact.project) for fact in facts
        )
        if not seen:
            return
        with self._access.audit.change(actor) as change:
            for (whose, project), count in sorted(seen.items()):
                after: dict[str, Json] = {"project": project, "texts": count}
                change.record(Action.CONTENT_VIEW, object=whose, reason=reason, after=after)

    def _rows(
        self, condition: ColumnElement[bool], limit: int | None = None
    ) -> list[tuple[Row[Any], Mapping[str, ProjectConsent]]]:
        wanted = select(CONTENT).where(condition)
        newest = wanted.order_by(CONTENT.c.time.desc(), CONTENT.c.id).limit(limit)
        with self._access.control.read() as connection:
            offers = read_project_consents(connection)
            return [(row, offers) for row in connection.execute(newest)]

    def _fact(self, row: Row[Any], offers: Mapping[str, ProjectConsent]) -> ContentFact:
        return ContentFact(
            id=row.id,
            project=offers[row.project_consent].project,
            person=self._contents.person_of(row.subject),
            session=row.session,
            time=row.time,
            name=row.name,
            part=Part(row.part),
        )

    def _offers(self, project: str) -> list[str]:
        with self._access.control.read() as connection:
            offers = read_project_consents(connection).values()
        return [each.id for each in offers if each.project == project]

    def _decrypt(self, row: Row[Any]) -> str:
        return self._access.keys.ring.decrypt(
            row.text, self._contents.place_of(row.id), Purpose.CONTENT
        )


def _looked(recorded: Recorded) -> Looked:
    entry = recorded.entry
    return Looked(
        entry.time, entry.action, entry.actor_kind, entry.actor, entry.reason, entry.after
    )
