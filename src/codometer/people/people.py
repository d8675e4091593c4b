"""The policy in force and who people are, kept true in the intake, the vault and the store.

What must happen in one stroke (another policy, another name for a person, an
erasure) happens while the intake pauses, so that no row is made under what is
over and written under what has begun.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from codometer.access.access import Access
from codometer.errors import CodometerError, StoreUnusable
from codometer.jobs import Periodic
from codometer.model.identity import SERVICE, Identities
from codometer.model.period import local_date
from codometer.model.words import counted
from codometer.people.content_views import ContentViews
from codometer.people.contents import Contents
from codometer.people.decisions import Decision, Decisions, find_strictest_since
from codometer.people.holds import HoldKind, Holds
from codometer.people.identifier import PERSON_KINDS, Identifier, list_named
from codometer.people.memberships import Memberships
from codometer.people.services import find_services
from codometer.people.vault import Vault
from codometer.privacy.encryption import Purpose
from codometer.privacy.profile import POLICIES, Identity, Policy, PolicyInForce, Profile
from codometer.privacy.protect import is_kept
from codometer.privacy.pseudonym import IdentityKind, is_pseudonym
from codometer.store.control import rename_pseudonyms
from codometer.store.people import (
    ERASED,
    Applied,
    StoredOrigin,
    change_extras,
    find_applied,
    find_names,
    find_told,
    list_origins,
    list_teams,
    note_applied,
    rename_repositories,
    replace_identities,
)
from codometer.store.teams import Moved, move_to_teams

if TYPE_CHECKING:
    from datetime import date, datetime

    from codometer.access.actor import Actor
    from codometer.store.duckdb_engine import Connection
    from codometer.store.retention import Held
    from codometer.store.store import Store

_FOLLOW_SECONDS: Final = 0.5


class KeyInUse(CodometerError):
    """Something that this key made is stored."""

    code = "key_in_use"
    status = 409


class People:
    """Everything about persons, of one server. Safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        store: Store,
        *,
        known_attributes: frozenset[str],
        content_days: int = 7,
        services: Sequence[str] = (),
    ) -> None:
        """`known_attributes` are kept whatever the policy says of unknown ones.

        `services` are patterns of what services call themselves, with * for any text.

        Raises:
            StoreUnusable: what is stored has pseudonyms of another installation.
        """
        self.access = access
        self.store = store
        self.decisions = Decisions(access.audit, access.sessions)
        self.holds = Holds(access.audit, self._is_stored)
        self.vault = Vault(access.control, access.keys, access.audit.now)
        decision = self.decisions.find_in_force()
        self.in_force = PolicyInForce(POLICIES[decision.profile], decision.version)
        self.identifier = Identifier(
            self.vault, access.keys, self.in_force, access.audit.now, find_services(services)
        )
        self.memberships = Memberships(
            access.control, self.vault, self.identifier.find_person, store.zone
        )
        self.contents = Contents(access, self.vault, self.in_force, days=content_days)
        self.content_views = ContentViews(access, self.contents)
        self._known_attributes = known_attributes
        self._pause: Callable[[], AbstractContextManager[None]] = nullcontext
        self._applied = 0
        self._forget_origins: Callable[[], None] = lambda: None
        self._job = Periodic("people", _FOLLOW_SECONDS, self.follow)
        with store.reading() as connection:
            self._check_keys(find_applied(connection))

    def attach(
        self, pause: Callable[[], AbstractContextManager[None]], forget_origins: Callable[[], None]
    ) -> None:
        """Take what holds the intake still, and what makes it look anew at who a client is."""
        self._pause = pause
        self._forget_origins = forget_origins
        self.follow()

    def start(self) -> None:
        """Begin to follow what is decided."""
        self._job.start()

    def stop(self) -> None:
        """End."""
        self._job.stop()

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.in_force.policy

    def find_strictest(self, since: datetime) -> Policy:
        """Return the strictest policy in force since a time, which groups are told of by.

        It is read anew each time: with the first administrator it holds at once.
        """
        decided = self.decisions.settle()
        return POLICIES[find_strictest_since(decided, since, now=self.access.audit.now())]

    @property
    def today(self) -> date:
        """The day that it is in the organisation's time zone."""
        return local_date(self.access.audit.now(), self.store.zone)

    def pausing(self) -> AbstractContextManager[None]:
        """Hold the intake, and everybody else who changes persons, still."""
        return self._pause()

    def follow(self) -> None:
        """Bring everything to what is in force now, if it is not there."""
        self.contents.follow()
        decision = self.decisions.find_in_force()
        if decision.version == self._applied and not self.vault.has_news:
            return
        with self.pausing():
            if self.vault.follow():
                self.look_anew()
            self._apply(decision)
            self.settle()

    def rotate(self, purpose: Purpose, actor: Actor) -> None:
        """Replace the key of a purpose, and lock anew what it locks."""
        with self.pausing():
            self.vault.save()
            self.access.keys.rotate(purpose, actor)
            if purpose is Purpose.VAULT:
                self.vault.encrypt_anew()
                self.access.keys.delete_replaced(purpose, actor)
                self.access.control.purge()
            self.look_anew()

    def delete_key(self, number: int, actor: Actor, *, confirmed: bool) -> None:
        """Delete a key that made pseudonyms, which a newer one does now.

        Who came back since goes by a newer pseudonym, also in what is stored. All others of that
        time cannot be told by name any more: not shown, not exported, not forgotten.

        Raises:
            BadRequest: there is no such key, or it is in use.
            KeyInUse: it is not confirmed, and pseudonyms that it made are stored.
        """
        with self.pausing():
            self.access.keys.check_replaced(Purpose.PSEUDONYM, number)
            self.settle()
            made = self.vault.find_made_with(number)
            if made and not confirmed:
                raise KeyInUse(
                    f"of what is stored, the key {number} made {counted(len(made), 'pseudonym')}",
                    hint="delete it all the same with --yes; who did not come back since then"
                    " cannot be told by name any more",
                )
            newer = self._find_newer(frozenset(made))
            with self.access.audit.change(actor) as change:
                rename_pseudonyms(change.connection, newer)
                self.memberships.rename(change.connection, made, newer)
                self.vault.drop(change.connection, made)
                self.access.keys.delete(change, Purpose.PSEUDONYM, number)
            self.access.keys.reload()
            self._relink(frozenset(made), newer)
            self.settle()
            self.access.control.purge()
            self.look_anew()
        self.store.rewrite()

    def _find_newer(self, gone: frozenset[str]) -> dict[str, str]:
        """Return a pseudonym that stays of the person of each that goes, where there is one."""
        people = self.vault.people
        persons = {people.find_person(name) for name in gone} - {None}
        found: dict[str, str] = {}
        for person in persons:
            known = [each.pseudonym for each in people.list_pseudonyms(person or "")]
            stays = next((name for name in known if name not in gone), None)
            if stays is not None:
                found.update((name, stays) for name in known if name in gone)
        return found

    def _relink(self, gone: frozenset[str], newer: Mapping[str, str]) -> None:
        """Take pseudonyms that go out of what is stored, and give their rows to who they are."""
        with self.store.changing(for_good=True) as connection:
            replace_identities(
                connection,
                [
                    each._replace(identities=self._without(each.identities, gone, newer))
                    for each in list_origins(connection, gone)
                ],
            )

    def _without(
        self, told: Identities, gone: frozenset[str], newer: Mapping[str, str]
    ) -> Identities:
        keys: dict[str, Any] = {
            name: None
            for name in ("installation", "account_uuid", "account_id", "email", "enduser_id")
            if getattr(told, name) in gone
        }
        stays = newer.get(told.person or "")
        person = self.vault.people.find_person(stays) if stays else told.person
        return told._replace(person=person, **keys)

    def drop_unused(self) -> int:
        """Take out of the vault who is in no row any more; return how many pseudonyms went."""
        with self.pausing():
            self.vault.save()
            with self.store.reading() as connection:
                used = find_names(connection)
            used.update(self.memberships.list_people())
            people = self.vault.people
            persons = {people.find_person(name) for name in used}
            unused = [name for name in people.identities if people.find_person(name) not in persons]
            if unused:
                with self.access.audit.control.write() as connection:
                    self.vault.drop(connection, unused)
                self.access.control.purge()
                self.look_anew()
            return len(unused)

    def _is_stored(self, kind: HoldKind, subject: str) -> bool:
        """Tell whether anything of a team, or of the person behind a pseudonym, is stored."""
        if kind is HoldKind.TEAM:
            return subject in self.list_teams()
        if subject in self.vault.people.identities:
            return True
        with self.store.reading() as connection:
            if subject in find_names(connection):
                return True
        return bool(self._find_plain({subject}))

    def list_teams(self) -> list[str]:
        """Return the teams of which anything is stored, in order."""
        with self.store.reading() as connection:
            return list_teams(connection)

    def find_held(self) -> Held | None:
        """Return what legal holds keep as it is, None for everything."""
        held = self.holds.find_held(self.vault.people.find_person)
        if held is None or not held.persons:
            return held
        plain = self._find_plain(held.persons)
        return held._replace(persons=held.persons.union(*plain.values()))

    def find_stored(self, persons: Collection[str]) -> set[str]:
        """Return those of these persons of whom anything is stored."""
        with self.store.reading() as connection:
            names = find_names(connection)
        find = self.vault.people.find_person
        known = {find(name) or name for name in names}
        called = self.list_called(persons)
        return {person for person in persons if not known.isdisjoint(called[person])}

    def list_called(self, persons: Collection[str]) -> dict[str, set[str]]:
        """Return what each person is called where they are stored, as a pseudonym and plainly.

        All that is stored is looked through once, however many they are.
        """
        plain = self._find_plain(persons) if self.policy.identity is Identity.PLAIN else {}
        return {person: {person} | plain.get(person, set()) for person in persons}

    def _find_plain(self, persons: Collection[str]) -> dict[str, set[str]]:
        """Return what those of these persons are called who are stored plainly."""
        find = self.vault.people.find_person
        known = [(name, find(name)) for name in [*self.vault.people.identities]]
        wanted = {name: person for name, person in known if person and person in persons}
        wanted.update((name, name) for name in persons)
        with self.store.reading() as connection:
            told = find_told(connection)
        found: defaultdict[str, set[str]] = defaultdict(set)
        for each in told:
            if each.person and not is_pseudonym(each.person):
                for name in self._list_pseudonyms(each):
                    if name in wanted:
                        found[wanted[name]].add(each.person)
        return found

    def _list_pseudonyms(self, told: Identities) -> Iterator[str]:
        """Return the pseudonyms of whoever an origin is of that is stored plainly."""
        # Of a session that lost its keys, the person is all that there is.
        named = [(kind, told.person or "") for kind in PERSON_KINDS]
        named += [each for each in list_named(told) if each[0] is not IdentityKind.INSTALLATION]
        for kind, name in named:
            yield from self.identifier.list_pseudonyms(kind, name)

    def look_anew(self) -> None:
        """Have the intake look anew at who each client is, and where they belong."""
        self.memberships.refresh()
        self._forget_origins()
        self.contents.refresh()

    def settle(self) -> Moved:
        """Tell the telemetry of persons who are other ones now, or in other teams.

        The intake must pause. Return how many sessions belong elsewhere now. What a legal hold
        keeps in a team waits until one is lifted.
        """
        self.vault.save()
        moves = frozenset(self.vault.moves)
        if not moves:
            return Moved()
        self.look_anew()
        find = self.vault.people.find_person
        persons = {name: find(name) or name for name in moves}
        called = self.list_called({*persons.values()})
        holds, held = {each.id for each in self.holds.list_holds()}, self.find_held()
        with self.store.changing(for_good=False) as connection:
            stored = list_origins(connection, moves)
            replace_identities(
                connection, [now for each in stored if (now := self._resolved(each)) != each]
            )
            moved = move_to_teams(
                connection,
                {
                    name: self.memberships.list_stays(person)
                    for person, names in called.items()
                    for name in names
                },
                zone=self.store.zone,
                resource_keys=self.store.resource_keys,
                held=held,
            )
        kept = {name for name, person in persons.items() if called[person] & moved.kept}
        self.vault.settle_moves(moves, waiting=kept, holds=holds)
        return moved

    def _resolved(self, stored: StoredOrigin) -> StoredOrigin:
        told = stored.identities
        # Of a session that lost its keys, the person is all that there is.
        names = [name for _, name in list_named(told)] or [told.person or ""]
        person = self.vault.people.person_of(names)
        if person is None:
            return stored
        kind = PERSON_KINDS[self.vault.people.identities[person].kind]
        if told.person_kind in {"subject", SERVICE}:
            kind = told.person_kind
        return stored._replace(identities=told._replace(person=person, person_kind=kind))

    def _check_keys(self, applied: Applied | None) -> None:
        if applied is None or applied.profile == Profile.OPEN:
            return
        if applied.installation != self.access.keys.installation:
            raise StoreUnusable(
                "the telemetry has pseudonyms that other keys made",
                hint="give the control plane that belongs to it: `control.database`, or"
                " control.sqlite in the data folder",
            )

    def _apply(self, decision: Decision) -> None:
        self.in_force.policy = POLICIES[decision.profile]
        self.in_force.version = decision.version
        with self.store.reading() as connection:
            applied = find_applied(connection)
        self._check_keys(applied)
        if applied is None or applied.version != decision.version:
            self._bring_to(decision, applied)
        self.store.rewrite()
        self._applied = decision.version

    def _bring_to(self, decision: Decision, applied: Applied | None) -> None:
        """Bring everything to the policy in force. What fails is done anew, all of it.

        So it is noted last, when nothing of it is missing in the control plane.
        """
        policy = self.policy
        self.look_anew()
        before = POLICIES[Profile(applied.profile) if applied else Profile.OPEN]
        now = Applied(decision.version, policy.profile, self.access.keys.installation)
        is_stricter = _is_stricter(policy, before)
        if is_stricter:
            self.contents.clear()
        if policy.identity is Identity.PSEUDONYM:
            self.vault.drop_values()
            self.access.control.purge()
        with self.store.changing(for_good=is_stricter) as connection:
            if is_stricter:
                self._protect_stored(connection, policy)
            self.vault.save()
            note_applied(connection, now)

    def _protect_stored(self, connection: Connection, policy: Policy) -> None:
        """Bring what is stored to a stricter policy."""
        plain = {
            each.version
            for each in self.decisions.list_decisions()
            if POLICIES[each.profile].identity is Identity.PLAIN
        }
        changed = [
            each._replace(identities=self._protected(each.identities, plain | {0}))
            for each in list_origins(connection)
            if each.identities.person != ERASED
        ]
        replace_identities(connection, changed)
        if policy.hides_repositories:
            rename_repositories(connection, self._hidden_repository, self.store.resource_keys)
        change_extras(connection, lambda extra: self._kept_extra(extra, policy))

    def _protected(self, told: Identities, plain: set[int]) -> Identities:
        if told.version in plain:
            return self.identifier(told)
        return told._replace(version=self.in_force.version)

    def _hidden_repository(self, name: str) -> str:
        if is_pseudonym(name):
            return name
        return self.identifier.pseudonym(IdentityKind.REPOSITORY, name)

    def _kept_extra(self, extra: str, policy: Policy) -> str | None:
        told = json.loads(extra)
        kept = {
            name: value
            for name, value in told.items()
            if name in self._known_attributes or is_kept(name, value, policy.strangers)
        }
        if len(kept) == len(told):
            return extra
        return json.dumps(kept, separators=(",", ":")) if kept else None


def _is_stricter(policy: Policy, before: Policy) -> bool:
    order = list(POLICIES)
    return order.index(policy.profile) < order.index(before.profile)
