"""The page `docs/reference/measures.md`, made from the catalogue: `make docs` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from codometer.analysis.measures.catalogue import GROUPS
from codometer.analysis.measures.dimensions import (
    CLIENT,
    DIMENSIONS,
    PERSON,
    TIME,
    resource_dimension,
)
from codometer.analysis.measures.measure import Direction, Measure
from codometer.store.tables import MODEL_DIMENSIONS

_HEAD: Final = """\
<!-- Generated from the catalogue of measures by `make docs`. Do not edit. -->

# Measures and dimensions

A measure is a number that is defined once and shown everywhere: on pages, in the API, on the
command line, in reports and alerts.
Unknown is not zero: where no signal can tell, the value is `null` and pages show a dash.
What covers too few people is withheld ([small groups](../concepts/small-groups.md)).
A period includes its start and excludes its end, and is widened to whole quarter hours.

A measure that adds up can be summed over groups and over consecutive periods; the others cannot.
*Quiet* is what a time without any rows means among times with some.
Time, and what is known of the client, group every measure.
*Also by* lists what else does; *request* stands for
{request}.
"""


def measures_page() -> str:
    """Return the page, as Markdown."""
    sections = (_section(title, measures) for title, measures in GROUPS.items())
    head = _HEAD.format(request=", ".join(f"`{name}`" for name in MODEL_DIMENSIONS))
    return "\n".join((head, *sections, _dimensions()))


def _section(title: str, measures: Sequence[Measure]) -> str:
    rows = (
        (
            f"`{measure.name}`",
            measure.definition,
            measure.unit,
            "yes" if measure.additive else "no",
            "" if measure.direction is Direction.NEITHER else measure.direction.value,
            measure.empty.value,
            measure.provenance.value,
            _besides(measure),
        )
        for measure in measures
    )
    heads = ("Measure", "Is", "Unit", "Adds up", "Better", "Quiet", "Provenance", "Also by")
    return f"## {title}\n\n{_table(heads, rows)}"


def _besides(measure: Measure) -> str:
    left = set(measure.dimensions)
    names = []
    if left.issuperset(MODEL_DIMENSIONS):
        left.difference_update(MODEL_DIMENSIONS)
        names.append("*request*")
    names += [f"`{name}`" for name in DIMENSIONS if name in left]
    if measure.of_groups_only:
        names.append(f"never by `{PERSON}`")
    return ", ".join(names)


def _dimensions() -> str:
    everywhere = {dimension.name for dimension in (*TIME, *CLIENT)}
    rows = (
        (
            f"`{dimension.name}`",
            dimension.definition,
            "every measure" if dimension.name in everywhere else "where listed above",
        )
        for dimension in DIMENSIONS.values()
    )
    key = resource_dimension("<key>")
    every = (f"`{key.name}`", key.definition, "every measure")
    return (
        "## Dimensions\n\n"
        "In a filter, `dimension:` without a value asks for what has none.\n\n"
        + _table(("Dimension", "Is", "Applies to"), (*rows, every))
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (heads, ["---"] * len(heads), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":  # pragma: no cover - `make docs`; the page itself is tested
    sys.stdout.write(measures_page())
