"""Inviting somebody, and giving an account another role or other teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codometer.access.permissions import Role
from codometer.errors import BadRequest
from codometer.serve.api.accounts import invitation_link
from codometer.serve.web.forms import Fields, Shown
from codometer.serve.web.naming import ROLE_NAMES
from codometer.serve.web.page import Page
from codometer.serve.web.pages.access.roles import list_grantable
from codometer.serve.web.pages.access.sources import (
    ACCOUNTS,
    AccessSources,
    form_page,
    read_lines,
)
from codometer.serve.web.visitor import Visitor
from codometer.settings import pages_url

_INVITE: Final = "/access/invite"
_CHANGE: Final = "/access/account/change"
_ALL: Final = "all"
_SOME: Final = "some"
_SIGHTS: Final = ((_ALL, "All teams"), (_SOME, "The teams below alone"))


def invite_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page on which a link for somebody is made."""
    return form_page(
        sources,
        ACCOUNTS,
        path=_INVITE,
        title="Invite somebody",
        template="access/invite_page.html",
        build=_build_invite,
        act=_invite,
    )


def change_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page on which an account gets another role or other teams."""
    return form_page(
        sources,
        ACCOUNTS,
        path=_CHANGE,
        title="Change role and teams",
        build=_build_change,
        act=_change,
    )


def _build_invite(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    is_first = not sources.access.sessions.have_accounts
    roles = list_grantable(visitor.subject.granted)
    if is_first:
        roles = [(Role.ADMINISTRATOR, ROLE_NAMES[Role.ADMINISTRATOR])]
    chosen = {"role": roles[0][0] if roles else "", "sight": _ALL, "teams": "", **visitor.sent}
    return {"is_first": is_first, "roles": roles, "sights": _SIGHTS, "chosen": chosen}


def _build_change(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    account = sources.get_account(visitor.asked.get("id", ""))
    chosen = {
        "role": account.role or "",
        "sight": _ALL if account.teams is None else _SOME,
        "teams": "\n".join(sorted(account.teams or ())),
        **visitor.sent,
    }
    return {
        "account": account,
        "roles": list_grantable(visitor.subject.granted),
        "sights": _SIGHTS,
        "chosen": chosen,
    }


def _invite(sources: AccessSources, visitor: Visitor, fields: Fields) -> Shown:
    role, teams = _read_role(fields), _read_teams(fields)
    made = sources.access.accounts.invite(role, visitor.actor, teams=teams)
    values = {
        "link": invitation_link(made, pages_url(sources.settings.listen)),
        "expires": made.expires,
        "login": None,
        "role": ROLE_NAMES[role],
        "teams": teams,
    }
    return Shown(template="access/link.html", values=values)


def _change(sources: AccessSources, visitor: Visitor, fields: Fields) -> str:
    role, teams = _read_role(fields), _read_teams(fields)
    changed = sources.access.accounts.change(
        fields.get("id", ""), visitor.actor, role=role, teams=teams
    )
    return visitor.href("/access/account", id=changed.id)


def _read_role(fields: Fields) -> Role:
    role = fields.get("role", "")
    if role not in [*Role]:
        raise BadRequest(f"{role[:20]!r} is no role", hint=f"one of {', '.join(Role)}")
    return Role(role)


def _read_teams(fields: Fields) -> frozenset[str] | None:
    """Return the teams; an empty field alone never means all of them."""
    named, sight = frozenset(read_lines(fields.get("teams", ""))), fields.get("sight")
    if sight == _SOME and named:
        return named
    if sight == _ALL and not named:
        return None
    raise BadRequest(
        "which teams they see is not clear",
        hint="choose all teams, or name some",
        field="teams",
    )
