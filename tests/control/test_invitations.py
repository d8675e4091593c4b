"""Links that nobody has used yet: seen, ended, and worth no more than whoever made them."""

from datetime import timedelta
from pathlib import Path

import pytest

from codometer.access.account import LinkNotGood, NoSuchInvitation
from codometer.access.actions import Action
from codometer.access.actor import SYSTEM, Actor, ActorKind
from codometer.access.audit import Filter
from codometer.access.credential import Credential, Wanted
from codometer.access.credentials import Credentials
from codometer.access.known import KnownCredentials
from codometer.access.permissions import SCOPES, Permission, Role
from codometer.access.secret import Kind
from codometer.errors import Forbidden
from tests.control.conftest import Open
from tests.control.server import PASSWORD, SOMEBODY, Server


@pytest.fixture
def server(open_control: Open, tmp_path: Path) -> Server:
    made = Server(open_control, tmp_path)
    made.set_up()
    return made


@pytest.fixture
def second(server: Server) -> Actor:
    """Give an administrator beside the first."""
    return Actor(kind=ActorKind.ACCOUNT, id=server.join("second", Role.ADMINISTRATOR))


def credentials(server: Server) -> Credentials:
    return Credentials(server.audit, KnownCredentials(server.audit))


def by_credential(server: Server, scopes: frozenset[Permission]) -> Actor:
    wanted = Wanted(kind=Kind.SERVICE, name="automation", scopes=scopes)
    made = credentials(server).create(wanted, SYSTEM)
    return Actor(kind=ActorKind.CREDENTIAL, id=made.credential.id)


def test_links_are_listed_without_their_secrets_until_they_are_used(
    server: Server, second: Actor
) -> None:
    made = server.accounts.invite(Role.VIEWER, second, teams=frozenset({"checkout"}))
    server.now += timedelta(minutes=1)
    reset = server.accounts.reset(server.join("ada"), second)
    one, two = server.accounts.list_invitations()
    assert (one.id, one.role, one.teams) == (made.id, Role.VIEWER, frozenset({"checkout"}))
    assert (one.secret, one.maker, one.account) == ("", second, None)
    assert two.id == reset.id
    assert two.account is not None
    assert two.account.login == "ada"
    server.accounts.join(made.secret, "grace", PASSWORD, SOMEBODY)
    assert [each.id for each in server.accounts.list_invitations()] == [reset.id]
    server.now += timedelta(hours=2)
    assert server.accounts.list_invitations() == []


def test_a_link_that_is_withdrawn_is_good_no_more(server: Server, second: Actor) -> None:
    made = server.accounts.invite(Role.VIEWER, second)
    withdrawn = server.accounts.withdraw(made.id, second)
    assert withdrawn.id == made.id
    with pytest.raises(LinkNotGood):
        server.accounts.join(made.secret, "mallory", PASSWORD, SOMEBODY)
    with pytest.raises(NoSuchInvitation):
        server.accounts.withdraw(made.id, second)
    (entry,) = server.audit.list_entries(Filter(actions=(Action.ACCOUNT_WITHDRAW,)))
    assert made.id in entry.entry.before
    assert made.secret not in str(server.audit.list_entries(Filter()))


@pytest.mark.parametrize("fate", ["disabled", "demoted", "limited to a team"])
def test_a_link_ends_with_what_its_maker_may(server: Server, second: Actor, fate: str) -> None:
    ada = server.join("ada")
    links = [server.accounts.invite(Role.FINOPS, second), server.accounts.reset(ada, second)]
    if fate == "disabled":
        server.accounts.disable(second.id, SYSTEM)
    else:
        teams = frozenset({"search"}) if fate == "limited to a team" else None
        server.accounts.change(second.id, SYSTEM, role=Role.AUDITOR, teams=teams)
    for link in links:
        with pytest.raises(LinkNotGood):
            server.accounts.join(link.secret, "mallory", PASSWORD, SOMEBODY)
    assert server.accounts.list_invitations() == []


def test_a_link_that_is_gone_stays_gone_when_its_maker_has_their_role_again(
    server: Server, second: Actor
) -> None:
    made = server.accounts.invite(Role.ADMINISTRATOR, second)
    server.accounts.change(second.id, SYSTEM, role=Role.VIEWER, teams=None)
    server.accounts.change(second.id, SYSTEM, role=Role.ADMINISTRATOR, teams=None)
    with pytest.raises(LinkNotGood):
        server.accounts.find_link(made.secret)


def test_links_of_local_mode_end_with_the_first_account(open_control: Open, tmp_path: Path) -> None:
    server = Server(open_control, tmp_path)
    local = Actor(kind=ActorKind.LOCAL)
    one, two = (server.accounts.invite(Role.ADMINISTRATOR, local) for _ in range(2))
    server.accounts.join(one.secret, "root", PASSWORD, SOMEBODY)
    assert server.accounts.list_invitations() == []
    with pytest.raises(LinkNotGood):
        server.accounts.join(two.secret, "mallory", PASSWORD, SOMEBODY)


def test_a_link_of_a_credential_ends_when_that_is_revoked(server: Server) -> None:
    scopes = SCOPES[Kind.SERVICE]
    maker = by_credential(server, scopes)
    made = server.accounts.invite(Role.VIEWER, maker)
    assert server.accounts.find_link(made.secret).maker == maker
    credentials(server).revoke(maker.id, SYSTEM)
    with pytest.raises(LinkNotGood):
        server.accounts.find_link(made.secret)


def test_a_link_of_a_credential_ends_with_that(server: Server) -> None:
    wanted = Wanted(
        kind=Kind.SERVICE,
        name="automation",
        scopes=SCOPES[Kind.SERVICE],
        lifetime=timedelta(days=1),
    )
    made = credentials(server).create(wanted, SYSTEM).credential
    link = server.accounts.invite(Role.VIEWER, Actor(kind=ActorKind.CREDENTIAL, id=made.id))
    server.now += timedelta(days=1)
    with pytest.raises(LinkNotGood):
        server.accounts.find_link(link.secret)


def test_nobody_withdraws_a_link_that_grants_more_than_they_have(server: Server) -> None:
    maker = by_credential(server, frozenset({Permission.WRITE_ACCOUNTS}))
    made = server.accounts.invite(Role.ADMINISTRATOR, SYSTEM)
    with pytest.raises(Forbidden):
        server.accounts.withdraw(made.id, maker)
    assert server.accounts.find_link(made.secret).role is Role.ADMINISTRATOR


def test_a_refused_grant_says_who_would_have_had_it(server: Server) -> None:
    ada = server.join("ada", Role.ADMINISTRATOR)
    maker = by_credential(
        server, frozenset({Permission.WRITE_ACCOUNTS, Permission.WRITE_CREDENTIALS})
    )
    other = by_credential(server, SCOPES[Kind.SERVICE])
    more = Wanted(kind=Kind.SERVICE, name="more", scopes=SCOPES[Kind.SERVICE])
    for refused in (
        lambda: server.accounts.invite(Role.ADMINISTRATOR, maker),
        lambda: server.accounts.reset(ada, maker),
        lambda: credentials(server).create(more, maker),
        lambda: credentials(server).revoke(other.id, maker),
    ):
        with pytest.raises(Forbidden):
            refused()
    found = server.audit.list_entries(Filter(actions=(Action.GRANT,)))
    assert [each.entry.object for each in reversed(found)] == [
        "administrator", ada, "credential for service", other.id,
    ]  # fmt: skip


@pytest.mark.parametrize("act", ["disable", "change"])
def test_a_personal_credential_ends_with_its_account_and_others_go_on(
    server: Server, second: Actor, act: str
) -> None:
    made = {
        kind: credentials(server).create(Wanted(kind=kind, name=kind), second).credential
        for kind in Kind
    }
    assert made[Kind.PERSONAL].owner == second.id
    if act == "disable":
        server.accounts.disable(second.id, SYSTEM)
    else:
        server.accounts.change(second.id, SYSTEM, role=Role.VIEWER, teams=None)
    revoked = {each.kind for each in credentials(server).list_credentials() if each.revoked}
    assert revoked == {Kind.PERSONAL}
    (entry,) = server.audit.list_entries(Filter(actions=(Action.CREDENTIAL_REVOKE,)))
    assert entry.entry.object == made[Kind.PERSONAL].id


def test_what_a_credential_makes_is_good_no_longer_and_from_nowhere_else(server: Server) -> None:
    scopes = SCOPES[Kind.SERVICE]
    wanted = Wanted(
        kind=Kind.SERVICE,
        name="automation",
        scopes=scopes,
        lifetime=timedelta(days=10),
        addresses=("10.1.0.0/16",),
    )
    first = credentials(server).create(wanted, SYSTEM).credential
    maker = Actor(kind=ActorKind.CREDENTIAL, id=first.id)
    server.now += timedelta(days=1)
    reading = frozenset({Permission.READ_NUMBERS})

    def make(kind: Kind = Kind.SERVICE, **more: object) -> timedelta:
        asked = {"addresses": ("10.1.2.0/24",), "scopes": reading, **more}
        made = credentials(server).create(Wanted(kind=kind, name="x", **asked), maker)  # type: ignore[arg-type] # as the test says
        return made.credential.secrets[0].expires - server.now

    assert make() == timedelta(days=9)  # a lifetime that nobody asked for is cut
    assert make(lifetime=timedelta(days=9)) == timedelta(days=9)
    assert make(Kind.INGEST, addresses=(), scopes=None) == timedelta(days=365)
    for wider in (
        {"lifetime": timedelta(days=10)},
        {"addresses": ()},
        {"addresses": ("10.1.2.0/24", "10.2.0.0/16")},
        {"addresses": ("10.0.0.0/8",)},
    ):
        with pytest.raises(Forbidden):
            make(**wider)


def test_a_personal_credential_that_another_made_ends_with_the_same_account(
    server: Server, second: Actor
) -> None:
    wanted = Wanted(kind=Kind.PERSONAL, name="first", scopes=SCOPES[Kind.PERSONAL])
    first = credentials(server).create(wanted, second).credential
    maker = Actor(kind=ActorKind.CREDENTIAL, id=first.id)
    made = credentials(server).create(wanted, maker).credential
    server.accounts.disable(second.id, SYSTEM)
    revoked = {each.id for each in credentials(server).list_credentials() if each.revoked}
    assert revoked == {first.id, made.id}


def test_a_credential_does_not_live_longer_by_rotating_itself(server: Server) -> None:
    wanted = Wanted(
        kind=Kind.SERVICE,
        name="automation",
        scopes=SCOPES[Kind.SERVICE],
        lifetime=timedelta(days=10),
    )
    first = credentials(server).create(wanted, SYSTEM).credential
    itself = Actor(kind=ActorKind.CREDENTIAL, id=first.id)
    end = server.now + timedelta(days=10)
    server.now += timedelta(days=4)
    rotated = credentials(server).rotate(first.id, itself).credential
    assert rotated.secrets[-1].expires == end
    with pytest.raises(Forbidden, match="for longer"):
        credentials(server).rotate(first.id, itself, lifetime=timedelta(days=7))
    by_hand = credentials(server).rotate(first.id, SYSTEM, lifetime=timedelta(days=7)).credential
    assert by_hand.secrets[-1].expires == end + timedelta(days=1)


def test_a_credential_gets_no_secret_that_is_good_from_more_networks(server: Server) -> None:
    def make(name: str, *addresses: str) -> Credential:
        wanted = Wanted(
            kind=Kind.SERVICE, name=name, scopes=SCOPES[Kind.SERVICE], addresses=addresses
        )
        return credentials(server).create(wanted, SYSTEM).credential

    maker = Actor(kind=ActorKind.CREDENTIAL, id=make("bound", "10.1.0.0/16").id)
    with pytest.raises(Forbidden, match="from more networks"):
        credentials(server).rotate(make("unbound").id, maker)
    (entry,) = server.audit.list_entries(Filter(actions=(Action.GRANT,)))
    assert entry.entry.reason == "would be good from more networks"
