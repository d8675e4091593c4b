"""The coarser tiers say the same as the finest, and the finest what the detail says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from codometer.model.signal import SignalKind
from codometer.store.tables import PEOPLE, ROLLUP_SUMS, TIERS
from tests import capture

if TYPE_CHECKING:
    from tests.site import Site

SUMS = ", ".join(f"round(sum({name}), 6)" for name in ROLLUP_SUMS)


@pytest.mark.parametrize("name", capture.NAMES)
def test_every_tier_holds_the_same_sums(site: Site, name: str) -> None:
    requests = capture.recorded(name)
    for number in range(0, len(requests), 3):
        site.send(requests[number : number + 3])
        site.store.roll_up()
    sums = {tier.table: site.fetch(f"SELECT {SUMS} FROM {tier.table}") for tier in TIERS}
    assert len({str(rows) for rows in sums.values()}) == 1, sums


def test_people_are_told_from_configuration(site: Site) -> None:
    for name in capture.NAMES:
        site.send(r for r in capture.recorded(name) if r.kind is SignalKind.LOGS)
    ((accepted, rejected),) = site.fetch(
        "SELECT count(*) FILTER (accepted), count(*) FILTER (NOT accepted) FROM event"
        f" WHERE kind = 'edit_decision' AND decision_source IN {PEOPLE}"
    )
    assert accepted
    assert site.fetch(
        "SELECT sum(edits_accepted_by_people), sum(edits_rejected_by_people) FROM workplace_day"
    ) == [(accepted, rejected)]
    assert site.totals("acceptance_ratio", "edits_decided") == {
        "acceptance_ratio": accepted / (accepted + rejected),
        "edits_decided": site.fetch("SELECT count(*) FROM event WHERE kind = 'edit_decision'")[0][
            0
        ],
    }
