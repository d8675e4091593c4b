"""A company whose work of twelve weeks is known, in the engine of the tests, and its Overview."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request

from codometer.access.actor import Actor, ActorKind
from codometer.access.permissions import EVERYTHING, ROLES, Role, Subject
from codometer.analysis.measures.grain import Grain
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer, run_query
from codometer.model.status import ContentStatus, RejectStatus, Status
from codometer.privacy.profile import Cut
from codometer.serve.gate import Gate
from codometer.serve.web.events import Changes
from codometer.serve.web.pages import build_pages
from codometer.serve.web.site import Site
from codometer.serve.workers import Workers
from tests.engines.embedded import DuckDBInMemory, Values, client, give_rollups, who
from tests.unit.serve.parts import STATUS, Client, shared_access
from tests.unit.serve.web.test_site import Panels

BERLIN: Final = ZoneInfo("Europe/Berlin")
NOW: Final = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)
"""A Monday afternoon."""

TODAY: Final = NOW.date()
FIRST: Final = date(2026, 8, 31)
"""A Monday twelve weeks before."""

TEAMS: Final = {"payments": 8, "platform": 6, "data": 3, "ops": 2}
OPUS: Final = "claude-opus-4-5"
HAIKU: Final = "claude-haiku-4-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one person did in a quarter of an hour."""

    person: str = "ada"
    team: str | None = "payments"
    day: date = TODAY
    hour: int = 9
    model: str | None = OPUS
    version: str = "2.1.330"
    source: str = "event"
    cost: Decimal | None = Decimal(20)
    more: Mapping[str, object] = field(default_factory=dict)

    def client(self) -> tuple[str, str | None, str]:
        return self.person, self.team, self.version

    def row(self, number: int) -> dict[str, object]:
        local = datetime.combine(self.day, time(self.hour), BERLIN)
        return {
            "bucket": local.astimezone(UTC).replace(tzinfo=None),
            **dict.fromkeys(("scope", "origin", "workplace"), number),
            **who({"session": f"session of {self.person}", "person": self.person}),
            "part": "live",
            "source": self.source,
            "model": self.model,
            "requests": 10 if self.source == "event" else None,
            "uncached_input_tokens": 1_000,
            "output_tokens": 500,
            "cost": self.cost,
            "cache_savings": self.cost and self.cost * 3,
            **self.more,
        }


def people(teams: Mapping[str, int] = TEAMS) -> list[tuple[str, str]]:
    """Return who works where."""
    return [(f"{team}-{number}", team) for team, count in teams.items() for number in range(count)]


def usual_work(
    teams: Mapping[str, int] = TEAMS, *, since: date = FIRST, until: date = TODAY
) -> list[Work]:
    """Everybody spends $20 on each weekday, and one of them on Haiku."""
    days = (since + timedelta(days=number) for number in range((until - since).days + 1))
    return [
        Work(person=person, team=team, day=day, model=HAIKU if number == 0 else OPUS)
        for day in days
        if day.weekday() < 5
        for number, (person, team) in enumerate(people(teams))
    ]


class Company:
    """Shows the Overview of some work, and counts what it was asked.

    With a role, somebody is signed in who has it, and perhaps is of some teams. `finest` is how
    finely teams may be told of.
    """

    def __init__(
        self,
        work: Iterable[Work],
        *,
        rejects: Sequence[RejectStatus] = (),
        now: datetime = NOW,
        role: Role | None = None,
        teams: frozenset[str] | None = None,
        finest: Cut = Cut.HOUR,
    ) -> None:
        self._minimum_people = 5 if role else 1
        self.grain = Grain(finest, now)
        self.subject = Subject(
            actor=Actor(kind=ActorKind.LOCAL),
            granted=ROLES[role] if role else EVERYTHING,
            teams=teams,
        )
        self._engine = _Engine()
        self._status = replace(STATUS, rejects=tuple(rejects))
        self.asked: list[Query] = []
        self.fault: Exception | None = None
        _fill(self._engine, list(work))
        self.changes = Changes(lambda: 1)
        site = Site(
            build_pages(self),
            first_run=Panels().page(),
            zone=BERLIN,
            ask=self.ask,
            changes=self.changes,
            workers=Workers(threads=1, max_waiting=8),
            gate=_Door(self),
            now=lambda: now,
            minimum_people=lambda: self._minimum_people,
            find_grain=lambda _: self.grain,
        )
        self.client = Client(Starlette(routes=site.routes()))

    def ask(self, query: Query) -> Answer:
        """Answer from the rollups, but for what `fault` is about."""
        self.asked.append(query)
        if self.fault and any(dimension.name == "hour" for dimension in query.by):
            raise self.fault
        return run_query(
            self._engine,
            query,
            organisation_zone=BERLIN,
            minimum_people=self._minimum_people,
            find_grain=lambda _: self.grain,
        )

    def read_status(self) -> Status:
        return self._status

    def read_rejects(self) -> Sequence[RejectStatus]:
        return self._status.rejects

    def read_sent_content(self) -> Sequence[ContentStatus]:
        return self._status.sent_content

    def page(self, **parameters: str) -> str:
        """Return the whole page."""
        response = self.client.get(_address(parameters), {"accept": "text/html"})
        assert response.status_code == 200
        return response.text

    def panel(self, name: str, **parameters: str) -> ET.Element:
        """Return one panel."""
        response = self.client.get(_address({**parameters, "panel": name}))
        assert response.status_code == 200
        return ET.fromstring(response.text)  # noqa: S314 - our own page


def text(element: ET.Element) -> str:
    """Return all that is written in an element, with single spaces."""
    return " ".join(" ".join(element.itertext()).split())


def by_class(element: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in element.iter() if name in each.get("class", "").split()]


def links(element: ET.Element) -> dict[str, str]:
    """Return where the links of an element lead, by what is written on them."""
    return {text(each): each.attrib["href"] for each in element.iter("a")}


def cells(element: ET.Element, part: str = "tbody") -> list[list[str]]:
    """Return the cells of the table in a panel that is no chart."""
    (body,) = element.iter(part)
    return [[text(cell) for cell in row] for row in body]


def _address(parameters: Mapping[str, str]) -> str:
    return f"/?{urlencode({name.rstrip('_'): value for name, value in parameters.items()})}"


class _Door(Gate):
    """Lets in whoever is said to ask."""

    def __init__(self, company: Company) -> None:
        super().__init__(shared_access())
        self._company = company

    def _identify(self, request: Request) -> Subject:  # noqa: ARG002 - as the real one
        return self._company.subject


class _Engine(DuckDBInMemory):
    """Takes thousands of rows at once, through a file: as bound values they take seconds."""

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row, default=str)}\n" for row in rows)
            file.flush()
            self.execute(f"INSERT INTO {table} BY NAME FROM read_json('{file.name}')")


def _fill(engine: DuckDBInMemory, work: Sequence[Work]) -> None:
    clients = list(dict.fromkeys(each.client() for each in work))
    tables = [
        client(at, team=team, version=version, session=f"session of {person}", person=person)
        for at, (person, team, version) in enumerate(clients)
    ]
    for name in ("workplace", "origin"):
        engine.insert(name, [table[name] for table in tables])
    numbers = {each: at for at, each in enumerate(clients)}
    give_rollups(engine, [each.row(numbers[each.client()]) for each in work], BERLIN)
