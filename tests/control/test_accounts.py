from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from codometer.access.account import LinkNotGood, NoSuchAccount
from codometer.access.actions import Action
from codometer.access.actor import SYSTEM
from codometer.access.audit import Filter
from codometer.access.permissions import Role
from codometer.access.sessions import KnownSessions
from codometer.access.verification import verify
from codometer.errors import BadRequest, TooManyTries, Unauthenticated
from tests.control.conftest import Open
from tests.control.server import BEGIN, PASSWORD, SOMEBODY, WRONG, Server


@pytest.fixture
def server(open_control: Open, tmp_path: Path) -> Server:
    return Server(open_control, tmp_path / "one")


def test_the_first_link_makes_an_administrator_and_ends_local_mode(server: Server) -> None:
    assert not server.known.have_accounts
    server.set_up()
    assert server.known.have_accounts
    (account,) = server.accounts.list_accounts()
    assert (account.login, account.role, account.teams) == ("root", Role.ADMINISTRATOR, None)
    assert server.accounts.invite_first() is None


def test_a_link_is_good_once(server: Server) -> None:
    first = server.accounts.invite_first()
    assert first is not None
    server.accounts.join(first.secret, "root", PASSWORD, SOMEBODY)
    with pytest.raises(LinkNotGood):
        server.accounts.join(first.secret, "mallory", PASSWORD, SOMEBODY)
    invitation = server.accounts.invite(Role.VIEWER, SYSTEM)
    server.accounts.join(invitation.secret, "ada", PASSWORD, SOMEBODY)
    with pytest.raises(LinkNotGood):
        server.accounts.join(invitation.secret, "mallory", PASSWORD, SOMEBODY)


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "é" * 100])
def test_a_link_that_nobody_made_is_not_good(server: Server, secret: str) -> None:
    server.accounts.invite_first()
    with pytest.raises(LinkNotGood):
        server.accounts.join(secret, "mallory", PASSWORD, SOMEBODY)


def test_links_end_with_their_time(server: Server) -> None:
    first = server.accounts.invite_first()
    assert first is not None
    server.now += timedelta(minutes=30)
    with pytest.raises(LinkNotGood):
        server.accounts.join(first.secret, "root", PASSWORD, SOMEBODY)
    server.set_up()
    invitation = server.accounts.invite(Role.VIEWER, SYSTEM)
    server.now += timedelta(days=3)
    with pytest.raises(LinkNotGood):
        server.accounts.join(invitation.secret, "ada", PASSWORD, SOMEBODY)


def test_a_setup_link_of_another_server_ends_with_the_first_account(
    open_control: Open, tmp_path: Path
) -> None:
    one, other = Server(open_control, tmp_path / "one"), Server(open_control, tmp_path / "other")
    late = other.accounts.invite_first()
    assert late is not None
    one.set_up()
    with pytest.raises(LinkNotGood):
        other.accounts.join(late.secret, "mallory", PASSWORD, SOMEBODY)
    other.known.follow()
    assert other.known.have_accounts


def test_a_link_stays_good_when_the_password_will_not_do(server: Server) -> None:
    first = server.accounts.invite_first()
    assert first is not None
    for login, password in (("root", "short"), ("two words", PASSWORD), ("", PASSWORD)):
        with pytest.raises(BadRequest):
            server.accounts.join(first.secret, login, password, SOMEBODY)
    server.accounts.join(first.secret, "root", PASSWORD, SOMEBODY)


def test_a_name_is_taken_once_however_it_is_written(server: Server) -> None:
    server.set_up()
    invitation = server.accounts.invite(Role.VIEWER, SYSTEM)
    with pytest.raises(BadRequest, match="already"):
        server.accounts.join(invitation.secret, " ROOT ", PASSWORD, SOMEBODY)
    server.accounts.join(invitation.secret, "ada", PASSWORD, SOMEBODY)


def test_the_first_account_is_an_administrators(server: Server) -> None:
    with pytest.raises(BadRequest, match="administrator"):
        server.accounts.invite(Role.VIEWER, SYSTEM)


def test_a_team_is_a_printable_line(server: Server) -> None:
    server.set_up()
    with pytest.raises(BadRequest, match="no team"):
        server.accounts.invite(Role.VIEWER, SYSTEM, teams=frozenset({"a\nb"}))


def test_nothing_of_a_password_or_a_session_is_in_the_database(server: Server) -> None:
    server.set_up()
    session = server.sign_in()
    invitation = server.accounts.invite(Role.VIEWER, SYSTEM)
    with server.control.read() as connection:
        held = ""
        for table in ("account", "session", "invitation", "audit_entry"):
            held += str(connection.execute(text(f"SELECT * FROM {table}")).all())
    assert not [each for each in (PASSWORD, session, invitation.secret) if each in held]
    assert "root" not in str(server.audit.list_entries(Filter()))


def test_whoever_signs_in_has_a_session(server: Server) -> None:
    account_id = server.set_up()
    secret = server.sign_in(" Root ")
    session = server.known.find(secret, server.now)
    assert session is not None
    assert session.account.id == account_id
    assert len(secret) >= 43
    assert secret != server.sign_in()
    assert not server.is_signed_in("another")


@pytest.mark.parametrize(
    ("login", "password"), [("root", WRONG), ("nobody", PASSWORD), ("", ""), ("root", "x" * 10_000)]
)
def test_what_is_wrong_with_a_sign_in_is_not_said(
    server: Server, login: str, password: str
) -> None:
    server.set_up()
    with pytest.raises(Unauthenticated, match="the name or the password is wrong"):
        server.sign_in(login, password)
    newest = server.audit.list_entries(Filter())[0].entry
    assert (newest.action, newest.outcome) == (Action.SIGN_IN, "refused")


def test_five_failures_a_minute_from_an_address_are_enough(server: Server) -> None:
    server.set_up()
    for number in range(5):
        with pytest.raises(Unauthenticated):
            server.sign_in(f"guess{number}", WRONG)
    with pytest.raises(TooManyTries):
        server.sign_in()
    assert server.sign_in(address="198.51.100.1")


def test_ten_failures_an_hour_for_an_account_are_enough(server: Server) -> None:
    server.set_up()
    for number in range(10):
        with pytest.raises(Unauthenticated):
            server.sign_in(password=WRONG, address=f"10.0.0.{number}")
    with pytest.raises(TooManyTries):
        server.sign_in(address="198.51.100.1")


def test_a_session_rests_and_lasts_only_so_long(server: Server) -> None:
    server.set_up()
    server.join("ada")
    secret = server.sign_in("ada")
    for _ in range(3):
        server.now += timedelta(hours=7, minutes=59)
        assert server.is_signed_in(secret)
    server.now += timedelta(hours=8)
    assert not server.is_signed_in(secret)
    busy = server.sign_in("ada")
    for _ in range(27):
        server.now += timedelta(hours=6)
        assert server.is_signed_in(busy)
    server.now += timedelta(hours=6)
    assert not server.is_signed_in(busy)


def test_the_session_of_an_administrator_is_shorter(server: Server) -> None:
    server.set_up()
    secret = server.sign_in()
    server.now += timedelta(minutes=59)
    assert server.is_signed_in(secret)
    server.now += timedelta(hours=1)
    assert not server.is_signed_in(secret)
    busy = server.sign_in()
    for _ in range(47):
        server.now += timedelta(minutes=30)
        assert server.is_signed_in(busy)
    server.now += timedelta(minutes=30)
    assert not server.is_signed_in(busy)


def test_use_of_a_session_outlives_a_restart_and_old_ones_are_let_go(server: Server) -> None:
    server.set_up()
    server.join("ada")
    secret = server.sign_in("ada")
    server.now += timedelta(hours=7)
    assert server.is_signed_in(secret)
    server.known.save_uses(server.now)
    server.known = KnownSessions(server.control)
    server.now += timedelta(hours=7)
    assert server.is_signed_in(secret)
    server.now += timedelta(days=8)
    server.known.save_uses(server.now)
    with server.control.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM session")).scalar() == 0


def test_whoever_signs_out_is_out_everywhere(open_control: Open, tmp_path: Path) -> None:
    one, other = Server(open_control, tmp_path / "one"), Server(open_control, tmp_path / "other")
    one.set_up()
    secret = one.sign_in()
    session = one.known.find(secret, one.now)
    assert session is not None
    other.known.follow()
    assert other.is_signed_in(secret)
    one.signing_in.sign_out(session, SOMEBODY)
    other.known.follow()
    assert not one.is_signed_in(secret)
    assert not other.is_signed_in(secret)


def test_a_disabled_account_is_out_and_stays_out(server: Server) -> None:
    server.set_up()
    ada = server.join("ada")
    secret = server.sign_in("ada")
    assert server.accounts.disable(ada, SYSTEM).disabled == BEGIN
    assert not server.is_signed_in(secret)
    with pytest.raises(Unauthenticated):
        server.sign_in("ada")
    with pytest.raises(NoSuchAccount):
        server.accounts.disable(ada, SYSTEM)


def test_the_last_administrator_stays(server: Server) -> None:
    root = server.set_up()
    with pytest.raises(BadRequest, match="last administrator"):
        server.accounts.disable(root, SYSTEM)
    server.join("grace", Role.ADMINISTRATOR)
    server.accounts.disable(root, SYSTEM)


def test_every_step_is_in_the_log(server: Server) -> None:
    server.set_up()
    ada = server.join("ada", Role.TEAM_LEAD, "checkout")
    session = server.known.find(server.sign_in("ada"), server.now)
    assert session is not None
    server.signing_in.sign_out(session, SOMEBODY)
    server.accounts.disable(ada, SYSTEM)
    entries = [each.entry for each in reversed(server.audit.list_entries(Filter()))]
    assert [entry.action for entry in entries] == [
        Action.AUDIT_BEGIN,
        Action.KEY_CREATE,
        Action.ACCOUNT_CREATE,
        Action.ACCOUNT_INVITE,
        Action.ACCOUNT_CREATE,
        Action.SIGN_IN,
        Action.SIGN_OUT,
        Action.ACCOUNT_DISABLE,
    ]
    assert entries[4].after == '{"role":"team_lead","teams":["checkout"]}'
    assert (entries[5].actor_kind, entries[5].actor) == ("account", ada)
    assert verify(server.audit).faults == ()
