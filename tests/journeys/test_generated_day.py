"""A generated day, of which some batches are lost, adds up to whatever any signal told."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from codometer.operate.simulator import Network, Scenario
from codometer.operate.simulator.facts import Request
from tests.fleet import Numbers, Told, ask, find_coverage, numbers, send, write_table
from tests.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from codometer.operate.simulator import Fate

DAY: Final = date(2026, 11, 20)
NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)
CHANGES_OF_CLOCK: Final = (date(2026, 3, 8), date(2026, 11, 1))


class Taken:
    """A day, and the site that took what arrived of it."""

    def __init__(self, folder: Path, scenario: Scenario, network: Network | None = None) -> None:
        self.told = Told.make(scenario, network)
        self.site = Site.open(folder, now=NOW)
        send(self.site, self.told.delivery.batches)

    def differences(self, dimension: str, by: Callable[[Fate], Any]) -> dict[Any, Numbers]:
        """Return where the answer by a dimension is not what was told."""
        answer = {key: numbers(row) for key, row in ask(self.site, dimension).items()}
        truth = self.told.sums(by)
        return {
            key: answer.get(key, Numbers())
            for key in {*answer, *truth}
            if answer.get(key, Numbers()) != truth.get(key, Numbers())
        }

    def misled_sessions(self) -> dict[str, int]:
        """Return the sessions in which a request cannot be told apart, and its tokens."""
        misled: dict[str, int] = defaultdict(int)
        for fate in self.told.fates:
            if fate.misleading and isinstance(fate.fact, Request):
                misled[fate.process.session] += sum(fate.fact.tokens)
        return misled


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """Give a day of 40 people, 5 % of whose events are lost, and another 5 % of their metrics."""
    day = Taken(tmp_path_factory.mktemp("day"), Scenario(seed=7, last_day=DAY, people=40))
    yield day
    day.site.close()


def check(taken: Taken) -> None:
    """Exact but in misled sessions, and in those off by no more than what misleads."""
    misled = taken.misled_sessions()
    truth = taken.told.sums(lambda fate: fate.process.session)
    wrong = taken.differences("session", lambda fate: fate.process.session)
    assert set(wrong) <= set(misled)
    for session, answer in wrong.items():
        assert abs(answer.tokens - truth[session].tokens) <= misled[session]
    answer = numbers(ask(taken.site)[()])
    print(write_table(taken.told, answer.tokens))  # noqa: T201 - shown by pytest -s
    print(f"{len(misled)} sessions have a request at a lost edge, {len(wrong)} differ")  # noqa: T201


@pytest.mark.slow
def test_every_session_counts_what_any_signal_told(taken: Taken) -> None:
    check(taken)


@pytest.mark.slow
def test_models_and_teams_count_what_any_signal_told(taken: Taken) -> None:
    off = sum(taken.misled_sessions().values())
    for dimension, by in (
        ("model", lambda fate: fate.fact.model),
        ("team", lambda fate: fate.process.person.team),
    ):
        truth = taken.told.sums(by)
        for key, answer in taken.differences(dimension, by).items():
            assert abs(answer.tokens - truth[key].tokens) <= off


@pytest.mark.slow
def test_coverage_says_what_is_missing_and_what_metrics_filled(taken: Taken) -> None:
    coverage = find_coverage(taken.site)
    assert coverage.missing_events
    filled = coverage.token_shares["metric"]
    assert 0.02 < filled < 0.1
    assert filled + coverage.token_shares["event"] == pytest.approx(1)


@pytest.mark.slow
def test_metrics_without_session_ids_fill_only_an_estimate(tmp_path: Path) -> None:
    scenario = Scenario(seed=3, last_day=DAY, people=10, metrics_have_session_ids=False)
    taken = Taken(tmp_path, scenario)
    answer, told = numbers(ask(taken.site)[()]), taken.told.total()
    assert abs(answer.tokens - told.tokens) / told.tokens < 0.01
    assert "metric_daily" in find_coverage(taken.site).token_shares
    taken.site.close()


@pytest.mark.slow
@pytest.mark.parametrize("day", CHANGES_OF_CLOCK)
def test_days_of_every_zone_add_up_to_the_same(tmp_path: Path, day: date) -> None:
    scenario = Scenario(seed=5, last_day=day, people=6)
    taken = Taken(tmp_path, scenario)
    totals = {}
    for zone in ("UTC", "Asia/Kathmandu", "America/New_York"):
        days = [numbers(row) for row in ask(taken.site, "day", zone=zone).values()]
        hours = [numbers(row) for row in ask(taken.site, "hour", zone=zone).values()]
        totals[zone] = tuple(map(sum, zip(*days, strict=True)))
        assert totals[zone] == tuple(map(sum, zip(*hours, strict=True)))
    assert len(set(totals.values())) == 1
    taken.site.close()


@pytest.mark.prove
def test_a_day_of_500_people_counts_what_any_signal_told(tmp_path: Path) -> None:
    taken = Taken(tmp_path, Scenario(seed=1, last_day=DAY))
    check(taken)
    taken.site.close()
