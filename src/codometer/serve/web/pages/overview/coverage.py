"""What is missing from the data of a panel, said beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from codometer.analysis.findings import find_unpriced
from codometer.analysis.measures.coverage import Coverage
from codometer.analysis.numbers import format_rate
from codometer.model.event import Source

_LEAST_SHARE: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What is incomplete, in two words, and the reason."""

    tag: str
    reason: str


def describe_gaps(coverage: Coverage) -> list[Gap]:
    """Return what keeps spend from being complete or exact; nothing where it is."""
    gaps = [
        Gap(tag="Prices missing", reason=f"{finding.title}. {finding.text}")
        for finding in find_unpriced(
            coverage.unpriced_models, coverage.unpriced_requests, coverage.fallback_cost
        )
    ]
    estimated = coverage.token_shares.get(Source.METRIC_DAILY.value, 0.0)
    if estimated >= _LEAST_SHARE:
        gaps.append(
            Gap(
                tag=f"{format_rate(estimated)} estimated",
                reason=f"{format_rate(estimated)} of the tokens came in metrics without session"
                " ids and are matched by the day.",
            )
        )
    return gaps
