"""One's own data: what is stored of whoever signs in, who looked at it, and a copy of it.

An account is a person's when somebody vouched for it: a provider of identities for an e-mail
address, or an administrator for the login (`access/vouching.py`). That is then one of the names
that their clients send.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from codometer.access.account import find_account, read_accounts
from codometer.access.actor import ActorKind
from codometer.errors import Forbidden
from codometer.people.access_log import list_acts
from codometer.people.queue import Asked, Queue, Right
from codometer.people.requests import NoSuchPerson, Requests, Stored

if TYPE_CHECKING:
    from codometer.access.account import Account
    from codometer.access.actions import Action
    from codometer.access.actor import Actor
    from codometer.access.audit import Recorded
    from codometer.people.consents import ConsentText, PersonalConsent, ProjectConsent


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One act on a person's data, and by whom: a login, or what kind of actor."""

    recorded: Recorded
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A project that is open for content, in its words; `given` is there if somebody agreed."""

    offer: ProjectConsent
    text: ConsentText
    given: PersonalConsent | None


@dataclass(frozen=True, slots=True)
class OwnData:
    """What somebody sees of themselves. Looking at it leaves no entry; a copy does."""

    requests: Requests

    def find_person(self, actor: Actor) -> str | None:
        """Return what stands for whoever acts; None where that is not known."""
        if actor.kind is not ActorKind.ACCOUNT:
            return None
        with self.requests.people.access.control.read() as connection:
            account = find_account(connection, actor.id)
        return self.requests.find_person(account.person) if account and account.person else None

    def find(self, account: Account) -> Stored | None:
        """Return what is stored of the account's person; None when nothing is.

        Raises:
            Forbidden: nobody vouched for the account.
        """
        _check_vouched(account)
        try:
            return self.requests.find_stored(account.person)
        except NoSuchPerson:
            return None

    def export(self, account: Account, actor: Actor) -> bytes:
        """Return all of it as a ZIP file.

        Raises:
            Forbidden: nobody vouched for the account.
            NoSuchPerson: nothing is stored.
        """
        _check_vouched(account)
        reason = "they asked for it themselves"
        return self.requests.export(account.person, reason, actor, is_own=True)

    def list_consents(self, account: Account) -> Sequence[Consent]:
        """Return the projects that are open for content, and what the account's person agreed to.

        Raises:
            Forbidden: nobody vouched for the account.
        """
        _check_vouched(account)
        contents, now = self.requests.people.contents, self.requests.people.access.audit.now()
        person = self.requests.find_person(account.person)
        mine = contents.consents_of(person) if person else []
        live = {each.offer.id: each for each in mine if each.is_live(now)}
        return [
            Consent(offer=offer, text=contents.consents.text_of(offer), given=live.get(offer.id))
            for offer in contents.consents.list_projects()
        ]

    def agree(self, account: Account, project: str, words: str) -> None:
        """Agree, for the account's person, to the words of that hash.

        Raises:
            Forbidden: nobody vouched for the account.
            NoSuchPerson: nothing is stored of the person.
            CodometerError: the project is not open, or the words are other ones now.
        """
        people = self.requests.people
        with people.pausing():
            person = self._get_person(account)
            people.contents.agree(person, project, words, "signed in")

    def withdraw(self, account: Account, project: str) -> int:
        """Take that back, and delete what was kept; return how many texts that were.

        Raises:
            Forbidden: nobody vouched for the account.
            NoSuchPerson: nothing is stored of the person.
            CodometerError: they had not agreed.
        """
        people = self.requests.people
        with people.pausing():
            return people.contents.withdraw(self._get_person(account), project)

    def list_asked(self, account: Account) -> Sequence[Asked]:
        """Return what the account's person asked for, and what was decided.

        Raises:
            Forbidden: nobody vouched for the account.
        """
        _check_vouched(account)
        person = self.requests.find_person(account.person)
        return Queue(self.requests).list_of(person) if person else []

    def ask(self, account: Account, right: Right, words: str) -> None:
        """Ask for something to be done with the data of the account's person.

        Raises:
            Forbidden: nobody vouched for the account.
            NoSuchPerson: nothing is stored of the person.
            BadRequest: the same waits already, or the words are too many.
        """
        Queue(self.requests).ask(self._get_person(account), right, words)

    def _get_person(self, account: Account) -> str:
        _check_vouched(account)
        person = self.requests.find_person(account.person)
        if person is None:
            raise NoSuchPerson("nothing is stored of you yet", hint="use an agent first")
        return person

    def list_looks(self, stored: Stored, acts: Collection[Action] = ()) -> Sequence[Look]:
        """Return who did what with a person's data, the newest first; of `acts`, if given."""
        access = self.requests.people.access
        names = (stored.recorded, *(known.pseudonym for known in stored.found.pseudonyms))
        found = list_acts(access.audit, names, acts)
        with access.control.read() as connection:
            logins = {each.id: each.login for each in read_accounts(connection)}
        return [
            Look(recorded=each, who=logins.get(each.entry.actor) or _kind(each.entry.actor_kind))
            for each in found
        ]


def _check_vouched(account: Account) -> None:
    if not account.person:
        raise Forbidden(
            f"nobody has confirmed yet that {account.login} is you",
            hint="an administrator does that: codometer person link " + account.id,
        )


def _kind(kind: str) -> str:
    return _KINDS.get(kind, kind)


_KINDS: Final[Mapping[str, str]] = {
    "local": "whoever runs the server",
    "credential": "a program",
    "system": "the server",
}
