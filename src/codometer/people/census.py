"""How many people are known and by what, so that an administrator sees what could be better.

It is no list of anybody. A number that covers few people is not told, nor one that leaves few
of all beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codometer.people.vault import Treatment
from codometer.store.people import count_people, find_people

if TYPE_CHECKING:
    from codometer.people.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Numbers of people; None is one that covers too few.

    `installations` are counted as people because their clients name nobody, `addresses` are
    kept encrypted, `in_teams` are those of whom an administrator said today's team. These are
    parts of `people`, of whom something is stored; `excluded` object and are none of them.
    `shared` are installations that several people use, and `services` no people at all.
    """

    people: int | None
    installations: int | None
    addresses: int | None
    in_teams: int | None
    excluded: int | None
    shared: int | None
    services: int


def take_census(people: People, minimum: int) -> Census:
    """Count, and tell nothing of fewer than the minimum."""
    with people.store.reading() as connection:
        stored, names = count_people(connection), find_people(connection)
    vault, members = people.vault, people.memberships.find_members(people.today)
    addressed = vault.find_addressed()
    called = people.list_called(members | addressed)

    def count(persons: set[str]) -> int:
        return sum(not names.isdisjoint(called[person]) for person in persons)

    def part(number: int, whole: int) -> int | None:
        is_small = any(0 < each < minimum for each in (number, whole - number))
        return None if is_small else number

    excluded, shared = vault.count_treated(Treatment.EXCLUDED), vault.people.count_shared()
    return Census(
        people=part(stored.people, stored.people),
        installations=part(stored.installations, stored.people),
        addresses=part(count(addressed), stored.people),
        in_teams=part(count(members), stored.people),
        excluded=part(excluded, excluded),
        shared=part(shared, shared),
        services=stored.services,
    )
