"""What pages call things that have another name in data, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from codometer.access.permissions import Role

OTHER: Final = "Other"
_UNKNOWN_MODEL: Final = "Unknown model"
_NO_TEAM: Final = "No team"
ACTOR_NAMES: Final[Mapping[str, str]] = {
    "local": "Whoever runs the server",
    "system": "The server",
    "credential": "A credential",
    "account": "An account",
    "unknown": "Nobody known",
}
"""Who does something, by the kind of actor that the audit log has."""
ROLE_NAMES: Final = {
    Role.VIEWER: "Viewer",
    Role.DEVELOPER: "Developer",
    Role.TEAM_LEAD: "Team lead",
    Role.FINOPS: "FinOps",
    Role.AUDITOR: "Auditor",
    Role.ADMINISTRATOR: "Administrator",
}

# As canonical names are spelled: claude-opus-4-5, and for older ones claude-3-5-haiku.
_CLAUDE: Final = re.compile(
    r"claude-(?:(?P<family>[a-z]+)-(?P<new>\d+(?:-\d{1,2})?)"
    r"|(?P<old>\d+(?:-\d{1,2})?)-(?P<old_family>[a-z]+))"
)


def name_model(model: str | None) -> str:
    """Return a model's name for people: `Opus 4.5` for `claude-opus-4-5`; others as they are."""
    if model is None:
        return _UNKNOWN_MODEL
    match = _CLAUDE.fullmatch(model)
    if match is None:
        return model
    family = match["family"] or match["old_family"]
    version = match["new"] or match["old"]
    return f"{family.capitalize()} {version.replace('-', '.')}"


def name_team(team: str | None) -> str:
    """Return a team's name, also where none is known."""
    return _NO_TEAM if team is None else team
