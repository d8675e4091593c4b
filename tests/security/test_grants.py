"""Nobody grants what they do not have: everybody who may grant × everything there is to grant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from codometer.access.account import Account, LinkNotGood
from codometer.access.accounts import change_role
from codometer.access.actions import Action
from codometer.access.actor import SYSTEM
from codometer.access.audit import Filter
from codometer.access.permissions import (
    GIVEN_FREELY,
    ROLES,
    SCOPES,
    USUAL_SCOPES,
    Permission,
    Role,
    granted_to,
)
from codometer.access.secret import Kind
from codometer.access.verification import verify
from tests.security.firm import ASKERS, PASSWORD, Asker, Firm, make_credential

pytestmark = pytest.mark.slow

GRANTING: Final = tuple(
    name
    for name in ASKERS
    if name.startswith("administrator of")
    or name in {"operator", "personal, all scopes"}
    or "write:accounts" in name
    or "write:credentials" in name
)
TEAMS: Final[tuple[list[str] | None, ...]] = (None, ["checkout"], [])


def holds(asker: Asker, wanted: frozenset[Permission]) -> bool:
    """Derive whether somebody may give this away."""
    return wanted - GIVEN_FREELY <= (asker.granted or frozenset())


@pytest.fixture(params=GRANTING)
def asker(request: pytest.FixtureRequest, firm: Firm) -> Asker:
    return firm.askers[request.param]


def post(firm: Firm, asker: Asker, path: str, body: object) -> int:
    """Send an action and return the status."""
    return firm.ask(asker.name, "POST", f"/api/v1/{path}", json=body).status_code


@pytest.fixture
def targets(firm: Firm) -> Iterator[dict[Role, Account]]:
    """Give an account of each role that nobody else needs, and disable it afterwards."""
    accounts, made = firm.access.accounts, {}
    for role in Role:
        link, number = accounts.invite(role, SYSTEM), len(accounts.list_accounts())
        made[role] = accounts.join(link.secret, f"{role}.{number}@firm.example", PASSWORD, SYSTEM)
    yield made
    for each in accounts.list_accounts():
        if each.id in {target.id for target in made.values()} and each.disabled is None:
            accounts.disable(each.id, SYSTEM)


def test_an_invitation_gives_no_more_than_its_maker_has(firm: Firm, asker: Asker) -> None:
    for role in Role:
        for teams in TEAMS:
            wanted = granted_to(role, None if teams is None else frozenset(teams))
            may = Permission.WRITE_ACCOUNTS in (asker.granted or ()) and holds(asker, wanted)
            status = post(firm, asker, "accounts/invite", {"role": role, "teams": teams})
            assert status == (201 if may else 403), (role, teams)


def test_a_credential_may_no_more_than_its_maker(firm: Firm, asker: Asker) -> None:
    may_make = Permission.WRITE_CREDENTIALS in (asker.granted or ())
    for kind in Kind:
        each_alone = [frozenset({scope}) for scope in sorted(SCOPES[kind])]
        for scopes in (*each_alone, USUAL_SCOPES[kind], SCOPES[kind]):
            body = {"kind": kind, "name": "granted", "scopes": sorted(scopes)}
            may = may_make and holds(asker, scopes)
            assert post(firm, asker, "credentials", body) == (201 if may else 403), (kind, scopes)
            other = f"credentials/{make_credential(firm.access, kind, scopes).credential.id}"
            for act in ("rotate", "revoke"):
                done = post(firm, asker, f"{other}/{act}", {})
                assert done == (200 if may else 403), (act, kind, scopes)


def test_an_account_is_changed_by_nobody_who_may_less(
    firm: Firm, asker: Asker, targets: dict[Role, Account]
) -> None:
    may_write = Permission.WRITE_ACCOUNTS in (asker.granted or ())
    for role, target in targets.items():
        may = may_write and holds(asker, ROLES[role])
        path, same = f"accounts/{target.id}", {"role": role}
        assert post(firm, asker, f"{path}/reset", {}) == (201 if may else 403), role
        assert post(firm, asker, f"{path}/change", same) == (200 if may else 403), role
        assert post(firm, asker, f"{path}/sign-out", {}) == (200 if may else 403), role
        for act, body in (("second-factor/remove", {}), ("disconnect", {"issuer": "none"})):
            assert post(firm, asker, f"{path}/{act}", body) == (400 if may else 403), role
        assert post(firm, asker, f"{path}/disable", {}) == (200 if may else 403), role


def test_nobody_is_raised_above_whoever_raises_them(
    firm: Firm, asker: Asker, targets: dict[Role, Account]
) -> None:
    may_write = Permission.WRITE_ACCOUNTS in (asker.granted or ())
    for role in Role:
        target = targets[Role.VIEWER]
        may = may_write and holds(asker, ROLES[role] | ROLES[Role.VIEWER])
        assert post(firm, asker, f"accounts/{target.id}/change", {"role": role}) == (
            200 if may else 403
        ), role
        firm.access.accounts.change(target.id, SYSTEM, role=Role.VIEWER, teams=None)


def test_no_credential_makes_an_administrator_and_each_try_is_recorded(firm: Firm) -> None:
    body, tried = {"role": Role.ADMINISTRATOR}, 0
    before = firm.access.audit.list_entries(Filter())[0].entry.seq
    for name in GRANTING:
        if name.startswith(("personal", "service")):
            asker = firm.askers[name]
            assert post(firm, asker, "accounts/invite", body) == 403
            tried += Permission.WRITE_ACCOUNTS in (asker.granted or ())
    found = firm.access.audit.list_entries(Filter(actions=(Action.GRANT,)))
    recorded = [each.entry for each in found if each.entry.seq > before]
    assert len(recorded) == tried == 2
    assert recorded[0].actor.startswith("crd_")
    assert (recorded[0].outcome, recorded[0].reason[:6]) == ("refused", "lacks ")
    assert verify(firm.access.audit).faults == ()


def test_whoever_is_limited_to_teams_is_told_and_grants_nothing_of_the_whole(firm: Firm) -> None:
    for role in Role:
        for which in ("own", "other"):
            name = f"{role} of {which}"
            for path in ("status", "audit", "accounts", "credentials", "keys", "retention"):
                assert firm.ask(name, "GET", f"/api/v1/{path}").status_code == 403, name


def test_a_link_to_a_password_ends_when_the_account_may_more(
    firm: Firm, targets: dict[Role, Account]
) -> None:
    weak, accounts = targets[Role.VIEWER], firm.access.accounts
    link = accounts.reset(weak.id, SYSTEM)
    accounts.change(weak.id, SYSTEM, role=Role.ADMINISTRATOR, teams=None)
    with pytest.raises(LinkNotGood):
        accounts.find_link(link.secret)


def test_an_account_without_a_role_is_changed_by_an_administrator_alone(
    firm: Firm, targets: dict[Role, Account]
) -> None:
    strong = targets[Role.ADMINISTRATOR]
    with firm.access.audit.change(SYSTEM) as change:  # as a provider does whose groups are gone
        change_role(change, strong, None, None)
    weak = "service, write:accounts alone"
    assert post(firm, firm.askers[weak], f"accounts/{strong.id}/reset", {}) == 403
    assert post(firm, firm.askers[weak], f"accounts/{strong.id}/disable", {}) == 403
