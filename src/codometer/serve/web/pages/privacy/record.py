"""The record of processing activities, from what is in force: for whoever must keep or check one.

GDPR, article 30, lists what belongs into it: https://eur-lex.europa.eu/eli/reg/2016/679 (2026-11).
What no server can know, such as who is responsible, is left to be written in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.model.words import counted
from codometer.networks import is_loopback
from codometer.privacy.profile import Content, Cut, Identity, Kept, Policy, describe
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.pages.privacy.profiles import describe_sight
from codometer.serve.web.pages.privacy.sources import PrivacySources
from codometer.serve.web.visitor import Visitor
from codometer.settings import Settings, installed_version

_BY_HAND: Final = (
    "Controller, and who represents them",
    "Data protection officer",
    "Legal basis, and the balance of interests",
)
_NEVER_FOR: Final = (
    "Ranking people, scoring them, watching their hours, their idle time or their presence:"
    " no page, file or command tells of these."
)
_OF_ACCOUNTS: Final = (
    "The name that somebody signs in with, role, teams, when they signed in, and the network (not"
    " the host) that they did it from."
)
_OF_THE_LOG: Final = (
    "Who did what, when, why and from which network; people stand there by the id of their account"
    " or by their pseudonym, never by name."
)
_ON_ARRIVAL: Final = (
    "What people and models write, code, commands, file names and error texts are dropped before"
    " anything is written, and so is what looks like a credential."
)
_EXCEPT_CONTENT: Final = (
    " Where content was agreed to, what is written is kept apart from the numbers, without secrets"
    " and names."
)
_CUTS: Final = {
    Cut.HOUR: "Teams are told of as finely as all.",
    Cut.DAY: "Teams, cost centres and repositories are told of by day; the hour is told of the"
    " whole organisation alone.",
    Cut.WEEK: "Teams, cost centres and repositories are told of by whole weeks that are over;"
    " days and hours are told of the whole organisation alone.",
}
_AGREED: Final = {
    Content.BOTH: "Content, where a project and the person agreed",
    Content.PROJECT: "Content, where a project is open for it",
}
_SIGN_IN: Final = (
    "Passwords are kept as Argon2id, sessions and credentials as SHA-256 only; tries are limited;"
    " sessions end by themselves."
)
_NAMES: Final = (
    "Administrators see none by being that. The right to ask for one is lent by somebody else, for"
    " some hours, with a reason, and the person can see it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the record: its name, and the facts in it by what they are about."""

    title: str
    facts: Sequence[tuple[str, str]]


def record_page(sources: PrivacySources) -> Page[Visitor]:
    """Return the page."""
    return Page(
        path="/privacy/record",
        name="privacy",
        title="Record of processing",
        tab="Record of processing",
        template="privacy/record_page.html",
        group=None,
        permission=Permission.READ_SETTINGS,
        panels=(
            Panel(
                name="record",
                title="Record of processing activities",
                template="privacy/record.html",
                build=partial(_build, sources),
                classes="c12 paper",
            ),
        ),
    )


def _build(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    decision = sources.decisions.find_in_force()
    policy, settings = sources.policy(decision), sources.settings
    kept = sources.kept(policy)
    return {
        "decision": decision,
        "upcoming": sources.decisions.find_upcoming(),
        "by_hand": _BY_HAND,
        "version": installed_version(),
        "sections": (
            _purpose(decision.purpose),
            _people(),
            _data(policy, kept),
            _recipients(settings, policy, sources.minimum_people()),
            _retention(settings, policy, kept),
            _technical(settings, policy),
            _organisational(settings),
            _rights(),
        ),
    }


def _purpose(purpose: str) -> Section:
    declared = purpose or "Not declared yet: an administrator declares it on the page of privacy."
    return Section(
        title="Purpose",
        facts=(
            ("What the numbers are for", declared),
            ("What they are never for", _NEVER_FOR),
        ),
    )


def _people() -> Section:
    return Section(
        title="Persons",
        facts=(
            ("Who uses a coding agent", "People whose clients are set to report to this server."),
            ("Who signs in", "People who were invited to look at the numbers, or run the server."),
        ),
    )


def _data(policy: Policy, kept: Kept) -> Section:
    described = describe(policy, kept)
    return Section(
        title="Categories of data",
        facts=(
            ("Use of agents", described.collected),
            ("Never kept", described.never),
            ("Content", described.content),
            ("Identity", described.identity),
            ("Further", " ".join(described.others)),
            ("Accounts", _OF_ACCOUNTS),
            ("Audit log", _OF_THE_LOG),
        ),
    )


def _recipients(settings: Settings, policy: Policy, minimum: int) -> Section:
    database = (
        "A PostgreSQL server keeps accounts, keys and the audit log (control.database)."
        if settings.control.database
        else "None: everything is kept in the data folder of this server."
    )
    return Section(
        title="Recipients",
        facts=(
            *((role, f"Sees {what}.") for role, what in describe_sight()),
            ("Reviewers of content", _reviewers(policy)),
            ("Small groups", _small_groups(minimum)),
            ("Groups in time", _CUTS[policy.finest_cut]),
            ("Other systems", database),
            (
                "Third countries",
                "None by this server: it contacts no host that was not configured.",
            ),
        ),
    )


def _retention(settings: Settings, policy: Policy, kept: Kept) -> Section:
    return Section(
        title="Time limits",
        facts=(
            ("Single events", f"{counted(kept.detail_days, 'day')}."),
            ("Whose a session was", f"{counted(kept.session_days, 'day')}."),
            ("What a person used on a day", f"{counted(kept.person_days, 'day')}."),
            ("Sums of teams and of all", f"{counted(kept.sum_days, 'day')}."),
            (
                _AGREED.get(policy.content, "Content"),
                f"At most {counted(settings.retention.content_days, 'day')}."
                if policy.content in _AGREED
                else "None is kept.",
            ),
            ("Audit log", f"{counted(settings.retention.audit_days, 'day')}."),
            ("Sessions of who signed in", "At most 7 days; of administrators 24 hours."),
            ("Accounts", "Until an administrator disables them."),
        ),
    )


def _technical(settings: Settings, policy: Policy) -> Section:
    return Section(
        title="Technical measures",
        facts=(
            ("On arrival", _ON_ARRIVAL + (_EXCEPT_CONTENT if policy.content in _AGREED else "")),
            ("Pseudonyms", _pseudonyms(policy)),
            ("Encryption", _encryption(settings, policy)),
            ("Transport", _transport(settings)),
            ("Sign-in", _SIGN_IN),
            ("Clients", _clients(settings)),
        ),
    )


def _organisational(settings: Settings) -> Section:
    return Section(
        title="Organisational measures",
        facts=(
            ("Roles", "Everybody is allowed what their role needs, in their teams; no more."),
            ("Changes", _changes(settings)),
            ("Names", _NAMES),
        ),
    )


def _rights() -> Section:
    return Section(
        title="Rights of the persons",
        facts=(
            ("Access and copy", "On the page My data; for who has no account, on request."),
            (
                "Objection",
                "Asked for on the page My data, or on request: then they are nobody.",
            ),
            ("Erasure", "Asked for there, or on request. Sums stay, and are nobody's."),
            (
                "Rectification",
                "Asked for there, or on request: who is one person, and in which team when.",
            ),
            ("Who looked", "On the page My data, from the audit log."),
        ),
    )


def _pseudonyms(policy: Policy) -> str:
    if policy.identity is Identity.PLAIN:
        return "None: this profile stores what the client says."
    return "HMAC-SHA-256 with a key of this installation; keys can be replaced."


def _small_groups(minimum: int) -> str:
    if minimum == 1:
        return "Nothing is withheld: only the person at this machine can look."
    return (
        f"Numbers of fewer than {minimum} people are withheld, and so is what they would follow"
        " from."
    )


def _reviewers(policy: Policy) -> str:
    if policy.content not in _AGREED:
        return "None: no content is kept."
    return (
        "Read content of the projects that they were named for, with a reason; the person sees who"
        " read theirs, and why."
    )


def _encryption(settings: Settings, policy: Policy) -> str:
    content = " and, with a key of its own, for content" if policy.content in _AGREED else ""
    return (
        f"AES-256-GCM for names in the vault{content}; the keys are locked with a main key"
        f" ({_main_key(settings)}). Other telemetry is left to the encryption of the disk."
    )


def _changes(settings: Settings) -> str:
    anchors = "another file" if settings.audit.anchors_file else "a file in the data folder"
    return (
        "Each has an entry in an audit log whose entries are chained by hash and anchored in"
        f" {anchors}. To know more about people takes seven days' notice."
    )


def _main_key(settings: Settings) -> str:
    if settings.keys.command:
        return "from a command"
    return "from a file that was named" if settings.keys.file else "from its usual place"


def _transport(settings: Settings) -> str:
    if settings.listen.url:
        return f"People and clients reach it at {settings.listen.url}, with TLS."
    if is_loopback(settings.listen.host):
        return "It listens on this machine only."
    return f"It listens on {settings.listen.host}."


def _clients(settings: Settings) -> str:
    if settings.ingest.credentials == "required" or not is_loopback(settings.listen.host):
        return "Each must prove itself with a credential."
    return "They need no credential on this machine (ingest.credentials is optional)."
