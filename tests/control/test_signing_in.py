"""Second factors, fresh proofs, passwords that change, and sessions that end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from codometer.access.account import LinkNotGood, NoSuchAccount, Session
from codometer.access.accounts import NoSuchSession
from codometer.access.actions import Action
from codometer.access.actor import SYSTEM
from codometer.access.audit import Filter
from codometer.access.permissions import Role
from codometer.access.second_factor import make_factor_secret
from codometer.access.signing_in import SigningIn
from codometer.access.tickets import Errand, TicketNotGood, use_ticket
from codometer.access.verification import verify
from codometer.errors import BadRequest, Forbidden, TooManyTries, Unauthenticated
from tests.control.conftest import Open
from tests.control.server import PASSWORD, SOMEBODY, WRONG, Server

ADDRESS = "203.0.113.7"
NEW = "copper lantern violet moss"


class Person:
    """Ada, who is signed in, and her authenticator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.id = server.join("ada")
        self.secret = server.sign_in("ada")
        self.authenticator = pyotp.TOTP(make_factor_secret())
        self.recovery_codes: list[str] = []

    @property
    def session(self) -> Session:
        found = self.server.known.find(self.secret, self.server.now)
        assert found is not None
        return found

    def code(self) -> str:
        return self.authenticator.at(self.server.now)

    def set_up(self) -> None:
        signing_in = self.server.signing_in
        ticket = signing_in.propose_factor(self.session, self.authenticator.secret)
        self.recovery_codes = signing_in.add_factor(self.session, ticket, self.code(), SOMEBODY)
        self.server.now += timedelta(seconds=30)

    def give_password(self) -> str:
        """Sign in as far as the question for a code, and return the ticket."""
        step = self.server.signing_in.with_password("ada", PASSWORD, SOMEBODY, address=ADDRESS)
        assert not step.session
        return step.ticket

    def give_code(self, ticket: str, code: str) -> str:
        return self.server.signing_in.with_code(ticket, code, SOMEBODY, address=ADDRESS)


class Meanwhile(datetime):
    """A moment in which something else happens, once somebody looks at what it is after."""

    act: Callable[[], None]

    def __sub__(self, other: datetime) -> timedelta:  # type: ignore[override] # of a moment only
        act, self.act = self.act, lambda: None
        act()
        return datetime.fromtimestamp(self.timestamp(), self.tzinfo) - other


@pytest.fixture
def server(open_control: Open, tmp_path: Path) -> Server:
    made = Server(open_control, tmp_path / "one")
    made.set_up()
    return made


@pytest.fixture
def ada(server: Server) -> Person:
    return Person(server)


def test_with_a_second_factor_a_password_alone_signs_nobody_in(server: Server, ada: Person) -> None:
    ada.set_up()
    ticket = ada.give_password()
    assert not server.is_signed_in(ticket)
    secret = ada.give_code(ticket, ada.code())
    assert server.is_signed_in(secret)


def test_a_code_is_good_once(ada: Person) -> None:
    ada.set_up()
    code = ada.code()
    ada.give_code(ada.give_password(), code)
    with pytest.raises(Unauthenticated, match="used already"):
        ada.give_code(ada.give_password(), code)


def test_the_code_that_set_a_factor_up_is_used(server: Server, ada: Person) -> None:
    code = ada.code()
    ada.set_up()
    server.now -= timedelta(seconds=30)
    with pytest.raises(Unauthenticated):
        ada.give_code(ada.give_password(), code)


@pytest.mark.parametrize("seconds", [-30, 30])
def test_a_clock_may_be_half_a_minute_off(server: Server, ada: Person, seconds: int) -> None:
    ada.set_up()
    server.now += timedelta(minutes=5)
    code = ada.authenticator.at(server.now + timedelta(seconds=seconds))
    assert ada.give_code(ada.give_password(), f" {code[:3]} {code[3:]} ")


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_may_not_be_a_minute_off(server: Server, ada: Person, seconds: int) -> None:
    ada.set_up()
    server.now += timedelta(minutes=5)
    code = ada.authenticator.at(server.now + timedelta(seconds=seconds))
    with pytest.raises(Unauthenticated):
        ada.give_code(ada.give_password(), code)


def test_an_older_code_is_no_good_after_a_newer_one(server: Server, ada: Person) -> None:
    ada.set_up()
    server.now += timedelta(minutes=5)
    older = ada.authenticator.at(server.now - timedelta(seconds=30))
    ada.give_code(ada.give_password(), ada.code())
    with pytest.raises(Unauthenticated):
        ada.give_code(ada.give_password(), older)


def test_a_ticket_of_a_right_password_is_good_once_and_for_five_minutes(
    server: Server, ada: Person
) -> None:
    ada.set_up()
    ticket = ada.give_password()
    ada.give_code(ticket, ada.code())
    server.now += timedelta(seconds=30)
    with pytest.raises(TicketNotGood):
        ada.give_code(ticket, ada.code())
    late = ada.give_password()
    server.now += timedelta(minutes=5)
    with pytest.raises(TicketNotGood):
        ada.give_code(late, ada.code())


@pytest.mark.parametrize("ticket", ["", ".", "x.y", "e30.0", "\ud800.é"])
def test_a_ticket_that_nobody_issued_is_no_good(ada: Person, ticket: str) -> None:
    ada.set_up()
    with pytest.raises(TicketNotGood):
        ada.give_code(ticket, ada.code())


def test_a_ticket_is_for_one_errand_and_cannot_be_changed(server: Server) -> None:
    minute = timedelta(minutes=1)
    ticket = server.tickets.issue(Errand.SECOND_STEP, minute, account="acc_a")
    assert server.tickets.read(Errand.SECOND_STEP, ticket).content == {"account": "acc_a"}
    with pytest.raises(TicketNotGood):
        server.tickets.read(Errand.PROVIDER, ticket)
    other = server.tickets.issue(Errand.SECOND_STEP, minute, account="acc_b")
    mixed = f"{other.partition('.')[0]}.{ticket.partition('.')[2]}"
    with pytest.raises(TicketNotGood):
        server.tickets.read(Errand.SECOND_STEP, mixed)


def test_a_ticket_is_used_once_on_all_servers(open_control: Open, tmp_path: Path) -> None:
    one, other = Server(open_control, tmp_path / "one"), Server(open_control, tmp_path / "other")
    ticket = one.tickets.issue(Errand.PROVIDER, timedelta(minutes=1))
    with one.audit.change(SOMEBODY) as change:
        use_ticket(change, one.tickets.read(Errand.PROVIDER, ticket))
    with pytest.raises(TicketNotGood), other.audit.change(SOMEBODY) as change:
        use_ticket(change, other.tickets.read(Errand.PROVIDER, ticket))


def test_codes_cannot_be_guessed_at_length(server: Server, ada: Person) -> None:
    ada.set_up()
    ticket = ada.give_password()
    for number in range(10):
        with pytest.raises(Unauthenticated):
            server.signing_in.with_code(ticket, "x", SOMEBODY, address=f"10.0.0.{number}")
    with pytest.raises(TooManyTries):
        ada.give_code(ticket, ada.code())


def test_each_recovery_code_does_once_however_it_is_typed(server: Server, ada: Person) -> None:
    ada.set_up()
    assert len(set(ada.recovery_codes)) == 8
    first = ada.recovery_codes[0]
    assert ada.give_code(ada.give_password(), f" {first.upper().replace('-', ' ')} ")
    assert server.signing_in.count_codes(ada.session) == 7
    with pytest.raises(Unauthenticated):
        ada.give_code(ada.give_password(), first)


def test_new_recovery_codes_take_the_place_of_the_old(server: Server, ada: Person) -> None:
    with pytest.raises(BadRequest, match="no second factor"):
        server.signing_in.renew_codes(ada.session, SOMEBODY)
    ada.set_up()
    (new, *_) = server.signing_in.renew_codes(ada.session, SOMEBODY)
    with pytest.raises(Unauthenticated):
        ada.give_code(ada.give_password(), ada.recovery_codes[0])
    assert ada.give_code(ada.give_password(), new)


def test_a_second_factor_begins_with_a_code_of_it(server: Server, ada: Person) -> None:
    ticket = server.signing_in.propose_factor(ada.session, ada.authenticator.secret)
    with pytest.raises(BadRequest, match="no code"):
        server.signing_in.add_factor(ada.session, ticket, "000000", SOMEBODY)
    assert not ada.session.account.has_second_factor
    assert server.signing_in.add_factor(ada.session, ticket, ada.code(), SOMEBODY)
    assert ada.session.account.has_second_factor
    with pytest.raises(TicketNotGood):
        server.signing_in.add_factor(ada.session, ticket, ada.code(), SOMEBODY)


def test_what_was_proposed_to_somebody_else_is_no_good(server: Server, ada: Person) -> None:
    root = server.known.find(server.sign_in(), server.now)
    assert root is not None
    ticket = server.signing_in.propose_factor(root, ada.authenticator.secret)
    with pytest.raises(TicketNotGood):
        server.signing_in.add_factor(ada.session, ticket, ada.code(), SOMEBODY)


def test_setting_a_factor_up_ends_the_other_sessions(server: Server, ada: Person) -> None:
    other = server.sign_in("ada")
    ada.set_up()
    assert not server.is_signed_in(other)
    assert server.is_signed_in(ada.secret)


def test_the_secret_and_the_recovery_codes_are_nowhere_in_clear(
    server: Server, ada: Person
) -> None:
    ada.set_up()
    with server.control.read() as connection:
        tables = ("second_factor", "recovery_code", "audit_entry", "used_ticket")
        held = "".join(
            str(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in tables
        )
    assert ada.authenticator.secret not in held
    assert not [code for code in ada.recovery_codes if code in held]


def test_the_owner_and_an_administrator_can_take_a_factor_away(server: Server, ada: Person) -> None:
    ada.set_up()
    server.signing_in.remove_factor(ada.session, SOMEBODY)
    assert server.is_signed_in(server.sign_in("ada"))
    ada.set_up()
    changed = server.accounts.remove_factor(ada.id, SYSTEM)
    assert not changed.has_second_factor
    assert not server.is_signed_in(ada.secret)
    assert server.is_signed_in(server.sign_in("ada"))
    with pytest.raises(BadRequest, match="no second factor"):
        server.accounts.remove_factor(ada.id, SYSTEM)


def test_a_proof_is_fresh_for_ten_minutes(server: Server, ada: Person) -> None:
    server.now += timedelta(minutes=9, seconds=59)
    assert ada.session.is_proved(server.now)
    server.now += timedelta(seconds=1)
    assert not ada.session.is_proved(server.now)


def test_a_new_proof_changes_the_session_and_not_its_end(server: Server, ada: Person) -> None:
    begun, old = ada.session.created, ada.secret
    server.now += timedelta(hours=1)
    ada.secret = server.signing_in.confirm(ada.session, PASSWORD, "", SOMEBODY, address=ADDRESS)
    assert not server.is_signed_in(old)
    assert ada.session.is_proved(server.now)
    assert ada.session.created == begun


def test_a_new_proof_asks_for_all_that_signing_in_does(server: Server, ada: Person) -> None:
    ada.set_up()
    confirm = server.signing_in.confirm
    with pytest.raises(Unauthenticated, match="password"):
        confirm(ada.session, WRONG, ada.code(), SOMEBODY, address=ADDRESS)
    with pytest.raises(Unauthenticated, match="code"):
        confirm(ada.session, PASSWORD, "", SOMEBODY, address=ADDRESS)
    assert confirm(ada.session, PASSWORD, ada.code(), SOMEBODY, address=ADDRESS)


def test_proofs_cannot_be_guessed_at_length(server: Server, ada: Person) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            server.signing_in.confirm(ada.session, WRONG, "", SOMEBODY, address=ADDRESS)
    with pytest.raises(TooManyTries):
        server.signing_in.confirm(ada.session, PASSWORD, "", SOMEBODY, address=ADDRESS)


def test_whoever_is_signed_in_is_not_kept_from_proving_it_by_others(
    server: Server, ada: Person
) -> None:
    for number in range(12):
        with pytest.raises((Unauthenticated, TooManyTries)):
            server.sign_in("ada", WRONG, f"198.51.100.{number}")
        with pytest.raises((Unauthenticated, TooManyTries)):
            server.sign_in(ada.id, WRONG, ADDRESS)
    ada.secret = server.signing_in.confirm(ada.session, PASSWORD, "", SOMEBODY, address=ADDRESS)
    assert server.signing_in.change_password(ada.session, PASSWORD, NEW, SOMEBODY, address=ADDRESS)


def test_the_addresses_of_one_network_of_ipv6_are_one(server: Server) -> None:
    for number in range(5):
        with pytest.raises(Unauthenticated):
            server.sign_in(f"person-{number}", WRONG, f"2001:db8::{number:x}")
    with pytest.raises(TooManyTries):
        server.sign_in("root", PASSWORD, "2001:db8::ffff:0:1")
    assert server.sign_in("root", PASSWORD, "2001:db8:0:1::1")


def test_a_new_password_ends_the_other_sessions_and_the_old_one(
    server: Server, ada: Person
) -> None:
    other, old = server.sign_in("ada"), ada.secret
    ada.secret = server.signing_in.change_password(
        ada.session, PASSWORD, NEW, SOMEBODY, address=ADDRESS
    )
    assert server.is_signed_in(ada.secret)
    assert not server.is_signed_in(other)
    assert not server.is_signed_in(old)
    with pytest.raises(Unauthenticated):
        server.sign_in("ada")
    assert server.sign_in("ada", NEW)


def test_a_session_that_has_ended_becomes_no_new_one(server: Server, ada: Person) -> None:
    ended, signing_in = ada.session, server.signing_in
    server.accounts.end_sessions(ada.id, SYSTEM)
    with pytest.raises(Unauthenticated, match="over"):
        signing_in.confirm(ended, PASSWORD, "", SOMEBODY, address=ADDRESS)
    with pytest.raises(Unauthenticated, match="over"):
        signing_in.change_password(ended, PASSWORD, NEW, SOMEBODY, address=ADDRESS)
    assert server.known.list_sessions(server.now, account_id=ada.id) == []
    assert server.sign_in("ada"), "the password is as it was"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (WRONG, NEW, "wrong"),
        (PASSWORD, PASSWORD, "that you have"),
        (PASSWORD, "short", "5 characters"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    server: Server, ada: Person, old: str, new: str, fault: str
) -> None:
    with pytest.raises((Unauthenticated, BadRequest), match=fault):
        server.signing_in.change_password(ada.session, old, new, SOMEBODY, address=ADDRESS)
    assert server.sign_in("ada")


def test_a_link_for_a_new_password_does_once_and_ends_all_sessions(
    server: Server, ada: Person
) -> None:
    link = server.accounts.reset(ada.id, SYSTEM)
    found = server.accounts.find_link(link.secret)
    assert found.account is not None
    assert found.account.login == "ada"
    with pytest.raises(BadRequest):
        server.accounts.join(link.secret, "", "ada", SOMEBODY)
    assert server.accounts.join(link.secret, "eve", NEW, SOMEBODY).id == ada.id
    assert not server.is_signed_in(ada.secret)
    assert server.sign_in("ada", NEW)
    with pytest.raises(LinkNotGood):
        server.accounts.join(link.secret, "", WRONG, SOMEBODY)


def test_a_link_for_a_new_password_ends_with_an_hour_or_with_the_account(
    server: Server, ada: Person
) -> None:
    late, dead = server.accounts.reset(ada.id, SYSTEM), server.accounts.reset(ada.id, SYSTEM)
    server.accounts.disable(ada.id, SYSTEM)
    with pytest.raises(LinkNotGood):
        server.accounts.find_link(dead.secret)
    with pytest.raises(NoSuchAccount):
        server.accounts.reset(ada.id, SYSTEM)
    server.now += timedelta(hours=1)
    with pytest.raises(LinkNotGood):
        server.accounts.find_link(late.secret)


def test_without_passwords_only_a_link_signs_in(server: Server, ada: Person) -> None:
    server.signing_in = SigningIn(server.accounts, server.tickets, has_passwords=False)
    with pytest.raises(Forbidden, match="password"):
        server.sign_in("ada")
    step = server.signing_in.with_link(ada.id, SOMEBODY)
    assert server.is_signed_in(step.session)


def test_a_link_does_not_take_the_place_of_a_second_factor(server: Server, ada: Person) -> None:
    ada.set_up()
    step = server.signing_in.with_link(ada.id, SOMEBODY)
    assert not step.session
    assert ada.give_code(step.ticket, ada.code())


def test_another_role_ends_the_sessions(server: Server, ada: Person) -> None:
    changed = server.accounts.change(
        ada.id, SYSTEM, role=Role.TEAM_LEAD, teams=frozenset({"checkout"})
    )
    assert (changed.role, changed.teams) == (Role.TEAM_LEAD, frozenset({"checkout"}))
    assert not server.is_signed_in(ada.secret)
    ada.secret = server.sign_in("ada")
    assert ada.session.account.teams == frozenset({"checkout"})


def test_the_last_administrator_stays_one(server: Server) -> None:
    (root,) = server.accounts.list_accounts()
    with pytest.raises(BadRequest, match="last administrator"):
        server.accounts.change(root.id, SYSTEM, role=Role.VIEWER, teams=None)
    kept = server.accounts.change(root.id, SYSTEM, role=Role.ADMINISTRATOR, teams=None)
    assert kept.role is Role.ADMINISTRATOR


def test_sessions_are_listed_and_end_one_by_one_or_all_but_one(server: Server, ada: Person) -> None:
    other, third = server.sign_in("ada"), server.sign_in("ada")
    listed = server.known.list_sessions(server.now, account_id=ada.id)
    assert len(listed) == 3
    assert {each.address for each in listed} == {"203.0.113.0/24"}
    assert len(server.known.list_sessions(server.now)) == 3
    found = server.known.find(other, server.now)
    assert found is not None
    with pytest.raises(NoSuchSession):
        server.accounts.end_session(found.id, SYSTEM, account_id="acc_of_another")
    server.accounts.end_session(found.id, SYSTEM, account_id=ada.id)
    assert not server.is_signed_in(other)
    with pytest.raises(NoSuchSession):
        server.accounts.end_session(found.id, SYSTEM)
    assert server.accounts.end_sessions(ada.id, SYSTEM, but=ada.session) == 1
    assert not server.is_signed_in(third)
    assert server.is_signed_in(ada.secret)
    assert server.accounts.end_sessions(ada.id, SYSTEM) == 1
    assert not server.is_signed_in(ada.secret)
    with pytest.raises(NoSuchAccount):
        server.accounts.end_sessions("acc_none", SYSTEM)


def test_a_session_that_ends_while_it_is_used_does_not_come_back(
    server: Server, ada: Person
) -> None:
    server.now += timedelta(minutes=2)
    moment = Meanwhile.fromtimestamp(server.now.timestamp(), server.now.tzinfo)
    moment.act = lambda: server.signing_in.sign_out(ada.session, SOMEBODY)
    assert server.known.find(ada.secret, moment) is None
    assert not server.is_signed_in(ada.secret)


def test_all_of_it_is_in_the_log(server: Server, ada: Person) -> None:
    ada.set_up()
    ada.give_code(ada.give_password(), ada.recovery_codes[0])
    server.signing_in.confirm(ada.session, PASSWORD, ada.code(), SOMEBODY, address=ADDRESS)
    server.accounts.remove_factor(ada.id, SYSTEM)
    server.accounts.reset(ada.id, SYSTEM)
    server.accounts.end_sessions(ada.id, SYSTEM)
    actions = [each.entry.action for each in reversed(server.audit.list_entries(Filter()))]
    assert actions[-7:] == [
        Action.FACTOR_ADD,
        Action.FACTOR_CODES,
        Action.SIGN_IN,
        Action.CONFIRM,
        Action.FACTOR_REMOVE,
        Action.ACCOUNT_RESET,
        Action.SESSION_END,
    ]
    assert verify(server.audit).faults == ()
