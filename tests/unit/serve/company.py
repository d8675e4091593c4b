"""An installation whose people sign in with their company, or with another one."""

from pathlib import Path
from urllib.parse import urlencode

import httpx

from codometer.access.federation import Federation, make_rules
from codometer.access.openid import Provider
from codometer.access.signing_in import Demand, SigningIn
from codometer.access.tickets import Tickets
from codometer.settings import Oidc
from tests.provider import CLIENT_ID, CLIENT_SECRET, ISSUER, FakeProvider
from tests.unit.serve.installation import Browser, Installation

OTHER_ISSUER = "https://other.example.com"
BASE = "http://127.0.0.1:4319"


class Company(Installation):
    """An installation whose people sign in with their company, or with another one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake = FakeProvider(lambda: self.now)
        self.other = FakeProvider(lambda: self.now, issuer=OTHER_ISSUER)
        self.configure()

    def configure(
        self,
        *,
        roles: tuple[str, ...] = (),
        teams: tuple[str, ...] = (),
        joining: str = "link",
        has_passwords: bool = True,
        demand: Demand = Demand.OFFERED,
    ) -> None:
        """Start anew with these settings."""
        company = Oidc(
            label="Company",
            issuer=ISSUER,
            client_id=CLIENT_ID,
            roles=roles,
            teams=teams,
            joining=joining,
        )
        other = Oidc(issuer=OTHER_ISSUER, client_id=CLIENT_ID)
        access = self.access
        tickets = Tickets(access.audit, access.keys)
        providers = {
            name: (
                Provider(name, oidc, CLIENT_SECRET, fake.client(), now=lambda: self.now),
                make_rules(name, oidc),
            )
            for name, oidc, fake in (("company", company, self.fake), ("other", other, self.other))
        }
        access.federation = Federation(
            access.accounts,
            tickets,
            providers,
            return_address=lambda name: f"{BASE}/sign-in/return/{name}",
            has_passwords=has_passwords,
        )
        access.signing_in = SigningIn(
            access.accounts, tickets, has_passwords=has_passwords, demand=demand
        )
        self.build()

    def leave(self, browser: Browser, path: str = "/sign-in/with/company") -> str:
        """Follow the link to the provider; return the address there."""
        if path.startswith("/account/connect/"):
            answer = browser.submit(path)
            assert answer.status_code == 200, answer.text
            return answer.headers["refresh"].partition("url=")[2]
        answer = browser.get(path)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def sign_in(
        self, browser: Browser, path: str = "/sign-in/with/company", **changes: str | None
    ) -> httpx.Response:
        """Go there and come back."""
        return come_back(browser, self.fake, self.leave(browser, path), **changes)


def come_back(
    browser: Browser,
    fake: FakeProvider,
    address: str,
    name: str = "company",
    /,
    **changes: str | None,
) -> httpx.Response:
    brought = urlencode(fake.come_back(address, **changes))
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    path = f"/sign-in/return/{name}?{brought}"
    return browser.ask("GET", path, headers={**headers, "sec-fetch-dest": "document"})
