"""What the pages of access are built from, and the two shapes that most of them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from codometer.access.access import Access
from codometer.access.account import Account, NoSuchAccount
from codometer.access.actor import Actor, ActorKind
from codometer.access.credential import Credential, NoSuchCredential
from codometer.access.permissions import Permission
from codometer.serve.web.forms import Fields, Form, Shown
from codometer.serve.web.naming import ACTOR_NAMES
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor
from codometer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSources:
    """Accounts and credentials, and where the server is reached."""

    access: Access
    settings: Settings

    def get_account(self, account_id: str) -> Account:
        """Return an account.

        Raises:
            NoSuchAccount: there is none.
        """
        for each in self.access.accounts.list_accounts():
            if each.id == account_id:
                return each
        raise NoSuchAccount("there is no such account", hint="choose one on the page of access")

    def get_credential(self, credential_id: str) -> Credential:
        """Return a credential.

        Raises:
            NoSuchCredential: there is none.
        """
        for each in self.access.credentials.list_credentials():
            if each.id == credential_id:
                return each
        raise NoSuchCredential(
            "there is no such credential", hint="choose one on the page of credentials"
        )

    def name_actor(self, actor: Actor, visitor: Visitor) -> str:
        """Return what to call who did something: by name to those who may see names."""
        if actor.kind is ActorKind.ACCOUNT and visitor.may(Permission.READ_ACCOUNTS):
            logins = {each.id: each.login for each in self.access.accounts.list_accounts()}
            return logins.get(actor.id, actor.id)
        return ACTOR_NAMES[actor.kind]


_ONE: Final = "access/one.html"
Build: TypeAlias = Callable[[AccessSources, Visitor], Mapping[str, object]]
Act: TypeAlias = Callable[[AccessSources, Visitor, Fields], str | Shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of the navigation, and what its readers and its writers must be allowed."""

    path: str
    name: str
    reads: Permission
    writes: Permission


ACCOUNTS: Final = Area(
    path="/access",
    name="access",
    reads=Permission.READ_ACCOUNTS,
    writes=Permission.WRITE_ACCOUNTS,
)
CREDENTIALS: Final = Area(
    path="/access/credentials",
    name="credentials",
    reads=Permission.READ_CREDENTIALS,
    writes=Permission.WRITE_CREDENTIALS,
)


def detail_page(
    sources: AccessSources, area: Area, *, path: str, title: str, build: Build
) -> Page[Visitor]:
    """Return the page of one thing of an area."""
    return Page(
        path=path,
        name=area.name,
        title=title,
        template=_ONE,
        group=None,
        permission=area.reads,
        panels=(_panel(sources, path, title, build),),
    )


def form_page(
    sources: AccessSources,
    area: Area,
    *,
    path: str,
    title: str,
    build: Build,
    act: Act,
    template: str = _ONE,
) -> Page[Visitor]:
    """Return a page with one form, which is sent to where it stands.

    Whoever opens it has just shown that it is them, so nothing that they type is lost to that.
    """
    return Page(
        path=path,
        name=area.name,
        title=title,
        template=template,
        group=None,
        permission=area.writes,
        panels=(_panel(sources, path, title, build),),
        forms=(Form(path=path, permission=area.writes, act=partial(act, sources)),),
    )


def _panel(sources: AccessSources, path: str, title: str, build: Build) -> Panel[Visitor]:
    name = path.rpartition("/")[2]
    return Panel(
        name=name,
        title=title,
        template=f"access/{name}.html",
        build=partial(build, sources),
        classes="c12",
    )


def read_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a field that has one thing a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
