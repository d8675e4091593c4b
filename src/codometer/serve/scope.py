"""What somebody may see of the numbers: no people without leave, and their own teams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from codometer.access.permissions import Permission, Subject, is_allowed
from codometer.analysis.measures.dimensions import DIMENSIONS
from codometer.analysis.measures.query import Condition, Query
from codometer.analysis.measures.run import Answer
from codometer.errors import Forbidden

_OF_PEOPLE: Final = frozenset({"person", "session"})
_TEAM: Final = DIMENSIONS["team"]


def limited(ask: Callable[[Query], Answer], subject: Subject) -> Callable[[Query], Answer]:
    """Return a way to ask that answers only what the subject may see.

    It raises Forbidden for a question about single people.
    """
    return lambda query: ask(limit(query, subject))


def limit(query: Query, subject: Subject) -> Query:
    """Return the query as the subject may ask it.

    Raises:
        Forbidden: it is about single people, and the subject may not see those.
    """
    asked = {dimension.name for dimension in query.by}
    asked |= {condition.dimension.name for condition in query.where}
    if asked & _OF_PEOPLE and not is_allowed(subject, Permission.READ_PEOPLE):
        raise Forbidden(
            f"this needs the permission {Permission.READ_PEOPLE}", hint="ask by team instead"
        )
    if subject.teams is None:
        return query
    allowed: set[str | None] = set(subject.teams)
    others = []
    for condition in query.where:
        if condition.dimension.name == _TEAM.name:
            allowed &= set(condition.values)
        else:
            others.append(condition)
    # A team that nobody has keeps everything out, where none would keep nothing out.
    teams = tuple(sorted(map(str, allowed))) or ("",)
    return replace(query, where=(*others, Condition(dimension=_TEAM, values=teams)))
