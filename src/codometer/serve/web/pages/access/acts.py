"""What is done to one account, each looked at once more before it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from codometer.access.account import Account
from codometer.errors import BadRequest
from codometer.serve.api.accounts import invitation_link
from codometer.serve.web.forms import Fields, Shown, check_confirmed
from codometer.serve.web.page import Page
from codometer.serve.web.pages.access.sources import (
    ACCOUNTS,
    AccessSources,
    form_page,
)
from codometer.serve.web.visitor import Visitor
from codometer.settings import pages_url

_PATH: Final = "/access/account/act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act: what its button says, and what follows. `is_typed`: the name confirms it."""

    label: str
    follows: str
    do: Callable[[AccessSources, Account, Visitor, Fields], Shown | None]
    is_offered: Callable[[Account], bool] = lambda account: account.disabled is None
    is_typed: bool = False


def _reset(sources: AccessSources, account: Account, visitor: Visitor, _: Fields) -> Shown:
    made = sources.access.accounts.reset(account.id, visitor.actor)
    link = invitation_link(made, pages_url(sources.settings.listen))
    values = {"link": link, "expires": made.expires, "login": account.login}
    return Shown(template="access/link.html", values=values)


def _end_sessions(sources: AccessSources, account: Account, visitor: Visitor, _: Fields) -> None:
    sources.access.accounts.end_sessions(account.id, visitor.actor)


def _end_session(
    sources: AccessSources, account: Account, visitor: Visitor, fields: Fields
) -> None:
    which = fields.get("which", "")
    sources.access.accounts.end_session(which, visitor.actor, account_id=account.id)


def _disconnect(sources: AccessSources, account: Account, visitor: Visitor, fields: Fields) -> None:
    sources.access.federation.disconnect(account.id, fields.get("which", ""), visitor.actor)


def _remove_factor(sources: AccessSources, account: Account, visitor: Visitor, _: Fields) -> None:
    sources.access.accounts.remove_factor(account.id, visitor.actor)


def _disable(sources: AccessSources, account: Account, visitor: Visitor, _: Fields) -> None:
    sources.access.accounts.disable(account.id, visitor.actor)


def _never(_: Account) -> bool:
    return False


ACTS: Final[Mapping[str, Act]] = {
    "reset": Act(
        label="Make a link for a new password",
        follows="You get a link that is good for an hour. Whoever opens it chooses a new password"
        " for this account, and everybody who is signed in to it is signed out.",
        do=_reset,
    ),
    "end-sessions": Act(
        label="End all sessions",
        follows="Everybody who is signed in to this account is signed out within a second, and may"
        " sign in again.",
        do=_end_sessions,
    ),
    "end-session": Act(
        label="End a session",
        follows="Whoever has this session is signed out within a second, and may sign in again.",
        do=_end_session,
        is_offered=_never,  # it stands beside each session
    ),
    "disconnect": Act(
        label="Disconnect a provider",
        follows="Nobody signs in to this account with this provider any more, and the sessions"
        " that came by it end.",
        do=_disconnect,
        is_offered=_never,  # it stands beside each provider
        is_typed=True,
    ),
    "remove-second-factor": Act(
        label="Remove the second factor",
        follows="The password alone is enough to sign in then, and all sessions end. Do it for"
        " somebody who lost their authenticator, and be sure that it is them who asks.",
        do=_remove_factor,
        is_offered=lambda account: account.has_second_factor and account.disabled is None,
        is_typed=True,
    ),
    "disable": Act(
        label="Disable the account",
        follows="Nobody signs in to it any more, and all its sessions end. This cannot be taken"
        " back: invite the person again if need be.",
        do=_disable,
        is_typed=True,
    ),
}


def act_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page that repeats what is about to be done, and to whom."""
    return form_page(
        sources, ACCOUNTS, path=_PATH, title="Change an account", build=_build, act=_do
    )


def _build(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    given = visitor.asked
    account, name, which = (
        sources.get_account(given.get("id", "")),
        given.get("act", ""),
        given.get("which", ""),
    )
    return {
        "account": account,
        "name": name,
        "act": _get_act(name),
        "which": which,
        "provider": sources.access.federation.find_label(which),
    }


def _do(sources: AccessSources, visitor: Visitor, fields: Fields) -> str | Shown:
    act = _get_act(fields.get("act", ""))
    account = sources.get_account(fields.get("id", ""))
    if act.is_typed:
        check_confirmed(fields.get("confirm", ""), account.login, "name of the account")
    shown = act.do(sources, account, visitor, fields)
    return shown or visitor.href("/access/account", id=account.id)


def _get_act(name: str) -> Act:
    if name not in ACTS:
        raise BadRequest(f"{name[:30]!r} is nothing to do", hint=f"one of {', '.join(ACTS)}")
    return ACTS[name]
