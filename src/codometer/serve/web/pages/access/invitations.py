"""Links that nobody has used yet, each with a button that ends it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from codometer.serve.web.forms import Fields, Form
from codometer.serve.web.naming import ROLE_NAMES
from codometer.serve.web.page import Panel
from codometer.serve.web.pages.access.sources import ACCOUNTS, AccessSources
from codometer.serve.web.visitor import Visitor

_WITHDRAW: Final = "/access/invitation/withdraw"


def invitations_panel(sources: AccessSources) -> Panel[Visitor]:
    """Return the panel of all links that are good."""
    return Panel(
        name="invitations",
        title="Links that nobody has used yet",
        template="access/invitations.html",
        build=partial(_build, sources),
        classes="c12",
    )


def withdraw_form(sources: AccessSources) -> Form:
    """Return the form that ends one."""
    return Form(path=_WITHDRAW, permission=ACCOUNTS.writes, act=partial(_withdraw, sources))


def _build(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    return {
        "path": _WITHDRAW,
        "lines": [
            (each, ROLE_NAMES[each.role], sources.name_actor(each.maker, visitor))
            for each in sources.access.accounts.list_invitations()
        ],
    }


def _withdraw(sources: AccessSources, visitor: Visitor, fields: Fields) -> str:
    sources.access.accounts.withdraw(fields.get("id", ""), visitor.actor)
    return ACCOUNTS.path
