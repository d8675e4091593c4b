"""Taking a provider of identities away from an account, by its owner or by an administrator."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from codometer.access.actor import SYSTEM
from codometer.access.audit import Filter
from codometer.access.permissions import Role
from tests.provider import ISSUER
from tests.unit.serve.company import OTHER_ISSUER, Company
from tests.unit.serve.installation import PASSWORD, Browser


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    made.set_up()
    yield made
    made.access.close()


def sign_in_as_root(company: Company) -> Browser:
    browser = company.browser()
    assert browser.sign_in("root").is_redirect
    return browser


def join_and_connect(company: Company) -> Browser:
    """Have somebody with a password join who can also sign in with the company."""
    joined = company.person("ada", Role.VIEWER)
    assert company.sign_in(joined, "/account/connect/company").is_redirect
    return joined


def join_by_provider(company: Company, subject: str) -> Browser:
    """Give somebody who has no password."""
    company.fake.subject = subject
    link = company.access.accounts.invite(Role.VIEWER, SYSTEM)
    browser = company.browser()
    answer = company.sign_in(browser, f"/sign-in/with/company?link={link.secret}")
    assert answer.is_redirect, answer.text
    return browser


def find_id(company: Company, login: str) -> str:
    accounts = company.access.accounts.list_accounts()
    return next(each.id for each in accounts if each.login == login)


def test_whoever_disconnects_a_provider_signs_in_with_it_no_more(company: Company) -> None:
    ada = join_and_connect(company)
    by_provider = company.browser()
    company.sign_in(by_provider)
    assert "Connected with Company, since" in ada.get("/account").text
    assert ada.submit("/account/disconnect", issuer=ISSUER).headers["location"] == "/account"
    page = ada.get("/account").text
    assert ("Connected with" in page, "Connect Company" in page) == (False, True)
    assert by_provider.get("/account").status_code == 303
    assert company.sign_in(company.browser()).status_code == 403
    told = [each.entry for each in company.access.audit.list_entries(Filter())]
    disconnected = next(each for each in told if each.action == "account.disconnect")
    assert disconnected.actor == disconnected.object == find_id(company, "ada")
    assert ISSUER in (disconnected.before or "")
    account = company.access.accounts.list_accounts()[-1]
    assert account.email == ""  # nobody vouches for it now


def test_a_session_by_a_password_outlives_the_provider(company: Company) -> None:
    ada = join_and_connect(company)
    ada.submit("/account/disconnect", issuer=ISSUER)
    assert ada.get("/account").status_code == 200


def test_a_session_by_the_provider_ends_also_when_it_was_confirmed_since(company: Company) -> None:
    ada = join_and_connect(company)
    by_provider = company.browser()
    company.sign_in(by_provider)
    assert company.sign_in(by_provider, "/confirm/company?next=/account").is_redirect
    by_provider.submit("/account/disconnect", issuer=ISSUER)
    assert by_provider.get("/account").status_code == 303
    assert ada.get("/account").status_code == 200


def test_the_last_way_in_stays_and_the_page_says_what_to_do(company: Company) -> None:
    grace = join_by_provider(company, "sub-9")
    assert company.sign_in(grace, "/confirm/company?next=/account").is_redirect
    kept = grace.submit("/account/disconnect", issuer=ISSUER)
    assert kept.status_code == 400
    assert "Nobody could sign in to this account then." in kept.text
    assert "codometer account reset" in kept.text
    assert grace.get("/account").status_code == 200
    assert company.sign_in(company.browser()).is_redirect


def test_where_passwords_are_off_one_is_no_way_in(company: Company) -> None:
    ada = join_and_connect(company)
    company.configure(has_passwords=False)
    ada.app = company.app
    kept = ada.submit("/account/disconnect", issuer=ISSUER)
    assert (kept.status_code, "Nobody could sign in" in kept.text) == (400, True)


def test_a_provider_that_no_settings_name_is_no_way_in_and_can_go(company: Company) -> None:
    root = sign_in_as_root(company)
    grace = join_by_provider(company, "sub-9")
    account_id = find_id(company, "sub-9")
    path = f"/api/v1/accounts/{account_id}/disconnect"
    assert root.ask("POST", path, json={"issuer": OTHER_ISSUER}).status_code == 400
    company.access.federation._providers = {}  # noqa: SLF001 - as after another start
    assert f"Connected with {ISSUER}, since" in grace.get("/account").text
    assert root.ask("POST", path, json={"issuer": ISSUER}).status_code == 400
    made = root.ask("POST", f"/api/v1/accounts/{account_id}/reset", json={}).json()
    link = made["link"].partition("link=")[2]
    company.browser().submit("/join", link=link, password=PASSWORD)
    assert root.ask("POST", path, json={"issuer": ISSUER}).status_code == 200


def test_disconnecting_needs_a_fresh_proof(company: Company) -> None:
    ada = join_and_connect(company)
    company.now += timedelta(minutes=10)
    answer = ada.submit("/account/disconnect", issuer=ISSUER)
    assert answer.headers["location"].startswith("/confirm?")


def test_an_administrator_sees_and_disconnects_providers_over_the_api(company: Company) -> None:
    root = sign_in_as_root(company)
    join_and_connect(company)
    account = root.get("/api/v1/accounts").json()["accounts"][1]
    (identity,) = account["identities"]
    assert (identity["issuer"], identity["label"]) == (ISSUER, "Company")
    path = f"/api/v1/accounts/{account['id']}/disconnect"
    assert root.ask("POST", path, json={}).status_code == 400
    assert root.ask("POST", path, json={"issuer": OTHER_ISSUER}).status_code == 400
    done = root.ask("POST", path, json={"issuer": ISSUER})
    assert done.json()["account"]["identities"] == []
    assert root.ask("POST", path, json={"issuer": ISSUER}).status_code == 400
    nobody = root.ask("POST", "/api/v1/accounts/acc_none/disconnect", json={"issuer": ISSUER})
    assert nobody.status_code == 404


def test_whom_a_disabled_account_had_can_be_given_another(company: Company) -> None:
    root = sign_in_as_root(company)
    join_by_provider(company, "sub-9")
    account_id = find_id(company, "sub-9")
    company.access.accounts.disable(account_id, SYSTEM)
    path = f"/api/v1/accounts/{account_id}/disconnect"
    assert root.ask("POST", path, json={"issuer": ISSUER}).status_code == 200
    link = company.access.accounts.invite(Role.VIEWER, SYSTEM)
    company.fake.claims = {"email": "grace@example.com", "email_verified": True}
    again = company.sign_in(company.browser(), f"/sign-in/with/company?link={link.secret}")
    assert again.is_redirect
