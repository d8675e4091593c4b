"""What a credential tells of a client is read as if the client had said it."""

from typing import Any

import pytest

from codometer.agents.origin import ACCOUNT_ATTRIBUTES, OriginRules, Origins
from codometer.intake.pipeline import fill_in
from codometer.model.event import Origin
from codometer.model.signal import AttributeDefault, LogRecord

TEAM = AttributeDefault("team.id", "checkout", ("team.id", "team"))
BOUND_TEAM = AttributeDefault("team.id", "checkout", ())
PERSON = AttributeDefault("enduser.id", "ada", ACCOUNT_ATTRIBUTES)


def origin(sent: dict[str, Any], *defaults: AttributeDefault) -> Origin:
    record = LogRecord(1, "claude_code.api_request", dict(sent))
    fill_in([record], defaults)
    return Origins(OriginRules()).find("claude_code", record.attributes)


@pytest.mark.parametrize("sent", [{}, {"team.id": ""}, {"team": None}])
def test_a_client_that_does_not_say_its_team_has_the_credentials(sent: dict[str, Any]) -> None:
    assert origin(sent, TEAM).team == "checkout"


@pytest.mark.parametrize("sent", [{"team.id": "search"}, {"team": "search"}])
def test_what_a_client_says_itself_holds(sent: dict[str, Any]) -> None:
    assert origin(sent, TEAM).team == "search"


@pytest.mark.parametrize("sent", [{}, {"team.id": "search"}, {"team": "search"}])
def test_a_team_that_binds_beats_what_a_client_says(sent: dict[str, Any]) -> None:
    assert origin(sent, BOUND_TEAM).team == "checkout"


def test_a_client_without_an_account_is_the_credentials_person() -> None:
    found = origin({"user.id": "installation-1"}, PERSON)
    assert (found.person, found.person_kind) == ("ada", "enduser")
    assert found.installation == "installation-1"


@pytest.mark.parametrize(
    ("sent", "person"),
    [
        ({"user.email": "grace@example.com"}, "grace@example.com"),
        ({"user.account_uuid": "u-1"}, "u-1"),
        ({"user.account_id": "a-1"}, "a-1"),
        ({"enduser.id": "grace"}, "grace"),
        ({"identity.source": "gateway-oidc", "user.id": "subject-1"}, "subject-1"),
    ],
)
def test_a_client_with_an_account_stays_its_own_person(sent: dict[str, Any], person: str) -> None:
    found = origin(sent, PERSON)
    assert (found.person, found.enduser_id) == (person, sent.get("enduser.id"))
