"""No number, and no difference of two, is about fewer people than the minimum: on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import combinations
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.analysis.measures import crowds
from codometer.analysis.measures.groups import MAX_SHARE, OTHER
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import Answer, Group, run_query
from codometer.errors import BadRequest
from codometer.model.period import Period
from tests.engines.embedded import ClickHouseInProcess, DuckDBInMemory, FillableEngine
from tests.measures.telling import World, list_differences
from tests.measures.uses import ZONE, Use, fill

PERIOD: Final = Period.covering(
    datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC), ZONE
)
MINIMUM: Final = 3
DIMENSIONS: Final = ("month", "week", "day", "hour", "team", "model", "agent")
MODELS: Final = ("opus", "haiku", "sonnet")
AGENTS: Final = ("claude_code", "codex")
COARSER: Final = {"day": ("week", "month"), "hour": ("day", "week", "month")}

Engine = FillableEngine
Fleet = Sequence[Use]


@cache
def duckdb() -> Engine:
    return DuckDBInMemory()


@cache
def clickhouse() -> Engine:
    return ClickHouseInProcess()


ENGINES: Final = [
    pytest.param(duckdb, id="duckdb"),
    pytest.param(clickhouse, id="clickhouse", marks=pytest.mark.needs("chdb")),
]


def ask(
    engine: Engine,
    *measures: str,
    by: Iterable[str] = (),
    where: Iterable[tuple[str, str]] = (),
    minimum: int = MINIMUM,
    **rights: bool,
) -> Answer:
    query = parse_query(measures, period=PERIOD, by=list(by), where=where)
    query = replace(query, **rights)  # type: ignore[arg-type] # flags of a query
    return run_query(engine, query, organisation_zone=ZONE, minimum_people=minimum)


def rows_of(fleet: Fleet, key: dict[str, Any]) -> set[int]:
    """Return the numbers of the uses that a cell covers."""
    return {
        at
        for at, use in enumerate(fleet)
        if all(use.value(name) == value for name, value in key.items())
    }


def is_safe(fleet: Fleet, rows: Iterable[int], *, whales: bool = False) -> bool:
    """Say whether what is known of these uses is about nobody.

    With `whales` one person may make up most of the tokens, since those are not told.
    """
    tokens: dict[int, int] = {}
    uses = [fleet[at] for at in rows]
    for use in uses:
        if use.person is not None:
            tokens[use.person] = tokens.get(use.person, 0) + use.tokens
    return not uses or (
        len(tokens) >= MINIMUM
        and (whales or max(tokens.values()) <= MAX_SHARE * sum(tokens.values()) + 1e-6)
    )


def shown(answer: Answer) -> list[Group]:
    return [group for group in answer.groups if not (group.merged or group.withheld)]


PEOPLE: Final = st.none() | st.integers(0, 11)
USES: Final = st.builds(
    Use,
    PEOPLE,
    st.sampled_from(["a", "b", "c", None]),
    st.integers(0, 13),
    st.sampled_from(["opus", "haiku"]),
    st.sampled_from([1, 10, 10, 10, 400]),
)


@st.composite
def fleets(draw: st.DrawFn) -> list[Use]:
    """Most people are of one team and work on most days; some are not or do not."""
    fleet = draw(st.lists(USES, max_size=6))
    for team in draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=14)):
        person, tokens = len(fleet) % 12, draw(st.sampled_from([10, 10, 11, 300]))
        days = draw(st.sampled_from([(0,), (0, 1), (0, 1, 5), (0, 1, 2, 7, 8), (6,)]))
        fleet += [Use(person, team, day, tokens=tokens) for day in days]
    return fleet


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=25, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(DIMENSIONS), min_size=1, max_size=3))
def test_no_cell_and_no_difference_of_cells_is_about_fewer_than_the_minimum(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str]
) -> None:
    fill(engine(), fleet)
    fine = ask(engine(), "tokens", by=sorted(by))
    cells = [rows_of(fleet, group.key) for group in shown(fine)]
    assert all(is_safe(fleet, rows) for rows in cells)
    levels = [set(names) for size in range(len(by)) for names in combinations(sorted(by), size)]
    levels += [
        (by - {time}) | {coarser} for time in by & COARSER.keys() for coarser in COARSER[time]
    ]
    for level in levels:
        for total in shown(ask(engine(), "tokens", by=sorted(level))):
            rows = rows_of(fleet, total.key)
            within = [cell for cell in cells if cell <= rows]
            assert is_safe(fleet, rows.difference(*within))
            for cell in within:
                assert is_safe(fleet, rows - cell)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("measure", ["tokens", "active_people"])
@settings(max_examples=25, deadline=None)
@given(
    fleet=fleets(),
    by=st.just({"team"}) | st.sets(st.sampled_from(DIMENSIONS), min_size=1, max_size=3),
    teams=st.none() | st.sets(st.sampled_from("abcd"), min_size=1),
)
def test_no_row_is_about_fewer_than_the_minimum_and_no_merged_one_either(
    engine: Callable[[], Engine], measure: str, fleet: Fleet, by: set[str], teams: set[str] | None
) -> None:
    fill(engine(), fleet)
    where = [("team", team) for team in sorted(teams or ())]
    answer = ask(engine(), measure, by=sorted(by), where=where)
    left = {at for at, use in enumerate(fleet) if teams is None or use.team in teams}
    told = [rows_of(fleet, group.key) & left for group in shown(answer)]
    times = by - {"team", "model", "agent"}
    for group in answer.groups:
        if group.merged:
            key = {name: value for name, value in group.key.items() if name in times}
            slot = rows_of(fleet, key) & left
            told.append(slot.difference(*told))
    for rows in told:
        assert is_safe(fleet, rows, whales=measure == "active_people")


def find_told_of_few(engine: Engine, fleet: Fleet, dimensions: Sequence[str]) -> list[str]:
    """Return what tells of fewer than the minimum, of all that can be asked and subtracted."""
    fill(engine, fleet)
    world = World(
        fleet,
        lambda by, where: ask(
            engine,
            "tokens",
            by=by,
            where=[(name, value) for name, values in where.items() for value in sorted(values)],
        ),
    )
    told = world.list_told(dimensions)
    return [
        question
        for question, rows in list_differences(told)
        if not is_safe(fleet, world.uses_in(rows))
    ]


@st.composite
def crowded(draw: st.DrawFn) -> list[Use]:
    """Some do anything; and some cells have several people each, or one who does most."""
    teams, models, agents = (
        st.sampled_from("abcd"),
        st.sampled_from(MODELS),
        st.sampled_from(AGENTS),
    )
    days, tokens = st.sampled_from([0, 1, 7]), st.sampled_from([10, 10, 10, 300])
    anything = st.builds(Use, PEOPLE, teams, days, models, tokens, agents)
    fleet = draw(st.lists(anything, max_size=8))
    for number in range(draw(st.integers(0, 7))):
        where = draw(teams), draw(days), draw(models), draw(tokens), draw(agents)
        people = range(12 + 6 * number, 12 + 6 * number + draw(st.integers(2, 6)))
        fleet += [Use(person, *where) for person in people]
    return fleet


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=5, deadline=None)
@given(fleet=crowded(), other=st.sampled_from(["model", "agent", "day"]))
def test_no_difference_of_what_filters_leave_is_about_fewer_than_the_minimum(
    engine: Callable[[], Engine], fleet: Fleet, other: str
) -> None:
    assert find_told_of_few(engine(), fleet, ["team", other]) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_filter_does_not_tell_that_a_group_has_nothing_else(
    engine: Callable[[], Engine],
) -> None:
    teams = {"b": ("opus", 8), "c": ("sonnet", 5), "d": ("haiku", 6)}
    fleet = [
        Use(10 * number + person, team, 0, model=model)
        for number, (team, (model, count)) in enumerate(teams.items())
        for person in range(count)
    ]
    fleet.append(Use(20, "d", 0, model="opus"))
    assert find_told_of_few(engine(), fleet, ["team", "model"]) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_small_group_alone_is_not_told_as_one_of_others(engine: Callable[[], Engine]) -> None:
    fill(engine(), [*office()[:-4], Use(6, "b", 0, model="haiku")])
    for by in ("team", "model"):
        answer = ask(engine(), "active_people", by=[by])
        told = [(group.key[by], group.values["active_people"]) for group in answer.groups]
        assert told == [("a" if by == "team" else "opus", 6), (OTHER, None)]
        assert (answer.groups[1].merged, answer.groups[1].withheld) == (False, True)
    assert ask(engine(), "active_people", where=[("team", "b")]).withheld


@pytest.mark.parametrize("engine", ENGINES)
def test_what_small_groups_are_told_as_is_not_completed_by_what_it_is_made_of(
    engine: Callable[[], Engine],
) -> None:
    people = {
        "a": {"opus": 6, "haiku": 3, "sonnet": 4},
        "d": {"opus": 6, "haiku": 6, "sonnet": 6},
    }
    large = [
        Use(20 * number + person, team, 0, model=model)
        for number, team in enumerate(people)
        for model, count in people[team].items()
        for person in range(count)
    ]
    small = [Use(6 + number, team, 0) for number, team in enumerate("bbcc")]
    fleet = [*large, *small, Use(6, "b", 1, model="haiku")]
    fill(engine(), fleet)
    by_team = ask(engine(), "tokens", by=["team"]).groups
    small_ones = [("team", "b"), ("team", "c")]
    # Of the 50, 40 are of opus: were that told, the rest would be one person's.
    for answer in (by_team[-1:], ask(engine(), "tokens", by=["model"], where=small_ones).groups):
        assert [(*group.key.values(), group.values["tokens"]) for group in answer] == [(OTHER, 50)]
    assert find_told_of_few(engine(), fleet, ["team", "model"]) == []


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(["day", "team", "model"]), min_size=1))
def test_what_is_shown_adds_up_to_the_totals_that_are_shown(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str]
) -> None:
    fill(engine(), fleet)
    times = sorted(by & {"day"})
    totals = {
        tuple(group.key.values()): group for group in ask(engine(), "tokens", by=times).groups
    }
    sums: dict[tuple[Any, ...], list[Group]] = {}
    for group in ask(engine(), "tokens", by=sorted(by)).groups:
        sums.setdefault(tuple(group.key[name] for name in times), []).append(group)
    if by - {"day"}:
        for key, groups in sums.items():
            if totals[key].withheld:
                assert all(group.withheld for group in groups)
            else:
                assert (
                    sum(group.values["tokens"] or 0 for group in groups)
                    == (totals[key].values["tokens"])
                )


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(["day", "model"])), team=st.sampled_from("abcd"))
def test_a_filter_shows_what_the_answer_by_its_dimension_shows(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str], team: str
) -> None:
    fill(engine(), fleet)
    grouped = {
        tuple(group.key[name] for name in sorted(by)): group.values["tokens"]
        for group in shown(ask(engine(), "tokens", by=[*sorted(by), "team"]))
        if group.key["team"] == team
    }
    filtered = ask(engine(), "tokens", by=sorted(by), where=[("team", team)])
    assert {tuple(group.key.values()): group.values["tokens"] for group in shown(filtered)} == (
        grouped
    )


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(fleet=fleets(), by=st.sets(st.sampled_from(["day", "team", "model"]), min_size=1))
def test_nothing_else_changes_when_somebody_of_a_small_group_does_more(
    engine: Callable[[], Engine], fleet: Fleet, by: set[str]
) -> None:
    fill(engine(), fleet)
    before = shown(ask(engine(), "requests", by=sorted(by)))
    told = set().union(*(rows_of(fleet, group.key) for group in before))
    hidden = [at for at in range(len(fleet)) if at not in told and fleet[at].person is not None]
    fill(engine(), [*fleet, *(replace(fleet[at], tokens=1) for at in hidden[:1])])
    assert shown(ask(engine(), "requests", by=sorted(by))) == before


def office() -> list[Use]:
    """Three teams of six, two and two; of the small ones, everybody works on Monday only."""
    large = [Use(person, "a", day) for person in range(6) for day in (0, 1, 2)]
    small = [Use(6 + number, team, 0) for number, team in enumerate("bbcc")]
    return [*large, *small]


@pytest.mark.parametrize("engine", ENGINES)
def test_small_groups_are_told_as_one(engine: Callable[[], Engine]) -> None:
    fill(engine(), office())
    answer = ask(engine(), "tokens", "active_people", "sessions", by=["team"])
    assert [
        (group.key["team"], *group.values.values(), group.merged) for group in answer.groups
    ] == [
        ("a", 180, 6, 6, False),
        (OTHER, 40, 4, 4, True),
    ]
    assert not answer.withheld
    by_day = ask(engine(), "tokens", "active_people", by=["day", "team"])
    assert [(group.key["team"], *group.values.values()) for group in by_day.groups] == [
        ("a", 60, 6),
        (OTHER, 40, None),
        ("a", 60, 6),
        ("a", 60, 6),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_next_smallest_joins_a_group_that_would_follow_from_the_total(
    engine: Callable[[], Engine],
) -> None:
    fill(engine(), [*office()[:-2], *(Use(9 + number, "d", 0) for number in range(4))])
    answer = ask(engine(), "tokens", by=["team"])
    assert [group.key["team"] for group in answer.groups] == ["a", OTHER]
    for team, is_told in {"a": True, "b": False, "d": False, "nobody": False}.items():
        filtered = ask(engine(), "tokens", where=[("team", team)])
        assert filtered.withheld is not is_told
        assert (filtered.groups[0].values["tokens"] is not None) is is_told
    both = ask(engine(), "tokens", where=[("team", "b"), ("team", "d")])
    assert both.groups[0].values["tokens"] == 60
    assert ask(engine(), "tokens", where=[("team", "a"), ("team", "d")]).withheld


@pytest.mark.parametrize("engine", ENGINES)
def test_a_group_of_which_one_person_is_most_is_withheld(engine: Callable[[], Engine]) -> None:
    whale = [*office(), Use(0, "a", 3, tokens=5_000)]
    fill(engine(), whale)
    assert ask(engine(), "tokens").withheld
    assert ask(engine(), "cost", by=["team"]).groups[0].withheld
    assert not ask(engine(), "requests").withheld
    owner = ask(engine(), "tokens", "cost", owns_totals=True)
    assert owner.groups[0].values == {"tokens": 5_220, "cost": Decimal(5_220)}


@pytest.mark.parametrize("engine", ENGINES)
def test_who_owns_the_totals_sees_those_of_every_day_and_no_more(
    engine: Callable[[], Engine],
) -> None:
    fill(engine(), [*office(), Use(0, "a", 5, tokens=7)])
    days = ask(engine(), "cost", by=["day"], owns_totals=True)
    assert [group.values["cost"] for group in days.groups] == [100, 60, 60, 7]
    others = ask(engine(), "cost", by=["day"]).groups
    assert sum(group.withheld for group in others) == 2
    teams = ask(engine(), "cost", by=["day", "team"], owns_totals=True).groups
    assert (teams[-1].key["team"], teams[-1].values["cost"]) == (OTHER, 7)
    for more in (
        ask(engine(), "requests", by=["day"], owns_totals=True),
        ask(engine(), "cost", by=["hour"], owns_totals=True),
    ):
        assert any(group.withheld for group in more.groups)
    assert ask(engine(), "cost", where=[("team", "b")], owns_totals=True).withheld


@pytest.mark.parametrize("engine", ENGINES)
def test_hours_are_told_like_days(engine: Callable[[], Engine]) -> None:
    fill(engine(), [*office(), Use(0, "a", 5, tokens=7)])
    answer = ask(engine(), "active_people", by=["hour"])
    assert [group.values["active_people"] for group in answer.groups] == [10, 6, 6, None]


def test_who_may_see_people_sees_everything() -> None:
    fill(duckdb(), office())
    answer = ask(duckdb(), "tokens", by=["person"], sees_people=True)
    assert len(answer.groups) == 10
    assert answer.minimum_people == 1
    assert shown(ask(duckdb(), "tokens", by=["person"])) == []


def test_what_an_answer_rests_on_is_told_without_amounts() -> None:
    fill(duckdb(), office())
    full = ask(duckdb(), "tokens", owns_totals=True).coverage
    told = ask(duckdb(), "tokens").coverage
    assert (told.signals, told.reported_from) == (full.signals, full.reported_from)
    assert full.unpriced_models != told.unpriced_models or told.fallback_cost is None
    assert told.unpriced_requests is None
    assert ask(duckdb(), "tokens", where=[("team", "b")]).coverage.reported_from is None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_model_without_a_price_is_named_only_if_enough_people_used_it(
    engine: Callable[[], Engine],
) -> None:
    common = [Use(person, "a", 1, model="strange") for person in range(4)]
    rare = [Use(0, "a", 1, model="novel"), Use(1, "a", 1, model="newer")]
    fill(engine(), [*common, *(Use(person, "a", 1) for person in range(4)), *rare], priced={"opus"})
    for by in ([], ["day"], ["team"]):
        told = ask(engine(), "cost", by=by, owns_totals=True).coverage
        assert told.unpriced_models == ("strange",)
        assert told.unpriced_requests == 6
    whole = ask(engine(), "cost", owns_totals=True, minimum=1).coverage
    assert whole.unpriced_models == ("newer", "novel", "strange")


def test_where_nothing_came_nothing_is_withheld() -> None:
    fill(duckdb(), [])
    answer = ask(duckdb(), "tokens")
    assert not answer.withheld
    assert answer.groups[0].values == {"tokens": None}


def test_too_many_dimensions_to_tell_are_refused() -> None:
    with pytest.raises(BadRequest, match="how few people"):
        ask(duckdb(), "cost", by=["team", "model", "agent", "version"], where=[("terminal", "x")])


def test_more_cells_than_can_be_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(duckdb(), office())
    monkeypatch.setattr(crowds, "_MAX_CELLS", 3)
    with pytest.raises(BadRequest, match="more than 3 groups"):
        ask(duckdb(), "cost", by=["team"])
