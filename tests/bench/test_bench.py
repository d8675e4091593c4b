"""The benchmark runs to its end, on so little that its figures mean nothing, and tells them all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.bench.__main__ import measure
from tests.bench.report import AIMS, SECTIONS, find_warnings, render, render_document
from tests.bench.results import TINY, Results, quantile

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_A_BROWSER: Final = (
    "decoder",
    "chain",
    "server",
    "privacy",
    "redaction",
    "latency",
    "start",
    "data",
    "history",
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.slow
def test_every_part_measures_what_the_report_tells(tmp_path: Path) -> None:
    results = Results(scale=TINY, folder=tmp_path, quiet=True)
    report = measure(results, WITHOUT_A_BROWSER) | {"scale": "tiny"}
    figures = report["figures"]
    aims = [aim for aim in AIMS if aim.section in figures]
    assert len(aims) >= 8
    for aim in aims:
        assert figures[aim.section][aim.row][aim.column] > 0, aim.text
    page = render_document(report)
    sections = [section for section in SECTIONS if section.key in figures]
    assert len(sections) == len(figures)
    for section in sections:
        assert f"## {section.title}\n" in page
        assert figures[section.key].keys() >= section.rows.keys(), section.title
        told = {column for row in figures[section.key].values() for column in row}
        assert told >= {column.key for column in section.columns}, section.title


def test_a_part_that_was_not_measured_is_left_out() -> None:
    report = {
        "date": "today",
        "scale": "quick",
        "machine": {"cpu": "a", "cores": 2, "memory_gib": 1, "system": "b", "kernel": "c"},
        "versions": {"python": "3"},
        "commit": {"commit": "abc", "changed": True},
        "load": 0.1,
        "warnings": ["it was busy"],
        "figures": {"start": {"empty": {"seconds": 2.5}}},
    }
    assert [line for line in render(report).splitlines() if line.startswith(("#", "|", "**"))] == [
        "**Take care:** it was busy.",
        "## Aims",
        "| Figure                   |     aim | measured | met |",
        "| ------------------------ | ------: | -------: | --: |",
        "| start on an empty folder | < 2.0 s |      2.5 |  no |",
        "## Start",
        "| Data folder | seconds |",
        "| ----------- | ------: |",
        "| empty       |    2.50 |",
    ]


@pytest.mark.parametrize(
    ("load", "others", "count"), [(0.1, 0.0, 0), (1.9, 0.0, 1), (0.1, 0.5, 1), (3.0, 0.9, 2)]
)
def test_a_busy_machine_is_warned_of(load: float, others: float, count: int) -> None:
    assert len(find_warnings(load, others, cores=2)) == count


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert quantile([3.0], 0.0) == 3.0
