"""Who can sign in, and one of them: what an administrator and an auditor see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from codometer.access.account import Account, Session
from codometer.serve.web.naming import ROLE_NAMES
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.pages.access.acts import ACTS
from codometer.serve.web.pages.access.invitations import invitations_panel, withdraw_form
from codometer.serve.web.pages.access.roles import list_roles
from codometer.serve.web.pages.access.sources import ACCOUNTS, AccessSources, detail_page
from codometer.serve.web.paging import find_part
from codometer.serve.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An account as it is shown; of its sessions only on which day they began.

    When somebody was last at it is for themselves alone.
    """

    account: Account
    role: str
    ways: Sequence[str]
    sessions: Sequence[Session]


def accounts_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page of all accounts."""
    return Page(
        path=ACCOUNTS.path,
        name=ACCOUNTS.name,
        title="Access",
        template="access/page.html",
        group="Privacy & access",
        permission=ACCOUNTS.reads,
        panels=(
            Panel(
                name="accounts",
                title="Accounts",
                template="access/accounts.html",
                build=partial(_build_accounts, sources),
                classes="c12",
            ),
            invitations_panel(sources),
            Panel(
                name="roles",
                title="What each role may",
                template="access/roles.html",
                build=_build_roles,
                classes="c12",
            ),
        ),
        forms=(withdraw_form(sources),),
    )


def account_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page of one account."""
    return detail_page(
        sources, ACCOUNTS, path="/access/account", title="Account", build=_build_account
    )


def _build_accounts(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    part = find_part(sources.access.accounts.list_accounts(), visitor)
    return {"part": part, "lines": [_line(sources, each, visitor) for each in part.rows]}


def _build_roles(_: Visitor) -> Mapping[str, object]:
    roles, groups = list_roles()
    return {"roles": roles, "groups": groups}


def _build_account(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    line = _line(sources, sources.get_account(visitor.given.get("id", "")), visitor)
    account, label = line.account, sources.access.federation.find_label
    return {
        "line": line,
        "account": account,
        "identities": [(label(each.issuer), each) for each in account.identities],
        "acts": [(name, act) for name, act in ACTS.items() if act.is_offered(account)],
        "is_own": account.id == visitor.actor.id,
    }


def _line(sources: AccessSources, account: Account, visitor: Visitor) -> Line:
    label = sources.access.federation.find_label
    return Line(
        account=account,
        role=ROLE_NAMES[account.role] if account.role else "None",
        ways=[
            *(["Password"] if account.has_password else []),
            *(label(each.issuer) for each in account.identities),
        ],
        sessions=sources.access.sessions.list_sessions(visitor.now, account_id=account.id),
    )
