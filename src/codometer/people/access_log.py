"""Who looked at what is stored about a person, or did something with it: from the audit log."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from codometer.access.actions import Action
from codometer.access.audit import AuditLog, Filter, Recorded

REVEALS: Final = frozenset({Action.REVEAL_ASK, Action.REVEAL_DECIDE, Action.REVEAL_OPEN})
"""All that happens when somebody wants to know the name behind a pseudonym."""
LOOKS: Final = REVEALS | {Action.PERSON_SHOW, Action.PERSON_EXPORT, Action.CONTENT_VIEW}
_MOST: Final = 1000


def list_acts(
    audit: AuditLog, names: Iterable[str], acts: Collection[Action] = ()
) -> list[Recorded]:
    """Return what was done with whoever is stored under these names, the newest first.

    Without `acts` it is everything, else these alone, however much else was done since.
    """
    wanted = Filter(actions=tuple(sorted(acts)), objects=tuple(sorted(set(names))))
    return audit.read_entries(wanted, _MOST) if wanted.objects else []
