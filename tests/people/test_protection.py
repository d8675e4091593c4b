"""What reaches a file under each profile, and what becomes of it under another one."""

from datetime import timedelta
from typing import Final

import pytest

from codometer.errors import StoreUnusable
from codometer.model.signal import AttributeValue
from codometer.people.contents import Contents
from codometer.privacy.profile import POLICIES, Identity, Profile
from tests.people.household import (
    ADA,
    ADA_ELSEWHERE,
    GRACE,
    NAMES_OF_ADA,
    ROOT,
    Household,
    is_pseudonymous,
)

SECRETS = ("AKIAIOSFODNN7EXAMPLE", "sk-ant-very-secret", "fix the login of grace", "adas-laptop")
SEEDED: Final[dict[str, AttributeValue]] = {
    "prompt": "fix the login of grace",
    "user.full_name": "Ada Lovelace",
    "host.name": "adas-laptop",
    "brand.new.text": "Ada Lovelace wrote this",
    "brand.new.mail": "ada.lovelace@example.com",
    "brand.new.key": "AKIAIOSFODNN7EXAMPLE",
    "brand.new.token": "sk-ant-very-secret",
    "brand.new.word": "harmless",
}
PROTECTING = [Profile.STANDARD, Profile.STRICT]
SEEN = ("lovelace", "0add-ada-uuid", "4f1ada00", "0add-grace-uuid", "grace@example.com")


@pytest.mark.parametrize("profile", PROTECTING)
def test_no_name_and_no_secret_reaches_a_file(household: Household, profile: Profile) -> None:
    household.become(profile)
    household.send(ADA, session="one", more=SEEDED)
    household.send(GRACE, session="two", more=SEEDED)
    assert household.find_in_files(*SEEN, *SECRETS) == set()
    assert is_pseudonymous(household.persons())
    assert len(household.persons()) == 2
    household.reopen()
    assert household.find_in_files(*SEEN, *SECRETS) == set()


def test_on_a_machine_of_ones_own_names_are_kept_plainly(household: Household) -> None:
    household.send(ADA, session="one", more=SEEDED)
    assert household.find_in_files("0add-ada-uuid") == {"0add-ada-uuid"}
    assert household.find_in_files(*SECRETS) == {"adas-laptop"}


@pytest.mark.parametrize(
    ("profile", "kept"),
    [(Profile.OPEN, True), (Profile.STANDARD, True), (Profile.STRICT, False)],
)
def test_a_harmless_word_of_an_unknown_attribute_is_kept_unless_strict(
    household: Household, profile: Profile, *, kept: bool
) -> None:
    if profile is not Profile.OPEN:
        household.become(profile)
    household.send(ADA, session="one", more=SEEDED)
    assert ("harmless" in household.texts()) is kept


@pytest.mark.parametrize("profile", PROTECTING)
def test_what_was_collected_before_is_protected_too(household: Household, profile: Profile) -> None:
    household.send(ADA, session="one", more=SEEDED)
    household.send(ADA_ELSEWHERE, session="two", more=SEEDED)
    household.send(GRACE, session="three", more=SEEDED)
    totals = household.totals()
    household.become(profile)
    assert household.find_in_files(*SEEN, *SECRETS) == set()
    assert household.totals() == totals
    assert len(household.persons()) == 2
    persons = household.persons()
    household.send(ADA, session="four")
    assert household.persons() == persons


def test_a_repeated_delivery_is_counted_once_also_under_another_profile(
    household: Household,
) -> None:
    household.send(ADA, session="one", number=7)
    totals = household.totals()
    household.become(Profile.STRICT)
    household.send(ADA, session="one", number=7)
    assert household.totals() == totals


def test_strict_hides_repositories_and_keeps_no_address(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one", more=SEEDED)
    assert household.find_in_files("shop/checkout") == {"shop/checkout"}
    ada = household.persons().pop()
    email = next(
        known.pseudonym
        for known in household.people.vault.people.list_pseudonyms(ada)
        if known.kind == "email"
    )
    assert household.people.vault.find_value(email) == "ada.lovelace@example.com"
    household.become(Profile.STRICT)
    assert household.find_in_files("shop/checkout", "harmless") == set()
    assert household.people.vault.find_value(email) is None
    assert household.persons() == {ada}
    household.send(ADA, session="two", more=SEEDED)
    assert household.find_in_files("shop/checkout") == set()
    assert len(household.store.fetch("SELECT DISTINCT repository FROM workplace")) == 1
    assert household.people.vault.find_value(email) is None


def test_a_weaker_profile_shows_nothing_of_what_was_collected_before(
    household: Household,
) -> None:
    household.become(Profile.STRICT)
    household.send(ADA, session="one")
    before = household.texts()
    household.become(Profile.OPEN)
    household.send(ADA, session="two")
    assert household.people.policy.min_people == 10
    household.now[0] += timedelta(days=7)
    household.people.follow()
    assert household.people.policy.min_people == 1
    household.send(GRACE, session="three")
    versions: dict[str, int] = dict(
        household.store.fetch("SELECT session, policy_version FROM origin")
    )
    assert versions["one"] == versions["two"] < versions["three"]
    assert household.find_in_files(*NAMES_OF_ADA[:3]) == set()
    assert household.find_in_files("0add-grace-uuid") == {"0add-grace-uuid"}
    assert set(before.splitlines()) & set(household.texts().splitlines())


def test_a_store_with_pseudonyms_of_other_keys_is_not_opened(household: Household) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one")
    household.close()
    for name in ("control.sqlite", "main.key", "audit.key", "audit-anchors.jsonl"):
        (household.folder / name).unlink()
    with pytest.raises(StoreUnusable, match="other keys"):
        Household.open(household.folder)


def test_a_protection_that_was_cut_short_is_done_at_the_next_start(household: Household) -> None:
    household.send(ADA, session="one")
    link = household.access.accounts.invite_first()
    assert link is not None
    household.access.accounts.join(link.secret, "root", "marble kettle orbit fern", ROOT)
    household.reopen()
    assert household.people.policy.identity is Identity.VAULT
    assert household.find_in_files(*SEEN) == set()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("step", ["clear", "drop_values", "purge", "rewrite"])
def test_a_stricter_profile_that_failed_half_way_is_finished_later(
    household: Household, monkeypatch: pytest.MonkeyPatch, step: str, *, restarts: bool
) -> None:
    household.become(Profile.STANDARD)
    household.send(ADA, session="one", more=SEEDED)
    parts = household.people.contents, household.people.vault, household.access.control
    part = next((each for each in parts if hasattr(each, step)), household.store)

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(part, step, fail)
        with pytest.raises(OSError, match="full"):
            household.become(Profile.STRICT)
    cleared: list[bool] = []
    clear = Contents.clear

    def clear_noted(contents: Contents) -> None:
        cleared.append(True)
        clear(contents)

    monkeypatch.setattr(Contents, "clear", clear_noted)
    if restarts:
        household.reopen()
    household.people.follow()
    vault = household.people.vault
    assert [name for name in vault.people.identities if vault.find_value(name)] == []
    assert household.find_in_files("shop/checkout", "harmless") == set()
    assert cleared == ([] if step == "rewrite" else [True])


def test_every_profile_has_a_policy() -> None:
    assert set(POLICIES) == set(Profile)
