"""Whose a pseudonym is, whatever order it is learned in."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from codometer.privacy.pseudonym import IdentityKind
from codometer.privacy.resolution import Known, Link, Resolution

NOW = datetime(2026, 11, 23, tzinfo=UTC)
A, E, M, N = "account-a", "email-a", "machine-1", "machine-2"
B = "account-b"
KINDS = {
    "account": IdentityKind.ACCOUNT_UUID,
    "email": IdentityKind.EMAIL,
    "machine": IdentityKind.INSTALLATION,
}
Record = list[tuple[IdentityKind, str]]


def record(*names: str) -> Record:
    return [(KINDS[name.partition("-")[0]], name) for name in names]


def learn(*records: Record) -> Resolution:
    people = Resolution()
    for number, each in enumerate(records):
        people.see(each, NOW + timedelta(seconds=number))
    return people


def groups(people: Resolution) -> set[frozenset[str]]:
    found: dict[str | None, set[str]] = {}
    for name in people.identities:
        found.setdefault(people.find_person(name), set()).add(name)
    return {frozenset(names) for names in found.values()}


def test_the_keys_of_a_record_are_one_persons() -> None:
    people = learn(record(A, E, M))
    assert groups(people) == {frozenset({A, E, M})}
    assert people.find_person(M) == A
    assert [known.pseudonym for known in people.list_pseudonyms(A)] == [A, E, M]
    assert people.count_people() == 1


def test_a_machine_seen_first_becomes_its_persons() -> None:
    people = learn(record(M))
    seen = people.see(record(A, M), NOW + timedelta(1))
    assert (seen.person, seen.moved) == (A, frozenset({M}))
    assert people.person_of([M]) == A


def test_a_machine_of_two_is_nobodys() -> None:
    people = learn(record(A, M), record(B, M))
    assert [people.find_person(name) for name in (A, B, M)] == [A, B, M]


def test_an_address_joins_two_accounts_under_the_older_name() -> None:
    people = learn(record(B), record(A, E))
    seen = people.see(record(B, E), NOW + timedelta(1))
    assert seen.person == B
    assert seen.moved == frozenset({A, E})
    assert people.see(record(B, E), NOW + timedelta(2)).links == ()


def test_what_is_known_teaches_nothing() -> None:
    people = learn(record(A, M))
    seen = people.see(record(A, M, M), NOW)
    assert (seen.identities, seen.links, seen.moved) == ((), (), frozenset())
    assert people.find_person("nobody") is None
    assert people.person_of(["nobody"]) is None


def test_two_pseudonyms_of_one_machine_are_one() -> None:
    people = learn(record(A, M), record(N, M))
    assert people.find_person(N) == A


def test_a_decision_beats_what_was_seen_and_can_be_undone() -> None:
    people = learn(record(A, M), record(B, N))
    assert people.decide(Link(A, B, is_decided=True)) == frozenset({B, N})
    assert people.set_apart(B) == frozenset({B, N})
    # A new key of one that is set apart is not seen with it either.
    people.see(record(B, "email-b"), NOW + timedelta(1))
    assert people.find_person("email-b") == "email-b"
    people.decide(Link(A, B, is_decided=True))
    assert groups(people) == {frozenset({A, B, M, N, "email-b"})}
    people.set_apart(M)
    assert people.find_person(M) == M


def test_a_machine_that_was_decided_on_is_its_persons_whoever_else_uses_it() -> None:
    people = learn(record(A, M), record(B, M))
    people.decide(Link(A, M, is_decided=True))
    assert people.find_person(M) == A


def test_the_forgotten_leave_nothing() -> None:
    people = learn(record(A, E, M), record(B, M))
    people.forget([A, E, "nobody"])
    assert groups(people) == {frozenset({B, M})}


NAMES = st.lists(
    st.sampled_from([A, B, "account-c", E, "email-b", M, N, "machine-3"]),
    min_size=1,
    max_size=4,
    unique=True,
).map(lambda names: record(*sorted(names)))


@given(records=st.lists(NAMES, max_size=12), luck=st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nobody(records: list[Record], luck: random.Random) -> None:
    shuffled = list(records)
    luck.shuffle(shuffled)
    assert groups(learn(*records)) == groups(learn(*shuffled))


@given(records=st.lists(NAMES, max_size=12))
def test_what_is_learned_step_by_step_is_what_all_of_it_says(records: list[Record]) -> None:
    people = learn(*records)
    again = Resolution(dict(people.identities), dict(people.links))
    assert {name: people.find_person(name) for name in people.identities} == {
        name: again.find_person(name) for name in again.identities
    }


@given(records=st.lists(NAMES, min_size=1, max_size=12))
def test_what_moved_is_told(records: list[Record]) -> None:
    people = learn(*records[:-1])
    before = {name: people.find_person(name) for name in people.identities}
    seen = people.see(records[-1], NOW + timedelta(1))
    moved = {name for name, person in before.items() if people.find_person(name) != person}
    assert seen.moved == moved


def test_a_pseudonym_keeps_when_it_was_first_seen() -> None:
    known = learn(record(A)).identities[A]
    assert known == Known(pseudonym=A, kind=IdentityKind.ACCOUNT_UUID, created=NOW)
