"""Counts and their nouns."""

import pytest

from codometer.model.words import counted


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 sessions"), (1, "1 session"), (2, "2 sessions"), (12345, "12,345 sessions")],
)
def test_a_noun_follows_its_count(number: int, words: str) -> None:
    assert counted(number, "session") == words


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
