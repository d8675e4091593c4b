"""A small, believable office to ask: fakes of what the server hands to its surfaces."""

import asyncio
import atexit
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import httpx
from starlette.applications import Starlette

from codometer.access.access import Access
from codometer.analysis.measures.coverage import Coverage
from codometer.analysis.measures.measure import Number
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer, Group, KeyValue, Values
from codometer.errors import CodometerError
from codometer.model.period import Period, local_date
from codometer.model.status import (
    ContentStatus,
    PeopleStatus,
    RejectStatus,
    RollupStatus,
    SignalStatus,
    Status,
    StorageStatus,
    UnknownName,
    UnpricedModel,
    VersionStatus,
)
from codometer.people.people import People
from codometer.people.retention import Retention
from codometer.serve.app import build_app
from codometer.serve.web.events import Changes
from codometer.settings import Settings
from codometer.store.store import Store

NOW: Final = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)
LAST: Final = datetime(2026, 11, 23, 14, 3, 8, tzinfo=UTC)
FIRST: Final = datetime(2026, 11, 2, 8, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What was used at one time."""

    time: datetime
    model: str | None
    team: str | None
    tokens: int
    cost: Decimal | None
    requests: int


USES: Final = (
    Use(
        time=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        model="claude-opus-4-5",
        team="checkout",
        tokens=1_920_417,
        cost=Decimal("4.102976250001"),
        requests=312,
    ),
    Use(
        time=datetime(2026, 11, 21, 23, 30, tzinfo=UTC),
        model="claude-haiku-4-5",
        team=None,
        tokens=61_004,
        cost=Decimal("0.000000010000"),
        requests=44,
    ),
    Use(
        time=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
        model="claude-next",
        team="search",
        tokens=8_012,
        cost=None,
        requests=3,
    ),
    Use(
        time=datetime(2026, 10, 20, 12, 0, tzinfo=UTC),
        model="claude-opus-4-5",
        team="checkout",
        tokens=1_500_000,
        cost=Decimal("5.25"),
        requests=290,
    ),
)

COVERAGE: Final = Coverage(
    signals=("event", "metric"),
    token_shares={"event": 0.984, "metric": 0.016},
    estimated_cost=Decimal("0.2113"),
    fallback_cost=None,
    unpriced_requests=3,
    unpriced_models=("claude-next",),
    missing_events=0,
    reported_from=FIRST,
    reported_until=LAST,
)


@dataclass
class Office:
    """Answers queries about a list of uses, and tells a status; `fault` makes it fail."""

    uses: Sequence[Use] = USES
    coverage: Coverage = COVERAGE
    fault: Exception | None = None
    version: int = 1
    asked: list[Query] = field(default_factory=list)

    def ask(self, query: Query) -> Answer:
        """Add up what was used, the way the store does."""
        self.asked.append(query)
        self.check()
        before = query.period.previous()
        groups = self._groups(query)
        if query.compare_previous:
            earlier = {_key(group): group for group in self._groups(replace(query, period=before))}
            groups = [_beside(query, group, earlier.get(_key(group))) for group in groups]
        return Answer(
            period=query.period,
            previous_period=before if query.compare_previous else None,
            measures=query.measures,
            dimensions=query.by,
            groups=tuple(groups),
            coverage=self.coverage,
        )

    def check(self) -> None:
        """Raise the fault, if there is one."""
        if self.fault:
            raise self.fault

    def read_status(self) -> Status:
        """Tell of a small fleet."""
        self.check()
        return STATUS

    def read_rejects(self) -> Sequence[RejectStatus]:
        """Tell what of that was refused."""
        return self.read_status().rejects

    def read_sent_content(self) -> Sequence[ContentStatus]:
        """Tell who sends content."""
        return self.read_status().sent_content

    def _groups(self, query: Query) -> list[Group]:
        found: dict[tuple[KeyValue, ...], list[Use]] = {}
        for use in self.uses:
            if query.period.start <= use.time < query.period.end and _matches(query, use):
                names = [dimension.name for dimension in query.by]
                key = tuple(_value_of(use, name, query.period) for name in names)
                found.setdefault(key, []).append(use)
        if not query.by:
            found.setdefault((), [])
        return [
            Group(
                key={each.name: value for each, value in zip(query.by, key, strict=True)},
                values={each.name: _sum(uses, each.name) for each in query.measures},
            )
            for key, uses in found.items()
        ]


def _matches(query: Query, use: Use) -> bool:
    return all(
        _value_of(use, condition.dimension.name, query.period) in condition.values
        for condition in query.conditions
    )


def _value_of(use: Use, name: str, period: Period) -> KeyValue:
    if name == "day":
        return local_date(use.time, period.zone)
    if name == "hour":
        return use.time.replace(minute=0)
    value: str | None = getattr(use, name, None)
    return value


def _sum(uses: Sequence[Use], name: str) -> Number | None:
    known = [value for use in uses if (value := getattr(use, name, None)) is not None]
    return sum(known[1:], known[0]) if known else None


def _key(group: Group) -> tuple[KeyValue, ...]:
    return tuple(group.key.values())


def _beside(query: Query, group: Group, earlier: Group | None) -> Group:
    names = [measure.name for measure in query.measures]
    previous: Values = earlier.values if earlier else dict.fromkeys(names)
    change = {name: _change(group.values[name], previous[name]) for name in names}
    return replace(group, previous=previous, change=change)


def _change(now: Number | None, before: Number | None) -> float | None:
    return None if now is None or not before else float(now) / float(before) - 1


STATUS: Final = Status(
    signals=(
        SignalStatus(signal="logs", events=8_214, first=FIRST, last=LAST),
        SignalStatus(signal="metrics", events=2_790, first=FIRST, last=LAST),
        SignalStatus(signal="traces", events=0, first=None, last=None),
    ),
    clients=3,
    sessions=41,
    people=(PeopleStatus(kind="account", count=3),),
    versions=(
        VersionStatus(agent="claude_code", version="2.1.330", sessions=40, last=LAST),
        VersionStatus(agent="claude_code", version=None, sessions=1, last=FIRST),
    ),
    unknown_names=(
        UnknownName(agent="claude_code", what="event", name="new_thing", count=2, last=LAST),
    ),
    sent_content=(
        ContentStatus(agent="claude_code", version="2.1.330", part="prompt", count=9, last=LAST),
    ),
    rejects=(RejectStatus(reason="too_old", count=1, last=LAST),),
    unpriced_models=(UnpricedModel(model="claude-next", requests=3),),
    storage=StorageStatus(
        path=str(Path("codometer-data")),
        bytes=7_340_032,
        detail_rows=11_004,
        rollup_rows=1_920,
        oldest_detail=FIRST,
    ),
    rollup=RollupStatus(as_of=datetime(2026, 11, 23, 14, 0, tzinfo=UTC), pending=2),
)


@cache
def shared_access() -> Access:
    """Open credentials and an audit log that nobody changes, once for all tests of a process."""
    folder = tempfile.TemporaryDirectory(prefix="codometer-office-")
    access = Access(Settings(data=Path(folder.name)), now=lambda: NOW)
    atexit.register(folder.cleanup)
    atexit.register(access.close)
    return access


@cache
def shared_store() -> Store:
    """Open a store in which nothing is, once for all tests of a process."""
    folder = tempfile.TemporaryDirectory(prefix="codometer-office-")
    store = Store(Path(folder.name), ZoneInfo("UTC"), memory_limit="64MB", threads=1)
    atexit.register(folder.cleanup)
    atexit.register(store.close)
    return store


def open_people(access: Access) -> People:
    """Return the people of an office, of whom nothing is stored."""
    return People(access, shared_store(), known_attributes=frozenset())


def build_office_app(
    office: Office,
    settings: Settings | None = None,
    access: Access | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    people: People | None = None,
) -> Starlette:
    """Return the web application of an office, at a fixed time unless told otherwise."""
    access = access or shared_access()
    settings = settings or Settings()
    people = people or open_people(access)
    return build_app(
        settings=settings,
        ask=office.ask,
        look=office.ask,
        status=office,
        check_ready=office.check,
        changes=Changes(lambda: office.version),
        access=access,
        retention=Retention(people, settings.retention, ZoneInfo("UTC")),
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Client:
    """Asks an application without a network."""

    app: Starlette

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a GET."""
        return self.send("GET", path, headers)

    def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request and return the whole answer."""
        return asyncio.run(self._send(method, path, headers))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        base = "http://127.0.0.1:4319"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, headers=headers)


class StoreGone(CodometerError):
    """What a store says that has gone."""

    code = "store_gone"
    status = 503
    retry_seconds = 1
