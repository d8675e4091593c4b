"""Retention: how long what is kept, how much there is, what goes next, and what must stay."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.people.holds import HoldKind
from codometer.people.retention import Retention
from codometer.serve.api.retention import KINDS
from codometer.serve.web.forms import Fields, Form
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/privacy/retention"
_HOLDS: Final = f"{_PATH}#holds"
_WHOSE: Final = (
    (HoldKind.TEAM, "A team's data"),
    (HoldKind.PERSON, "A person's data"),
    (HoldKind.EVERYTHING, "Everything"),
)


def retention_page(retention: Retention) -> Page[Visitor]:
    """Return the page."""
    panels = (
        ("stocks", "What is kept, and for how long", _build_stocks, "c12"),
        ("last", "The last run", _build_last, "c4"),
        ("holds", "Legal holds", _build_holds, "c8"),
    )
    write = Permission.WRITE_PRIVACY
    return Page(
        path=_PATH,
        name="privacy",
        title="Retention",
        tab="Retention",
        template="retention/page.html",
        group=None,
        permission=Permission.READ_SETTINGS,
        panels=tuple(
            Panel(
                name=name,
                title=title,
                template=f"retention/{name}.html",
                build=partial(build, retention),
                classes=classes,
            )
            for name, title, build, classes in panels
        ),
        forms=(
            Form(path=f"{_PATH}/hold", permission=write, act=partial(_hold, retention)),
            Form(path=f"{_PATH}/lift", permission=write, act=partial(_lift, retention)),
        ),
    )


def _build_stocks(retention: Retention, _: Visitor) -> Mapping[str, object]:
    return {
        "stocks": retention.list_stocks(),
        "kinds": KINDS,
        "next": retention.find_next(),
        "profile": retention.people.policy.profile,
    }


def _build_last(retention: Retention, _: Visitor) -> Mapping[str, object]:
    return {"run": retention.find_last()}


def _build_holds(retention: Retention, _: Visitor) -> Mapping[str, object]:
    people = retention.people
    return {"holds": people.holds.list_holds(), "whose": _WHOSE, "teams": people.list_teams()}


def _hold(retention: Retention, visitor: Visitor, fields: Fields) -> str:
    kind = fields.get("kind", "")
    if kind not in [*HoldKind]:
        raise BadRequest(f"{kind[:20]!r} is no kind of hold", hint=", ".join(HoldKind))
    subject, reason = fields.get("subject", ""), fields.get("reason", "")
    retention.people.holds.set(HoldKind(kind), subject, reason, visitor.actor)
    return _HOLDS


def _lift(retention: Retention, visitor: Visitor, fields: Fields) -> str:
    retention.people.holds.lift(fields.get("hold", ""), fields.get("reason", ""), visitor.actor)
    return _HOLDS
