"""A query's answer as CSV."""

from __future__ import annotations

from typing import Any

from codometer.cli.output import WITHHELD, print_csv


def print_answer_csv(answer: dict[str, Any]) -> None:
    """Print one line a row: dimensions, measures, and what they were before if that was asked.

    What may not be told is the word for it, which no number is.
    """
    dimensions = [dimension["name"] for dimension in answer["dimensions"]]
    measures = [measure["name"] for measure in answer["measures"]]
    compares = answer["previous_period"] is not None
    head = [*dimensions, *measures]
    if compares:
        head += [f"previous_{name}" for name in measures] + [f"change_{name}" for name in measures]
    rows = []
    for row in answer["rows"]:
        cells = [row[name] for name in dimensions]
        cells += [WITHHELD if row.get("withheld") else row[name] for name in measures]
        if compares:
            cells += [row[part][name] for part in ("previous", "change") for name in measures]
        rows.append(cells)
    print_csv(head, rows)
