"""A simulated fleet is the same for the same seed, keeps a calendar, and tells its stories."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from codometer.model.signal import SignalKind
from codometer.operate.simulator import Scenario, simulate_day
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.day import RUNAWAY_DAYS_BEFORE_END
from codometer.operate.simulator.encode import encode
from codometer.pricing import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from codometer.operate.simulator import Day
    from codometer.operate.simulator.facts import Process

CATALOGUE: Final = load_catalogue()
LAST_DAY: Final = date(2026, 11, 20)
HALF_A_YEAR: Final = Scenario(
    seed=1, last_day=LAST_DAY, days=180, people=60, session_minutes=1, keeps_calendar=True
)


@cache
def day_before_end(days: int, scenario: Scenario = HALF_A_YEAR) -> Day:
    return simulate_day(scenario, CATALOGUE, scenario.last_day - timedelta(days=days))


def processes(days: Iterable[int]) -> list[Process]:
    return [run.process for day in days for run in day_before_end(day).runs]


def people_of(day: Day) -> set[int]:
    return {run.process.person.number for run in day.runs if not run.process.person.is_service}


def cost_of(day: Day, where: Callable[[Process], bool] = lambda _: True) -> float:
    found = [run.process for run in day.runs if where(run.process)]
    return sum(request.cost for process in found for request in process.requests) / 10**12


def test_the_same_seed_sends_the_same_bytes_whatever_was_made_before() -> None:
    scenario = replace(HALF_A_YEAR, people=6)

    def encoded(scenario: Scenario, day: date) -> list[bytes]:
        return [encode(batch) for batch in simulate_day(scenario, CATALOGUE, day).batches]

    monday = date(2026, 10, 19)
    alone = encoded(scenario, monday)
    encoded(scenario, monday + timedelta(days=1))
    assert encoded(scenario, monday) == alone
    assert encoded(replace(scenario, seed=2), monday) != alone


def test_who_people_are_does_not_depend_on_how_many_there_are() -> None:
    few, many = (
        {
            (process.identity, process.person.site)
            for run in day_before_end(0, replace(HALF_A_YEAR, people=count)).runs
            if (process := run.process).person.number < 5
        }
        for count in (5, 25)
    )
    assert {identity for identity, _ in few} == {identity for identity, _ in many}


def test_most_rest_at_weekends_on_holidays_and_on_leave() -> None:
    friday, saturday = day_before_end(0), day_before_end(6)
    assert len(people_of(saturday)) < len(people_of(friday)) / 4
    christmas = replace(HALF_A_YEAR, last_day=date(2026, 12, 25))
    assert len(people_of(day_before_end(0, christmas))) < len(people_of(friday)) / 4
    # Somebody who is away on ten working days in a row is on leave, not late.
    weeks = [people_of(day_before_end(days)) for days in range(28) if days % 7 not in (5, 6)]
    assert any(all(person not in day for day in weeks[:8]) for person in weeks[-1])


def test_people_work_by_the_clocks_of_where_they_are() -> None:
    hours: dict[str, Counter[int]] = defaultdict(Counter)
    for process in processes(range(4)):
        if not process.person.is_service:
            hour = process.starts_ms // 3_600_000 % 24
            hours[process.person.site.zone][hour] += 1
    (busiest_in_india, _), (busiest_in_california, _) = (
        hours[zone].most_common(1)[0] for zone in ("Asia/Kolkata", "America/Los_Angeles")
    )
    assert busiest_in_india in range(2, 16)
    assert busiest_in_california in {*range(15, 24), 0, 1, 2, 3}


def test_a_fleet_grows_and_a_team_starts() -> None:
    first, last = day_before_end(179), day_before_end(1)
    assert len(people_of(first)) < len(people_of(last)) * 0.7
    assert cost_of(first) < cost_of(last) * 0.7
    mobile = {process.person.team for process in processes(range(60, 64))}
    assert "Payments" in mobile
    assert "Mobile" not in mobile
    assert "Mobile" in {process.person.team for process in processes(range(1, 5))}


def test_a_job_in_ci_runs_away_for_a_day() -> None:
    def is_service(process: Process) -> bool:
        return process.person.is_service

    around = [RUNAWAY_DAYS_BEFORE_END + offset for offset in (-1, 0, 1)]
    before, runaway, after = (cost_of(day_before_end(days), is_service) for days in around)
    assert runaway > 10 * max(before, after)


def test_a_version_breaks_edits_and_the_next_mends_them() -> None:
    failures: dict[str, list[bool]] = defaultdict(list)
    for process in processes(range(4, 40, 2)):
        for record in process.records:
            said = dict(record.pairs)
            if record.name == "tool_result" and said["tool_name"] == "Edit":
                version = process.installation.release.version
                failures[version].append(said["success"] == "false")
    shares = {version: sum(failed) / len(failed) for version, failed in failures.items()}
    assert shares["2.1.318"] > 0.12
    assert shares["2.1.301"] < 0.07
    assert shares["2.1.322"] < 0.07


def test_people_move_to_new_models_only_once_those_have_a_price() -> None:
    used = {
        days: {request.model for process in processes([days]) for request in process.requests}
        for days in (2, 75, 170)
    }
    assert "claude-opus-5-5" in used[2]
    assert "claude-opus-5-5" not in used[75]  # 2026-09-06; its price begins on 22 September
    assert used[170] & used[2] <= {"claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-4-8"}


def test_older_clients_do_not_tell_what_came_later() -> None:
    (old, *_) = (
        p for p in processes([160]) if p.requests and not p.installation.release.tells_more
    )
    (new, *_) = (p for p in processes([1]) if p.requests and p.installation.release.tells_more)
    ttft = [
        any("ttft_ms" in dict(record.pairs) for record in process.records) for process in (old, new)
    ]
    assert ttft == [False, True]
    assert old.repository is None
    assert new.repository is not None


def test_a_working_day_is_of_a_believable_size() -> None:
    scenario = replace(HALF_A_YEAR, session_minutes=8, sessions_per_person=1.5)
    day = day_before_end(2, scenario)
    people = people_of(day)
    requests = sum(
        len(run.process.requests) for run in day.runs if not run.process.person.is_service
    )
    assert 20 < requests / len(people) < 200
    assert 2 < cost_of(day, lambda process: not process.person.is_service) / len(people) < 30


@pytest.mark.parametrize(
    ("kind", "recorded"), [(SignalKind.LOGS, (955, 1269)), (SignalKind.METRICS, (614, 938))]
)
def test_a_body_is_as_large_as_a_recorded_one(kind: SignalKind, recorded: tuple[int, int]) -> None:
    sizes = [
        len(encode(batch)) / len(batch.records or batch.points)
        for batch in day_before_end(0, replace(HALF_A_YEAR, people=10, session_minutes=10)).batches
        if batch.kind is kind
        and batch.process.person.account
        and batch.process.installation.release.tells_more
    ]
    low, high = recorded
    assert low * 0.85 < sorted(sizes)[len(sizes) // 2] < high * 1.15


def test_chance_takes_each_of_some_as_often_as_its_share_says() -> None:
    chance = Chance("shares")
    drawn = Counter(chance.one_of({"often": 3, "seldom": 1}) for _ in range(4_000))
    assert drawn["often"] / drawn["seldom"] == pytest.approx(3, rel=0.15)
