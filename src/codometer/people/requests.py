"""What people may ask for of their own data, and what an administrator decides of identities.

Every act is on the record, under the person's pseudonym and never a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from codometer.access.actions import Action
from codometer.access.audit import check_reason
from codometer.access.credential_rows import GENERATION as CREDENTIALS
from codometer.access.generation import bump_generation
from codometer.errors import BadRequest, CodometerError
from codometer.model.identity import Counts
from codometer.people.archive import make_archive
from codometer.people.holds import OnHold
from codometer.people.identifier import list_named, names_strongly, of_kind
from codometer.people.memberships import Membership
from codometer.people.vault import Treatment
from codometer.privacy.pseudonym import IdentityKind, is_pseudonym
from codometer.privacy.resolution import Known, Link
from codometer.store.control_tables import ACCOUNT, CREDENTIAL, SUBJECT_REQUEST
from codometer.store.people import (
    StoredOrigin,
    are_held,
    count_rows,
    erase_origins,
    export_rows,
    list_origins,
    replace_identities,
)

if TYPE_CHECKING:
    from codometer.access.actor import Actor
    from codometer.people.people import People

_PERSONAL: Final[list[IdentityKind]] = [
    kind for kind in IdentityKind if kind is not IdentityKind.REPOSITORY
]
_MAX_LENGTH: Final = 200


class NoSuchPerson(CodometerError):
    """Nothing is stored of somebody of this name."""

    code = "no_such_person"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known of a person. `accounts` and `credentials` are those that name them."""

    person: str
    pseudonyms: tuple[Known, ...]
    rows: Counts
    accounts: tuple[str, ...]
    credentials: tuple[str, ...]
    teams: Sequence[Membership] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A person and the newest rows of each table about them, as a copy has them.

    `recorded` is what the audit log calls them, `persons` what measures do.
    """

    found: Found
    recorded: str
    persons: tuple[str, ...]
    identities: Sequence[Mapping[str, Any]]
    newest: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Subject:
    person: str
    names: frozenset[str]
    """What stands for the person in the store: pseudonyms, and plainly what the client said."""
    plain: frozenset[str]
    pseudonyms: tuple[Known, ...]
    origins: tuple[StoredOrigin, ...]


@dataclass(frozen=True, slots=True)
class Requests:
    """Shows, exports, erases, merges and splits persons."""

    people: People

    def show(self, subject: str, actor: Actor) -> Found:
        """Say what is known of a person, without a name.

        Raises:
            NoSuchPerson: nothing is stored of them.
        """
        with self.people.pausing():
            found = self._find(subject)
            told = self._told(found)
        self._record(Action.PERSON_SHOW, found, actor)
        return told

    def find_person(self, subject: str) -> str | None:
        """Return what stands for somebody, if they are known by a pseudonym."""
        known = self.people.vault.people
        return known.person_of(
            [each for each in self._candidates(subject) if each in known.identities]
        )

    def get_person(self, subject: str) -> str:
        """Return the pseudonym of somebody who is known, or of whom anything is stored.

        Raises:
            NoSuchPerson: neither is so.
        """
        return self.find_person(subject.strip()) or self._recorded(self._find(subject))

    def find_origins(self, subject: str) -> Sequence[StoredOrigin]:
        """Return whose rows are stored of somebody, none where nobody of this name is known."""
        try:
            return self._find(subject).origins
        except NoSuchPerson:
            return ()

    def find_stored(self, subject: str) -> Stored:
        """Return what is stored of somebody, for nobody but themselves: it leaves no entry.

        It is as of the last refresh of the sums, and holds clients up for a moment only.

        Raises:
            NoSuchPerson: nothing is stored of them.
        """
        with self.people.pausing():
            found = self._find(subject)
            told = self._told(found, as_of_now=False)
            with self.people.store.reading() as connection:
                newest = export_rows(connection, [each.origin for each in found.origins], newest=1)
            newest |= self.people.content_views.newest_of(self._marks(found))
            newest["teams"] = _rows(told.teams)[-1:]
            return Stored(
                found=told,
                recorded=self._recorded(found),
                persons=tuple(
                    sorted({each.identities.person or "" for each in found.origins} - {""})
                ),
                identities=self._identities(found, lambda _: True),
                newest=newest,
            )

    def export(self, subject: str, reason: str, actor: Actor, *, is_own: bool = False) -> bytes:
        """Return all that is stored of a person as a ZIP file, for them.

        Unless it is the actor's own, no text of theirs is in it, and no name but the one that
        the actor gave: whoever may export persons may not read content or reveal names with it.

        Raises:
            NoSuchPerson: nothing is stored of them.
            BadRequest: there is no reason.
        """
        check_reason(reason)
        with self.people.pausing():
            found = self._find(subject)
            self.people.store.roll_up()
            with self.people.store.reading() as connection:
                tables = export_rows(connection, [each.origin for each in found.origins])
            named = () if is_pseudonym(subject.strip()) else {*self._candidates(subject.strip())}
            identities = self._identities(found, lambda name: is_own or name in named)
            content = self.people.content_views.export(self._marks(found), with_texts=is_own)
            teams = _rows(self._memberships_of(found))
        with self.people.access.audit.change(actor) as change:
            # Beside their own account, the pseudonym would say whose it is.
            recorded = actor.id if is_own else self._recorded(found)
            change.record(Action.PERSON_EXPORT, object=recorded, reason=reason)
        return make_archive(
            found.person,
            {
                "identities": identities,
                "teams": teams,
                **tables,
                **content,
                "requests": self._asked(found),
            },
            self.people.access.audit.now(),
        )

    def forget(self, subject: str, confirmed: str, reason: str, actor: Actor) -> Found:
        """Erase a person; without `confirmed`, their pseudonym, only say what would be erased.

        What they cost and did stays in the sums, as of nobody. Data that comes late is refused.

        Raises:
            NoSuchPerson: nothing is stored of them.
            BadRequest: what is confirmed is another person, or there is no reason.
            OnHold: a legal hold keeps what is stored of them.
        """
        with self.people.pausing():
            found = self._find(subject)
            told = self._told(found)
            if not confirmed:
                return told
            check_reason(reason)
            if confirmed != found.person:
                raise BadRequest("this confirms another person", hint=f"confirm {found.person}")
            self._refuse_held(found)
            marks = self._marks(found)
            with self.people.store.changing(for_good=True) as connection:
                erase_origins(connection, [each.origin for each in found.origins])
            self.people.store.rewrite()
            with self.people.access.audit.change(actor) as change:
                texts = self.people.contents.forget(change.connection, marks)
                self.people.memberships.forget(change.connection, marks)
                mine = SUBJECT_REQUEST.c.person.in_(marks)
                change.connection.execute(delete(SUBJECT_REQUEST).where(mine))
                self.people.vault.bury(change.connection, marks, change.time)
                if told.credentials:
                    mine = CREDENTIAL.c.id.in_(told.credentials)
                    change.connection.execute(update(CREDENTIAL).where(mine).values(person=None))
                    bump_generation(change.connection, CREDENTIALS)
                after = {"sessions": told.rows.sessions, "events": told.rows.events}
                change.record(
                    Action.PERSON_FORGET,
                    object=self._recorded(found),
                    reason=reason,
                    after={**after, "texts": texts, "credentials": [*told.credentials]},
                )
            self.people.access.control.purge()
            self.people.look_anew()
        return told

    def withdraw_content(self, subject: str, project: str, reason: str, actor: Actor) -> int:
        """Take back for a person that content is kept; return how many texts were deleted.

        Raises:
            NoSuchPerson: nothing is stored of them.
            NoSuchConsent: they agreed to nothing there that holds.
            BadRequest: there is no reason.
        """
        check_reason(reason)
        with self.people.pausing():
            found = self._find(subject)
            return self.people.contents.withdraw(found.person, project, actor, reason)

    def merge(self, one: str, other: str, reason: str, actor: Actor) -> Found:
        """Decide that two pseudonyms are one person's.

        Raises:
            NoSuchPerson: one of them was never seen.
            BadRequest: there is no reason, or they are one person's already.
        """
        check_reason(reason)
        people = self.people.vault.people
        with self.people.pausing():
            known = sorted(
                (self._known(one), self._known(other)),
                key=lambda each: _PERSONAL.index(each.kind),
            )
            link = Link(known[0].pseudonym, known[1].pseudonym, is_decided=True)
            if people.find_person(link.stronger) == people.find_person(link.weaker):
                raise BadRequest("these are one person's already")
            with self.people.access.audit.change(actor) as change:
                self.people.vault.decide(change.connection, link, change.time)
                change.record(
                    Action.PERSON_MERGE,
                    object=link.stronger,
                    reason=reason,
                    after={"with": link.weaker},
                )
            self.people.settle()
            return self._told(self._find(link.stronger))

    def split(self, pseudonym: str, reason: str, actor: Actor) -> Found:
        """Take a pseudonym out of its person, for good, or until it is merged again.

        Raises:
            NoSuchPerson: it was never seen.
            BadRequest: there is no reason, or it is alone already.
        """
        check_reason(reason)
        people = self.people.vault.people
        with self.people.pausing():
            known = self._known(pseudonym)
            person = people.find_person(known.pseudonym)
            if person is None or len(people.list_pseudonyms(person)) == 1:
                raise BadRequest("this pseudonym is alone already")
            with self.people.access.audit.change(actor) as change:
                self.people.vault.set_apart(change.connection, known.pseudonym)
                change.record(
                    Action.PERSON_SPLIT,
                    object=known.pseudonym,
                    reason=reason,
                    before={"person": person},
                )
            self.people.settle()
            return self._told(self._find(known.pseudonym))

    def _identities(self, found: _Subject, is_told: Callable[[str], bool]) -> list[dict[str, Any]]:
        return [
            {
                "pseudonym": known.pseudonym,
                "kind": known.kind,
                "first_seen": known.created,
                "stands_for": self.people.vault.find_value(known.pseudonym)
                if is_told(known.pseudonym)
                else None,
            }
            for known in found.pseudonyms
        ]

    def treat(self, subject: str, treatment: Treatment, reason: str, actor: Actor) -> int:
        """Have somebody's records treated as a person's, a service's, or as nobody's.

        Who objects is nobody from now on, known here already or not; what is stored of them stays
        until it is forgotten. Of a service, what is stored is a service's too. Return of how many
        sessions that is so.

        Raises:
            NoSuchPerson: nobody of this pseudonym is known.
            BadRequest: there is no reason.
        """
        check_reason(reason)
        with self.people.pausing():
            try:
                found: _Subject | None = self._find(subject)
            except NoSuchPerson:
                found = None
                if is_pseudonym(subject.strip()):
                    raise
            names = self._marks(found) if found else [*self._candidates(subject.strip())]
            recorded = self._recorded(found) if found else names[0]
            with self.people.access.audit.change(actor) as change:
                self.people.vault.treat(change.connection, names, treatment, change.time)
                change.record(
                    Action.PERSON_TREAT,
                    object=recorded,
                    reason=reason,
                    after={"as": str(treatment)},
                )
            self.people.look_anew()
            if found is None or treatment is Treatment.EXCLUDED:
                return 0
            is_service = treatment is Treatment.SERVICE
            changed = [
                each._replace(identities=now)
                for each in found.origins
                if (now := of_kind(each.identities, is_service=is_service)) != each.identities
            ]
            with self.people.store.changing(for_good=False) as connection:
                replace_identities(connection, changed)
            return len(changed)

    def _known(self, pseudonym: str) -> Known:
        known = self.people.vault.people.identities.get(pseudonym)
        if known is None:
            raise _nobody()
        return known

    def _find(self, subject: str) -> _Subject:
        subject = subject.strip()
        if not subject or len(subject) > _MAX_LENGTH:
            raise BadRequest("this names nobody", hint="an e-mail address, account or pseudonym")
        self.people.vault.save()
        people = self.people.vault.people
        found = [name for name in self._candidates(subject) if name in people.identities]
        person = people.person_of(found)
        pseudonyms = tuple(people.list_pseudonyms(person)) if person else ()
        names = {subject, subject.lower(), *(known.pseudonym for known in pseudonyms)}
        with self.people.store.reading() as connection:
            names |= {
                each.identities.person or ""
                for each in list_origins(connection, names)
                if names_strongly(each.identities, names)
            }
            # Not of somebody else on the same machine.
            origins = tuple(
                each for each in list_origins(connection, names) if each.identities.person in names
            )
        if person is None and not origins:
            raise _nobody()
        plain = {
            value
            for known in pseudonyms
            if (value := self.people.vault.find_value(known.pseudonym))
        }
        return _Subject(
            person or origins[0].identities.person or subject,
            frozenset(names),
            frozenset(plain | ({subject} if not is_pseudonym(subject) else set())),
            pseudonyms,
            origins,
        )

    def _candidates(self, subject: str) -> Iterable[str]:
        if is_pseudonym(subject):
            yield subject
            return
        for kind in _PERSONAL:
            yield from self.people.identifier.list_pseudonyms(kind, subject)

    def _told(self, found: _Subject, *, as_of_now: bool = True) -> Found:
        if as_of_now:
            self.people.store.roll_up()
        with self.people.store.reading() as connection:
            rows = count_rows(connection, [each.origin for each in found.origins])
        names = {name.casefold() for name in found.plain}
        with self.people.access.control.read() as connection:
            accounts = connection.execute(select(ACCOUNT.c.id, ACCOUNT.c.login)).all()
            credentials = connection.execute(select(CREDENTIAL.c.id, CREDENTIAL.c.person)).all()
        return Found(
            person=found.person,
            pseudonyms=found.pseudonyms,
            rows=rows,
            accounts=tuple(row.id for row in accounts if row.login in names),
            credentials=tuple(
                row.id for row in credentials if row.person and row.person.casefold() in names
            ),
            teams=self._memberships_of(found),
        )

    def _memberships_of(self, found: _Subject) -> Sequence[Membership]:
        person = self.people.vault.people.person_of(self._marks(found))
        return self.people.memberships.list_of(person) if person else ()

    def _refuse_held(self, found: _Subject) -> None:
        held = self.people.find_held()
        if held is not None:
            with self.people.store.reading() as connection:
                if not are_held(connection, [each.origin for each in found.origins], held):
                    return
        raise OnHold(
            "a legal hold keeps what is stored of this person",
            hint="codometer retention show lists the holds",
        )

    def _asked(self, found: _Subject) -> list[dict[str, Any]]:
        mine = SUBJECT_REQUEST.c.person.in_(self._marks(found))
        wanted = select(SUBJECT_REQUEST).where(mine).order_by(SUBJECT_REQUEST.c.asked)
        with self.people.access.control.read() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def _marks(self, found: _Subject) -> list[str]:
        """Return every pseudonym under which the person could come back."""
        marks = {known.pseudonym for known in found.pseudonyms}
        for each in found.origins:
            for kind, name in list_named(each.identities):
                if is_pseudonym(name):
                    continue  # it is among theirs, or a machine that others use too
                marks.update(self.people.identifier.list_pseudonyms(kind, name))
        return sorted(marks)

    def _recorded(self, found: _Subject) -> str:
        """Return what the audit log calls a person: a pseudonym, also where names are plain."""
        if is_pseudonym(found.person):
            return found.person
        kind = IdentityKind.ACCOUNT_UUID
        for each in found.origins:
            named = list_named(each.identities)
            kind = next((kind for kind, name in named if name == found.person), kind)
        return self.people.identifier.pseudonym(kind, found.person)

    def _record(self, action: Action, found: _Subject, actor: Actor, reason: str = "") -> None:
        with self.people.access.audit.change(actor) as change:
            change.record(action, object=self._recorded(found), reason=reason)


def _rows(memberships: Sequence[Membership]) -> list[dict[str, Any]]:
    return [asdict(each) for each in memberships]


def _nobody() -> NoSuchPerson:
    return NoSuchPerson(
        "nothing is stored of such a person",
        hint="name them by e-mail address, account, installation or pseudonym",
    )
