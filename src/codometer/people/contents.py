"""What people and models wrote, where both sides agreed: kept, read, deleted.

The intake asks `find_cover` for each origin, which is false for all of them as
long as nobody agreed to anything. A text is redacted before it comes here, and
encrypted before it is written. Whoever reads one is on the record, and the
person sees that.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, delete, func, or_, select

from codometer.access.actions import Action
from codometer.access.actor import SYSTEM, Actor
from codometer.access.generation import bump_generation, find_generation
from codometer.errors import BadRequest
from codometer.people.consents import (
    GENERATION,
    LONGEST,
    Consents,
    ConsentText,
    NoSuchConsent,
    PersonalConsent,
    ProjectConsent,
    check_project,
    end_consents,
    read_personal_consents,
    read_project_consents,
)
from codometer.people.covering import NOTHING, Cover, make_covering
from codometer.privacy.encryption import Purpose
from codometer.privacy.policy import Part
from codometer.store.control import insert_new
from codometer.store.control_tables import CONTENT, PERSONAL_CONSENT

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from codometer.access.access import Access
    from codometer.access.audit import Change
    from codometer.access.chain import Json
    from codometer.model.event import Origin
    from codometer.people.vault import Vault
    from codometer.privacy.profile import PolicyInForce

_log = logging.getLogger(__name__)

_STRICTER: Final = "the privacy profile became stricter"


class Text(NamedTuple):
    """One text of a record, redacted, and what says whose it is and by which consents."""

    id: str
    cover: Cover
    subject: str
    session: str | None
    time: datetime
    name: str
    part: Part
    text: str


class Stored(NamedTuple):
    """How many texts are kept, since when, how many bytes those are, and how many are over."""

    texts: int
    oldest: datetime | None
    bytes: int
    due: int


class Contents:
    """Consents and content of one installation. Safe to use from several threads and servers."""

    def __init__(
        self, access: Access, vault: Vault, in_force: PolicyInForce, *, days: int = 7
    ) -> None:
        """`days` is how long content is kept at most."""
        self._access = access
        self._vault = vault
        self._in_force = in_force
        self._days = days
        self.consents = Consents(access.audit, in_force, lambda: self._days)
        self.dropped: Counter[str] = Counter()
        """How many texts were dropped although they were agreed to, by reason."""
        self._told: Counter[str] = Counter()
        self._waiting: list[Text] = []
        self._refreshing = threading.Lock()
        self._covering = NOTHING
        self._generation = -1
        self._allowed = in_force.policy.content
        self.follow()

    # What the intake asks.

    @property
    def has_consents(self) -> bool:
        """Whether anything of anybody is to be kept."""
        return self._covering.has_any

    def find_cover(self, origin: Origin) -> Cover | None:
        """Return the consents that cover what comes from an origin; None is the usual answer."""
        return self._covering.find(origin)

    def add(self, text: Text) -> None:
        """Take a text; `save` writes it."""
        self._waiting.append(text)

    def drop(self, reason: str) -> None:
        """Count a text that is not kept although it was agreed to."""
        self.dropped[reason] += 1

    def save(self) -> None:
        """Write what was taken. What cannot be written is dropped: no event waits for content."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            try:
                rows = [self._row(text) for text in waiting]
                with self._access.control.write() as connection:
                    insert_new(connection, CONTENT, rows)
            except Exception:  # noqa: BLE001 - whatever it is, no event may be lost for it
                self.dropped["store"] += len(waiting)
        if self.dropped != self._told:
            # Only how many: an error, or its traceback, may show what it was about.
            new = ", ".join(
                f"{count} {reason}" for reason, count in (self.dropped - self._told).items()
            )
            _log.warning("content was dropped although it was agreed to: %s", new)
            self._told = self.dropped.copy()

    # What follows from what is decided.

    def follow(self) -> None:
        """Take over what was decided here or elsewhere, and what ended by itself."""
        with self._access.control.read() as connection:
            generation = find_generation(connection, GENERATION)
        allowed = self._in_force.policy.content
        is_due = self._access.audit.now() >= self._covering.until
        if is_due or generation != self._generation or allowed is not self._allowed:
            self.refresh()

    def refresh(self) -> None:
        """Work out anew what is agreed to, as when persons are other ones now."""
        with self._refreshing:
            self._allowed = self._in_force.policy.content
            with self._access.control.read() as connection:
                self._generation = find_generation(connection, GENERATION)
                offers = read_project_consents(connection).values()
                agreed = read_personal_consents(connection)
            self._covering = make_covering(
                self._allowed,
                offers,
                agreed,
                person_of=self.person_of,
                now=self._access.audit.now(),
            )

    def clear(self) -> None:
        """Delete all content and end all consents, because what they were given under is over."""
        with self._access.control.read() as connection:
            offers = read_project_consents(connection).values()
            agreed = read_personal_consents(connection)
        live = [each.id for each in offers if each.withdrawn is None]
        live += [each.id for each in agreed if each.withdrawn is None]
        if live:
            with self._access.audit.change(SYSTEM) as change:
                count = _delete(change.connection, CONTENT.c.id.is_not(None))
                end_consents(change, live)
                after = {"texts": count}
                change.record(
                    Action.CONTENT_DELETE, object="content", reason=_STRICTER, after=after
                )
            self._access.control.purge()
        self.refresh()

    def sweep(self) -> int:
        """Delete what was kept long enough, or whose consent ended; return how many texts."""
        with self._access.control.read() as connection:
            is_over = self._is_over(connection, self._access.audit.now())
            found = select(CONTENT.c.id).where(is_over).limit(1)
            if connection.execute(found).first() is None:
                return 0
        with self._access.audit.change(SYSTEM) as change:
            count = _delete(change.connection, is_over)
            change.record(Action.CONTENT_DELETE, object="content", after={"texts": count})
        self._access.control.purge()
        return count

    def count(self, at: datetime) -> Stored:
        """Count what is kept, and how much of it `sweep` would delete at an instant."""
        with self._access.control.read() as connection:
            is_over = self._is_over(connection, at)
            due = select(func.count()).select_from(CONTENT).where(is_over)
            size = func.sum(func.length(CONTENT.c.text))
            found = select(func.count(), func.min(CONTENT.c.time), size)
            rows, oldest, bytes_ = connection.execute(found).one()
            return Stored(rows, oldest, bytes_ or 0, connection.execute(due).scalar_one())

    def _is_over(self, connection: Connection, now: datetime) -> ColumnElement[bool]:
        """Return what is so of texts that were kept long enough, or whose consent ended."""
        personal = read_personal_consents(connection)
        over = [each.id for each in personal if not each.is_live(now)]
        conditions: list[ColumnElement[bool]] = [CONTENT.c.personal_consent.in_(over)]
        for offer in read_project_consents(connection).values():
            mine = CONTENT.c.project_consent == offer.id
            days = timedelta(days=min(self._days, offer.days))
            conditions.append(
                and_(mine, CONTENT.c.time < now - days) if offer.is_live(now) else mine
            )
        return or_(*conditions)

    # What an administrator and a person decide. The intake must pause.

    def open_project(
        self,
        project: str,
        purpose: str,
        reviewers: Sequence[str],
        actor: Actor,
        *,
        days: int = LONGEST.days,
    ) -> ProjectConsent:
        """Open a project for content, and close it first if it is open for something else.

        Raises:
            BadRequest: it is no project, there is no purpose, a reviewer has no account, or the
                privacy profile lets nobody keep content.
        """
        project = check_project(project)
        before = [each for each in self.consents.list_projects() if each.project == project]
        with self._access.audit.change(actor) as change:
            made = self.consents.open_project(change, project, purpose, reviewers, days=days)
            for offer in before:
                self._close(change, offer)
        self._settle()
        return made

    def close_project(self, project: str, reason: str, actor: Actor) -> ProjectConsent:
        """Close a project, and delete what was kept of it.

        Raises:
            NoSuchConsent: it is not open.
        """
        offer = self.consents.find_project(check_project(project))
        with self._access.audit.change(actor) as change:
            self._close(change, offer, reason)
        self._settle()
        return offer

    def agree(self, person: str, project: str, text_hash: str, channel: str) -> PersonalConsent:
        """Record that a person agreed; whoever calls knows that it is this person who acts.

        The record does not say whose account did it: beside the pseudonym, it would be known
        whose that is.

        Raises:
            NoSuchConsent: the project is not open.
            BadRequest: these are not the words any more, or they agreed already.
        """
        offer = self.consents.find_project(check_project(project))
        if any(each.offer.id == offer.id for each in self._live_consents(person)):
            raise BadRequest("this was agreed to already")
        with self._access.audit.change(SYSTEM) as change:
            self.consents.agree(change, person, offer, text_hash, channel)
        self._settle()
        return self.consents_of(person)[0]

    def withdraw(self, person: str, project: str, actor: Actor = SYSTEM, reason: str = "") -> int:
        """Take back what a person agreed to, and delete what was kept; return how many texts.

        Without an actor it is the person who acts, whose account the record does not name.

        Raises:
            NoSuchConsent: they agreed to nothing there that holds.
        """
        project = check_project(project)
        mine = [each for each in self._live_consents(person) if each.offer.project == project]
        if not mine:
            raise NoSuchConsent("nothing is agreed to in this project")
        with self._access.audit.change(actor) as change:
            ids = [each.id for each in mine]
            count = _delete(change.connection, CONTENT.c.personal_consent.in_(ids))
            end_consents(change, ids)
            after: dict[str, Json] = {"project": project, "texts": count}
            change.record(Action.CONTENT_WITHDRAW, object=person, reason=reason, after=after)
        self._settle()
        return count

    def forget(self, connection: Connection, names: Collection[str]) -> int:
        """Delete content and consents of a person who is erased; return how many texts."""
        mine = PERSONAL_CONSENT.c.person.in_(names)
        ids = [*connection.execute(select(PERSONAL_CONSENT.c.id).where(mine)).scalars()]
        covered = CONTENT.c.subject.in_(names) | CONTENT.c.personal_consent.in_(ids)
        count = _delete(connection, covered)
        connection.execute(delete(PERSONAL_CONSENT).where(mine))
        bump_generation(connection, GENERATION)
        return count

    # What holds.

    def consents_of(self, person: str) -> list[PersonalConsent]:
        """Return what a person agreed to, the newest first, also what does not hold any more."""
        return self.consents.list_personal(self.names_of(person))

    def text_for(self, project: str) -> tuple[ProjectConsent, ConsentText]:
        """Return what a project is open for, and the words in which a person agrees to it.

        Raises:
            NoSuchConsent: it is not open.
        """
        offer = self.consents.find_project(check_project(project))
        return offer, self.consents.text_of(offer)

    def _live_consents(self, person: str) -> list[PersonalConsent]:
        now = self._access.audit.now()
        return [each for each in self.consents_of(person) if each.is_live(now)]

    def _close(self, change: Change, offer: ProjectConsent, reason: str = "") -> None:
        count = _delete(change.connection, CONTENT.c.project_consent == offer.id)
        end_consents(change, [offer.id])
        after: dict[str, Json] = {"id": offer.id, "texts": count}
        change.record(Action.CONTENT_CLOSE, object=offer.project, reason=reason, after=after)

    def _settle(self) -> None:
        self._access.control.purge()
        self.refresh()

    def person_of(self, pseudonym: str) -> str:
        """Return whose a pseudonym is now."""
        return self._vault.people.find_person(pseudonym) or pseudonym

    def names_of(self, person: str) -> list[str]:
        """Return all that a person may be stored under."""
        known = self._vault.people.list_pseudonyms(self.person_of(person))
        return sorted({person, *(each.pseudonym for each in known)})

    def _row(self, text: Text) -> dict[str, Any]:
        place = self.place_of(text.id)
        return {
            "id": text.id,
            **text.cover._asdict(),
            "subject": text.subject,
            "session": text.session,
            "time": min(text.time, self._access.audit.now()),
            "name": text.name,
            "part": text.part,
            "text": self._access.keys.ring.encrypt(text.text, place, Purpose.CONTENT),
        }

    def place_of(self, content: str) -> str:
        """Return what the encryption of a text is bound to."""
        return f"content|text|{content}|{self._access.keys.installation}"


def _delete(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.execute(delete(CONTENT).where(condition)).rowcount
