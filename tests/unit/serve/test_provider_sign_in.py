"""Sign-in with a provider of identities, as browsers see it."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from codometer.access.actor import SYSTEM
from codometer.access.audit import Filter
from codometer.access.federation import make_rules
from codometer.access.permissions import Role
from codometer.errors import BadSettings
from codometer.settings import Oidc
from tests.forms import find_token
from tests.provider import ISSUER
from tests.unit.serve.company import BASE, Company, come_back
from tests.unit.serve.installation import PASSWORD


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.set_up()
    yield made
    made.access.close()


def list_logins(company: Company) -> dict[str, Role | None]:
    return {each.login: each.role for each in company.access.accounts.list_accounts()}


def test_whom_nobody_knows_is_told_to_ask_for_a_link(company: Company) -> None:
    answer = company.sign_in(company.browser())
    assert answer.status_code == 403
    assert "Nobody here knows you yet." in answer.text
    assert list_logins(company) == {"root": Role.ADMINISTRATOR}
    newest = company.access.audit.list_entries(Filter())[0].entry
    assert (newest.action, newest.outcome) == ("session.sign_in", "refused")


@pytest.mark.parametrize("query", ["x" * 2_000, "ü" * 400])
def test_an_address_too_long_to_carry_along_is_dropped(company: Company, query: str) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.fake.claims = {"groups": ["staff"]}
    path = f"/sign-in/with/company?{urlencode({'next': f'/?{query}'})}"
    answer = company.sign_in(company.browser(), path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_link_is_joined_with_a_provider_and_then_signed_in_with_it(company: Company) -> None:
    company.fake.claims = {"email": "ada@example.com", "email_verified": True}
    link = company.access.accounts.invite(Role.TEAM_LEAD, SYSTEM, teams=frozenset({"checkout"}))
    browser = company.browser()
    assert "Continue with Company" in browser.get(f"/join?link={link.secret}").text
    path = f"/sign-in/with/company?link={link.secret}&next=/account"
    answer = company.sign_in(browser, path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = browser.get("/account").text
    assert "<b>ada@example.com</b>" in page
    assert "Connected with Company, since" in page
    assert "This account has none." in page
    account = company.access.accounts.list_accounts()[1]
    assert (account.role, account.teams) == (Role.TEAM_LEAD, frozenset({"checkout"}))
    assert (account.email, account.has_password) == ("ada@example.com", False)
    again = company.browser()
    assert company.sign_in(again, "/sign-in/with/company?next=/?range=7d").is_redirect
    assert again.get("/").status_code == 200
    assert len(list_logins(company)) == 2
    assert company.sign_in(company.browser(), path).status_code == 410


def test_an_address_never_leads_to_the_account_of_somebody_else(company: Company) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.person("ada@example.com", Role.ADMINISTRATOR)
    claims = {"email": "ada@example.com", "email_verified": True, "groups": ["staff"]}
    company.fake.claims = claims
    answer = company.sign_in(company.browser())
    assert answer.status_code == 400
    assert "Somebody has this name already." in answer.text


def test_an_address_that_nobody_verified_is_no_name(company: Company) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.fake.claims = {"email": "boss@example.com", "groups": ["staff"]}
    assert company.sign_in(company.browser()).is_redirect
    assert "sub-1" in list_logins(company)
    assert company.access.accounts.list_accounts()[1].email == ""


@pytest.mark.parametrize("name", ["Ada Lovelace", "x" * 101, "\n", 7, ["ada"]])
def test_what_is_no_name_to_sign_in_with_is_passed_over(company: Company, name: object) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.fake.claims = {"preferred_username": name, "groups": ["staff"]}
    assert company.sign_in(company.browser()).is_redirect
    assert "sub-1" in list_logins(company)


def test_a_sign_in_that_failed_is_recorded_whatever_it_failed_for(company: Company) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.person("ada@example.com", Role.ADMINISTRATOR)
    claims = {"email": "ada@example.com", "email_verified": True, "groups": ["staff"]}
    company.fake.claims = claims
    assert company.sign_in(company.browser()).status_code == 400
    assert last_refusal(company) == ("session.sign_in", "refused", "bad_request")
    company.configure()
    company.fake.keys_answer = httpx.Response(503)
    assert company.sign_in(company.browser()).status_code == 502
    assert last_refusal(company) == ("session.sign_in", "refused", "provider_failed")


def test_a_provider_that_is_down_leaves_the_other_ways_in_and_a_record(company: Company) -> None:
    browser = company.browser()
    address = company.leave(browser)
    company.fake.is_down = True
    failed = come_back(browser, company.fake, address)
    assert (failed.status_code, "did not answer" in failed.text) == (502, True)
    assert last_refusal(company) == ("session.sign_in", "refused", "outgoing_failed")
    company.now += timedelta(hours=1)  # what it said of itself is asked for anew
    for path in ("/sign-in/with/company", "/sign-in/with/company?next=/account"):
        page = browser.get(path)
        assert page.status_code == 502
        assert "<h1>Sign in</h1>" in page.text
        assert "Continue with other" in page.text
    form = {"form_token": find_token(page.text), "login": "root", "password": PASSWORD}
    done = browser.send("/sign-in", next="/account", **form)
    assert (done.status_code, done.headers["location"]) == (303, "/account")


def test_whoever_is_signed_in_is_told_that_the_provider_is_down(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    company.fake.is_down = True
    page = ada.submit("/account/connect/company")
    assert (page.status_code, "Another server failed to answer" in page.text) == (502, True)


def last_refusal(company: Company) -> tuple[str, str, str]:
    newest = company.access.audit.list_entries(Filter())[0].entry
    return newest.action, newest.outcome, newest.reason


def test_groups_give_a_role_and_teams_to_who_comes_new(company: Company) -> None:
    company.configure(
        roles=("cn=admins,dc=example=administrator", "staff=developer"),
        teams=("checkout-devs=checkout", "search-devs=search", "finance=*"),
        joining="role",
    )
    for subject, groups, role, teams in (
        ("s-1", ["staff", "checkout-devs"], Role.DEVELOPER, frozenset({"checkout"})),
        ("s-2", ["staff", "cn=admins,dc=example"], Role.ADMINISTRATOR, frozenset()),
        ("s-3", ["staff", "finance", "search-devs"], Role.DEVELOPER, None),
    ):
        company.fake.subject = subject
        company.fake.claims = {"groups": groups}
        assert company.sign_in(company.browser()).is_redirect
        account = next(
            each for each in company.access.accounts.list_accounts() if each.login == subject
        )
        assert (account.role, account.teams) == (role, teams)


def test_whoever_is_in_no_group_any_more_loses_role_and_sessions(company: Company) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.fake.claims = {"groups": ["staff"]}
    browser = company.browser()
    company.sign_in(browser)
    assert browser.get("/account").status_code == 200
    company.fake.claims = {"groups": []}
    gone = company.sign_in(company.browser())
    assert (gone.status_code, "None of your groups has a role here." in gone.text) == (403, True)
    assert browser.get("/account").status_code == 303
    assert list_logins(company)["sub-1"] is None
    assert company.access.accounts.list_accounts()[1].disabled is None
    company.fake.claims = {"groups": ["staff"]}
    assert company.sign_in(company.browser()).is_redirect
    assert list_logins(company)["sub-1"] is Role.VIEWER


def test_groups_do_not_open_an_account_that_an_administrator_disabled(company: Company) -> None:
    company.configure(roles=("staff=viewer",), joining="role")
    company.fake.claims = {"groups": ["staff"]}
    company.sign_in(company.browser())
    account = company.access.accounts.list_accounts()[1]
    company.access.accounts.disable(account.id, SYSTEM)
    answer = company.sign_in(company.browser())
    assert (answer.status_code, "This account is disabled." in answer.text) == (403, True)


def test_without_rules_the_provider_changes_no_role(company: Company) -> None:
    link = company.access.accounts.invite(Role.FINOPS, SYSTEM, teams=frozenset({"a"}))
    company.fake.claims = {"groups": ["admins"]}
    company.sign_in(company.browser(), f"/sign-in/with/company?link={link.secret}")
    company.sign_in(company.browser())
    account = company.access.accounts.list_accounts()[1]
    assert (account.role, account.teams) == (Role.FINOPS, frozenset({"a"}))


def test_an_account_is_connected_by_who_is_signed_in(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    assert "Connect Company" in ada.get("/account").text
    answer = company.sign_in(ada, "/account/connect/company")
    assert answer.headers["location"] == "/account"
    assert "Connected with Company, since" in ada.get("/account").text
    browser = company.browser()
    company.sign_in(browser)
    assert "<b>ada</b>" in browser.get("/account").text
    grace = company.person("grace", Role.VIEWER)
    taken = company.sign_in(grace, "/account/connect/company")
    assert (taken.status_code, "has another account here" in taken.text) == (400, True)


def test_connecting_needs_a_fresh_proof(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    company.now += timedelta(minutes=10)
    answer = ada.submit("/account/connect/company")
    assert answer.headers["location"] == "/confirm?next=%2Faccount"


def test_a_link_elsewhere_connects_nothing(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    assert ada.get("/account/connect/company").headers["location"] == "/account"
    assert ada.send("/account/connect/company").status_code == 403
    assert "codometer-ticket" not in ada.cookies


def test_what_the_provider_saw_long_ago_is_no_fresh_proof(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    company.sign_in(ada, "/account/connect/company")
    browser = company.browser()
    company.sign_in(browser)
    assert "/confirm?" in browser.get("/account/second-factor").headers["location"]
    page = browser.get("/confirm?next=/account/second-factor").text
    assert "Continue with Company" in page
    assert "Continue with other" not in page
    answer = company.sign_in(browser, "/confirm/company?next=/account/second-factor")
    assert answer.headers["location"] == "/account/second-factor"
    assert browser.get("/account/second-factor").status_code == 200


def test_somebody_else_proves_nothing(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    company.sign_in(ada, "/account/connect/company")
    company.now += timedelta(minutes=10)
    company.fake.subject = "sub-2"
    answer = company.sign_in(ada, "/confirm/company?next=/account/second-factor")
    assert (answer.status_code, "another person" in answer.text) == (403, True)


def test_a_way_back_without_the_way_there_leads_nowhere(company: Company) -> None:
    link = company.access.accounts.invite(Role.VIEWER, SYSTEM)
    began = company.browser()
    address = company.leave(began, f"/sign-in/with/company?link={link.secret}")
    stranger = company.browser()  # as when somebody is sent another's way back
    assert come_back(stranger, company.fake, address).status_code == 410
    assert come_back(began, company.fake, address).is_redirect
    assert "codometer-ticket" not in began.cookies


def test_a_way_there_is_good_once_and_for_ten_minutes(company: Company) -> None:
    link = company.access.accounts.invite(Role.VIEWER, SYSTEM)
    browser = company.browser()
    address = company.leave(browser, f"/sign-in/with/company?link={link.secret}")
    kept = browser.cookies["codometer-ticket"]
    assert come_back(browser, company.fake, address).is_redirect
    browser.cookies.set("codometer-ticket", kept, domain="127.0.0.1")
    assert come_back(browser, company.fake, address).status_code == 410
    late = company.browser()
    address = company.leave(late)
    company.now += timedelta(minutes=10)
    assert come_back(late, company.fake, address).status_code == 410


def test_a_way_that_failed_is_used_up(company: Company) -> None:
    browser = company.browser()
    address = company.leave(browser)
    kept = browser.cookies["codometer-ticket"]
    assert come_back(browser, company.fake, address, state="x").status_code == 403
    browser.cookies.set("codometer-ticket", kept, domain="127.0.0.1")
    assert come_back(browser, company.fake, address).status_code == 410


def test_the_answer_of_one_provider_does_not_do_for_another(company: Company) -> None:
    browser = company.browser()
    address = company.leave(browser, "/sign-in/with/other")
    there = urlencode(company.other.come_back(address))
    assert browser.get(f"/sign-in/return/company?{there}").status_code == 410
    mixed = company.browser()
    address = company.leave(mixed, "/sign-in/with/other")
    answer = come_back(mixed, company.other, address, "other", iss=ISSUER)
    assert (answer.status_code, "answers for another provider" in answer.text) == (403, True)


def test_the_same_subject_of_two_providers_is_two_people(company: Company) -> None:
    ada = company.person("ada", Role.VIEWER)
    company.sign_in(ada, "/account/connect/company")
    browser = company.browser()
    address = company.leave(browser, "/sign-in/with/other")
    answer = come_back(browser, company.other, address, "other")
    assert (answer.status_code, "Nobody here knows you" in answer.text) == (403, True)


def test_a_ticket_is_for_the_session_that_it_began_in(company: Company) -> None:
    ada, grace = company.person("ada", Role.VIEWER), company.person("grace", Role.VIEWER)
    address = company.leave(ada, "/account/connect/company")
    grace.cookies.set("codometer-ticket", ada.cookies["codometer-ticket"], domain="127.0.0.1")
    assert come_back(grace, company.fake, address).status_code == 410


def test_without_passwords_the_page_offers_providers_alone(company: Company) -> None:
    page = company.browser().get("/sign-in?next=/?range=7d").text
    assert 'href="/sign-in/with/company?next=/%3Frange%3D7d"' in page.replace("%2F", "/")
    assert 'name="password"' in page
    company.configure(has_passwords=False)
    browser = company.browser()
    page = browser.get("/sign-in").text
    assert "Continue with Company" in page
    assert 'name="password"' not in page
    root = company.access.accounts.list_accounts()[0]
    link = company.access.accounts.reset(root.id, SYSTEM)
    assert browser.submit("/join", link=link.secret, password=PASSWORD).is_redirect
    assert browser.get("/account").status_code == 200


def test_a_provider_that_there_is_none_of_is_nowhere(company: Company) -> None:
    for path in ("/sign-in/with/nobody", "/sign-in/return/nobody"):
        assert company.browser().get(path).status_code == 404


def test_too_many_ways_there_wait(company: Company) -> None:
    browser = company.browser()
    for _ in range(1_000):  # more are let through as time goes on
        if browser.get("/sign-in/with/company").status_code == 429:
            return
    pytest.fail("nobody was asked to wait")


def test_a_provider_that_does_not_answer_keeps_no_page_waiting(company: Company) -> None:
    company.fake.hold.clear()

    async def main() -> int:
        transport = httpx.ASGITransport(company.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            leaving = [asyncio.create_task(client.get("/sign-in/with/company")) for _ in range(20)]
            try:
                await asyncio.to_thread(company.fake.asked.wait, 20)
                page = await asyncio.wait_for(client.get("/join?link=none"), 20)
            finally:
                company.fake.hold.set()
                await asyncio.gather(*leaving)
            return page.status_code

    assert asyncio.run(main()) == 410


def test_in_local_mode_nobody_goes_to_a_provider(tmp_path: Path) -> None:
    made = Company(tmp_path)
    assert made.browser().get("/sign-in/with/company").headers["location"] == "/"
    made.access.close()


def test_a_role_that_is_none_stops_the_start() -> None:
    with pytest.raises(BadSettings, match="king, which is no role"):
        make_rules("company", Oidc(roles=("a=viewer", "b=king")))
