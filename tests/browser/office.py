"""A server with accounts, and who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from codometer.access.actor import SYSTEM
from codometer.access.permissions import Role
from codometer.privacy.profile import Profile
from codometer.privacy.pseudonym import IdentityKind
from tests.browser.fleet import make_history

if TYPE_CHECKING:
    from codometer.access.account import Account
    from tests.browser.fleet import Served

PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test
ROOT: Final = "root@example.com"
DANA: Final = "dana@example.com"
PURPOSE: Final = "to see what coding agents cost, and whether they help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The server, the person `ada` who has an account, and all accounts by login."""

    served: Served
    ada: str
    pseudonym: str
    accounts: Mapping[str, Account]

    @classmethod
    def open(cls, served: Served) -> Self:
        """Let people join and use their agents for some days, under `standard`."""
        access, people = served.server.access, served.server.people
        accounts = access.accounts
        first = accounts.invite_first()
        assert first is not None
        made = {ROOT: accounts.join(first.secret, ROOT, PASSWORD, SYSTEM)}
        with access.audit.change(SYSTEM) as change:
            people.decisions.choose_first(Profile.STANDARD, PURPOSE, change)
        people.follow()
        served.send(list(make_history(people=8, days=4, until=datetime.now(UTC))))
        served.server.store.roll_up()
        known = next(
            each
            for each in people.vault.people.identities.values()
            if each.kind is IdentityKind.EMAIL
        )
        ada = people.vault.find_value(known.pseudonym)
        assert ada is not None
        for login, role in ((ada, Role.DEVELOPER), (DANA, Role.AUDITOR)):
            link = accounts.invite(role, SYSTEM)
            made[login] = accounts.join(link.secret, login, PASSWORD, SYSTEM)
        access.vouching.link(made[ada].id, "invited in person", SYSTEM)
        pseudonym = people.vault.people.find_person(known.pseudonym)
        assert pseudonym is not None
        return cls(served=served, ada=ada, pseudonym=pseudonym, accounts=made)
