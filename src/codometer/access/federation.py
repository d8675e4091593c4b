"""Signing in with providers of identities, and what that changes of accounts.

Somebody is known by the provider's issuer and subject, never by an e-mail address:
addresses change owners. Where groups give roles they do so at every sign-in, and
whoever is in none of them any more loses theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from codometer.access.account import Account, Session, clean_login, find_account, get_account
from codometer.access.accounts import change_role, connect, create_account, disconnect
from codometer.access.actions import Action, Outcome
from codometer.access.actor import Actor, ActorKind
from codometer.access.granting import check_change
from codometer.access.permissions import Role
from codometer.access.provider import Begun, Told
from codometer.access.sessions import begin_session, renew_session
from codometer.access.tickets import TICKET_NOT_GOOD, Errand, Ticket, use_ticket
from codometer.errors import BadRequest, BadSettings, CodometerError, Forbidden
from codometer.store.control_tables import ACCOUNT, ACCOUNT_IDENTITY

if TYPE_CHECKING:
    from codometer.access.accounts import Accounts
    from codometer.access.audit import Change
    from codometer.access.openid import Provider
    from codometer.access.tickets import Tickets
    from codometer.settings import Oidc

TRANSACTION_LIFETIME: Final = timedelta(minutes=10)
_ALL_TEAMS: Final = "*"


class Aim(StrEnum):
    """What somebody goes to a provider for."""

    SIGN_IN = "sign_in"
    CONNECT = "connect"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who gets which role and teams from their groups, and who may make an account."""

    roles: Sequence[tuple[str, Role]]
    teams: Sequence[tuple[str, str]]
    may_join: bool

    def find_role(self, groups: frozenset[str]) -> Role | None:
        """Return the first role that a group gives."""
        return next((role for group, role in self.roles if group in groups), None)

    def find_teams(self, groups: frozenset[str]) -> frozenset[str] | None:
        """Return the teams that the groups give; None are all."""
        found = frozenset(team for group, team in self.teams if group in groups)
        return None if not self.teams or _ALL_TEAMS in found else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody who came back: the secret of their session, if it is another one, and where to."""

    secret: str = ""
    leads_to: str


class Federation:
    """Signs people in with the providers of an installation. Safe to use from several threads."""

    def __init__(
        self,
        accounts: Accounts,
        tickets: Tickets,
        providers: Mapping[str, tuple[Provider, Rules]],
        *,
        return_address: Callable[[str], str],
        has_passwords: bool = True,
    ) -> None:
        """`return_address` is where browsers come back to from the provider of a name.

        Without `has_passwords` a password is no way in.
        """
        self._accounts = accounts
        self._tickets = tickets
        self._providers = providers
        self._return_address = return_address
        self.has_passwords = has_passwords

    @property
    def labels(self) -> Mapping[str, str]:
        """What each provider is called to people, by its name."""
        return {name: provider.label for name, (provider, _) in self._providers.items()}

    def list_connected(self, account: Account) -> frozenset[str]:
        """Return the names of the providers with which somebody can sign in to an account."""
        issuers = {each.issuer for each in account.identities}
        return frozenset(
            name for name, (provider, _) in self._providers.items() if provider.issuer in issuers
        )

    def find_label(self, issuer: str) -> str:
        """Return what a provider is called to people; its issuer, where no settings name it."""
        labels = (each.label for each, _ in self._providers.values() if each.issuer == issuer)
        return next(labels, issuer)

    def disconnect(self, account_id: str, issuer: str, actor: Actor) -> Account:
        """Have somebody sign in with a provider no more; sessions that came by it end.

        Raises:
            NoSuchAccount: there is no such account.
            BadRequest: nobody signs in to it with that provider, or it is the last way in.
            Forbidden: it may do what the actor may not.
        """
        accounts = self._accounts
        with accounts.known.changing(accounts.audit, actor) as change:
            account = get_account(change.connection, account_id)
            check_change(change, account)
            disconnect(change, account.id, issuer)
            account = get_account(change.connection, account_id)
            if account.is_usable and not self._has_way_in(account):
                raise BadRequest(
                    "nobody could sign in to this account then",
                    hint="connect another provider first, or choose a password by a link from"
                    " an administrator (`codometer account reset`)",
                )
        return account

    def _has_way_in(self, account: Account) -> bool:
        return bool(self.list_connected(account)) or (self.has_passwords and account.has_password)

    def begin(
        self,
        name: str,
        aim: Aim,
        *,
        leads_to: str,
        link: str = "",
        session: Session | None = None,
    ) -> tuple[str, str]:
        """Return where to send the browser, and the ticket that it must bring back.

        Raises:
            ProviderFailed, OutgoingFailed, OutgoingRefused: the provider cannot be asked.
        """
        provider, _ = self._providers[name]
        is_proof = aim is Aim.CONFIRM
        address, begun = provider.begin(self._return_address(name), is_proof=is_proof)
        ticket = self._tickets.issue(
            Errand.PROVIDER,
            TRANSACTION_LIFETIME,
            provider=name,
            aim=aim,
            leads_to=leads_to,
            link=link,
            session=session.digest if session else "",
            **asdict(begun),
        )
        return address, ticket

    def finish(
        self,
        name: str,
        text: str,
        given: Mapping[str, str],
        actor: Actor,
        *,
        session: Session | None = None,
    ) -> Arrival:
        """Take who came back from a provider.

        Raises:
            TicketNotGood: this browser did not go there, or too long ago, or was back already.
            ProviderRefused: it is not to be believed.
            Forbidden: nobody here knows them, or they may not sign in.
            BadRequest: somebody has their name already, or another account is theirs.
            ProviderFailed, OutgoingFailed, OutgoingRefused: the provider cannot be asked.
        """
        ticket = self._tickets.read(Errand.PROVIDER, text)
        content = ticket.content
        if content["provider"] != name or content["session"] not in {
            "",
            session.digest if session else "-",
        }:
            raise TICKET_NOT_GOOD
        with self._accounts.audit.change(actor) as change:
            use_ticket(change, ticket)  # whatever comes of it
        provider, rules = self._providers[name]
        try:
            told = provider.finish(self._return_address(name), _begun_of(ticket), given)
            secret = self._arrive(ticket, told, rules, actor, session=session)
        except CodometerError as error:
            self._record_failure(name, error, actor)
            raise
        return Arrival(secret=secret, leads_to=content["leads_to"])

    def _arrive(
        self, ticket: Ticket, told: Told, rules: Rules, actor: Actor, *, session: Session | None
    ) -> str:
        aim = Aim(ticket.content["aim"])
        if aim is Aim.SIGN_IN:
            return self._sign_in(ticket, told, rules, actor)
        if session is None:
            raise TICKET_NOT_GOOD
        known = self._accounts.known
        with known.changing(self._accounts.audit, actor) as change:
            if aim is Aim.CONNECT:
                connect(change, session.account.id, told.vouched)
                return ""
            if _find_known(change, told) != session.account.id:
                raise Forbidden("this is another person than the one who is signed in")
            change.record(Action.CONFIRM, object=session.account.id)
            return renew_session(change, session, proved=told.proved)

    def _sign_in(self, ticket: Ticket, told: Told, rules: Rules, actor: Actor) -> str:
        accounts, link = self._accounts, ticket.content["link"]
        if link:
            accounts.join_vouched(link, told.vouched, _login_of(told), actor)
        with accounts.known.changing(accounts.audit, actor) as change:
            account = _find_account(change, told, rules)
            if account.disabled is None:
                account = _apply(change, account, told, rules)
            if account.is_usable:
                change.actor = replace(actor, kind=ActorKind.ACCOUNT, id=account.id)
                change.record(Action.SIGN_IN, object=account.id, reason=ticket.content["provider"])
                return begin_session(
                    change,
                    account.id,
                    actor.address,
                    proved=told.proved,
                    created=change.time,
                    issuer=told.vouched.issuer,
                )
        if account.disabled is None:
            raise Forbidden(
                "none of your groups has a role here", hint="ask your administrator for one"
            )
        raise Forbidden("this account is disabled", hint="ask your administrator")

    def _record_failure(self, name: str, error: CodometerError, actor: Actor) -> None:
        with self._accounts.audit.change(actor) as change:
            reason = "unknown" if error.code == Forbidden.code else error.code
            after = {"provider": name, "why": error.message}
            change.record(
                Action.SIGN_IN,
                object="account",
                outcome=Outcome.REFUSED,
                reason=reason,
                after=after,
            )


def make_rules(name: str, settings: Oidc) -> Rules:
    """Return the rules of a provider.

    Raises:
        BadSettings: a role is none.
    """
    roles = [_split(each) for each in settings.roles]
    if unknown := [role for _, role in roles if role not in [*Role]]:
        raise BadSettings(
            f"oidc.{name}.roles has {', '.join(unknown)}, which is no role",
            hint=f"use {', '.join(Role)}",
        )
    return Rules(
        roles=[(group, Role(role)) for group, role in roles],
        teams=[_split(each) for each in settings.teams],
        may_join=settings.joining == "role",
    )


def _split(pair: str) -> tuple[str, str]:
    """Part a group, which may have = in it, from what it gives."""
    group, _, given = pair.rpartition("=")
    return group.strip(), given.strip()


def _find_known(change: Change, told: Told) -> str | None:
    table = ACCOUNT_IDENTITY.c
    mine = (table.issuer == told.vouched.issuer) & (table.subject == told.vouched.subject)
    found: str | None = change.connection.execute(select(table.account).where(mine)).scalar()
    return found


def _find_account(change: Change, told: Told, rules: Rules) -> Account:
    """Return the account of somebody; where groups give roles, it may be a new one.

    Raises:
        Forbidden: they have none, and shall have none.
    """
    known = _find_known(change, told)
    if known is not None and (account := find_account(change.connection, known)) is not None:
        return account
    role = rules.find_role(told.groups) if rules.may_join else None
    if role is None:
        raise Forbidden(
            "nobody here knows you yet", hint="ask your administrator for a link to join with"
        )
    teams = rules.find_teams(told.groups)
    account = create_account(change, _login_of(told), role, teams, email=told.vouched.email)
    connect(change, account.id, told.vouched)
    return account


def _apply(change: Change, account: Account, told: Told, rules: Rules) -> Account:
    """Have the groups of somebody decide on their role and teams, where they do."""
    email = told.vouched.email
    if email and email != account.email:
        mine = update(ACCOUNT).where(ACCOUNT.c.id == account.id)
        change.connection.execute(mine.values(email=email))
    role = rules.find_role(told.groups) if rules.roles else account.role
    teams = rules.find_teams(told.groups) if rules.teams else account.teams
    if (role, teams) != (account.role, account.teams):
        change_role(change, account, role, teams)
    return replace(account, role=role, teams=teams)


def _login_of(told: Told) -> str:
    """Return what to call a new account: an address that is theirs, else a name, else the key."""
    for each in (told.vouched.email, told.name):
        with suppress(BadRequest):
            return clean_login(each)
    return clean_login(told.vouched.subject)


def _begun_of(ticket: Ticket) -> Begun:
    content = ticket.content
    return Begun(
        state=content["state"],
        nonce=content["nonce"],
        verifier=content["verifier"],
        is_proof=content["is_proof"],
    )
