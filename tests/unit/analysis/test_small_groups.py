from hypothesis import given
from hypothesis import strategies as st

from codometer.analysis.small_groups import MIN_PEOPLE, Split, split_groups

People = frozenset[int]


def split(groups: dict[str, People]) -> Split[str]:
    def count(merged: frozenset[str]) -> int:
        return len(frozenset[int]().union(*(groups[name] for name in merged)))

    return split_groups({name: len(people) for name, people in groups.items()}, count=count)


def people(first: int, last: int) -> People:
    return frozenset(range(first, last))


def test_groups_of_five_are_shown() -> None:
    assert split({"a": people(0, 5), "b": people(5, 12)}) == Split(
        shown=frozenset({"a", "b"}), merged=frozenset()
    )


def test_small_groups_are_merged() -> None:
    groups = {"a": people(0, 9), "b": people(9, 12), "c": people(12, 15)}
    assert split(groups) == Split(shown=frozenset({"a"}), merged=frozenset({"b", "c"}))


def test_the_next_smallest_joins_what_is_too_small_even_when_merged() -> None:
    groups = {"a": people(0, 9), "b": people(9, 15), "c": people(15, 18)}
    assert split(groups) == Split(shown=frozenset({"a"}), merged=frozenset({"b", "c"}))


def test_somebody_in_two_small_groups_counts_once() -> None:
    groups = {"a": people(0, 9), "b": people(9, 13), "c": people(10, 13)}
    assert split(groups) == Split(shown=frozenset(), merged=frozenset({"a", "b", "c"}))


def test_too_few_people_at_all_show_nothing() -> None:
    nothing: Split[str] = Split(shown=frozenset(), merged=frozenset())
    assert split({"a": people(0, 2), "b": people(2, 4)}) == nothing
    assert split({}) == nothing


def test_an_unknown_number_of_people_is_none() -> None:
    found = split_groups({"a": 9, "b": None}, count=lambda _: None)
    assert found == Split(shown=frozenset(), merged=frozenset())


@given(st.dictionaries(st.text("abc", max_size=3), st.frozensets(st.integers(0, 30))))
def test_nothing_that_is_shown_or_follows_from_it_covers_fewer_than_five(
    groups: dict[str, People],
) -> None:
    found = split(groups)
    rest = set(groups) - found.shown
    for name in found.shown:
        assert len(groups[name]) >= MIN_PEOPLE
    if found.shown and rest:
        assert len(set().union(*(groups[name] for name in rest))) >= MIN_PEOPLE
        assert rest == found.merged
