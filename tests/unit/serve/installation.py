"""A server with accounts, and the browsers of the people who have one."""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pyotp
from starlette.applications import Starlette

from codometer.access.access import Access
from codometer.access.actor import SYSTEM
from codometer.access.permissions import Role
from codometer.settings import Listen, Settings, SignIn
from tests.forms import find_token, page_of
from tests.unit.serve.parts import NOW, Office, build_office_app, open_people

PASSWORD = "marble kettle orbit fern"  # noqa: S105 - of a test
HTML = {"accept": "text/html"}
FORM = "application/x-www-form-urlencoded"


class Browser:
    """Keeps cookies, follows nothing by itself, and is one person."""

    def __init__(self, app: Starlette, base: str = "http://127.0.0.1:4319") -> None:
        self.app = app
        self.base = base
        self.cookies = httpx.Cookies()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object = None,
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("203.0.113.77", 5))
            async with httpx.AsyncClient(
                transport=transport, base_url=self.base, cookies=self.cookies
            ) as client:
                given = {**HTML, **(headers or {})}
                sent: dict[str, Any] = {"content": content} if json is None else {"json": json}
                response = await client.request(method, path, headers=given, **sent)
                self.cookies = client.cookies
                return response

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def submit(
        self, path: str, headers: Mapping[str, str] | None = None, /, **fields: str
    ) -> httpx.Response:
        page = self.get(page_of(path, fields.get("link", ""))).text
        return self.send(path, headers, **{"form_token": find_token(page), **fields})

    def send(
        self, path: str, headers: Mapping[str, str] | None = None, /, **fields: str
    ) -> httpx.Response:
        """Send a form that has these fields and no other."""
        given = {"content-type": FORM, "sec-fetch-site": "same-origin", **(headers or {})}
        return self.ask("POST", path, content=urlencode(fields).encode(), headers=given)

    def sign_in(self, login: str) -> httpx.Response:
        return self.submit("/sign-in", login=login, password=PASSWORD, next="/")


class Installation:
    """A server with accounts, of which some people have one."""

    def __init__(
        self, folder: Path, listen: Listen | None = None, sign_in: SignIn | None = None
    ) -> None:
        self.now = NOW
        self.settings = Settings(
            data=folder, listen=listen or Listen(), sign_in=sign_in or SignIn()
        )
        self.office = Office()
        self.access = Access(self.settings, now=lambda: self.now)
        self.build()

    def build(self) -> None:
        """Make the application of what there is now."""
        self.people = open_people(self.access)
        self.app = build_office_app(
            self.office,
            self.settings,
            self.access,
            now=lambda: self.now,
            people=self.people,
        )

    def set_up(self) -> Browser:
        first = self.access.accounts.invite_first()
        assert first is not None
        browser = self.browser()
        answer = browser.submit(
            "/join", link=first.secret, login="root", password=PASSWORD, purpose="to see costs"
        )
        assert answer.status_code == 303, answer.text
        return browser

    def browser(self) -> Browser:
        return Browser(self.app, self.settings.listen.url or "http://127.0.0.1:4319")

    def person(self, login: str, role: Role, *teams: str) -> Browser:
        """Have a new person join, and return their browser, signed in."""
        invitation = self.access.accounts.invite(
            role, SYSTEM, teams=frozenset(teams) if teams else None
        )
        browser = self.browser()
        browser.submit(
            "/join", link=invitation.secret, login=login, password=PASSWORD, purpose="to see costs"
        )
        return browser


def set_up_factor(installation: Installation, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Set an authenticator up as the page says, and return it with the recovery codes."""
    page = browser.get("/account/second-factor").text
    shown = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert shown
    assert ticket
    authenticator = pyotp.TOTP(shown[1].replace(" ", ""))
    code = authenticator.at(installation.now)
    done = browser.send(
        "/account/second-factor", form_token=find_token(page), ticket=ticket[1], code=code
    )
    assert done.status_code == 200, done.text
    installation.now += timedelta(seconds=30)
    return authenticator, re.findall(
        r"^(?:.*<pre[^>]*>)?((?:[a-z2-7]{6}-){3}[a-z2-7]{6})", done.text, re.MULTILINE
    )
