"""What stands around the values: order, comparison, and what the answer rests on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from codometer.analysis.measures.compile import MAX_GROUPS
from codometer.analysis.measures.coverage import NOT_ASKED
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, beside, run_query
from codometer.errors import BadRequest
from codometer.model.period import Period, parse_zone
from tests.engines.embedded import DuckDBInMemory, Values, client, give_rollups, who
from tests.unit.analysis.measures.periods import between

BERLIN = parse_zone("Europe/Berlin")
JULY = between("2026-07-01", "2026-08-01", BERLIN)


@pytest.fixture(scope="module")
def shared() -> DuckDBInMemory:
    return DuckDBInMemory()


@pytest.fixture
def engine(shared: DuckDBInMemory) -> Iterator[DuckDBInMemory]:
    yield shared
    shared.empty()


def give(engine: DuckDBInMemory, *rows: Values) -> None:
    """Add rollup rows; `at` is a local time, and each team has one client."""
    teams = list(dict.fromkeys(str(row.get("team", "red")) for row in rows))
    for number, team in enumerate(teams):
        for table, of_client in client(number, team=team, session=team, person=team).items():
            engine.insert(table, [of_client])
    filled = []
    for row in rows:
        team = str(row.get("team", "red"))
        filled.append(
            {
                "bucket": _utc(str(row["at"])),
                **dict.fromkeys(("scope", "origin", "workplace"), teams.index(team)),
                **who({"session": team, "person": team}),
                "part": "live",
                "source": "event",
                **{name: value for name, value in row.items() if name not in {"at", "team"}},
            }
        )
    give_rollups(engine, filled, BERLIN)


def _utc(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC).replace(tzinfo=None)


def ask(
    engine: DuckDBInMemory,
    *measures: str,
    by: tuple[str, ...] = (),
    period: Period = JULY,
    compare: str | None = None,
) -> Answer:
    query = parse_query(measures, period=period, by=by, compare=compare)
    return run_query(engine, query, organisation_zone=BERLIN)


def test_groups_come_by_time_then_by_the_first_measure(engine: DuckDBInMemory) -> None:
    give(
        engine,
        {"at": "2026-07-02T09:00", "team": "red", "requests": 1},
        {"at": "2026-07-02T09:00", "team": "blue", "requests": 7},
        {"at": "2026-07-02T09:00", "team": "green", "cost": Decimal(1)},
        {"at": "2026-07-02T09:00", "team": "amber", "requests": 1},
        {"at": "2026-07-01T09:00", "team": "red", "requests": 2},
    )
    answer = ask(engine, "requests", "cost", by=("team", "day"))
    assert [tuple(group.key.values()) for group in answer.groups] == [
        ("red", date(2026, 7, 1)),
        ("blue", date(2026, 7, 2)),
        ("amber", date(2026, 7, 2)),
        ("red", date(2026, 7, 2)),
        ("green", date(2026, 7, 2)),
    ]


def test_a_group_of_no_model_is_there_only_if_it_says_something(engine: DuckDBInMemory) -> None:
    give(
        engine,
        {"at": "2026-07-01T09:00", "model": "opus", "requests": 3, "output_tokens": 5},
        {"at": "2026-07-01T09:00", "tool": "Bash", "requests": 0, "output_tokens": 0},
        {"at": "2026-07-02T09:00", "source": "metric", "output_tokens": 4},
    )
    assert [g.key["model"] for g in ask(engine, "requests", by=("model",)).groups] == ["opus"]
    answer = ask(engine, "requests", "tokens", by=("model",))
    assert [tuple(group.values.values()) for group in answer.groups] == [(3, 5), (0, 4)]


def test_a_change_needs_something_earlier(engine: DuckDBInMemory) -> None:
    give(
        engine,
        {"at": "2026-06-15T09:00", "team": "red", "requests": 4, "prompts": 0},
        {"at": "2026-06-15T09:00", "team": "gone", "requests": 4},
        {"at": "2026-07-15T09:00", "team": "red", "requests": 5, "prompts": 2},
        {"at": "2026-07-15T09:00", "team": "new", "requests": 1},
    )
    answer = ask(engine, "requests", "prompts", by=("team",), compare="previous")
    assert answer.previous_period == between("2026-06-01", "2026-07-01", BERLIN)
    red, new = answer.groups
    assert red.previous == {"requests": 4, "prompts": 0}
    assert red.change == {"requests": 0.25, "prompts": None}
    assert new.previous == new.change == {"requests": None, "prompts": None}


def test_what_an_answer_rests_on_is_found_only_if_asked_for(engine: DuckDBInMemory) -> None:
    give(engine, {"at": "2026-07-15T09:00", "requests": 5, "output_tokens": 7})
    query = parse_query(["requests"], period=JULY, with_coverage=False)
    assert run_query(engine, query, organisation_zone=BERLIN).coverage == NOT_ASKED
    assert ask(engine, "requests").coverage.signals == ("event",)


def test_two_answers_can_be_put_beside_each_other(engine: DuckDBInMemory) -> None:
    give(
        engine,
        {"at": "2026-06-15T09:00", "team": "red", "requests": 4},
        {"at": "2026-07-15T09:00", "team": "red", "requests": 5},
        {"at": "2026-07-15T09:00", "team": "new", "requests": 1},
    )
    now, before = (ask(engine, "requests", by=("team",), period=p) for p in (JULY, JULY.previous()))
    assert beside(now, before) == ask(engine, "requests", by=("team",), compare="previous")


@pytest.mark.parametrize(
    ("by", "earlier", "now"),
    [
        ("day", "2026-07-07T23:45", "2026-07-14T00:00"),
        ("hour", "2026-07-07T09:00", "2026-07-14T09:45"),
        ("week", "2026-07-06T09:00", "2026-07-19T09:00"),
    ],
)
def test_times_are_compared_by_their_place_in_the_period(
    engine: DuckDBInMemory, by: str, earlier: str, now: str
) -> None:
    week = between("2026-07-13", "2026-07-20", BERLIN)
    give(engine, {"at": earlier, "requests": 2}, {"at": now, "requests": 3})
    (group,) = ask(engine, "requests", by=(by,), period=week, compare="previous").groups
    assert group.change == {"requests": 0.5}


def test_months_are_compared_by_their_place_in_the_period(engine: DuckDBInMemory) -> None:
    give(
        engine, {"at": "2026-02-01T09:00", "requests": 2}, {"at": "2026-05-31T09:00", "requests": 3}
    )
    spring = between("2026-04-01", "2026-07-01", BERLIN)
    (group,) = ask(engine, "requests", by=("month",), period=spring, compare="previous").groups
    assert group.key["month"] == date(2026, 5, 1)
    assert group.change == {"requests": 0.5}


def test_an_answer_that_nobody_can_read_is_refused(engine: DuckDBInMemory) -> None:
    engine.execute(
        "INSERT INTO session_day BY NAME SELECT DATE '2026-07-02' AS day, n AS scope,"
        f" n AS origin, 1 AS workplace, 1 AS requests FROM range({MAX_GROUPS + 1}) r(n)"
    )
    engine.execute(
        "INSERT INTO origin BY NAME SELECT n AS origin, 1 AS workplace, 's' || n AS session"
        f" FROM range({MAX_GROUPS + 1}) r(n)"
    )
    with pytest.raises(BadRequest, match="more than 50,000 groups"):
        ask(engine, "requests", by=("session",))


def test_coverage_says_what_the_answer_rests_on(engine: DuckDBInMemory) -> None:
    give(
        engine,
        {
            "at": "2026-07-02T09:00",
            "model": "opus",
            "requests": 3,
            "unpriced_requests": 0,
            "uncached_input_tokens": 50,
            "output_tokens": 10,
            "estimated_cost": Decimal("0.25"),
        },
        {
            "at": "2026-07-02T10:00",
            "model": "novel",
            "requests": 2,
            "unpriced_requests": 2,
            "output_tokens": 15,
            "fallback_cost": Decimal("0.5"),
        },
        {
            "at": "2026-07-03T12:15",
            "source": "metric_daily",
            "model": "strange",
            "cache_read_tokens": 25,
            "fallback_cost": Decimal("0.125"),
        },
        {"at": "2026-07-03T10:00", "missing_events": 7},
        {"at": "2026-07-09T10:00", "model": "later", "unpriced_requests": 1, "source": "span"},
    )
    days = between("2026-07-01", "2026-07-03T13:00", BERLIN)
    coverage = ask(engine, "tokens", by=("session",), period=days).coverage
    assert coverage.signals == ("event", "metric")
    assert coverage.token_shares == {"event": 0.75, "metric_daily": 0.25}
    assert coverage.estimated_cost == Decimal("0.25")
    assert coverage.fallback_cost == Decimal("0.625")
    assert coverage.unpriced_requests == 2
    assert coverage.unpriced_models == ("novel", "strange")
    assert coverage.missing_events == 7
    assert coverage.reported_from == datetime(2026, 7, 2, tzinfo=BERLIN)  # read by whole days
    assert coverage.reported_until == datetime(2026, 7, 3, 12, 30, tzinfo=BERLIN)


def test_coverage_of_nothing_is_unknown(engine: DuckDBInMemory) -> None:
    coverage = ask(engine, "tokens", by=("day",)).coverage
    assert coverage.signals == ()
    assert coverage.token_shares == {}
    assert coverage.fallback_cost is None
    assert coverage.missing_events is None
    assert coverage.reported_from is None


def test_coverage_keeps_to_the_filters(engine: DuckDBInMemory) -> None:
    give(
        engine,
        {"at": "2026-07-02T09:00", "team": "red", "output_tokens": 3},
        {"at": "2026-07-02T09:00", "team": "blue", "output_tokens": 3, "source": "span"},
    )
    query = parse_query(["tokens"], period=JULY, where=[("team", "blue")])
    answer = run_query(engine, query, organisation_zone=BERLIN)
    assert answer.coverage.signals == ("span",)
    assert answer.coverage.reported_until == JULY.start + timedelta(days=2)
