"""`/api/v1/teams`: which teams there are, of how many people; and who belongs to which.

Of a team there is a number, and it is told of no fewer than the minimum of people. Of one
person, whom the caller names, there is a history; nobody lists the members of a team.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from codometer.access.permissions import Permission
from codometer.analysis.measures.grain import FindGrain, fit
from codometer.analysis.measures.query import parse_query
from codometer.model.period import Period, local_date, parse_day, parse_period
from codometer.people.memberships import Membership
from codometer.people.teams import Corrected, Stretch, Teams
from codometer.serve.api.answer import PERIOD_SCHEMA, period_document
from codometer.serve.api.query import Ask
from codometer.serve.api.resource import Action, Call, Given, Resource
from codometer.serve.api.schema import array_schema, object_schema
from codometer.serve.scope import limited

_PATH: Final = "/api/v1/teams"
_ACTIVE_SINCE: Final = "28d"
_ACTIVE: Final = "active_people"
_TEXT: Final = {"type": "string"}
_DAY: Final = {**_TEXT, "format": "date"}
_OPEN_DAY: Final = {"type": ["string", "null"], "format": "date"}
_COUNT: Final = {"type": "integer"}
_FEW: Final = {"type": ["integer", "null"], "description": "null is fewer than `minimum_people`"}
MEMBERSHIP_SCHEMA: Final = object_schema(
    team=_TEXT,
    cost_center={"type": ["string", "null"], "description": "null is as the client says"},
    since=_DAY,
    until={**_OPEN_DAY, "description": "not included; null is open"},
    decided={**_TEXT, "format": "date-time"},
)
_HISTORY: Final = {"person": _TEXT, "memberships": array_schema(MEMBERSHIP_SCHEMA)}
_CORRECTED: Final = object_schema(
    **_HISTORY,
    sessions={**_COUNT, "description": "stored sessions that belong elsewhere now"},
    held={
        **_COUNT,
        "description": "those that a legal hold keeps where they are until it is lifted",
    },
    corrected_from={
        **_OPEN_DAY,
        "description": "days before are sums of which nobody knows whose they are; null: none is",
    },
)
_ERRORS: Final = {404: "nobody of this name is known"}
_ERASED: Final = {410: "they were erased"}


def teams_resource(
    teams: Teams,
    ask: Ask,
    *,
    minimum_people: Callable[[], int],
    find_grain: FindGrain,
    zone: ZoneInfo,
    now: Callable[[], datetime],
) -> Resource:
    """Return the resource that lists teams."""

    def answer(given: Given) -> dict[str, Any]:
        period = fit(parse_period(_ACTIVE_SINCE, None, now=now(), zone=zone), find_grain)
        query = parse_query([_ACTIVE], period=period, by=["team"], with_coverage=False)
        found = limited(ask, given.subject)(query)
        active = {
            str(group.key["team"]): group.values[_ACTIVE]
            for group in found.groups
            if group.key["team"] is not None and not (group.merged or group.withheld)
        }
        seen = given.subject.teams
        assigned = {
            team: count
            for team, count in teams.count_by_team().items()
            if seen is None or team in seen
        }
        minimum = max(found.minimum_people, minimum_people())  # the stricter, of then and of now
        return _listed(period, active, assigned, minimum)

    start, end = (datetime(2026, *day, tzinfo=UTC) for day in ((10, 26), (11, 23)))
    example = _listed(
        Period(start=start, end=end, zone=ZoneInfo("UTC")),
        {"checkout": 9, "search": 12},
        {"checkout": 7, "platform": 2},
        5,
    )
    return Resource(
        path=_PATH,
        name="teams",
        summary="Which teams there are, and of how many people",
        permission=Permission.READ_TEAMS,
        answer=answer,
        schema=object_schema(
            minimum_people=_COUNT,
            period={**PERIOD_SCHEMA, "description": "28 days; whole weeks where the profile says"},
            teams=array_schema(
                object_schema(
                    team=_TEXT,
                    active={**_FEW, "description": "people in the period; null is too few"},
                    assigned={**_FEW, "description": "by an administrator; null is too few"},
                )
            ),
        ),
        example=example,
    )


def _listed(
    period: Period, active: Mapping[Any, Any], assigned: Mapping[str, int], minimum: int
) -> dict[str, Any]:
    return {
        "minimum_people": minimum,
        "period": period_document(period),
        "teams": [
            {
                "team": team,
                "active": active.get(team),
                "assigned": None if 0 < (count := assigned.get(team, 0)) < minimum else count,
            }
            for team in sorted({*active, *assigned})
        ],
    }


def team_actions(teams: Teams, *, zone: ZoneInfo, now: Callable[[], datetime]) -> Sequence[Action]:
    """Return what can be done."""

    def stretch(call: Call) -> Stretch:
        def day(name: str) -> date | None:
            text = call.text(name)
            return parse_day(text, now=now(), zone=zone) if text else None

        return Stretch(day("since") or local_date(now(), zone), day("until"))

    def assign(call: Call) -> object:
        return _corrected(
            teams.assign(
                call.text("subject"),
                call.text("team"),
                call.text("cost_center") or None,
                stretch(call),
                reason=call.text("reason"),
                actor=call.actor,
            )
        )

    def remove(call: Call) -> object:
        subject, reason = call.text("subject"), call.text("reason")
        return _corrected(teams.remove(subject, stretch(call), reason=reason, actor=call.actor))

    def history(call: Call) -> object:
        return _history(*teams.show_history(call.text("subject"), call.actor))

    subject = {"subject": "ada@example.com"}
    when = {"since": "2026-09-01", "until": "2026-12-01"}
    return (
        _action(
            "assign",
            "Have a person belong to a team for some days, whatever their client says",
            assign,
            {**subject, "team": "checkout", "cost_center": "CC-7", **when, "reason": "new team"},
        ),
        _action(
            "remove",
            "Have what a person's client says hold again for some days",
            remove,
            {**subject, **when, "reason": "this was wrong"},
        ),
        _action(
            "history", "To which teams a person belongs, from when until when", history, subject
        ),
    )


def _action(
    name: str, summary: str, act: Callable[[Call], object], example: Mapping[str, str]
) -> Action:
    is_change = "reason" in example
    return Action(
        path=f"{_PATH}/{name}",
        name=f"{name}_team",
        summary=summary,
        permission=Permission.WRITE_PEOPLE,
        act=act,
        body={
            "type": "object",
            "properties": dict.fromkeys(example, _TEXT),
            "required": [each for each in ("subject", "team", "reason") if each in example],
        },
        body_example=dict(example),
        schema=_CORRECTED if is_change else object_schema(**_HISTORY),
        example=_corrected(_EXAMPLE) if is_change else _history(_PERSON, _EXAMPLE.memberships),
        errors=_ERRORS | (_ERASED if name == "assign" else {}),
    )


def _history(person: str, memberships: Sequence[Membership]) -> dict[str, Any]:
    return {"person": person, "memberships": [describe_membership(each) for each in memberships]}


def describe_membership(membership: Membership) -> dict[str, Any]:
    """Return a membership as JSON has it, without whose it is."""
    return {
        "team": membership.team,
        "cost_center": membership.cost_center,
        "since": membership.first,
        "until": membership.until,
        "decided": membership.decided,
    }


def _corrected(done: Corrected) -> dict[str, Any]:
    return {
        **_history(done.person, done.memberships),
        "sessions": done.sessions,
        "held": done.held,
        "corrected_from": done.since,
    }


_PERSON: Final = "p_aaaaaaaaaaaaaaaaaaaa"
_EXAMPLE: Final = Corrected(
    person=_PERSON,
    memberships=[
        Membership(
            person=_PERSON,
            team="checkout",
            cost_center="CC-7",
            first=date(2026, 9, 1),
            until=date(2026, 12, 1),
            decided=datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC),
        )
    ],
    sessions=41,
    held=0,
    since=None,
)
