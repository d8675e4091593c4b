"""The profiles as a table, and who may see what, from the data that the server obeys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from codometer.access.permissions import ROLES, Permission, Role
from codometer.privacy.profile import POLICIES, Content, Cut, Identity, Policy, Profile, Strangers
from codometer.serve.web.naming import ROLE_NAMES

_IDENTITY: Final = {
    Identity.PSEUDONYM: "a pseudonym only",
    Identity.VAULT: "a pseudonym; the e-mail address encrypted, apart",
    Identity.PLAIN: "what the client says",
}
_STRANGERS: Final = {
    Strangers.NAMES: "their name only",
    Strangers.TOKENS: "numbers and single words",
    Strangers.LABELS: "short texts",
}
_CONTENT: Final = {
    Content.NOBODY: "never kept",
    Content.BOTH: "kept where a project and the person agree",
    Content.PROJECT: "kept where a project is open for it",
}
_CUTS: Final = {
    Cut.HOUR: "by hour",
    Cut.DAY: "by day",
    Cut.WEEK: "by whole weeks that are over",
}
_REVEALS: Final = {
    Identity.PSEUDONYM: "where a second person agrees",
    Identity.VAULT: "with a reason, on the record, and the person sees it",
    Identity.PLAIN: "there is nothing to ask for",
}
_ROWS: Final[Mapping[str, Callable[[Policy], str]]] = {
    "A person is stored as": lambda policy: _IDENTITY[policy.identity],
    "The name behind a pseudonym is told": lambda policy: _REVEALS[policy.identity],
    "Repositories are stored": lambda policy: (
        "as pseudonyms" if policy.hides_repositories else "by name"
    ),
    "Kept of attributes that nobody knows": lambda policy: _STRANGERS[policy.strangers],
    "Single events are kept for at most": lambda policy: f"{policy.detail_days} days",
    "Whose a session was is known for at most": lambda policy: f"{policy.session_days} days",
    "What a person used on a day, for at most": lambda policy: f"{policy.person_days} days",
    "What people and models write": lambda policy: _CONTENT[policy.content],
    "Fewest people that a number covers": lambda policy: f"{policy.min_people}",
    "Teams and cost centres are told of": lambda policy: _CUTS[policy.finest_cut],
    "One person's numbers over time are told": lambda policy: (
        "where nobody signs in" if policy.identity is Identity.PLAIN else "to nobody"
    ),
}
PROFILES: Final = (Profile.STRICT, Profile.STANDARD, Profile.OPEN)

_SIGHT: Final[Mapping[str, tuple[Permission, str]]] = {
    "Own data": (Permission.READ_OWN, "their own data"),
    "Numbers of their teams": (Permission.READ_NUMBERS, "numbers of their teams"),
    "What all cost, exact": (Permission.READ_TOTALS, "exactly what all cost"),
    "Single people": (Permission.READ_PEOPLE, "numbers of single people"),
    "Audit log": (Permission.READ_AUDIT, "the audit log"),
    "Change privacy": (Permission.WRITE_PRIVACY, "what can be changed of privacy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting of a profile, in the words of each."""

    label: str
    words: Mapping[Profile, str]


def list_rows() -> Sequence[Row]:
    """Return what each profile means, one setting a row."""
    return [
        Row(label=label, words={profile: write(POLICIES[profile]) for profile in PROFILES})
        for label, write in _ROWS.items()
    ]


def list_changes(before: Profile, after: Profile) -> Sequence[tuple[str, str, str]]:
    """Return the settings that differ: what they are, what was, what will be."""
    return [
        (row.label, row.words[before], row.words[after])
        for row in list_rows()
        if row.words[before] != row.words[after]
    ]


def list_sight() -> tuple[Sequence[str], Sequence[tuple[str, Sequence[bool]]]]:
    """Return what can be seen, and for each role which of it its holder sees."""
    rows = [
        (ROLE_NAMES[role], [permission in ROLES[role] for permission, _ in _SIGHT.values()])
        for role in Role
    ]
    return list(_SIGHT), rows


def describe_sight() -> Sequence[tuple[str, str]]:
    """Return for each role, in words, what its holder sees."""
    return [
        (
            ROLE_NAMES[role],
            "; ".join(text for permission, text in _SIGHT.values() if permission in ROLES[role]),
        )
        for role in Role
    ]
