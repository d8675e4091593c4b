"""How the identities of a client are stored: as the policy in force says.

It runs once for each new client, session or version, not for each signal: the
answer is remembered with the origin.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from codometer.errors import Erased
from codometer.model.identity import SERVICE, Identities
from codometer.people.vault import Treatment
from codometer.privacy.encryption import KeyRing, Purpose
from codometer.privacy.profile import Identity, PolicyInForce
from codometer.privacy.pseudonym import IdentityKind, Pseudonymiser

if TYPE_CHECKING:
    from codometer.access.keys import Keys
    from codometer.people.vault import Vault

_log = logging.getLogger(__name__)

PERSON_KINDS: Final = {
    IdentityKind.SUBJECT: "subject",
    IdentityKind.ACCOUNT_UUID: "account",
    IdentityKind.ACCOUNT_ID: "account",
    IdentityKind.ENDUSER: "enduser",
    IdentityKind.EMAIL: "email",
    IdentityKind.INSTALLATION: "installation",
}
"""What `person_kind` says of each kind of identity."""
_KEPT: Final = (IdentityKind.EMAIL, IdentityKind.ENDUSER)
"""The kinds that name a person to other people, and that the vault keeps encrypted."""


class _Named(NamedTuple):
    """One identity of a client, and the pseudonyms that each key makes of it, newest first."""

    kind: IdentityKind
    identity: str
    pseudonyms: Sequence[str]


class Identifier:
    """Turns what a client says it is into what may be stored, and learns whose it is."""

    def __init__(
        self,
        vault: Vault,
        keys: Keys,
        in_force: PolicyInForce,
        now: Callable[[], datetime],
        services: Callable[[Identities], bool] = lambda _: False,
    ) -> None:
        """`services` tells by what a client says it is whether it is no person."""
        self._services = services
        self._vault = vault
        self._keys = keys
        self._in_force = in_force
        self._now = now
        self._ring: KeyRing | None = None
        self._made: tuple[Pseudonymiser, ...] = ()

    def __call__(self, told: Identities, /) -> Identities:
        """Return what may be stored under the policy in force.

        Raises:
            Erased: they are of somebody who was erased.
        """
        policy, version = self._in_force.policy, self._in_force.version
        is_plain = policy.identity is Identity.PLAIN
        told = told._replace(version=version)
        is_service = told.person_kind == SERVICE or self._services(told)
        if is_plain and not self._vault.has_marks:
            return of_kind(told, is_service=is_service)
        named = self._name_all(told)
        strong = _strong(named)
        self._refuse_erased(strong)
        treatment = self._find_treatment(strong)
        repository = told.repository
        if repository is not None and policy.hides_repositories:
            repository = self.pseudonym(IdentityKind.REPOSITORY, repository)
        if treatment is Treatment.EXCLUDED:
            return Identities(repository=repository, version=version)
        if treatment is not None:
            is_service = treatment is Treatment.SERVICE
        if is_plain:
            return of_kind(told, is_service=is_service)
        keeps_values = policy.identity is Identity.VAULT
        stored = self._stored(named, keeps_values=keeps_values)._replace(
            repository=repository, version=version
        )
        return of_kind(stored, is_service=is_service)

    def learn(self, told: Identities) -> str:
        """Have the vault know by pseudonyms alone who this is, whatever the policy; return them.

        Raises:
            Erased: they are of somebody who was erased.
        """
        named = self._name_all(told)
        self._refuse_erased(_strong(named))
        person = self._stored(named, keeps_values=False).person
        if person is None:
            raise ValueError("this names nobody")
        return person

    def find_person(self, told: Identities, kept: Identities) -> str | None:
        """Return the pseudonym of whom a client names, if the vault knows them.

        `kept` is how they are stored: plainly, it may be.
        """
        if self._in_force.policy.identity is not Identity.PLAIN:
            return kept.person
        strong = _strong(self._name_all(told))
        return self._vault.people.person_of([name for each in strong for name in each.pseudonyms])

    def pseudonym(self, kind: IdentityKind, identity: str) -> str:
        """Return the pseudonym that the newest key makes."""
        return self._pseudonymisers()[-1].pseudonym(kind, identity)

    def list_pseudonyms(self, kind: IdentityKind, identity: str) -> list[str]:
        """Return the pseudonyms that each key makes, the newest first."""
        return [each.pseudonym(kind, identity) for each in reversed(self._pseudonymisers())]

    def save(self) -> None:
        """Have the vault write down what was learned, or keep it until it can."""
        try:
            self._vault.save()
        except SQLAlchemyError:
            # The rows that follow hold pseudonyms only, so they need not wait for the vault.
            _log.exception("the identity vault could not be written; it is tried again")

    def _name_all(self, told: Identities) -> list[_Named]:
        return [
            _Named(kind, name, self.list_pseudonyms(kind, name)) for kind, name in list_named(told)
        ]

    def _find_treatment(self, strong: Sequence[_Named]) -> Treatment | None:
        return self._vault.find_treatment([name for each in strong for name in each.pseudonyms])

    def _stored(self, named: Sequence[_Named], *, keeps_values: bool) -> Identities:
        if not named:
            return Identities()
        known = self._vault.people.identities
        record = [(each.kind, each.pseudonyms[0]) for each in named]
        older = [
            (each.kind, name) for each in named for name in each.pseudonyms[1:] if name in known
        ]
        kept = [each for each in named if each.kind in _KEPT] if keeps_values else []
        values = {each.pseudonyms[0]: each.identity for each in kept}
        person = self._vault.see(record + older, values, self._now())
        fields: dict[str, Any] = {_FIELDS[kind]: name for kind, name in record}
        return Identities(person=person, person_kind=PERSON_KINDS[known[person].kind], **fields)

    def _refuse_erased(self, strong: Sequence[_Named]) -> None:
        # An installation that changed hands is its new person's.
        if any(self._vault.is_erased(each.pseudonyms) for each in strong):
            raise Erased("this is of a person who was erased", hint="they shall not come back")

    def _pseudonymisers(self) -> tuple[Pseudonymiser, ...]:
        ring = self._keys.ring
        if ring is not self._ring:
            self._made = tuple(
                Pseudonymiser(key=key, installation=self._keys.installation)
                for key in ring.keys[Purpose.PSEUDONYM]
            )
            self._ring = ring
        return self._made


_FIELDS: Final = {
    IdentityKind.SUBJECT: "installation",
    IdentityKind.ACCOUNT_UUID: "account_uuid",
    IdentityKind.ACCOUNT_ID: "account_id",
    IdentityKind.ENDUSER: "enduser_id",
    IdentityKind.EMAIL: "email",
    IdentityKind.INSTALLATION: "installation",
}


def _strong(named: Sequence[_Named]) -> Sequence[_Named]:
    """Return those that say who it is, and not only on which machine, if there are any."""
    return [each for each in named if each.kind is not IdentityKind.INSTALLATION] or named


def of_kind(who: Identities, *, is_service: bool) -> Identities:
    """Return the identities as those of a service, or of a person."""
    if who.person is None or is_service is (who.person_kind == SERVICE):
        return who
    kinds = (PERSON_KINDS[kind] for kind, name in list_named(who) if name == who.person)
    return who._replace(person_kind=SERVICE if is_service else next(kinds, None))


def list_named(told: Identities) -> list[tuple[IdentityKind, str]]:
    """Return the identities by kind, the strongest first."""
    return list(_list_named(told))


def names_strongly(told: Identities, names: AbstractSet[str]) -> bool:
    """Tell whether one of these names says who it is, and not only on which machine."""
    named = list_named(told)
    strong = [name for kind, name in named if kind is not IdentityKind.INSTALLATION]
    return any(name in names for name in strong or [name for _, name in named])


def _list_named(told: Identities) -> Iterator[tuple[IdentityKind, str]]:
    is_subject = told.person_kind == "subject"
    for kind, name in (
        (IdentityKind.SUBJECT, told.installation if is_subject else None),
        (IdentityKind.ACCOUNT_UUID, told.account_uuid),
        (IdentityKind.ACCOUNT_ID, told.account_id),
        (IdentityKind.ENDUSER, told.enduser_id),
        (IdentityKind.EMAIL, told.email),
        (IdentityKind.INSTALLATION, None if is_subject else told.installation),
    ):
        if name:
            yield kind, name
