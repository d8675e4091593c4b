"""Refreshing the sums: when they change, and where one row changes what another adds up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest

from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.model.charge import Charge
from codometer.model.event import Counter, Event, Kind, Origin, Reading, Rows, Source
from codometer.model.identity import hash64, hash128
from codometer.model.period import Period
from codometer.model.signal import Temporality
from codometer.store.store import Store
from codometer.store.tables import resource_column
from codometer.store.writer import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE: Final = ZoneInfo("UTC")
SESSION, DAY = 1, 2
"""The scopes of the one session, and of its installation's day."""


def open_store(folder: Path, *resource_keys: str) -> Store:
    return Store(folder, ZONE, memory_limit="256MB", threads=1, resource_keys=resource_keys)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def origin(session: str | None = "s", **resource: str) -> Origin:
    fields: dict[str, Any] = dict.fromkeys(Origin._fields)
    known = {"agent": "claude_code", "session": session, "person": "ada", "installation": "i"}
    pairs = tuple(resource.items())
    return Origin(**{**fields, **known, "id": hash64(session, pairs), "resource": pairs})


def request(seconds: int, *, by: Origin | None = None) -> tuple[Event, Charge]:
    """Return a request of 100 tokens, so many seconds past noon."""
    event = Event(
        key=hash128("request", seconds),
        time_ns=_ns(seconds),
        scope=SESSION,
        day_scope=DAY,
        origin=by or origin(),
        source=Source.EVENT,
        kind=Kind.REQUEST,
        name="api_request",
        model="opus",
        output_tokens=100,
    )
    return event, Charge()


def reading(since: int, until: int, *, session: str | None) -> Reading:
    """Return that 100 tokens were used between two times."""
    return Reading(
        key=hash128("reading", session, until),
        time_ns=_ns(until),
        scope=SESSION if session else DAY,
        origin=origin(session),
        counter=Counter.OUTPUT_TOKENS,
        name="token.usage",
        series=hash64(session),
        temporality=Temporality.DELTA,
        start_ns=_ns(since),
        value=100.0,
        model="opus",
    )


def write(
    store: Store,
    events: Sequence[tuple[Event, Charge]] = (),
    readings: Sequence[Reading] = (),
) -> None:
    store.write(
        Batch(
            events=Rows(Event, [event for event, _ in events]),
            charges=[charge for _, charge in events],
            readings=Rows(Reading, readings),
            strangers={},
            rejected={},
        )
    )
    store.roll_up()


def tokens(store: Store, by: str | None = None) -> dict[object, object]:
    period = Period(start=NOON - timedelta(days=1), end=NOON + timedelta(days=1), zone=ZONE)
    query = parse_query(["tokens"], period=period, by=[by] if by else [])
    answer = run_query(store, query, organisation_zone=ZONE)
    return {group.key.get(by or ""): group.values["tokens"] for group in answer.groups}


def _ns(seconds: int) -> int:
    return int((NOON + timedelta(seconds=seconds)).timestamp()) * 10**9


def test_the_version_grows_when_the_sums_change_and_only_then(store: Store) -> None:
    before = store.version
    store.roll_up()
    assert store.version == before
    write(store, [request(0)])
    changed = store.version
    assert changed > before
    store.roll_up()
    assert store.version == changed
    with store.changing(for_good=False) as connection:
        connection.execute("UPDATE origin SET person = NULL")
    assert store.version > changed


def test_an_event_within_an_earlier_reading_takes_its_place(store: Store) -> None:
    write(store, [request(-300)])
    write(store, readings=[reading(-60, 60, session="s")])
    assert tokens(store) == {None: 200}
    write(store, [request(30)])
    assert tokens(store) == {None: 200}
    write(store, [request(90)])
    assert tokens(store) == {None: 300}


def test_an_event_near_the_end_of_a_reading_parts_what_lies_around_it(store: Store) -> None:
    write(store, readings=[reading(-60, 60, session="s"), reading(60, 120, session="s")])
    assert tokens(store) == {None: 200}
    write(store, [request(61)])
    assert tokens(store) == {None: 200}


def test_a_session_with_metrics_of_its_own_leaves_its_installations_day(store: Store) -> None:
    write(store, [request(0)])
    write(store, readings=[reading(-60, 60, session=None)])
    assert tokens(store) == {None: 100}
    write(store, readings=[reading(-60, 60, session="s")])
    assert tokens(store) == {None: 200}  # so the 100 of the day were somebody else's


def test_a_resource_attribute_counts_from_when_it_is_allowed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write(store, [request(0)])
    store.close()
    store = open_store(tmp_path, "department", "Room")
    write(store, [request(60, by=origin(department="r&d", Room="1"))])
    assert tokens(store, "resource.department") == {"r&d": 100, None: 100}
    assert tokens(store, "resource.Room") == {"1": 100, None: 100}
    store.close()


def test_the_column_of_an_attribute_stays_when_it_is_allowed_no_more(tmp_path: Path) -> None:
    store = open_store(tmp_path, "department")
    write(store, [request(0, by=origin(department="r&d"))])
    store.close()
    store = open_store(tmp_path)
    write(store, [request(60)])
    assert tokens(store, "resource.department") == {"r&d": 100, None: 100}
    store.close()


def test_attributes_that_differ_have_columns_that_differ() -> None:
    keys = ["a.b", "a_b", "A.b", "a.B", "a_2e_b", "ab", "ä", "a b", 'a"b', "a__b", ""]
    names = {resource_column(key).name.lower() for key in keys}
    assert len(names) == len(keys)
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in names)
