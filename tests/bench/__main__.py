"""`make bench`: measure this machine, print a table, keep it in docs/benchmarks."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.access import measure_access
from tests.bench.ingest import measure_chain, measure_decoders, measure_server
from tests.bench.latency import measure_latency
from tests.bench.machine import (
    CORES,
    PROC,
    describe_commit,
    describe_machine,
    describe_versions,
    read_load,
)
from tests.bench.overview import measure_history
from tests.bench.pages import measure_pages
from tests.bench.privacy import measure_privacy
from tests.bench.redaction import measure_redaction
from tests.bench.report import FORMAT, RESULTS, Report, find_warnings, render, save
from tests.bench.results import FULL, LARGE, QUICK, Results
from tests.bench.stored import measure_empty_start, measure_stored

PARTS: Final[dict[str, Callable[[Results], None]]] = {
    "decoder": measure_decoders,
    "chain": measure_chain,
    "server": measure_server,
    "access": measure_access,
    "privacy": measure_privacy,
    "redaction": measure_redaction,
    "latency": measure_latency,
    "start": measure_empty_start,
    "data": measure_stored,
    "history": measure_history,
    "pages": measure_pages,
}


def measure(results: Results, parts: Sequence[str]) -> Report:
    """Measure some parts, one after the other, and return the report."""
    report: Report = {
        "format": FORMAT,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "commit": describe_commit(),
        "load": read_load(),
    }
    for part in parts:
        PARTS[part](results)
    others = [row.get("others", 0) for rows in results.figures.values() for row in rows.values()]
    report["warnings"] = find_warnings(report["load"], max(others, default=0), CORES)
    report["figures"] = results.figures
    return report


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute, and nothing is kept")
    parser.add_argument(
        "--large",
        action="store_true",
        help="a hundred million events too, in ten to twenty minutes more",
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; keeps nothing")
    given = parser.parse_args()
    if not (PROC / "self" / "stat").exists():
        parser.exit(1, "make bench reads /proc, which only Linux has\n")
    for warning in find_warnings(read_load(), 0, CORES):
        sys.stderr.write(f"Take care: {warning}. Absolute figures will say little.\n")
    with tempfile.TemporaryDirectory(prefix="codometer-bench-") as folder:
        results = Results(
            scale=QUICK if given.quick else LARGE if given.large else FULL, folder=Path(folder)
        )
        report = measure(results, given.only or list(PARTS))
    report["scale"] = "quick" if given.quick else "full"
    sys.stdout.write(render(report))
    if not (given.quick or given.only):
        save(report)
        sys.stderr.write(f"Kept in {RESULTS}.\n")


if __name__ == "__main__":
    main()
