"""Who may do what, as data, and the one function that decides. What is not granted is denied."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from codometer.access.actor import Actor, ActorKind
from codometer.access.secret import Kind


class Permission(StrEnum):
    """One thing that may be done. A credential's scopes are spelt like these."""

    PUBLIC = "public"
    OWN_PROOF = "own:proof"
    OWN_ACCOUNT = "own:account"
    INGEST_LOGS = "ingest:logs"
    INGEST_METRICS = "ingest:metrics"
    INGEST_TRACES = "ingest:traces"
    READ_NUMBERS = "read:aggregates"
    READ_TOTALS = "read:totals"
    READ_PEOPLE = "read:people"
    READ_OWN = "read:own"
    READ_STATUS = "read:status"
    READ_SETTINGS = "read:settings"
    READ_METRICS = "read:metrics"
    READ_CREDENTIALS = "read:credentials"
    WRITE_CREDENTIALS = "write:credentials"
    READ_AUDIT = "read:audit"
    READ_ACCOUNTS = "read:accounts"
    WRITE_ACCOUNTS = "write:accounts"
    READ_TEAMS = "read:teams"
    READ_PRIVACY = "read:privacy"
    WRITE_PRIVACY = "write:privacy"
    WRITE_PEOPLE = "write:people"
    READ_REVEALS = "read:reveals"
    APPROVE_REVEALS = "approve:reveals"
    REVEAL_PEOPLE = "reveal:people"


PERMISSIONS: Final = {
    Permission.PUBLIC: "What everybody may ask: is the server alive, what does its API look like.",
    Permission.OWN_PROOF: "Show who one is, and set up a second factor for that. Every role has it,"
    " no credential.",
    Permission.OWN_ACCOUNT: "See and change one's own account. Every role has it, no credential.",
    Permission.INGEST_LOGS: "Send events.",
    Permission.INGEST_METRICS: "Send metrics.",
    Permission.INGEST_TRACES: "Send spans.",
    Permission.READ_NUMBERS: "Ask for measures.",
    Permission.READ_TOTALS: "See what all cost, in USD and tokens, also where few people worked.",
    Permission.READ_PEOPLE: "See measures by person and session. No role or credential has it.",
    Permission.READ_OWN: "See and export what is stored about oneself. Every role has it.",
    Permission.READ_STATUS: "See what arrives and what is stored.",
    Permission.READ_SETTINGS: "See the settings in force.",
    Permission.READ_METRICS: "Scrape `/metrics`.",
    Permission.READ_CREDENTIALS: "See which credentials there are, never their secrets.",
    Permission.WRITE_CREDENTIALS: "Make, rotate and revoke credentials.",
    Permission.READ_AUDIT: "Read and verify the audit log.",
    Permission.READ_ACCOUNTS: "See which accounts there are.",
    Permission.WRITE_ACCOUNTS: "Invite people, and disable accounts.",
    Permission.READ_TEAMS: "See how many people are known, and how many are in each team.",
    Permission.READ_PRIVACY: "See what is collected, what is not, and why. Every role has it.",
    Permission.WRITE_PRIVACY: "Change privacy profile and purpose; set legal holds; replace keys.",
    Permission.WRITE_PEOPLE: "Do what people may ask for; merge, split and treat them; say"
    " which team they are in.",
    Permission.READ_REVEALS: "See who asked for the name behind a pseudonym, and why.",
    Permission.APPROVE_REVEALS: "Agree, or not, that somebody else is told such a name.",
    Permission.REVEAL_PEOPLE: "Ask for such a name. No role or credential has it; it is lent to an"
    " account for some hours.",
}
"""What each allows, for the reference."""

INGEST: Final = frozenset(
    {Permission.INGEST_LOGS, Permission.INGEST_METRICS, Permission.INGEST_TRACES}
)
EVERYTHING: Final = frozenset(Permission)
_READING: Final = frozenset(
    {Permission.READ_NUMBERS, Permission.READ_STATUS, Permission.READ_METRICS}
)
BEFORE_FACTOR: Final = frozenset({Permission.OWN_PROOF})
"""What somebody may do who must have a second factor, until they have one."""
_OWN: Final = BEFORE_FACTOR | {Permission.OWN_ACCOUNT, Permission.READ_OWN}
REVEALING: Final = frozenset({Permission.REVEAL_PEOPLE, Permission.READ_REVEALS})
"""What is lent to an account that may ask for names."""
_OF_PEOPLE: Final = _OWN | {Permission.READ_PEOPLE, Permission.REVEAL_PEOPLE}
"""What nobody has who is not a person, and some not even then."""
_REST: Final = EVERYTHING - INGEST - _OF_PEOPLE - {Permission.PUBLIC}

SENSITIVE: Final = frozenset(
    {
        Permission.WRITE_CREDENTIALS,
        Permission.WRITE_ACCOUNTS,
        Permission.WRITE_PRIVACY,
        Permission.WRITE_PEOPLE,
        Permission.APPROVE_REVEALS,
        Permission.REVEAL_PEOPLE,
    }
)
"""What nobody may do in a browser that was left alone: whoever is signed in must have shown a few
minutes ago that it is them."""


class Role(StrEnum):
    """What somebody who signs in is here for."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    TEAM_LEAD = "team_lead"
    FINOPS = "finops"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_LOOKING: Final = _OWN | {Permission.READ_NUMBERS, Permission.READ_PRIVACY}

ROLES: Final = {
    Role.VIEWER: _LOOKING,
    Role.DEVELOPER: _LOOKING,
    Role.TEAM_LEAD: _LOOKING,
    Role.FINOPS: _LOOKING | {Permission.READ_TOTALS},
    Role.AUDITOR: _OWN
    | {
        Permission.READ_PRIVACY,
        Permission.READ_REVEALS,
        Permission.APPROVE_REVEALS,
        Permission.READ_AUDIT,
        Permission.READ_ACCOUNTS,
        Permission.READ_CREDENTIALS,
        Permission.READ_SETTINGS,
    },
    Role.ADMINISTRATOR: _REST | _OWN,
}
"""What each may. Who runs the server sees no people by that alone."""

OF_TEAMS: Final = _LOOKING | {Permission.READ_TOTALS}
"""What can be narrowed to teams. All else tells of everybody, or changes what is everybody's: who
is limited to teams has none of it, whatever their role."""

GIVEN_FREELY: Final = INGEST | _OWN
"""What may be granted without having it: to send, and what everybody may with their own."""

SCOPES: Final = {
    Kind.INGEST: INGEST,
    Kind.PERSONAL: _REST - {Permission.APPROVE_REVEALS},
    Kind.SERVICE: _REST - {Permission.APPROVE_REVEALS},
    Kind.SCRAPE: frozenset({Permission.READ_METRICS}),
}
"""What a credential of each kind can be given; one for ingest can never read, and none sees
people: who makes them would see people by that."""

USUAL_SCOPES: Final = {
    Kind.INGEST: INGEST,
    Kind.PERSONAL: _READING,
    Kind.SERVICE: _READING,
    Kind.SCRAPE: frozenset({Permission.READ_METRICS}),
}
"""What it is given when nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Somebody who asks, and what was granted to them: of some teams, or (None) of all."""

    actor: Actor
    granted: AbstractSet[Permission]
    teams: frozenset[str] | None = None


NOBODY: Final = Subject(actor=Actor(kind=ActorKind.UNKNOWN), granted=frozenset())
"""Whoever asks for what everybody may."""


def granted_to(role: Role, teams: AbstractSet[str] | None) -> frozenset[Permission]:
    """Return what whoever has a role may, for these teams or (None) for all."""
    return ROLES[role] if teams is None else ROLES[role] & OF_TEAMS


def is_allowed(subject: Subject, permission: Permission) -> bool:
    """Decide."""
    return permission is Permission.PUBLIC or permission in subject.granted
