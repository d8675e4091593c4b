"""What somebody asks: names checked against the catalogue, once, at the edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import (
    DIMENSIONS,
    PERSON,
    RESOURCE,
    TOKEN_COLUMNS,
    Dimension,
    Place,
    resource_dimension,
)
from codometer.analysis.measures.measure import Measure
from codometer.errors import BadRequest
from codometer.model.period import Period

Named = TypeVar("Named")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Keeps rows whose dimension has one of these values; None stands for not known."""

    dimension: Dimension
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Measures of a period, by dimensions, where conditions hold; maybe beside the period before.

    `parse_query` makes one from names.
    """

    measures: tuple[Measure, ...]
    period: Period
    by: tuple[Dimension, ...] = ()
    where: tuple[Condition, ...] = ()
    compare_previous: bool = False
    with_coverage: bool = True
    """Whether to find what the answer rests on, which takes as long as a small query."""
    within: tuple[Condition, ...] = ()
    """What holds for whoever asks, besides `where`: nothing outside can be seen beside it."""
    sees_people: bool = False
    """Whether who asks may see single people."""
    owns_totals: bool = False
    """Whether who asks may see what all cost, however few they are."""

    @property
    def periods(self) -> tuple[Period, ...]:
        """All that is asked about: the period, then the one that it is compared with, if any."""
        return (self.period, self.period.previous()) if self.compare_previous else (self.period,)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that a row must meet."""
        return (*self.where, *self.within)


def parse_query(
    measures: Sequence[str],
    *,
    period: Period,
    by: Sequence[str] = (),
    where: Iterable[tuple[str, str]] = (),
    compare: str | None = None,
    with_coverage: bool = True,
) -> Query:
    """Look up the names and check that every dimension applies to every measure.

    Conditions on one dimension are alternatives, those on different ones hold together.
    An empty value asks for rows where the dimension is not known.

    Raises:
        BadRequest: an unknown name, or a dimension that does not apply; says which would do.
    """
    if not measures:
        raise BadRequest("no measure is named", hint=f"the measures are {', '.join(MEASURES)}")
    if compare not in {None, "previous"}:
        raise BadRequest(f"cannot compare with {compare!r}", hint="compare with previous")
    query = Query(
        measures=tuple(find_measure(name) for name in dict.fromkeys(measures)),
        period=period,
        by=tuple(find_dimension(name) for name in dict.fromkeys(by)),
        where=_conditions(where),
        compare_previous=compare is not None,
        with_coverage=with_coverage,
    )
    for dimension in (*query.by, *(condition.dimension for condition in query.where)):
        for measure in query.measures:
            _check_applies(dimension, measure)
    return query


def find_measure(name: str) -> Measure:
    """Return the measure of that name.

    Raises:
        BadRequest: there is none; names the nearest.
    """
    return _find(name, MEASURES, kind="measure")


def find_dimension(name: str) -> Dimension:
    """Return the dimension of that name, `resource.<key>` included.

    Raises:
        BadRequest: there is none; names the nearest.
    """
    if name.startswith(RESOURCE) and name != RESOURCE:
        return resource_dimension(name.removeprefix(RESOURCE))
    return _find(name, DIMENSIONS, kind="dimension")


def applicable(measure: Measure) -> tuple[Dimension, ...]:
    """Return the dimensions that a measure can be grouped by, but for `resource.<key>`."""
    return tuple(dimension for dimension in DIMENSIONS.values() if _applies(dimension, measure))


def _applies(dimension: Dimension, measure: Measure) -> bool:
    if dimension.place in {Place.ROLLUP, Place.TOKEN_TYPE}:
        return dimension.name in measure.dimensions
    return not (measure.of_groups_only and dimension.name == PERSON)


def _check_applies(dimension: Dimension, measure: Measure) -> None:
    if _applies(dimension, measure):
        return
    names = ", ".join(other.name for other in applicable(measure))
    reason = "is not shown" if dimension.name == PERSON else "is not known"
    raise BadRequest(
        f"{measure.name} {reason} by {dimension.name}",
        hint=f"{measure.name} can be asked by {names}, {RESOURCE}<key>",
    )


def _find(name: str, catalogue: Mapping[str, Named], *, kind: str) -> Named:
    if name in catalogue:
        return catalogue[name]
    near = get_close_matches(name, catalogue, n=3, cutoff=0.5) or catalogue
    raise BadRequest(f"there is no {kind} {name!r}", hint=f"perhaps {', '.join(near)}")


def _conditions(where: Iterable[tuple[str, str]]) -> tuple[Condition, ...]:
    values: dict[str, list[str | None]] = {}
    for name, value in where:
        values.setdefault(name, []).append(value or None)
    return tuple(_condition(name, tuple(dict.fromkeys(given))) for name, given in values.items())


def _condition(name: str, values: tuple[str | None, ...]) -> Condition:
    dimension = find_dimension(name)
    if dimension.place is Place.TIME:
        raise BadRequest(f"cannot filter by {name}", hint="give the period a start and an end")
    if dimension.place is Place.TOKEN_TYPE and (
        strange := [value for value in values if value not in TOKEN_COLUMNS]
    ):
        raise BadRequest(
            f"there is no token type {strange[0] or ''!r}",
            hint=f"token types are {', '.join(TOKEN_COLUMNS)}",
        )
    return Condition(dimension=dimension, values=values)
