"""Rows of `origin` and `workplace` from what normalising calls an Origin.

Thousands of origins, each session one, share a few hundred workplaces, and
most questions are about those: so sums are kept by workplace too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from codometer.model.identity import hash64, number_of_person
from codometer.store.tables import TABLES, WORKPLACE_DIMENSIONS, Column, resource_column

if TYPE_CHECKING:
    import duckdb

    from codometer.model.event import Origin

Rows = dict[str, list[Any]]
"""Values by column."""


def workplace_columns(resource_keys: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of `workplace`, with those of the resource attributes that are allowed."""
    return (*TABLES["workplace"], *map(resource_column, resource_keys))


def origin_rows(origins: Sequence[Origin]) -> Rows:
    """Return the rows of `origin`. Sessions and persons are numbered by what they are called."""
    made: Rows = {
        "workplace": [_workplace(origin) for origin in origins],
        "session_id": [_number(origin.session) for origin in origins],
        "person_id": [number_of_person(origin.person, origin.person_kind) for origin in origins],
        "origin": [origin.id for origin in origins],
    }
    names = [column.name for column in TABLES["origin"] if column.name not in made]
    return {**made, **{name: [getattr(origin, name) for origin in origins] for name in names}}


def workplace_rows(origins: Sequence[Origin], resource_keys: Sequence[str]) -> Rows:
    """Return the rows of `workplace`, each once."""
    each = {_workplace(origin): origin for origin in origins}
    resources = [dict(origin.resource) for origin in each.values()]
    return {
        "workplace": list(each),
        **{name: [getattr(o, name) for o in each.values()] for name in WORKPLACE_DIMENSIONS},
        **{resource_column(key).name: [r.get(key) for r in resources] for key in resource_keys},
    }


def number_of_workplace(
    dimensions: Iterable[str | None], resource: Iterable[tuple[str, str | None]]
) -> int:
    """Return by which number a workplace is known: `WORKPLACE_DIMENSIONS`, and what else is told.

    Attributes that are not told do not matter.
    """
    told = (part for key, value in resource if value is not None for part in (key, value))
    return hash64(*(value or "" for value in dimensions), *told)


def add_workplaces(connection: duckdb.DuckDBPyConnection, *changed: str) -> None:
    """Store what workplaces become, from what is given: `was`, `workplace`, the columns `changed`.

    There is one for each number: columns of attributes that are allowed no longer may still
    differ where the number does not, and every sum over two of a number would double.
    """
    columns = ", ".join(f"i.{name} AS {name}" for name in ("workplace", *changed))
    connection.execute(
        f"INSERT INTO workplace SELECT w.* REPLACE ({columns}) "
        "FROM workplace w JOIN given i ON w.workplace = i.was "
        "WHERE i.workplace NOT IN (SELECT workplace FROM workplace) "
        "QUALIFY row_number() OVER (PARTITION BY i.workplace ORDER BY w.workplace) = 1"
    )


def _workplace(origin: Origin) -> int:
    return number_of_workplace(
        (getattr(origin, name) for name in WORKPLACE_DIMENSIONS), origin.resource
    )


def _number(name: str | None) -> int | None:
    return None if name is None else hash64(name)
