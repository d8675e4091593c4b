"""What clients and programs prove themselves with: all of them, and one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Final

from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.audit import Filter
from codometer.access.credential import Credential, State, find_notice
from codometer.access.permissions import Permission
from codometer.access.secret import Kind
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.pages.access.sources import CREDENTIALS, AccessSources, detail_page
from codometer.serve.web.paging import find_part
from codometer.serve.web.visitor import Visitor

KIND_NAMES: Final = {
    Kind.INGEST: "Ingest",
    Kind.PERSONAL: "Personal",
    Kind.SERVICE: "Service",
    Kind.SCRAPE: "Scrape",
}
KINDS: Final = {
    Kind.INGEST: "Clients send what they used with it. It can read nothing.",
    Kind.PERSONAL: "One person asks with it, from a terminal or a script.",
    Kind.SERVICE: "A program asks with it: a report, an export, a chart elsewhere.",
    Kind.SCRAPE: "Prometheus reads /metrics with it, and nothing else.",
}
SCOPES: Final = {
    Permission.INGEST_LOGS: "Send events",
    Permission.INGEST_METRICS: "Send metrics",
    Permission.INGEST_TRACES: "Send spans",
    Permission.READ_NUMBERS: "Ask for measures",
    Permission.READ_TOTALS: "See what all cost, exactly",
    Permission.READ_STATUS: "See what arrives and what is stored",
    Permission.READ_SETTINGS: "See the settings in force",
    Permission.READ_METRICS: "Scrape /metrics",
    Permission.READ_CREDENTIALS: "See which credentials there are",
    Permission.READ_ACCOUNTS: "See which accounts there are",
    Permission.READ_AUDIT: "Read and verify the audit log",
    Permission.READ_PRIVACY: "See what is collected",
    Permission.READ_REVEALS: "See who asked for names",
    Permission.READ_TEAMS: "See how many people are in which team",
    Permission.WRITE_CREDENTIALS: "Make, rotate and revoke credentials",
    Permission.WRITE_ACCOUNTS: "Invite people; change and disable accounts",
    Permission.WRITE_PRIVACY: "Change privacy; set legal holds; replace keys",
    Permission.WRITE_PEOPLE: "Export and erase what is stored of people; assign teams",
}
"""What each scope lets a program do, in the order in which they are offered."""
_GROUPS: Final = {"ingest": "Send", "read": "See", "write": "Do"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A credential as it is shown; when it was last used to the day.

    `words` say what it may, as parts of one sentence; `days_left` counts one begun as one.
    """

    credential: Credential
    kind: str
    state: State
    words: Sequence[str]
    notice: int | None
    days_left: int
    last_used: datetime | None

    @property
    def is_good(self) -> bool:
        """Whether it can be used."""
        return self.state is State.ACTIVE


def credentials_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page of all credentials."""
    return Page(
        path=CREDENTIALS.path,
        name=CREDENTIALS.name,
        title="Credentials",
        template="access/credentials_page.html",
        group="Privacy & access",
        permission=CREDENTIALS.reads,
        panels=(
            Panel(
                name="credentials",
                title="Credentials",
                template="access/credentials.html",
                build=partial(_build_all, sources),
                classes="c12",
            ),
        ),
    )


def credential_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page of one credential."""
    return detail_page(
        sources, CREDENTIALS, path="/access/credential", title="Credential", build=_build_one
    )


def list_scopes(scopes: frozenset[Permission]) -> Sequence[tuple[Permission, str]]:
    """Return scopes with what each lets a program do."""
    return [(scope, words) for scope, words in SCOPES.items() if scope in scopes]


def group_scopes(scopes: frozenset[Permission]) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return the same by what kind of right each is, as the roles are shown."""
    listed = list_scopes(scopes)
    groups = {
        words: [(scope, said) for scope, said in listed if scope.startswith(f"{kind}:")]
        for kind, words in _GROUPS.items()
    }
    return {words: found for words, found in groups.items() if found}


def _build_all(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    lines = [line_of(each, visitor.now) for each in sources.access.credentials.list_credentials()]
    good = [line for line in lines if line.is_good]
    shows_ended = bool(visitor.given.get("ended"))
    return {
        "part": find_part(lines if shows_ended else good, visitor),
        "ended": len(lines) - len(good),
        "shows_ended": shows_ended,
        "ending": sum(line.notice is not None for line in lines),
    }


def _build_one(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    found = sources.get_credential(visitor.given.get("id", ""))
    return {
        "line": line_of(found, visitor.now),
        "credential": found,
        "means": KINDS[found.kind],
        "maker": _find_maker(sources, found, visitor),
    }


def line_of(credential: Credential, now: datetime) -> Line:
    """Return a credential as it is shown now."""
    uses = [secret.last_used for secret in credential.secrets if secret.last_used]
    return Line(
        credential=credential,
        kind=KIND_NAMES[credential.kind],
        state=credential.state(now),
        words=_join_words(credential.granted),
        notice=find_notice(credential, now),
        days_left=ceil((credential.secrets[-1].expires - now) / timedelta(days=1)),
        last_used=max(uses, default=None),
    )


def _join_words(scopes: frozenset[Permission]) -> Sequence[str]:
    words = [words for _, words in list_scopes(scopes)]
    return [*words[:1], *(each[0].lower() + each[1:] for each in words[1:])]


def _find_maker(sources: AccessSources, credential: Credential, visitor: Visitor) -> str:
    """Return who made it, as the audit log knows, by name to those who may see names."""
    wanted = Filter(actions=(Action.CREDENTIAL_CREATE,), objects=(credential.id,), limit=1)
    found = sources.access.audit.list_entries(wanted)
    if not found:
        return "The audit log no longer knows"
    entry = found[0].entry
    return sources.name_actor(Actor(kind=ActorKind(entry.actor_kind), id=entry.actor), visitor)
