"""What is agreed to at one moment, and whether that covers what comes from somebody.

The intake asks for every event of a request, so answers are worked out once for
each origin and remembered. As long as nobody agreed to anything there is nothing to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.people.consents import PersonalConsent, ProjectConsent, project_of
from codometer.privacy.profile import Content

if TYPE_CHECKING:
    from codometer.model.event import Origin

_MAX_REMEMBERED: Final = 16_384
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Cover(NamedTuple):
    """The consents that let content be kept."""

    project_consent: str
    personal_consent: str | None


@dataclass(frozen=True, slots=True)
class Covering:
    """The consents in force. They hold `until` one of them ends."""

    _offers: Mapping[str, str]
    """By project its consent."""
    _people: Mapping[str, Mapping[str, str]] | None
    """By project and person theirs; None where nobody else needs to agree."""
    until: datetime
    _found: dict[int, Cover | None] = field(default_factory=dict)

    @property
    def has_any(self) -> bool:
        """Whether anything of anybody is covered."""
        return bool(self._offers)

    def find(self, origin: Origin) -> Cover | None:
        """Return the consents that cover an origin."""
        if not self._offers:
            return None
        try:
            return self._found[origin.id]
        except KeyError:
            found = self._work_out(origin)
        if len(self._found) < _MAX_REMEMBERED:
            self._found[origin.id] = found
        return found

    def _work_out(self, origin: Origin) -> Cover | None:
        project = project_of(origin.repository, origin.team)
        if project is None or origin.person is None or project not in self._offers:
            return None
        if self._people is None:
            return Cover(self._offers[project], None)
        personal = self._people[project].get(origin.person)
        return None if personal is None else Cover(self._offers[project], personal)


NOTHING: Final = Covering({}, None, _NEVER)


def make_covering(
    allowed: Content,
    offers: Iterable[ProjectConsent],
    agreed: Iterable[PersonalConsent],
    *,
    person_of: Callable[[str], str],
    now: datetime,
) -> Covering:
    """Work out what is covered now; `person_of` says whose a pseudonym is."""
    if allowed is Content.NOBODY:
        return NOTHING
    open_ = {each.id: each for each in offers if each.is_live(now)}
    if allowed is Content.PROJECT:
        ends = [each.expires for each in open_.values()]
        covered = {each.project: each.id for each in open_.values()}
        return Covering(covered, None, min(ends, default=_NEVER))
    people: dict[str, dict[str, str]] = {}
    ends = []
    for each in agreed:
        if each.is_live(now):
            people.setdefault(each.offer.project, {})[person_of(each.person)] = each.id
            ends += each.expires, each.offer.expires
    covered = {each.project: each.id for each in open_.values() if each.project in people}
    return Covering(covered, people, min(ends, default=_NEVER))
