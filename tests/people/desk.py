"""A household whose intake keeps content: requests go in as their bytes, as from a receiver."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from codometer.access.actor import Actor, ActorKind
from codometer.access.permissions import Role
from codometer.intake.content import ContentKeeper
from codometer.intake.normalise import Normalised
from codometer.intake.pipeline import fill_in
from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.intake.receivers.otlp_decode import decode
from codometer.model.charge import Charge
from codometer.model.signal import AttributeDefault, SignalKind
from codometer.people.content_views import ReadContent
from codometer.privacy.encryption import Purpose
from codometer.privacy.pseudonym import IdentityKind
from codometer.privacy.redaction import Redactor
from codometer.store.writer import Batch
from tests import capture
from tests.people.household import ROOT, Household

PROJECT: Final = "team:payments"
MARKED_KEY: Final = "AKIAIOSFODNN7EXAMPLE"
MARKED_EMAIL: Final = "ada@example.com"
PROMPT: Final = "Write a small module."
WITH_CONTENT: Final = {
    "2.1.330-http-json": ("team:platform", "ada.lovelace@example.com"),
    "2.1.330-traces": ("team:search", "grace@example.com"),
}
"""The recordings in which prompts, answers and tools' details are: their projects, and whose."""

WHO_ADA: Final = {"team.id": "payments", "user.email": "ada.lovelace@example.com"}
WHO_GRACE: Final = {"team.id": "payments", "user.email": "grace@example.com"}


@dataclass
class Desk:
    """A household, and what it keeps."""

    household: Household
    redactor: Redactor

    @classmethod
    def at(cls, household: Household) -> "Desk":
        secret = household.access.keys.ring.newest(Purpose.FINGERPRINT).secret
        return cls(household, Redactor(secret))

    @property
    def contents(self) -> Any:  # noqa: ANN401 - changes with the household
        return self.household.people.contents

    @property
    def views(self) -> Any:  # noqa: ANN401 - as above
        return self.household.people.content_views

    def deliver(self, request: ExportRequest) -> int:
        """Take a request as the pipeline does; return how many events it came to."""
        keeper = ContentKeeper(self.household.people, self.household.normaliser, self.redactor)
        signals = decode(request)
        fill_in(signals, request.defaults)
        into = Normalised()
        self.household.normaliser.normalise([signals], into)
        if keeper.is_wanted:
            keeper.keep([request], into.events.columns["origin"])
        self.household.people.identifier.save()
        keeper.save()
        charges = [Charge()] * len(into.events)
        self.household.store.write(
            Batch(into.events, charges, into.readings, strangers={}, rejected={})
        )
        return len(into.events)

    def deliver_recorded(
        self,
        name: str,
        encoding: Encoding = Encoding.PROTOBUF,
    ) -> None:
        """Take a recording, as from clients whose credential says that they are Ada's."""
        email = WHO_ADA["user.email"]
        defaults = (AttributeDefault("user.email", email, ("user.email",)),)
        for recorded in capture.recorded(name):
            made = recorded.export(encoding)
            self.deliver(
                ExportRequest(kind=made.kind, encoding=encoding, body=made.body, defaults=defaults)
            )

    def prompt(self, text: str, who: Mapping[str, str] = WHO_ADA, *, number: int = 1) -> None:
        """Take one prompt of somebody, now."""
        now_ns = int(self.household.now[0].timestamp()) * 10**9 + number
        told = {
            "service.name": "claude-code",
            "event.name": "user_prompt",
            "session.id": f"session-{number}",
            "prompt": text,
            **who,
        }
        record = {
            "timeUnixNano": str(now_ns),
            "body": {"stringValue": "claude_code.user_prompt"},
            "attributes": [
                {"key": key, "value": {"stringValue": value}} for key, value in told.items()
            ],
        }
        self.deliver(logs({"logRecords": [record]}))

    def open(
        self, project: str = PROJECT, reviewers: tuple[str, ...] = (), days: int = 180
    ) -> None:
        self.contents.open_project(project, "to learn from it", reviewers, ROOT, days=days)

    def agree(self, email: str = WHO_ADA["user.email"], project: str = PROJECT) -> None:
        """Have a person agree who was seen before."""
        person = self.person(email)
        _, text = self.contents.text_for(project)
        self.contents.agree(person, project, text.hash, "signed in")

    def person(self, email: str = WHO_ADA["user.email"]) -> str:
        found = self._find(email)
        assert found is not None
        return found

    def _find(self, email: str) -> str | None:
        people = self.household.people
        names = people.identifier.list_pseudonyms(IdentityKind.EMAIL, email)
        return people.vault.people.person_of(names)

    def account(self, login: str, role: Role = Role.DEVELOPER) -> Actor:
        """Let somebody join who is the person of that name."""
        self.household.invite(role, login)
        accounts = {each.login: each.id for each in self.household.access.accounts.list_accounts()}
        logins = {account: name for name, account in accounts.items()}
        self.views.find_own = lambda actor: self._find(logins.get(actor.id, ""))
        return Actor(kind=ActorKind.ACCOUNT, id=accounts[login])

    def read(self, actor: Actor, **wanted: str) -> list[ReadContent]:
        found: list[ReadContent] = self.views.read(actor, **wanted)
        return found

    def texts(self, person: str) -> str:
        """Return all that is kept of a person, decrypted."""
        tables = self.views.export(self.contents.names_of(person), with_texts=True)
        return "\n".join(row["text"] for row in tables["content"])

    def count(self) -> int:
        with self.household.access.control.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM content").scalar_one())

    def wait(self, **time: float) -> None:
        self.household.now[0] += timedelta(**time)


def logs(scoped: dict[str, Any]) -> ExportRequest:
    """Return an export of logs in JSON."""
    body = json.dumps({"resourceLogs": [{"scopeLogs": [scoped]}]}).encode()
    return ExportRequest(kind=SignalKind.LOGS, encoding=Encoding.JSON, body=body)
