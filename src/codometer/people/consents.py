"""Who agreed that content is kept: an administrator for a project, and people for themselves.

A project is the repository that a client names, else the team. Whoever changes
what a project is opened for, or who may read, opens it anew, and everybody is
asked again. To say no is nothing that is recorded, so nobody can be asked why.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, update

from codometer.access.actions import Action
from codometer.access.generation import bump_generation
from codometer.errors import BadRequest, CodometerError
from codometer.model.words import counted
from codometer.privacy.profile import Content
from codometer.store.control_tables import ACCOUNT, PERSONAL_CONSENT, PROJECT_CONSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Connection

    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.privacy.profile import PolicyInForce

GENERATION: Final = "consents"
LONGEST: Final = timedelta(days=180)
"""A consent ends by itself after this, at the latest."""
_TEXT_VERSION: Final = 1
_MAX_LENGTH: Final = 500
_ID_BYTES: Final = 5
_KINDS: Final = ("repository", "team")
_NOT_FOUND: Final = "nothing is open for content in the project"


class NoSuchConsent(CodometerError):
    """There is no consent like this in force."""

    code = "no_such_consent"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConsent:
    """A project that is, or was, open for content. `reviewers` are accounts."""

    id: str
    project: str
    purpose: str
    reviewers: tuple[str, ...]
    days: int
    granted: datetime
    expires: datetime
    withdrawn: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it holds."""
        return self.withdrawn is None and now < self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalConsent:
    """What a person agreed to, in which words, and how they did."""

    id: str
    offer: ProjectConsent
    person: str
    text_version: int
    text_hash: str
    granted: datetime
    expires: datetime
    withdrawn: datetime | None
    channel: str

    def is_live(self, now: datetime) -> bool:
        """Tell whether it holds."""
        return self.withdrawn is None and now < self.expires and self.offer.is_live(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """The words that a person agrees to. `hash` says that it was these."""

    version: int
    text: str

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the words."""
        return sha256(self.text.encode()).hexdigest()


def project_of(repository: str | None, team: str | None) -> str | None:
    """Return the project of what carries this repository and team; None if it has none."""
    for kind, name in zip(_KINDS, (repository, team), strict=True):
        if name:
            return f"{kind}:{name}"
    return None


def check_project(project: str) -> str:
    """Return a project's name as it is stored.

    Raises:
        BadRequest: it names no repository and no team.
    """
    kind, _, name = project.strip().partition(":")
    if kind not in _KINDS or not name or len(name) > _MAX_LENGTH or not name.isprintable():
        raise BadRequest(
            "this names no project",
            hint="repository:NAME, or team:NAME where no repository is told",
        )
    return f"{kind}:{name}"


def consent_text(offer: ProjectConsent, logins: Sequence[str]) -> ConsentText:
    """Return the words that stand for agreeing; `logins` are the reviewers'."""
    where = offer.project.replace(":", " ", 1)
    readers = f"{', '.join(logins)} can read it, too." if logins else "Nobody else can read it."
    text = (
        "I agree that Codometer keeps what I and coding agents write to each other in"
        f" {where}: prompts, answers, and what tools are given and return.\n"
        f"It is for this: {offer.purpose}\n"
        "Secrets, and what names people, are cut out before anything is stored."
        f" It is encrypted, and deleted after {counted(offer.days, 'day')}.\n"
        f"I can read it. {readers} I see who looked.\n"
        "I can say no, or take this back at any time: nobody is told, it has no consequence for"
        " me, and what was kept is deleted at once.\n"
        f"It ends by itself after {LONGEST.days} days at the latest."
    )
    return ConsentText(version=_TEXT_VERSION, text=text)


@dataclass(frozen=True, slots=True)
class Consents:
    """All consents of an installation. What they let be kept is deleted by `Contents`."""

    audit: AuditLog
    in_force: PolicyInForce
    longest_days: Callable[[], int]
    """Returns how many days content is kept by the settings."""

    def list_projects(self) -> list[ProjectConsent]:
        """Return the projects that are open, by name."""
        now = self.audit.now()
        with self.audit.control.read() as connection:
            found = read_project_consents(connection).values()
        return sorted((each for each in found if each.is_live(now)), key=lambda each: each.project)

    def find_project(self, project: str) -> ProjectConsent:
        """Return the consent by which a project is open.

        Raises:
            NoSuchConsent: it is not.
        """
        found = next((each for each in self.list_projects() if each.project == project), None)
        if found is None:
            raise NoSuchConsent(_NOT_FOUND, hint="codometer content projects lists what is open")
        return found

    def text_of(self, offer: ProjectConsent) -> ConsentText:
        """Return the words in which a person agrees to what a project is opened for."""
        return consent_text(offer, self.list_logins(offer))

    def list_logins(self, offer: ProjectConsent) -> list[str]:
        """Return how the reviewers sign in."""
        with self.audit.control.read() as connection:
            return _logins(connection, offer.reviewers)

    def list_personal(self, names: Collection[str] | None = None) -> list[PersonalConsent]:
        """Return the consents of a person who has these pseudonyms, or all; the newest first."""
        with self.audit.control.read() as connection:
            found = read_personal_consents(connection)
        mine = [each for each in found if names is None or each.person in names]
        return sorted(mine, key=lambda each: each.granted, reverse=True)

    def open_project(
        self, change: Change, project: str, purpose: str, reviewers: Sequence[str], *, days: int
    ) -> ProjectConsent:
        """Open a project, which was closed before if it was open for something else.

        Raises:
            BadRequest: it is no project, there is no purpose, a reviewer has no account, or the
                privacy profile lets nobody keep content.
        """
        self._check_allowed()
        project, purpose = check_project(project), purpose.strip()
        if not purpose or len(purpose) > _MAX_LENGTH or not purpose.isprintable():
            raise BadRequest("this needs a purpose", hint="one line; everybody who agrees reads it")
        if not 0 < days <= LONGEST.days:
            raise BadRequest(f"a consent lasts from 1 to {LONGEST.days} days")
        made = ProjectConsent(
            id=_new_id("pc"),
            project=project,
            purpose=purpose,
            reviewers=_accounts(change.connection, reviewers),
            days=self.longest_days(),
            granted=change.time,
            expires=change.time + timedelta(days=days),
        )
        values = {
            "id": made.id,
            "project": project,
            "purpose": purpose,
            "reviewers": json.dumps(made.reviewers),
            "days": made.days,
            "granted": made.granted,
            "expires": made.expires,
        }
        change.connection.execute(insert(PROJECT_CONSENT).values(**values))
        bump_generation(change.connection, GENERATION)
        after: dict[str, Json] = {
            "id": made.id,
            "purpose": purpose,
            "reviewers": [*made.reviewers],
            "days": made.days,
        }
        change.record(Action.CONTENT_OPEN, object=project, after=after)
        return made

    def agree(
        self, change: Change, person: str, offer: ProjectConsent, text_hash: str, channel: str
    ) -> None:
        """Record that a person agreed to words that they have read.

        Raises:
            BadRequest: these are not the words any more, or nobody can agree to that.
        """
        self._check_allowed()
        text = consent_text(offer, _logins(change.connection, offer.reviewers))
        if text.hash != text_hash:
            raise BadRequest("these are not the words to agree to", hint="read them again")
        consent = _new_id("cc")
        values = {
            "id": consent,
            "project_consent": offer.id,
            "person": person,
            "text_version": text.version,
            "text_hash": text.hash,
            "granted": change.time,
            "expires": min(change.time + LONGEST, offer.expires),
            "channel": channel,
        }
        change.connection.execute(insert(PERSONAL_CONSENT).values(**values))
        bump_generation(change.connection, GENERATION)
        after = {"id": consent, "project": offer.project, "text": text.hash, "channel": channel}
        change.record(Action.CONTENT_AGREE, object=person, after=after)

    def _check_allowed(self) -> None:
        policy = self.in_force.policy
        if policy.content is Content.NOBODY:
            raise BadRequest(
                f"under the profile {policy.profile} nobody can agree that content is kept",
                hint="codometer privacy show says what is in force",
            )


def end_consents(change: Change, ids: Collection[str]) -> None:
    """Withdraw consents of both kinds; those that are withdrawn already keep their time."""
    for table in (PROJECT_CONSENT, PERSONAL_CONSENT):
        mine = table.c.id.in_(ids) & table.c.withdrawn.is_(None)
        change.connection.execute(update(table).where(mine).values(withdrawn=change.time))
    bump_generation(change.connection, GENERATION)


def read_project_consents(connection: Connection) -> dict[str, ProjectConsent]:
    """Return all that there ever were, by id."""
    return {
        row.id: ProjectConsent(
            id=row.id,
            project=row.project,
            purpose=row.purpose,
            reviewers=tuple(json.loads(row.reviewers)),
            days=row.days,
            granted=row.granted,
            expires=row.expires,
            withdrawn=row.withdrawn,
        )
        for row in connection.execute(select(PROJECT_CONSENT))
    }


def read_personal_consents(connection: Connection) -> list[PersonalConsent]:
    """Return all that there ever were."""
    offers = read_project_consents(connection)
    return [
        PersonalConsent(
            id=row.id,
            offer=offers[row.project_consent],
            person=row.person,
            text_version=row.text_version,
            text_hash=row.text_hash,
            granted=row.granted,
            expires=row.expires,
            withdrawn=row.withdrawn,
            channel=row.channel,
        )
        for row in connection.execute(select(PERSONAL_CONSENT))
    ]


def _logins(connection: Connection, accounts: Sequence[str]) -> list[str]:
    found = select(ACCOUNT.c.login).where(ACCOUNT.c.id.in_(accounts)).order_by(ACCOUNT.c.login)
    return [*connection.execute(found).scalars()]


def _accounts(connection: Connection, logins: Sequence[str]) -> tuple[str, ...]:
    """Return the accounts of people who are named by login or account."""
    found: set[str] = set()
    for login in logins:
        wanted = (ACCOUNT.c.login == login.strip().casefold()) | (ACCOUNT.c.id == login.strip())
        named = select(ACCOUNT.c.id).where(wanted & ACCOUNT.c.disabled.is_(None))
        account = connection.execute(named).scalar()
        if account is None:
            raise BadRequest("a reviewer has no account", hint="name them as they sign in")
        found.add(account)
    return tuple(sorted(found))


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(_ID_BYTES)}"
