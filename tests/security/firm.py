"""A firm with a server that runs: two teams, people of every role, every kind of credential.

All who may ask it anything are listed here, each with what it was granted, so
that a test can derive what each must be answered. Nothing here knows a route.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import select

from codometer.access.access import Access
from codometer.access.actor import SYSTEM, Actor, ActorKind
from codometer.access.credential import Made, Wanted
from codometer.access.permissions import (
    ROLES,
    SCOPES,
    USUAL_SCOPES,
    Permission,
    Role,
    granted_to,
)
from codometer.access.secret import Kind, make_secret
from codometer.privacy.profile import Profile
from codometer.settings import Ingest
from codometer.store.control_tables import ACCOUNT
from tests.browser.fleet import Served, serve

PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test
PROMPT: Final = "please rewrite the secret recipe of the soup"
COOKIE: Final = "codometer"
DAYS: Final = 10
"""On each of so many days before today everybody made one request."""
_ALIEN: Final = Actor(kind=ActorKind.UNKNOWN)
_NO_TLS: Final = ssl.create_default_context()
"""Made once: to make one for each client takes longer than all that they ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who work on one repository with a model that nobody else uses."""

    name: str
    model: str
    repository: str
    people: tuple[str, ...]
    tokens: int
    """Of each request; no number of one team is one of the other."""

    def emails(self) -> tuple[str, ...]:
        return tuple(f"{name}@{self.name}.example" for name in self.people)

    def marks(self) -> tuple[str, ...]:
        """Return the names by which an answer would tell of this team."""
        return (self.name, self.model, self.repository.partition("/")[2])


OWN: Final = Team(
    name="checkout",
    model="claude-lantern",
    repository="shop/basket",
    people=("ada", "barbara", "carol", "dorothy", "edith", "frances"),
    tokens=1_013,
)
OTHER: Final = Team(
    name="search",
    model="claude-submarine",
    repository="shop/finder",
    people=("grace", "hedy", "irene", "joan", "katherine", "lise"),
    tokens=70_001,
)
SCOPES_OF_TEAMS: Final = {
    "own": frozenset({OWN.name}),
    "other": frozenset({OTHER.name}),
    "all": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody or something that asks: `granted` None is nobody who is known."""

    name: str
    granted: frozenset[Permission] | None
    teams: frozenset[str] | None = None
    login: str = ""
    """Of whom it is the session."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = "127.0.0.1"
    """Where it asks from. What is refused counts against all who ask from there."""

    def client(self, url: str, **headers: str) -> httpx.Client:
        """Return a client that follows nothing and keeps no cookie of its own accord."""
        return httpx.Client(
            base_url=url,
            headers={**self.headers, **headers},
            transport=httpx.HTTPTransport(verify=_NO_TLS, local_address=self.address),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=60,
        )


@dataclass
class Firm:
    """The server, and everybody who may ask it something."""

    served: Served
    askers: dict[str, Asker] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """What proves somebody to be who they are, by whose it is. No answer repeats one."""

    @property
    def url(self) -> str:
        return self.served.url

    @property
    def otlp_url(self) -> str:
        return f"http://127.0.0.1:{self.served.server.otlp_http.port}"

    @property
    def access(self) -> Access:
        return self.served.server.access

    def ask(self, asker: str, method: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        """Send one request and return the whole answer."""
        headers = sent.pop("headers", {})
        with self.askers[asker].client(self.url, **headers) as client:
            return client.request(method, path, **sent)

    def sign_in(self, login: str) -> str:
        """Return the secret of a new session."""
        signing_in = self.access.signing_in
        return signing_in.with_password(login, PASSWORD, _ALIEN, address="127.0.0.1").session

    def send(self, team: Team, *, people: tuple[str, ...] = (), tokens: int = 0) -> None:
        """Have people of a team report the requests of the last days."""
        records = [
            _request(team, name, day, tokens or team.tokens)
            for name in people or team.people
            for day in range(DAYS)
        ]
        told = {"service.name": "claude-code", "team.id": team.name}
        resource = {"attributes": _attributes(told)}
        body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}
        answer = httpx.post(
            f"{self.otlp_url}/v1/logs",
            json=body,
            headers={"authorization": f"Bearer {self.secrets['ingest']}"},
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        assert answer.json() == {}
        self.served.server.store.roll_up()


@contextmanager
def found(folder: Path) -> Iterator[Firm]:
    """Found a firm for a `with` block."""
    with serve(folder, ingest=Ingest(credentials="required")) as served:
        firm = Firm(served)
        _hire(firm)
        _issue(firm)
        _turn_away(firm)
        for team in (OWN, OTHER):
            firm.send(team)
        yield firm


def private_texts() -> tuple[str, ...]:
    """Return what names a person, or is what they wrote: nobody is told any of it."""
    names = [name for team in (OWN, OTHER) for name in team.people]
    return (
        PROMPT,
        *OWN.emails(),
        *OTHER.emails(),
        *(f"{kind}-of-{name}" for name in names for kind in ("uuid", "machine", "session")),
    )


def _hire(firm: Firm) -> None:
    """Give everybody an account: each role with its own team, the other one, and all of them."""
    accounts = firm.access.accounts
    first = accounts.invite_first()
    assert first is not None
    with firm.access.audit.change(_ALIEN) as change:
        decisions = firm.served.server.people.decisions
        decisions.choose_first(Profile.STANDARD, "to see costs", change)
    accounts.join(first.secret, "root", PASSWORD, _ALIEN)
    firm.served.server.people.follow()
    for role in Role:
        for which, teams in SCOPES_OF_TEAMS.items():
            login = f"{role}.{which}@firm.example"
            accounts.join(
                accounts.invite(role, SYSTEM, teams=teams).secret, login, PASSWORD, _ALIEN
            )
            secret = firm.sign_in(login)
            name = f"{role} of {which}"
            firm.secrets[name] = secret
            firm.askers[name] = Asker(
                name=name,
                granted=granted_to(role, teams),
                teams=teams,
                login=login,
                headers=_in_cookie(secret),
            )
    firm.secrets["an open invitation"] = accounts.invite(Role.VIEWER, SYSTEM).secret
    with firm.access.control.read() as connection:
        for login, kept in connection.execute(select(ACCOUNT.c.login, ACCOUNT.c.password)):
            firm.secrets[f"the password of {login}"] = kept


def _issue(firm: Firm) -> None:
    """Make a credential of each kind, and one for each single scope."""
    wanted = {str(kind): (kind, USUAL_SCOPES[kind]) for kind in Kind}
    wanted["personal, all scopes"] = (Kind.PERSONAL, SCOPES[Kind.PERSONAL])
    for scope in sorted(SCOPES[Kind.SERVICE]):
        wanted[f"service, {scope} alone"] = (Kind.SERVICE, frozenset({scope}))
    for name, (kind, scopes) in wanted.items():
        secret = make_credential(firm.access, kind, scopes).secret
        firm.secrets[name] = secret
        firm.askers[name] = _program(name, secret, scopes)
    operator = firm.access.operator_secret
    firm.secrets["operator"] = operator
    firm.askers["operator"] = _program("operator", operator, ROLES[Role.ADMINISTRATOR])


def _turn_away(firm: Firm) -> None:
    """List those whom nothing is granted, each at an address of its own."""
    access, accounts = firm.access, firm.access.accounts
    revoked = make_credential(access, Kind.PERSONAL, SCOPES[Kind.PERSONAL])
    access.credentials.revoke(revoked.credential.id, SYSTEM)
    expired = make_credential(access, Kind.PERSONAL, SCOPES[Kind.PERSONAL])
    access.credentials.rotate(expired.credential.id, SYSTEM, overlap=timedelta())
    link = accounts.invite(Role.ADMINISTRATOR, SYSTEM)
    account = accounts.join(link.secret, "gone@firm.example", PASSWORD, _ALIEN)
    disabled = firm.sign_in("gone@firm.example")
    accounts.disable(account.id, SYSTEM)
    root = firm.sign_in("root")
    over = firm.access.sessions.find(root, datetime.now(UTC))
    assert over is not None
    access.signing_in.sign_out(over, _ALIEN)
    bearers = {
        "an unknown credential": make_secret(Kind.PERSONAL),
        "a mistyped credential": f"{revoked.secret[:-1]}~",
        "a revoked credential": revoked.secret,
        "an expired credential": expired.secret,
        "a session as a credential": firm.secrets["administrator of all"],
    }
    cookies = {
        "the session of a disabled account": disabled,
        "a session that was signed out": root,
        "a credential as a session": firm.secrets["personal, all scopes"],
        "the operator as a session": firm.access.operator_secret,
    }
    nobody = {
        "nobody": {},
        "an empty cookie": _in_cookie(""),
        "a password as a credential": {"authorization": f"Basic {PASSWORD}"},
        **{name: _in_cookie(secret) for name, secret in cookies.items()},
        **{name: {"authorization": f"Bearer {secret}"} for name, secret in bearers.items()},
    }
    for number, (name, headers) in enumerate(nobody.items(), 2):
        address = f"127.0.0.{number}"
        firm.askers[name] = Asker(name=name, granted=None, headers=headers, address=address)


ASKERS: Final = (
    *(f"{role} of {which}" for role in Role for which in SCOPES_OF_TEAMS),
    *Kind,
    "personal, all scopes",
    *(f"service, {scope} alone" for scope in sorted(SCOPES[Kind.SERVICE])),
    "operator",
)
"""The names of those who are known."""

STRANGERS: Final = (
    "nobody",
    "an empty cookie",
    "a password as a credential",
    "the session of a disabled account",
    "a session that was signed out",
    "a credential as a session",
    "the operator as a session",
    "an unknown credential",
    "a mistyped credential",
    "a revoked credential",
    "an expired credential",
    "a session as a credential",
)
"""The names of those who are not."""


def make_credential(access: Access, kind: Kind, scopes: frozenset[Permission]) -> Made:
    """Make a credential as an administrator does."""
    return access.credentials.create(Wanted(kind=kind, name=kind, scopes=scopes), SYSTEM)


def _in_cookie(secret: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={secret}"}


def _program(name: str, secret: str, scopes: frozenset[Permission]) -> Asker:
    return Asker(name=name, granted=scopes, headers={"authorization": f"Bearer {secret}"})


def _request(team: Team, name: str, day: int, tokens: int) -> dict[str, Any]:
    told = {
        "event.name": "api_request",
        "request_id": f"request-{name}-{day}",
        "session.id": f"session-of-{name}",
        "user.id": f"machine-of-{name}",
        "user.account_uuid": f"uuid-of-{name}",
        "user.email": f"{name}@{team.name}.example",
        "prompt": PROMPT,
        "vcs.repository.name": team.repository,
        "model": team.model,
        "input_tokens": str(tokens),
        "output_tokens": "1",
        "cost_usd": f"{tokens / 1000}",
    }
    moment = time.time_ns() - (day * 86_400 + 3_600) * 10**9
    return {
        "timeUnixNano": str(moment),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": _attributes(told),
    }


def _attributes(told: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
