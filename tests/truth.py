"""The simulator's truth, held against answers: every measure, in total and by every dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Ask = Callable[[list[str], str | None], list[dict[str, Any]]]

OF_GROUPS_ONLY: Final = {"person": {"active_time_seconds"}}
"""What no answer tells by a dimension."""


def find_differences(
    truth: Mapping[str, Any], ask: Ask, *, measures: frozenset[str] | None = None
) -> list[str]:
    """Return where answers are not the truth; sums of doubles may differ in their last digits.

    `ask` returns the rows of a query, by a dimension if there is one. Without `measures`
    all are compared.
    """
    totals = {name: total for name, total in truth["totals"].items() if _is_wanted(name, measures)}
    (row,) = ask([*totals], None)
    found = list(_compare("in total", totals, row))
    for dimension, groups in truth["by"].items():
        unanswered = OF_GROUPS_ONLY.get(dimension, set())
        told = {
            value: {
                name: amount
                for name, amount in numbers.items()
                if _is_wanted(name, measures) and name not in unanswered
            }
            for value, numbers in groups.items()
        }
        names = sorted({name for numbers in told.values() for name in numbers})
        if not names:
            continue
        answers = {
            "" if row[dimension] is None else str(row[dimension]): row
            for row in ask(names, dimension)
        }
        for value in {*told, *answers}:
            expected = dict.fromkeys(names, 0) | told.get(value, {})
            found += _compare(f"{dimension} {value!r}", expected, answers.get(value, {}))
    return found


def _is_wanted(name: str, measures: frozenset[str] | None) -> bool:
    return measures is None or name in measures


def _compare(where: str, expected: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[str]:
    for name, amount in expected.items():
        answer = row.get(name) or 0
        if float(answer) != pytest.approx(float(amount), rel=1e-9, abs=1e-6):
            yield f"{where}: {name} is {answer}, expected {amount}"
