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
    sees_people = is_allowed(subject, Permission.READ_PEOPLE)
    used = (*query.by, *(condition.dimension for condition in query.where))
    if not sees_people and any(dimension.name in _OF_PEOPLE for dimension in used):
        raise Forbidden(
            f"this needs the permission {Permission.READ_PEOPLE}", hint="ask by team instead"
        )
    return replace(
        query,
        sees_people=sees_people,
        owns_totals=is_allowed(subject, Permission.READ_TOTALS),
        within=() if subject.teams is None else (_of_teams(subject.teams),),
    )


def _of_teams(teams: frozenset[str]) -> Condition:
    # A team that nobody has keeps everything out, where none would keep nothing out.
    return Condition(dimension=_TEAM, values=tuple(sorted(teams)) or ("",))
