"""Requests made up from the server's own description, sent to it as each who may ask.

Whatever is asked, the answer is one that the description names, in its shape; no
fault of the server; nothing of people or of secrets; and nothing but a refusal
for who has no permission.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from codometer.access.permissions import Permission
from codometer.access.rate_limit import RateLimit
from tests.security.firm import OTHER, OWN, Asker, Firm, private_texts

pytestmark = pytest.mark.slow

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
Operation = APIOperation[Any, Any, Any, Any]

EXAMPLES: Final = 4
EXAMPLES_AT_LENGTH: Final = 100
EXPLORERS: Final = (
    "viewer of own",
    "developer of own",
    "team_lead of own",
    "finops of own",
    "auditor of own",
    "administrator of own",
    "operator",
    "personal, all scopes",
    "scrape",
    "ingest",
    "nobody",
)


@dataclass
class Explorer:
    """Asks as one of those who may ask, and keeps count of what it was answered."""

    firm: Firm
    asker: Asker
    told: Counter[int] = field(default_factory=Counter)

    def explore(self, examples: int) -> Counter[int]:
        """Ask every operation so many times rightly, and as often wrongly."""
        document = self.firm.ask("viewer of all", "GET", "/api/v1/openapi.json").json()
        operations = schemathesis.openapi.from_dict(document).get_all_operations()
        with requests.Session() as session:
            session.trust_env = False
            for found in operations:
                assert isinstance(found, Ok), found
                operation = found.ok()
                self._ask(session, operation, GenerationMode.POSITIVE, examples)
                if operation.query or operation.body:  # else there is no way to ask wrongly
                    self._ask(session, operation, GenerationMode.NEGATIVE, examples)
        return self.told

    def _ask(
        self,
        session: requests.Session,
        operation: Operation,
        mode: GenerationMode,
        examples: int,
    ) -> None:
        allowed = self._is_allowed(operation)

        @settings(max_examples=examples if allowed else 1, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            headers = dict(self.asker.headers)
            answer = case.call(base_url=self.firm.url, session=session, headers=headers)
            self._check(answer)
            if allowed:
                # An empty list is written like a list of one empty text, and is taken.
                strictly = [negative_data_rejection] if operation.body else []
                case.validate_response(answer, checks=[*CHECKS, *strictly])
            elif "a text has a character that is none" not in answer.text:  # refused before
                assert answer.status_code == (401 if self.asker.granted is None else 403)

        ask()

    def _is_allowed(self, operation: Operation) -> bool:
        ways = operation.definition.raw["security"]
        needed = {each for way in ways for scopes in way.values() for each in scopes}
        return needed <= (self.asker.granted or frozenset())

    @property
    def _is_of_its_team_alone(self) -> bool:
        # What the server receives and stores, and what was done with it, is of no team.
        wide = {Permission.READ_STATUS, Permission.READ_AUDIT}
        return self.asker.teams == frozenset({OWN.name}) and not wide & (
            self.asker.granted or frozenset()
        )

    def _check(self, answer: Response) -> None:
        self.told[answer.status_code] += 1
        text = answer.text
        assert [each for each in private_texts() if each in text] == []
        assert [of for of, secret in self.firm.secrets.items() if secret in text] == []
        if self._is_of_its_team_alone:
            assert not any(mark in text for mark in (OTHER.model, OTHER.repository))


@pytest.mark.parametrize("name", EXPLORERS)
def test_whatever_is_asked_the_answer_is_as_described(firm: Firm, name: str) -> None:
    assert Explorer(firm, firm.askers[name]).explore(EXAMPLES)


@pytest.mark.prove
@pytest.mark.parametrize("name", EXPLORERS)
def test_whatever_is_asked_at_length_the_answer_is_as_described(
    firm: Firm, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "take", lambda *_: True)  # what is refused is not looked into
    told = Explorer(firm, firm.askers[name]).explore(EXAMPLES_AT_LENGTH)
    print(f"  {name}: {sorted(told.items())}")  # noqa: T201
