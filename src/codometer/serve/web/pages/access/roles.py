"""What each role may, in words, from the data that the server obeys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from codometer.access.permissions import (
    GIVEN_FREELY,
    OF_TEAMS,
    ROLES,
    Permission,
    Role,
    granted_to,
)
from codometer.errors import Forbidden
from codometer.serve.web.naming import ROLE_NAMES

WORDS: Final[Mapping[str, Mapping[Permission, str]]] = {
    "See": {
        Permission.READ_NUMBERS: "Cost, use and results of teams",
        Permission.READ_TOTALS: "What all cost, exactly",
        Permission.READ_OWN: "What is stored of themselves",
        Permission.READ_PEOPLE: "Numbers of single people",
        Permission.READ_PRIVACY: "What is collected and what is not",
        Permission.READ_STATUS: "What arrives and what is stored",
        Permission.READ_SETTINGS: "How the server is set up",
        Permission.READ_METRICS: "How the server itself is doing",
        Permission.READ_ACCOUNTS: "Who has an account",
        Permission.READ_CREDENTIALS: "Which credentials there are",
        Permission.READ_AUDIT: "The audit log",
        Permission.READ_REVEALS: "Who asked for names, and why",
        Permission.READ_TEAMS: "How many people are in which team",
    },
    "Do": {
        Permission.OWN_ACCOUNT: "Change their own account",
        Permission.WRITE_ACCOUNTS: "Invite people; change and disable accounts",
        Permission.WRITE_CREDENTIALS: "Make, rotate and revoke credentials",
        Permission.WRITE_PRIVACY: "Change privacy; set legal holds; replace keys",
        Permission.WRITE_PEOPLE: "Export and erase what is stored of people; assign teams",
        Permission.APPROVE_REVEALS: "Agree that a name is told",
        Permission.REVEAL_PEOPLE: "Ask for the name behind a pseudonym",
    },
}
"""What is decided by role. Sending is for credentials alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that may be done, and whether each role may; `is_of_teams` for some teams, too."""

    label: str
    allowed: Sequence[bool]
    is_of_teams: bool


def list_roles() -> tuple[Sequence[str], Mapping[str, Sequence[Row]]]:
    """Return the names of the roles, and by group what each of them may."""
    groups = {
        group: [
            Row(
                label=label,
                allowed=[permission in ROLES[role] for role in Role],
                is_of_teams=permission in OF_TEAMS,
            )
            for permission, label in words.items()
        ]
        for group, words in WORDS.items()
    }
    return [ROLE_NAMES[role] for role in Role], groups


def explain_lack(permission: Permission) -> Forbidden | None:
    """Say in words for whom what a permission allows is; None where no role has it."""
    roles = [ROLE_NAMES[role] for role in Role if permission in ROLES[role]]
    words = next((words[permission] for words in WORDS.values() if permission in words), None)
    if not roles or words is None:
        return None
    of_all = "" if permission in OF_TEAMS else ", of all teams"
    return Forbidden(
        f"{words}: this is for whoever has the role {' or '.join(roles)}{of_all}",
        hint="an administrator can change your role",
    )


def list_grantable(held: AbstractSet[Permission]) -> Sequence[tuple[str, str]]:
    """Return the roles that somebody may give to others, for a choice."""
    return [
        (role, ROLE_NAMES[role]) for role in Role if granted_to(role, None) - GIVEN_FREELY <= held
    ]
