"""Whose a pseudonym is, worked out from which of them were seen together.

An account, an e-mail address and the like are strong: two of them on one record
are one person's. An installation is weak, since people share machines: it
belongs to a person only while it was seen with nobody else's keys, and on a
record with a strong key the strong key says who it is. What an administrator
decided beats both. A person goes by the pseudonym that was known first, so a
merge renames the newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from codometer.privacy.pseudonym import IdentityKind

_ORDER: Final = {kind: place for place, kind in enumerate(IdentityKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A pseudonym that was seen."""

    pseudonym: str
    kind: IdentityKind
    created: datetime
    is_apart: bool = False


class Link(NamedTuple):
    """Two pseudonyms of one person."""

    stronger: str
    weaker: str
    is_decided: bool = False


class Seen(NamedTuple):
    """Whom a record is of, and what it taught."""

    person: str
    identities: Sequence[Known]
    links: Sequence[Link]
    moved: frozenset[str]
    """Pseudonyms that were known and have another person now."""


_NOTHING: Final = frozenset[str]()


@dataclass
class Resolution:
    """All pseudonyms and whose they are. One thread learns; others may ask meanwhile."""

    identities: dict[str, Known] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    _person: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Work out the persons."""
        self._person = _resolve(self.identities, self.links.values())

    def find_person(self, pseudonym: str) -> str | None:
        """Return whose a pseudonym is; None when it was never seen."""
        return self._person.get(pseudonym)

    def list_pseudonyms(self, person: str) -> list[Known]:
        """Return the pseudonyms of a person, the strongest first."""
        # Of a list, which is made in one step, unlike a loop over what another thread adds to.
        mine = [name for name, owner in list(self._person.items()) if owner == person]
        known = (self.identities.get(name) for name in mine)
        return sorted((each for each in known if each), key=_strength)

    def count_people(self) -> int:
        """Return how many persons there are."""
        return len(set(self._person.values()))

    def count_shared(self) -> int:
        """Return how many installations were seen with the keys of several persons."""
        owners: dict[str, set[str]] = defaultdict(set)
        for link in list(self.links.values()):
            ends = [self.identities[name] for name in (link.stronger, link.weaker)]
            stronger, weaker = (each.kind is IdentityKind.INSTALLATION for each in ends)
            if weaker and not stronger:
                owners[link.weaker].add(self._person[link.stronger])
        return sum(len(each) > 1 for each in owners.values())

    def person_of(self, pseudonyms: Sequence[str]) -> str | None:
        """Return whose a record is that has these pseudonyms, the strongest first."""
        for name in pseudonyms:
            if (person := self._person.get(name)) is not None:
                return person
        return None

    def see(self, record: Sequence[tuple[IdentityKind, str]], now: datetime) -> Seen:
        """Learn from a record with these pseudonyms, the strongest first and at least one."""
        strongest = record[0][1]
        new = [
            Known(pseudonym=name, kind=kind, created=now)
            for kind, name in dict.fromkeys(record)
            if name not in self.identities
        ]
        links = [
            Link(strongest, name)
            for _, name in record[1:]
            if name != strongest and (strongest, name) not in self.links
        ]
        if not new and not links:
            return Seen(self._person[strongest], (), (), _NOTHING)
        self.identities.update((each.pseudonym, each) for each in new)
        self.links.update(((link.stronger, link.weaker), link) for link in links)
        moved = self._learn({each.pseudonym for each in new}, links, strongest)
        return Seen(self._person[strongest], new, links, moved)

    def decide(self, link: Link) -> frozenset[str]:
        """Make two pseudonyms one person's; return those that have another person now."""
        for name in (link.stronger, link.weaker):
            self.identities[name] = replace(self.identities[name], is_apart=False)
        self.links[link.stronger, link.weaker] = link
        return self._resolve_all()

    def set_apart(self, pseudonym: str) -> frozenset[str]:
        """Take a pseudonym out of its person; return those that have another person now."""
        self.identities[pseudonym] = replace(self.identities[pseudonym], is_apart=True)
        return self._resolve_all()

    def forget(self, pseudonyms: Iterable[str]) -> frozenset[str]:
        """Unlearn pseudonyms and their links; return those that have another person now."""
        gone = set(pseudonyms)
        for name in gone:
            self.identities.pop(name, None)
        self.links = {pair: link for pair, link in self.links.items() if not gone & set(pair)}
        return self._resolve_all()

    def _learn(self, new: set[str], links: Sequence[Link], strongest: str) -> frozenset[str]:
        """Find out whose the new ones are, of all others only where a link joins known ones."""
        if all(link.weaker in new for link in links) and not self.identities[strongest].is_apart:
            person = self._person.setdefault(strongest, strongest)
            self._person.update(dict.fromkeys(new, person))
            return _NOTHING
        return self._resolve_all()

    def _resolve_all(self) -> frozenset[str]:
        before, self._person = self._person, _resolve(self.identities, self.links.values())
        return frozenset(
            name for name, person in before.items() if self._person.get(name, person) != person
        )


def _strength(known: Known) -> tuple[int, datetime, str]:
    return _ORDER[known.kind], known.created, known.pseudonym


def _resolve(identities: Mapping[str, Known], links: Iterable[Link]) -> dict[str, str]:
    """Return the person of each pseudonym."""
    root = {name: name for name in identities}

    def find(name: str) -> str:
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    seen_with: dict[str, set[str]] = defaultdict(set)
    for link in links:
        ends = identities[link.stronger], identities[link.weaker]
        if any(end.is_apart for end in ends):
            continue
        are_weak = [end.kind is IdentityKind.INSTALLATION for end in ends]
        if link.is_decided or all(are_weak) or not any(are_weak):
            root[find(link.weaker)] = find(link.stronger)
        else:
            seen_with[link.weaker].add(link.stronger)
    _give_installations(seen_with, find, root, identities)
    members: dict[str, list[Known]] = defaultdict(list)
    for name, known in identities.items():
        members[find(name)].append(known)
    names = {group: min(each, key=_age).pseudonym for group, each in members.items()}
    return {name: names[find(name)] for name in identities}


def _give_installations(
    seen_with: Mapping[str, set[str]],
    find: Callable[[str], str],
    root: dict[str, str],
    identities: Mapping[str, Known],
) -> None:
    """Join each installation to the one person whose strong keys it was seen with."""
    owners: dict[str, set[str]] = defaultdict(set)
    for installation, stronger in seen_with.items():
        owners[find(installation)].update(find(name) for name in stronger)
    for installation, people in owners.items():
        is_free = identities[installation].kind is IdentityKind.INSTALLATION
        if is_free and len(people) == 1:
            root[installation] = people.pop()


def _age(known: Known) -> tuple[bool, datetime, int, str]:
    """The oldest strong key names the person; an installation does only where there is none."""
    is_weak = known.kind is IdentityKind.INSTALLATION
    return is_weak, known.created, _ORDER[known.kind], known.pseudonym
