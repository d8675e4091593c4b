"""What one server has of accounts, on a database that several may share."""

from datetime import UTC, datetime
from pathlib import Path

from codometer.access.accounts import Accounts
from codometer.access.actor import SYSTEM, Actor, ActorKind
from codometer.access.anchors import Anchors
from codometer.access.audit import AuditLog
from codometer.access.keys import Keys
from codometer.access.permissions import Role
from codometer.access.second_factor import SecondFactors
from codometer.access.sessions import KnownSessions
from codometer.access.signing_in import SigningIn
from codometer.access.tickets import Tickets
from codometer.privacy.main_key import main_key_source
from codometer.settings import Keys as KeySettings
from tests.control.conftest import Open

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SOMEBODY = Actor(kind=ActorKind.UNKNOWN, address="203.0.113.0/24")
PASSWORD = "marble kettle orbit fern"  # noqa: S105 - of a test
WRONG = "marble kettle orbit moss"


class Server:
    """What one server has of accounts; its clock stands until it is moved."""

    def __init__(self, open_control: Open, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.now = BEGIN
        self.control = open_control()
        anchors = Anchors(folder / "anchors", folder / "key")
        self.audit = AuditLog(self.control, anchors, lambda: self.now)
        self.known = KnownSessions(self.control)
        source = main_key_source(KeySettings(), folder, variable="07" * 32)
        self.keys = Keys(self.audit, source)
        self.accounts = Accounts(self.audit, self.known, SecondFactors(self.keys))
        self.tickets = Tickets(self.audit, self.keys)
        self.signing_in = SigningIn(self.accounts, self.tickets)

    def set_up(self) -> str:
        """Make the first administrator, and return their id."""
        invitation = self.accounts.invite_first()
        assert invitation is not None
        return self.accounts.join(invitation.secret, "root", PASSWORD, SOMEBODY).id

    def join(self, login: str, role: Role = Role.VIEWER, *teams: str) -> str:
        invitation = self.accounts.invite(role, SYSTEM, teams=frozenset(teams) if teams else None)
        return self.accounts.join(invitation.secret, login, PASSWORD, SOMEBODY).id

    def sign_in(
        self, login: str = "root", password: str = PASSWORD, address: str = "203.0.113.7"
    ) -> str:
        step = self.signing_in.with_password(login, password, SOMEBODY, address=address)
        return step.session or step.ticket

    def is_signed_in(self, secret: str) -> bool:
        return self.known.find(secret, self.now) is not None
