"""What the API tells of small groups to each kind of asker, on real sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from codometer.access.access import Access
from codometer.access.actor import Actor, ActorKind
from codometer.access.credential import Wanted
from codometer.access.permissions import Permission
from codometer.access.secret import Kind
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer, run_query
from codometer.people.people import People
from codometer.people.retention import Retention
from codometer.serve.api.status import ToldStatus
from codometer.serve.app import build_app
from codometer.serve.web.events import Changes
from codometer.settings import Settings
from tests.engines.embedded import DuckDBInMemory
from tests.measures.uses import ZONE, Use, fill
from tests.unit.serve.parts import NOW, STATUS, Client, Office, shared_store

WEEK = "from=2026-11-02&to=2026-11-16"


class Asker:
    """A program that asks the API of a server of six, two and two people."""

    def __init__(self, app: Starlette, secret: str) -> None:
        self._client = Client(app)
        self._headers = {"authorization": f"Bearer {secret}", "accept": "application/json"}

    def ask(self, question: str, status: int = 200) -> Mapping[str, Any]:
        answer = self._client.get(f"/api/v1/query?{question}&{WEEK}", self._headers)
        assert answer.status_code == status, answer.text
        found: Mapping[str, Any] = answer.json()
        return found


@pytest.mark.parametrize("minimum", [1, 5])
def test_the_status_tells_how_much_of_what_was_used_only_where_nobody_is_protected(
    minimum: int,
) -> None:
    told = ToldStatus(Office(), lambda: minimum)
    status = told.read_status()
    assert (status.clients, status.sessions) == (STATUS.clients, STATUS.sessions)
    assert [each.model for each in status.unpriced_models] == ["claude-next"]
    numbers = [
        *(each.count for each in status.people),
        *(value for each in status.versions for value in (each.sessions, each.last)),
        *(value for each in status.unknown_names for value in (each.count, each.last)),
        *(value for each in status.sent_content for value in (each.count, each.last)),
        *(each.requests for each in status.unpriced_models),
    ]
    assert len(numbers) >= 8
    assert all((value is None) == (minimum > 1) for value in numbers)
    assert told.read_sent_content() == status.sent_content
    assert told.read_rejects() == STATUS.rejects


class Server:
    def __init__(self, folder: Path) -> None:
        self._engine = DuckDBInMemory()
        large = [Use(person, "a", day) for person in range(6) for day in (0, 1, 2)]
        small = [Use(6 + number, team, 0) for number, team in enumerate("bbcc")]
        fill(self._engine, [*large, *small, Use(0, "a", 5)])
        settings = Settings(data=folder)
        self.access = Access(settings, now=lambda: NOW)
        office = Office()
        people = People(self.access, shared_store(), known_attributes=frozenset())
        self.app = build_app(
            settings=settings,
            ask=self._ask,
            look=self._ask,
            status=office,
            check_ready=office.check,
            changes=Changes(lambda: 1),
            access=self.access,
            retention=Retention(people, settings.retention, ZONE),
            now=lambda: NOW,
            minimum_people=lambda: 5,
        )

    def _ask(self, query: Query) -> Answer:
        return run_query(self._engine, query, organisation_zone=ZONE, minimum_people=5)

    def asker(self, *scopes: Permission) -> Asker:
        wanted = Wanted(
            kind=Kind.SERVICE, name="x", scopes=frozenset({Permission.READ_NUMBERS, *scopes})
        )
        made = self.access.credentials.create(wanted, Actor(kind=ActorKind.LOCAL))
        return Asker(self.app, made.secret)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.access.close()


def test_small_groups_are_one_row_that_says_so(server: Server) -> None:
    answer = server.asker().ask("measures=tokens,active_people&by=team")
    # b and c are four people together, so a stands with them.
    assert answer["rows"] == [
        {"team": "Other (k-anonymised)", "tokens": 230, "active_people": 10, "merged": True}
    ]
    assert (answer["withheld"], answer["minimum_people"]) == (True, 5)


def test_a_filter_that_leaves_too_few_is_refused_without_their_number(server: Server) -> None:
    asker = server.asker(Permission.READ_TOTALS)
    for team in "a", "b", "nobody":
        for more in "", "&by=day", "&by=team", "&compare=previous":
            answer = asker.ask(f"measures=cost&where=team:{team}{more}", 403)
            assert answer["error"] == {
                "code": "too_few_people",
                "message": "fewer than 5 people",
                "hint": "widen the period or group",
            }


def test_days_of_few_are_withheld_but_not_from_who_owns_the_totals(server: Server) -> None:
    rows = server.asker().ask("measures=cost&by=day")["rows"]
    assert [row.get("withheld", False) for row in rows] == [False, True, False, True]
    assert rows[-1] == {"day": "2026-11-07", "cost": None, "withheld": True}
    owner = server.asker(Permission.READ_TOTALS).ask("measures=cost&by=day")
    assert [float(row["cost"]) for row in owner["rows"]] == [100, 60, 60, 10]
    assert owner["withheld"] is False


def test_people_are_no_dimension_for_anybody(server: Server) -> None:
    every = server.asker(*(each for each in Permission if each.startswith("read:to")))
    for dimension in "person", "session":
        assert every.ask(f"measures=cost&by={dimension}", 403)["error"]["code"] == "forbidden"
        assert every.ask(f"measures=cost&where={dimension}:x", 403)["error"]["code"] == "forbidden"
