"""The pages of accounts and credentials, as people of each role are answered."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from pyotp import TOTP

from codometer.access.account import Account
from codometer.access.accounts import Vouched, connect, create_account
from codometer.access.actor import SYSTEM, Actor, ActorKind
from codometer.access.credential import Credential, Wanted
from codometer.access.permissions import INGEST, ROLES, SCOPES, Permission, Role
from codometer.access.second_factor import make_factor_secret
from codometer.access.secret import Kind
from codometer.access.sessions import begin_session
from codometer.operate.connect import lines_with
from codometer.serve.web.pages.access.credentials import SCOPES as SCOPE_WORDS
from codometer.serve.web.pages.access.roles import WORDS
from codometer.settings import Listen, Settings
from tests.forms import find_token, list_marked
from tests.unit.serve.installation import PASSWORD, Browser, Installation
from tests.unit.serve.parts import NOW

ACT = "/access/account/act"
CHANGE = "/access/account/change"
NEW = "/access/credentials/new"


@pytest.fixture
def ada(installation: Installation, root: Browser) -> Browser:
    assert root.get("/access").status_code == 200
    return installation.person("ada", Role.DEVELOPER, "checkout")


def find(installation: Installation, login: str) -> Account:
    accounts = installation.access.accounts.list_accounts()
    return next(each for each in accounts if each.login == login)


def credential(installation: Installation, name: str = "laptops", **wanted: object) -> Credential:
    asked = Wanted(**{"kind": Kind.INGEST, "name": name, **wanted})  # type: ignore[arg-type] # as the test says
    return installation.access.credentials.create(asked, SYSTEM).credential


def names(page: str) -> list[str]:
    """Return what the rows of the tables are called."""
    found = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", each).strip() for each in found]


def facts(page: str) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {name: unescape(re.sub(r"<[^>]+>", "", value)).strip() for name, value in found}


def test_whatever_a_role_may_is_said_in_words() -> None:
    said = {permission for words in WORDS.values() for permission in words}
    granted = {permission for may in ROLES.values() for permission in may}
    assert granted - {Permission.OWN_PROOF} <= said
    assert set(Permission) - said == {Permission.PUBLIC, Permission.OWN_PROOF, *INGEST}


def test_whatever_a_credential_may_is_said_in_words() -> None:
    assert set(SCOPE_WORDS) == {scope for scopes in SCOPES.values() for scope in scopes}


def test_the_roles_are_as_the_server_obeys_them(root: Browser) -> None:
    page = root.get("/access").text
    (row,) = re.findall(r"<tr><th[^>]*>Invite people.*?</tr>", page, re.DOTALL)
    cells = re.findall(r'<td class="mid">.*?</td>', row, re.DOTALL)
    assert ['aria-label="Yes"' in cell for cell in cells] == [
        Permission.WRITE_ACCOUNTS in ROLES[role] for role in Role
    ]
    assert sum('aria-label="Yes"' in cell for cell in cells) == 1


def test_an_auditor_sees_accounts_and_credentials_and_changes_none(
    installation: Installation, ada: Browser
) -> None:
    laptops = credential(installation)
    auditor = installation.person("dana", Role.AUDITOR)
    account = find(installation, "ada")
    for path in (
        "/access",
        f"/access/account?id={account.id}",
        "/access/credentials",
        f"/access/credential?id={laptops.id}",
    ):
        page = auditor.get(path)
        assert page.status_code == 200, path
        for way in ("/access/invite", CHANGE, ACT, NEW, "/rotate", "/revoke"):
            assert way not in page.text, (path, way)
    for path in ("/access/invite", CHANGE, ACT, NEW):
        assert auditor.get(path).status_code == 403
    assert ada.get("/access").status_code == 403


@pytest.mark.usefixtures("ada")
def test_an_account_is_shown_with_what_it_may_and_how_it_signs_in(
    installation: Installation, root: Browser
) -> None:
    page = root.get("/access").text
    assert names(page)[:2] == ["root", "ada"]
    assert "checkout" in page
    told = facts(root.get(f"/access/account?id={find(installation, 'ada').id}").text)
    assert told["Sees the numbers of"] == "checkout"
    assert told["Confirmed as a person"].startswith("No")
    assert (told["Role"], told["Password"], told["Second factor"]) == ("Developer", "Yes", "None")
    assert told["Signed in"].startswith("since Mon 23 Nov, from 203.0.113.0/24")


def test_no_page_of_others_tells_when_somebody_was_last_at_it(
    installation: Installation, root: Browser, ada: Browser
) -> None:
    installation.now += timedelta(minutes=59)
    ada.get("/me")
    root.get("/access")
    for path in ("/access", f"/access/account?id={find(installation, 'ada').id}"):
        page = root.get(path).text
        assert "15:02" not in page
        assert '<time datetime="2026-11-23">Mon 23 Nov</time>' in page
        assert re.findall(r'datetime="[^"]*T', page) == []


def test_a_link_is_shown_once_and_makes_an_account(
    installation: Installation, root: Browser
) -> None:
    shown = root.submit(
        "/access/invite", role="team_lead", sight="some", teams="check, out\r\nsearch\r\n"
    )
    assert shown.status_code == 200
    (link,) = re.findall(r"http://127\.0\.0\.1:4319/join\?link=([\w-]+)", shown.text)
    assert "with the role Team lead, for the numbers of check, out, search" in shown.text
    assert link not in root.get("/access/invite").text
    invitation = installation.access.accounts.find_link(link)
    assert invitation.role is Role.TEAM_LEAD
    assert invitation.teams == frozenset({"check, out", "search"})


@pytest.mark.parametrize(
    ("role", "sight", "teams", "message"),
    [
        ("king", "all", "", "is no role"),
        ("viewer", "some", " \r\n", "is not clear"),
        ("viewer", "all", "checkout", "is not clear"),
        ("viewer", "", "", "is not clear"),
    ],
)
def test_an_empty_field_of_teams_never_means_all_of_them(
    root: Browser, role: str, sight: str, teams: str, message: str
) -> None:
    answer = root.submit("/access/invite", role=role, sight=sight, teams=teams)
    assert answer.status_code == 400
    assert message in answer.text
    assert "join?link=" not in answer.text


def test_role_and_teams_change_with_their_sessions(
    installation: Installation, root: Browser, ada: Browser
) -> None:
    account = find(installation, "ada")
    form = root.get(f"{CHANGE}?id={account.id}").text
    assert '<option value="developer" selected>' in form
    assert ">checkout</textarea>" in form
    done = root.submit(CHANGE, id=account.id, role="finops", sight="all", teams="")
    assert done.headers["location"] == f"/access/account?id={account.id}"
    changed = find(installation, "ada")
    assert (changed.role, changed.teams) == (Role.FINOPS, None)
    assert ada.get("/me").headers["location"].startswith("/sign-in")


def test_what_cannot_be_undone_needs_the_name_once_more(
    installation: Installation, root: Browser, ada: Browser
) -> None:
    account = find(installation, "ada")
    assert "Disable the account: ada" in root.get(f"{ACT}?id={account.id}&act=disable").text
    refused = root.submit(ACT, id=account.id, act="disable", confirm="root")
    assert refused.status_code == 400
    assert "write the name of the account: ada" in refused.text
    assert find(installation, "ada").disabled is None
    done = root.submit(ACT, id=account.id, act="disable", confirm=" ada ")
    assert done.status_code == 303
    shown = root.get(done.headers["location"]).text
    assert "nobody signs in to it" in shown
    assert ACT not in shown
    assert ada.get("/me").status_code == 303


@pytest.mark.usefixtures("ada")
def test_a_forgotten_password_is_answered_with_a_link(
    installation: Installation, root: Browser
) -> None:
    account = find(installation, "ada")
    shown = root.submit(ACT, id=account.id, act="reset")
    (link,) = re.findall(r"join\?link=([\w-]+)", shown.text)
    found = installation.access.accounts.find_link(link).account
    assert found is not None
    assert found.id == account.id


@pytest.mark.usefixtures("ada")
def test_sessions_end_one_by_one_and_together(installation: Installation, root: Browser) -> None:
    account, sessions = find(installation, "ada"), installation.access.sessions
    with sessions.changing(installation.access.audit, SYSTEM) as change:
        begin_session(change, account.id, "", proved=None, created=change.time)

    def count() -> int:
        return len(sessions.list_sessions(installation.now, account_id=account.id))

    assert count() == 2
    (one, _) = sessions.list_sessions(installation.now, account_id=account.id)
    page = root.get(f"/access/account?id={account.id}").text
    assert "from this machine" in page
    assert unescape(f"act=end-session&amp;which={one.id}") in unescape(page)
    assert root.submit(ACT, id=account.id, act="end-session", which=one.id).status_code == 303
    assert count() == 1
    assert root.submit(ACT, id=account.id, act="end-sessions").status_code == 303
    assert count() == 0
    again = root.submit(ACT, id=account.id, act="end-session", which=one.id)
    assert again.status_code == 404


@pytest.mark.usefixtures("ada")
def test_what_does_not_fit_an_account_is_refused_in_the_page(
    installation: Installation, root: Browser
) -> None:
    account = find(installation, "ada").id
    for act, fault in (
        ("remove-second-factor", "This account has no second factor"),
        ("disconnect", "Nobody signs in to this account with that provider"),
    ):
        answer = root.submit(ACT, id=account, act=act, which="https://id.example", confirm="ada")
        assert (answer.status_code, fault in answer.text) == (400, True), act
    assert "is nothing to do" in root.submit(ACT, id=account, act="promote").text
    assert root.submit(ACT, id="acc_none", act="reset").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/access/account?id=acc_none",
        "/access/account/change?id=acc_none",
        "/access/account/act?id=acc_none&act=disable",
        "/access/credential?id=crd_none",
        "/access/credential/rotate?id=crd_none",
        "/access/credential/revoke?id=crd_none",
    ],
)
def test_a_page_about_nothing_that_there_is_is_not_found(root: Browser, path: str) -> None:
    answer = root.get(path)
    assert answer.status_code == 404
    assert "There is no such" in answer.text


def test_links_are_listed_and_withdrawn(installation: Installation, root: Browser) -> None:
    assert "every link was used or withdrawn" in root.get("/access").text
    account = installation.access.accounts.list_accounts()[0]
    maker = Actor(kind=ActorKind.ACCOUNT, id=account.id)
    made = installation.access.accounts.invite(Role.FINOPS, maker)
    page = root.get("/access").text
    assert f'aria-label="Withdraw the link {made.id}"' in page
    assert made.secret not in page
    auditor = installation.person("eve", Role.AUDITOR)
    assert "A new account" in auditor.get("/access").text
    assert "Withdraw" not in auditor.get("/access").text
    token = find_token(page)
    withdraw = "/access/invitation/withdraw"
    assert root.send(withdraw, form_token=token, id=made.id).status_code == 303
    assert "A new account" not in root.get("/access").text
    again = find_token(root.get("/access").text)
    assert root.send(withdraw, form_token=again, id=made.id).status_code == 404


@pytest.mark.usefixtures("ada")
def test_a_provider_is_shown_with_an_account_and_taken_from_it(
    installation: Installation, root: Browser
) -> None:
    account, issuer = find(installation, "ada"), "https://id.example/tenant"
    with installation.access.sessions.changing(installation.access.audit, SYSTEM) as change:
        connect(change, account.id, Vouched(issuer=issuer, subject="ada-1"))
    assert f"Password, {issuer}" in root.get("/access").text
    page = root.get(f"/access/account?id={account.id}").text
    (way,) = re.findall(rf'href="({ACT}\?[^"]*disconnect[^"]*)"', page)
    asked = root.get(unescape(way)).text
    assert f"The provider is {issuer}" in asked
    fields = dict(re.findall(r'type="hidden" name="(id|act|which)" value="([^"]*)"', asked))
    done = root.submit(ACT, None, **fields, confirm="ada")
    assert done.status_code == 303
    assert find(installation, "ada").identities == ()


@pytest.mark.usefixtures("ada")
def test_a_second_factor_is_taken_away_for_whoever_lost_theirs(
    installation: Installation, root: Browser
) -> None:
    account, access = find(installation, "ada"), installation.access
    assert "Remove the second factor" not in root.get(f"/access/account?id={account.id}").text
    with access.sessions.changing(access.audit, SYSTEM) as change:
        secret = make_factor_secret()
        code = TOTP(secret).at(change.time)
        assert access.accounts.factors.add(change, account.id, secret, code)
    assert "Remove the second factor" in root.get(f"/access/account?id={account.id}").text
    root.submit(ACT, id=account.id, act="remove-second-factor", confirm="ada")
    assert not find(installation, "ada").has_second_factor


def test_the_last_administrator_stays(installation: Installation, root: Browser) -> None:
    mine = find(installation, "root").id
    assert "This is your own account" in root.get(f"/access/account?id={mine}").text
    answer = root.submit(ACT, id=mine, act="disable", confirm="root")
    assert "This is the last administrator" in answer.text


def test_a_change_needs_a_fresh_proof_before_its_form_is_filled_in(
    installation: Installation, root: Browser
) -> None:
    installation.now += timedelta(minutes=11)
    assert root.get("/access").status_code == 200
    for path in ("/access/invite", NEW):
        assert root.get(path).headers["location"].startswith("/confirm?next=%2Faccess")


def test_local_mode_says_how_the_first_administrator_comes_about(
    installation: Installation,
) -> None:
    keyboard = installation.browser()
    page = keyboard.get("/access").text
    assert "Nobody has an account yet" in page
    form = keyboard.get("/access/invite").text
    assert "<h1>Make the first administrator</h1>" in form
    assert 'name="role" value="administrator"' in form
    shown = keyboard.send(
        "/access/invite", form_token=find_token(form), role="administrator", sight="all"
    )
    (link,) = re.findall(r'href="[^"]*join\?link=([\w-]+)"', shown.text)
    joined = keyboard.submit(
        "/join",
        link=link,
        login="root",
        password=PASSWORD,
        profile="standard",
        purpose="to see costs",
    )
    assert joined.status_code == 303
    assert find(installation, "root").role is Role.ADMINISTRATOR


def test_more_accounts_than_fit_are_read_part_by_part(
    installation: Installation, root: Browser
) -> None:
    for number in range(30):
        with installation.access.sessions.changing(installation.access.audit, SYSTEM) as change:
            create_account(change, f"person-{number:02}", Role.VIEWER, None)
    first, second = root.get("/access").text, root.get("/access?part=2").text
    assert "1 to 25 of 31" in first
    assert 'href="/access?part=2"' in first
    assert "26 to 31 of 31" in second
    assert 'href="/access" rel="prev"' in second
    logins = [name for page in (first, second) for name in names(page) if "person" in name]
    assert logins == [f"person-{number:02}" for number in range(30)]
    for odd in ("0", "99", "x", "9" * 50):
        assert root.get(f"/access?part={odd}").status_code == 200


def test_a_credential_for_clients_is_made_with_what_to_paste(
    installation: Installation, root: Browser
) -> None:
    shown = root.submit(
        NEW,
        kind="ingest",
        name="laptops",
        team="checkout",
        binds_team="1",
        cost_center="CC-7",
        addresses="10.1.0.0/16\r\n192.0.2.7",
        days="30",
        **{f"scope {scope}": "1" for scope in INGEST},
    )
    assert shown.status_code == 200, shown.text
    (secret,) = set(re.findall(r"cdm_ing_\w{36}", shown.text))
    assert lines_with(Kind.INGEST, secret, installation.settings) in unescape(shown.text)
    (made,) = installation.access.credentials.list_credentials()
    assert (made.team, made.binds_team, made.cost_center) == ("checkout", True, "CC-7")
    assert [*map(str, made.addresses)] == ["10.1.0.0/16", "192.0.2.7/32"]
    assert made.secrets[-1].expires == NOW + timedelta(days=30)
    page = root.get(f"/access/credential?id={made.id}").text
    assert secret not in page
    assert facts(page)["Made by"] == "root, Mon 23 Nov"
    assert facts(page)["Team"] == "checkout, whatever clients say"
    may = "Send events; send metrics; send spans"
    assert facts(page)["May"] == may
    assert may in root.get("/access/credentials").text


def test_what_to_paste_fits_the_kind() -> None:
    settings = Settings(listen=Listen(url="https://codometer.example"))
    asked = lines_with(Kind.SERVICE, "cdm_svc_x", settings)
    assert asked.splitlines() == [
        "export CODOMETER_URL=https://codometer.example",
        "export CODOMETER_CREDENTIAL=cdm_svc_x",
    ]
    scraped = lines_with(Kind.SCRAPE, "cdm_scr_x", settings)
    assert "scheme: https" in scraped
    assert 'targets: ["codometer.example"]' in scraped
    sent = lines_with(Kind.INGEST, "cdm_ing_x", settings)
    assert "export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer cdm_ing_x'" in sent


def test_the_form_of_each_kind_has_what_is_usual_for_it(root: Browser) -> None:
    ingest, service, scrape = (
        root.get(f"{NEW}?kind={kind}").text for kind in ("ingest", "service", "scrape")
    )
    assert 'name="days" type="number" value="365"' in ingest
    assert 'name="days" type="number" value="90"' in service
    assert 'name="team"' in ingest
    assert 'name="team"' not in service
    ticked = re.findall(r'name="scope ([\w:]+)" value="1" checked', service)
    assert sorted(ticked) == ["read:aggregates", "read:metrics", "read:status"]
    assert 'type="checkbox"' not in scrape
    assert re.findall(r"<legend>(.*?)</legend>", ingest + service) == [
        "What it may send",
        "What it may see",
        "What it may do",
    ]
    assert "is no kind" in root.get(f"{NEW}?kind=royal").text


def test_what_was_typed_stays_when_a_credential_cannot_be_made(root: Browser) -> None:
    answer = root.submit(
        NEW, kind="service", name="grafana", days="soon", **{"scope read:status": "1"}
    )
    assert answer.status_code == 400
    assert "is no number of days" in answer.text
    assert 'value="grafana"' in answer.text
    ticked = re.findall(r'name="scope ([\w:]+)" value="1" checked', answer.text)
    assert ticked == ["read:status"]
    none = root.submit(NEW, kind="service", name="grafana", days="9")
    assert "cannot have these scopes" in none.text


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("name", "two\nlines"),
        ("team", "two\nlines"),
        ("cost_center", "two\nlines"),
        ("person", "two\nlines"),
        ("addresses", "somewhere"),
        ("days", "soon"),
        ("days", "999"),
    ],
)
def test_a_refused_form_marks_the_field_that_is_wrong(
    root: Browser, wrong: str, value: str
) -> None:
    fields = {"kind": "ingest", "name": "laptops", "days": "9", wrong: value}
    scopes = {f"scope {scope}": "1" for scope in INGEST}
    assert list_marked(root.submit(NEW, **scopes, **fields).text) == [wrong]


@pytest.mark.usefixtures("ada")
def test_a_field_that_confirms_is_marked_when_it_does_not(
    installation: Installation, root: Browser
) -> None:
    account = find(installation, "ada").id
    assert list_marked(root.submit(ACT, id=account, act="disable", confirm="ad").text) == [
        "confirm"
    ]
    teams = root.submit(CHANGE, id=account, role="viewer", sight="some", teams="")
    assert list_marked(teams.text) == ["teams"]
    made = credential(installation)
    rotated = root.submit("/access/credential/rotate", id=made.id, overlap="999", days="9")
    assert list_marked(rotated.text) == ["overlap"]


def test_a_credential_is_rotated_and_revoked(installation: Installation, root: Browser) -> None:
    made = credential(installation, lifetime=timedelta(days=6))
    assert "in 6 days" in root.get("/access/credentials").text
    path = f"/access/credential/rotate?id={made.id}"
    assert 'value="7"' in root.get(path).text
    shown = root.submit("/access/credential/rotate", id=made.id, overlap="2", days="300")
    assert "cdm_ing_" in shown.text
    (rotated,) = installation.access.credentials.list_credentials()
    assert [each.expires - NOW for each in rotated.secrets] == [
        timedelta(days=2),
        timedelta(days=300),
    ]
    assert "14 days" not in root.get("/access/credentials").text
    refused = root.submit("/access/credential/revoke", id=made.id, confirm="")
    assert "This was not confirmed" in refused.text
    done = root.submit("/access/credential/revoke", id=made.id, confirm="laptops")
    assert done.headers["location"] == f"/access/credential?id={made.id}"
    assert "Rotate</a>" not in root.get(done.headers["location"]).text


def test_who_made_a_credential_is_told_by_name_to_those_who_may_see_accounts(
    installation: Installation, root: Browser
) -> None:
    fields = {"kind": "scrape", "name": "prometheus", "days": "9", "scope read:metrics": "1"}
    assert root.submit(NEW, None, **fields).status_code == 200
    (made,) = installation.access.credentials.list_credentials()
    path = f"/access/credential?id={made.id}"
    assert facts(root.get(path).text)["Made by"].startswith("root, ")
    scopes = frozenset({Permission.READ_CREDENTIALS})
    wanted = Wanted(kind=Kind.SERVICE, name="lister", scopes=scopes)
    secret = installation.access.credentials.create(wanted, SYSTEM).secret
    program = installation.browser()
    seen = program.ask("GET", path, headers={"authorization": f"Bearer {secret}"}).text
    assert facts(seen)["Made by"].startswith("An account, ")


def test_who_made_a_credential_is_unknown_when_the_log_has_let_go_of_it(
    installation: Installation, root: Browser
) -> None:
    made = credential(installation)
    path = f"/access/credential?id={made.id}"
    assert facts(root.get(path).text)["Made by"].startswith("The server, ")
    credential(installation, "later")  # the last entry stays
    installation.access.audit.seal(NOW + timedelta(minutes=1))
    assert facts(root.get(path).text)["Made by"].startswith("The audit log no longer knows")


def test_credentials_that_ended_are_shown_when_asked_for(
    installation: Installation, root: Browser
) -> None:
    assert "There is no credential yet" in root.get("/access/credentials").text
    old, new = credential(installation, "old"), credential(installation, "new")
    installation.access.credentials.revoke(old.id, SYSTEM)
    page = root.get("/access/credentials").text
    assert names(page) == [new.name]
    assert "Show the 1 that ended, too" in page
    assert set(names(root.get("/access/credentials?ended=1").text)) == {"old", "new"}
    assert "There is no such credential" in root.get("/access/credential?id=crd_none").text


def test_who_may_not_is_told_for_whom_it_is(root: Browser, installation: Installation) -> None:
    assert root.get("/access").status_code == 200
    ada = installation.person("ada", Role.DEVELOPER)
    refused = ada.get("/access")
    assert refused.status_code == 403
    assert "for whoever has the role Auditor or Administrator, of all teams" in refused.text
    assert "read:accounts" not in refused.text
    told = ada.ask("GET", "/api/v1/accounts", headers={"accept": "application/json"})
    assert "permission read:accounts" in told.text
