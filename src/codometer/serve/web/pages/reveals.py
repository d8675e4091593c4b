"""The names behind pseudonyms: who may ask, what was asked and why, and the name itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from codometer.access.account import Account
from codometer.access.permissions import Permission
from codometer.access.vouching import MOST_HOURS, Vouching
from codometer.errors import BadRequest
from codometer.people.people import People
from codometer.people.reveals import Reveal, Reveals
from codometer.privacy.profile import Identity
from codometer.serve.web.forms import Fields, Form, Shown
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/privacy/reveals"
_HOURS: Final = (1, 4, 8, MOST_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the page is built from."""

    people: People
    reveals: Reveals
    vouching: Vouching


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A request, with who asked and who agreed by their names to sign in with."""

    reveal: Reveal
    who: str
    approver: str
    is_own: bool


def reveals_page(people: People, reveals: Reveals, vouching: Vouching) -> Page[Visitor]:
    """Return the page."""
    sources = Sources(people=people, reveals=reveals, vouching=vouching)
    return Page(
        path=_PATH,
        name="privacy",
        title="Names behind pseudonyms",
        tab="Names",
        template="reveals/page.html",
        group=None,
        permission=Permission.READ_REVEALS,
        panels=(
            Panel(
                name="ask",
                title="Ask for a name",
                template="reveals/ask.html",
                build=partial(_build_ask, sources),
                classes="c5",
            ),
            Panel(
                name="asked",
                title="Asked for in the last day",
                template="reveals/asked.html",
                build=partial(_build_asked, sources),
                classes="c7",
            ),
            Panel(
                name="lent",
                title="Who may ask",
                template="reveals/lent.html",
                build=partial(_build_lent, sources),
                classes="c12",
            ),
        ),
        forms=(
            Form(path=_PATH, permission=Permission.REVEAL_PEOPLE, act=partial(_ask, sources)),
            Form(
                path=f"{_PATH}/open",
                permission=Permission.REVEAL_PEOPLE,
                act=partial(_open, sources),
            ),
            Form(
                path=f"{_PATH}/decide",
                permission=Permission.APPROVE_REVEALS,
                act=partial(_decide, sources),
            ),
            Form(
                path=f"{_PATH}/lend",
                permission=Permission.WRITE_ACCOUNTS,
                act=partial(_lend, sources),
            ),
            Form(
                path=f"{_PATH}/end",
                permission=Permission.WRITE_ACCOUNTS,
                act=partial(_end, sources),
            ),
        ),
    )


def _build_ask(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    identity = sources.people.policy.identity
    return {
        "is_off": identity is Identity.PLAIN,
        "needs_two": identity is Identity.PSEUDONYM,
        "profile": sources.people.policy.profile,
        "until": visitor.account.reveals if visitor.account else None,
    }


def _build_asked(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    logins = {each.id: each.login for each in sources.vouching.list_accounts()}
    own = visitor.actor.id
    return {
        "lines": [
            Line(
                reveal=each,
                who=logins.get(each.account, each.account),
                approver=logins.get(each.approver or "", each.approver or ""),
                is_own=each.account == own,
            )
            for each in sources.reveals.list_waiting()
        ]
    }


def _build_lent(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    accounts = sources.vouching.list_accounts()
    return {
        "lent": [each for each in accounts if each.reveals and each.reveals > visitor.now],
        "others": _others(accounts, visitor),
        "hours": [(str(hours), f"{hours} h") for hours in _HOURS],
    }


def _others(accounts: Sequence[Account], visitor: Visitor) -> Sequence[tuple[str, str]]:
    return [(each.id, each.login) for each in accounts if each.id != visitor.actor.id]


def _ask(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    sources.reveals.ask(fields.get("pseudonym", ""), fields.get("reason", ""), visitor.actor)
    return _PATH


def _open(sources: Sources, visitor: Visitor, fields: Fields) -> Shown:
    names = sources.reveals.open(fields.get("reveal", ""), visitor.actor)
    return Shown(template="reveals/name.html", values={"names": names})


def _decide(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    agrees = fields.get("decision") == "agree"
    if not agrees and fields.get("decision") != "refuse":
        raise BadRequest("nothing was decided", hint="agree, or refuse")
    sources.reveals.decide(
        fields.get("reveal", ""), fields.get("reason", ""), visitor.actor, agrees=agrees
    )
    return _PATH


def _lend(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    hours = fields.get("hours", "")
    if not (hours.isascii() and hours.isdigit()):
        raise BadRequest(
            f"{hours[:10]!r} is no number of hours", hint=f"at most {MOST_HOURS}", field="hours"
        )
    sources.vouching.lend_reveals(
        fields.get("account", ""), int(hours), fields.get("reason", ""), visitor.actor
    )
    return _PATH


def _end(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    account = fields.get("account", "")
    sources.vouching.end_reveals(account, "ended on the page", visitor.actor)
    return _PATH
