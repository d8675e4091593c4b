"""A server's inside with privacy in it: what clients send, whose it is, what the files hold."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from codometer.access.access import Access
from codometer.access.actor import Actor, ActorKind
from codometer.access.permissions import Role
from codometer.agents.claude_code.agent import ClaudeCode
from codometer.agents.claude_code.catalogue import EXTRA_ATTRIBUTES
from codometer.agents.origin import OriginRules, Origins
from codometer.agents.unknown import UnknownAgent
from codometer.intake.billing import pricer, unit_prices
from codometer.intake.normalise import Normalised, Normaliser
from codometer.model.signal import AttributeValue, DataPoint, LogRecord, Temporality
from codometer.people.people import People
from codometer.people.requests import Requests
from codometer.pricing import load_catalogue, normalise_model
from codometer.privacy.encryption import Purpose
from codometer.privacy.profile import Profile
from codometer.settings import Settings
from codometer.store.store import Store
from codometer.store.writer import Batch

BEGIN: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOT: Final = Actor(kind=ActorKind.LOCAL)
PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test

ADA: Final = {
    "user.id": "4f1ada00machineone",
    "user.account_uuid": "0add-ada-uuid",
    "user.email": "Ada.Lovelace@example.com",
}
ADA_ELSEWHERE: Final = {**ADA, "user.id": "4f1ada00machinetwo"}
GRACE: Final = {
    "user.id": "4f1grace0machine",
    "user.account_uuid": "0add-grace-uuid",
    "user.email": "grace@example.com",
}
NAMES_OF_ADA: Final = ("lovelace", "0add-ada-uuid", "4f1ada00", "session-of-ada")
_COUNTED: Final = (
    "requests", "uncached_input_tokens", "output_tokens", "list_cost", "reported_cost", "commits"
)  # fmt: skip


@dataclass
class Household:
    """One server's parts, in one folder, with a clock that stands until it is moved."""

    folder: Path
    now: list[datetime]
    access: Access
    store: Store
    people: People
    normaliser: Normaliser
    refused: int = 0
    is_open: bool = True
    _sent: int = 0

    @classmethod
    def open(cls, folder: Path, now: list[datetime] | None = None) -> Self:
        clock = now or [BEGIN]
        settings = Settings(data=folder)
        rules = OriginRules()
        store = Store(
            folder,
            ZoneInfo("UTC"),
            memory_limit="256MB",
            threads=1,
            resource_keys=rules.dimensions,
        )
        catalogue = load_catalogue()
        store.set_prices(unit_prices(catalogue))
        access = Access(settings, now=lambda: clock[0])
        try:
            people = People(
                access,
                store,
                known_attributes=EXTRA_ATTRIBUTES,
                services=settings.privacy.services,
            )
        except BaseException:
            access.close()
            store.close()
            raise
        salt = access.keys.ring.newest(Purpose.FINGERPRINT).secret.hex()
        origins = Origins(rules, people.identifier, people.memberships, salt=salt)
        agents = (ClaudeCode(origins, normalise_model), UnknownAgent(origins))
        normaliser = Normaliser(
            agents,
            lambda: int((clock[0] + timedelta(days=30)).timestamp()) * 10**9,
            people.in_force,
        )
        household = cls(folder, clock, access, store, people, normaliser)
        people.attach(people._pause, origins.forget)  # noqa: SLF001 - one thread needs no pause
        return household

    def close(self) -> None:
        if self.is_open:
            self.access.close()
            self.store.close()
        self.is_open = False

    def reopen(self) -> None:
        """Stop and start again."""
        self.close()
        again = self.open(self.folder, self.now)
        for name in ("access", "store", "people", "normaliser", "is_open"):
            setattr(self, name, getattr(again, name))

    @property
    def requests(self) -> Requests:
        return Requests(self.people)

    def become(self, profile: Profile) -> None:
        """Have the first administrator choose a profile, or decide on another one."""
        if self.access.sessions.have_accounts:
            self.people.decisions.decide(
                profile, "to see costs", "it was agreed", ROOT, confirmed=profile
            )
        else:
            link = self.access.accounts.invite_first()
            assert link is not None
            with self.access.audit.change(ROOT) as change:
                self.people.decisions.choose_first(profile, "to see costs", change)
            self.access.accounts.join(link.secret, "root", PASSWORD, ROOT)
        self.people.follow()

    def send(
        self,
        who: Mapping[str, str],
        *,
        session: str,
        number: int = 0,
        more: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        """Send a request to a model and a commit of somebody."""
        self._sent += 1
        time_ns = int(self.now[0].timestamp()) * 10**9 + (number or self._sent) * 10**9
        shared: dict[str, AttributeValue] = {
            "service.name": "claude-code",
            "session.id": session,
            "vcs.repository.name": "shop/checkout",
            **who,
        }
        request = LogRecord(
            time_ns,
            "claude_code.api_request",
            {
                **shared,
                "model": "claude-opus-4-5",
                "input_tokens": 100,
                "output_tokens": 20,
                "cost_usd": 0.5,
                "request_id": f"req-{session}-{number or self._sent}",
                **(more or {}),
            },
        )
        commit = DataPoint(
            "claude_code.commit.count", "1", Temporality.DELTA, 0, time_ns, 1.0, 0, dict(shared)
        )
        into = Normalised()
        self.normaliser.normalise([[request, commit]], into)
        self.refused += into.rejected.total()
        self.people.identifier.save()
        price = pricer(load_catalogue())
        self.store.write(
            Batch(into.events, price(into.events), into.readings, strangers={}, rejected={})
        )

    def totals(self) -> tuple[Any, ...]:
        """Return what everything adds up to, by each tier, and how many sessions there were."""
        self.store.roll_up()
        sums = ", ".join(f"sum({name})" for name in _COUNTED)
        asked = [
            f"SELECT {sums} FROM {table}"
            for table in ("rollup_15m", "session_15m", "session_day", "workplace_day")
        ]
        asked.append("SELECT count(DISTINCT session_id) FROM session_day")
        return tuple(self.store.fetch(sql)[0] for sql in asked)

    def persons(self) -> set[str]:
        """Return the persons that the sums are of, looked up by their number."""
        self.store.roll_up()
        return {
            row[0]
            for row in self.store.fetch(
                "SELECT DISTINCT o.person FROM session_day s JOIN origin o "
                "ON o.origin = s.origin AND o.person_id = s.person_id"
            )
        }

    def texts(self) -> str:
        """Return every text in the store, the file of which is compressed."""
        self.store.roll_up()
        tables = [
            row[0]
            for row in self.store.fetch(
                "SELECT table_name FROM duckdb_tables() WHERE NOT temporary"
            )
        ]
        return "\n".join(
            json.dumps(row, default=str)
            for table in tables
            for row in self.store.fetch(f"SELECT * FROM {table}")
        )

    def find_in_files(self, *texts: str) -> set[str]:
        """Return which of these texts, in any case, are in a file or a table."""
        held = [self.texts().lower().encode()]
        held += [path.read_bytes().lower() for path in self._files()]
        return {text for text in texts if any(text.lower().encode() in each for each in held)}

    def _files(self) -> Iterator[Path]:
        return (path for path in self.folder.rglob("*") if path.is_file())

    def invite(self, role: Role, login: str) -> None:
        """Let somebody join."""
        link = self.access.accounts.invite(role, ROOT)
        self.access.accounts.join(link.secret, login, PASSWORD, ROOT)

    def actions(self) -> list[str]:
        with self.access.control.read() as connection:
            rows = connection.exec_driver_sql("SELECT action FROM audit_entry ORDER BY seq")
            return [row[0] for row in rows]


def is_pseudonymous(persons: set[str]) -> bool:
    return all(re.fullmatch("p_[a-z2-7]{20}", person) for person in persons)
