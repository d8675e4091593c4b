"""How servers that share a database notice what another one changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from codometer.store.control_tables import GENERATION

if TYPE_CHECKING:
    from sqlalchemy import Connection


def find_generation(connection: Connection, name: str) -> int:
    """Return how often what has this name was changed."""
    statement = select(GENERATION.c.value).where(GENERATION.c.name == name)
    return connection.execute(statement).scalar() or 0


def bump_generation(connection: Connection, name: str) -> None:
    """Let every server notice that it was changed."""
    mine = GENERATION.c.name == name
    grown = update(GENERATION).where(mine).values(value=GENERATION.c.value + 1)
    if not connection.execute(grown).rowcount:
        connection.execute(insert(GENERATION).values(name=name, value=1))
