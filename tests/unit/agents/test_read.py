"""Values are read from whatever type a version sends, and what cannot be read is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from codometer.agents.origin import OriginRules, Origins
from codometer.agents.read import label, real, truth, usd, usd_from_micros, whole
from codometer.model.signal import NESTED

if TYPE_CHECKING:
    from codometer.model.signal import Attributes, AttributeValue


@pytest.mark.parametrize("value", [691, "691", 691.0])
def test_a_count_comes_as_a_number_or_as_text(value: AttributeValue) -> None:
    assert whole(value) == 691


@pytest.mark.parametrize("value", [-1, "-1", "many", True, NESTED, None, float("nan"), 1e300])
def test_what_is_no_count_is_unknown_and_not_zero(value: AttributeValue) -> None:
    assert whole(value) is None
    assert real(value) is None


def test_yes_and_no_come_as_themselves_or_as_text() -> None:
    assert [truth(value) for value in (True, "true", "false", False)] == [True, True, False, False]
    assert truth("perhaps") is None


def test_a_cost_is_exact_and_the_rounded_one_is_millionths() -> None:
    assert usd(0.0229736) == usd("0.0229736") == 22_973_600_000
    assert usd_from_micros(22_974) == 22_974_000_000
    assert usd("free") is None


@pytest.mark.parametrize("value", ["two\nlines", "a" * 201, "", "  ", NESTED, None])
def test_content_that_strayed_into_a_label_is_unknown(value: AttributeValue) -> None:
    assert label(value) is None


IDENTITIES: list[tuple[Attributes, str | None, str | None]] = [
    ({"user.id": "i", "user.email": "Ada@Example.com"}, "ada@example.com", "email"),
    ({"user.id": "i", "user.email": "a@b.c", "enduser.id": "e"}, "e", "enduser"),
    ({"user.id": "i", "enduser.id": "e", "user.account_id": "user_1"}, "user_1", "account"),
    ({"user.id": "i", "user.account_id": "user_1", "user.account_uuid": "u"}, "u", "account"),
    ({"user.id": "s", "identity.source": "gateway-oidc", "user.account_uuid": "u"}, "s", "subject"),
    ({"user.id": "i"}, "i", "installation"),
    ({}, None, None),
]


@pytest.mark.parametrize(("attributes", "person", "kind"), IDENTITIES)
def test_the_strongest_identity_names_the_person(
    attributes: Attributes, person: str | None, kind: str | None
) -> None:
    origin = Origins(OriginRules()).find("claude_code", attributes)
    assert (origin.person, origin.person_kind) == (person, kind)


def test_resource_attributes_become_dimensions() -> None:
    attributes: Attributes = {"team.id": "payments", "cost_center": "cc-42", "department": "r d"}
    origin = Origins(OriginRules()).find("claude_code", attributes)
    assert (origin.team, origin.cost_center) == ("payments", "cc-42")
    assert origin.resource == (("department", "r d"),)


def test_the_same_answer_is_the_same_origin() -> None:
    origins = Origins(OriginRules())
    again = Origins(OriginRules()).find("claude_code", {"user.id": "i"})
    assert origins.find("claude_code", {"user.id": "i"}) == again
    assert origins.find("claude_code", {"user.id": "j"}).id != again.id
