import pytest

from codometer.model.signal import AttributeColumns
from codometer.privacy.profile import (
    POLICIES,
    Identity,
    Policy,
    Profile,
    describe,
    find_kept,
    is_weaker,
)
from codometer.privacy.protect import protect
from codometer.settings import Retention


def words(policy: Policy) -> str:
    return " ".join(describe(policy, find_kept(policy, Retention())).sentences)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.profile)
def test_the_first_sentences_say_what_is_collected_and_what_is_not(policy: Policy) -> None:
    kept = find_kept(policy, Retention(detail_days=7))
    first, second, *_ = describe(policy, kept).sentences
    assert first.startswith("Collected: ")
    assert second.startswith("Not collected: ")
    assert "kept for 7 days" in " ".join(describe(policy, kept).sentences)


def test_the_words_follow_the_policy() -> None:
    strict, standard, solo = (words(POLICIES[profile]) for profile in Profile)
    assert "Repositories are stored as pseudonyms" in strict
    assert "kept encrypted" in standard
    assert "Repositories" not in standard
    assert "as the client names them" in solo


def test_profiles_are_in_order() -> None:
    assert is_weaker(Profile.OPEN, than=Profile.STANDARD)
    assert is_weaker(Profile.STANDARD, than=Profile.STRICT)
    assert not is_weaker(Profile.STRICT, than=Profile.STRICT)
    assert [POLICIES[profile].min_people for profile in Profile] == [10, 5, 1]


def test_what_is_described_as_dropped_is_dropped() -> None:
    for policy in POLICIES.values():
        told: AttributeColumns
        told = {"prompt": ["hello"], "new.note": ["two words"], "user.name": ["ada"]}
        protect(told, frozenset(), policy.strangers)
        assert "prompt" not in told
        assert ("user.name" in told) is (policy.identity is Identity.PLAIN)
