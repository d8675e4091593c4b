"""The three privacy profiles, as data, and what each means in words.

Whoever wants to know what is collected reads the policy in force, never a text
of its own: `describe` makes the words from the same fields that the intake obeys.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codometer.settings import Retention


class Profile(StrEnum):
    """How much may be known about people, the least first."""

    STRICT = "strict"
    STANDARD = "standard"
    OPEN = "open"


class Identity(StrEnum):
    """How a person is stored."""

    PSEUDONYM = "pseudonym"
    """As a keyed pseudonym, and nowhere else."""
    VAULT = "vault"
    """As a keyed pseudonym, with the e-mail address encrypted in the vault."""
    PLAIN = "plain"


class Strangers(StrEnum):
    """What is kept of an attribute that nobody knows."""

    NAMES = "names"
    TOKENS = "tokens"
    LABELS = "labels"


class Content(StrEnum):
    """Who must agree before what people and models write is kept."""

    NOBODY = "nobody"
    """Nobody can: it is never kept."""
    BOTH = "both"
    """The project, and each person for themselves."""
    PROJECT = "project"
    """The project alone."""


class Cut(StrEnum):
    """A way to cut time, the finest first."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a profile means."""

    profile: Profile
    min_people: int
    """The fewest persons that a number may tell of."""
    finest_cut: Cut
    """The finest cut of time by which a part of the organisation, such as a team, is told of."""
    identity: Identity
    strangers: Strangers
    hides_repositories: bool
    """Whether repositories are stored under pseudonyms."""
    detail_days: int
    """How long single events are kept at most."""
    content: Content
    session_days: int
    """How long it is known at most which session was whose, and what a quarter hour was used for
    by whom."""
    person_days: int
    """How long it is known at most what somebody used on a day."""


POLICIES: Final = {
    policy.profile: policy
    for policy in (
        Policy(
            profile=Profile.STRICT,
            min_people=10,
            finest_cut=Cut.WEEK,
            identity=Identity.PSEUDONYM,
            strangers=Strangers.NAMES,
            hides_repositories=True,
            detail_days=14,
            content=Content.NOBODY,
            session_days=90,
            person_days=90,
        ),
        Policy(
            profile=Profile.STANDARD,
            min_people=5,
            finest_cut=Cut.DAY,
            identity=Identity.VAULT,
            strangers=Strangers.TOKENS,
            hides_repositories=False,
            detail_days=30,
            content=Content.BOTH,
            session_days=90,
            person_days=400,
        ),
        Policy(
            profile=Profile.OPEN,
            min_people=1,
            finest_cut=Cut.HOUR,
            identity=Identity.PLAIN,
            strangers=Strangers.LABELS,
            hides_repositories=False,
            detail_days=90,
            content=Content.PROJECT,
            session_days=90,
            person_days=400,
        ),
    )
}


class Kept(NamedTuple):
    """For how many days what is kept: as the settings say, within what the policy allows."""

    detail_days: int
    session_days: int
    person_days: int
    sum_days: int


def find_kept(policy: Policy, retention: Retention) -> Kept:
    """Return how long what is kept under a policy and these settings."""
    return Kept(
        detail_days=min(policy.detail_days, retention.detail_days),
        session_days=min(policy.session_days, retention.session_days),
        person_days=min(policy.person_days, retention.person_days),
        sum_days=retention.sum_days,
    )


@dataclass(slots=True)
class PolicyInForce:
    """The policy in force and its version. Whoever obeys it looks here each time."""

    policy: Policy
    version: int = 0


_ORDER: Final = (Profile.STRICT, Profile.STANDARD, Profile.OPEN)


def is_weaker(profile: Profile, than: Profile) -> bool:
    """Tell whether more may be known about people under `profile`."""
    return _ORDER.index(profile) > _ORDER.index(than)


def find_strictest(profiles: Iterable[Profile]) -> Profile:
    """Return the profile of these under which the least may be known about people."""
    return min(profiles, key=_ORDER.index)


_COLLECTED: Final = (
    "Collected: how many tokens, requests, tool calls and errors there were, with which model and"
    " tool, what they cost and how long they took; team, repository and client version."
)
_NEVER: Final = (
    "Not collected: what people or models write, code, commands, file names, error texts;"
    " and never shown: rankings of people, working hours or idle time."
)
_CONTENT: Final = {
    Content.NOBODY: "What people and models write is never kept, and nobody can make an exception.",
    Content.BOTH: "What people and models write is kept only where an administrator opened a"
    " project for it and the person agreed: for some days, encrypted, without secrets and names;"
    " the person sees who looked.",
    Content.PROJECT: "What people and models write is kept only where a project was opened for it:"
    " for some days, encrypted, without secrets and names.",
}
_IDENTITY: Final = {
    Identity.PSEUDONYM: "A person is stored as a pseudonym only; e-mail addresses and account"
    " names are not kept.",
    Identity.VAULT: "A person is stored as a pseudonym; the e-mail address is kept encrypted,"
    " apart from the numbers.",
    Identity.PLAIN: "A person is stored as the client names them: e-mail address, account and"
    " installation.",
}
_STRANGERS: Final = {
    Strangers.NAMES: "Of attributes that Codometer does not know, only the name is kept.",
    Strangers.TOKENS: "Of attributes that Codometer does not know, numbers and single words are"
    " kept, sentences are not.",
    Strangers.LABELS: "Of attributes that Codometer does not know, short texts are kept.",
}


_CUTS: Final = {
    Cut.HOUR: "",
    Cut.DAY: "Numbers of a team, a cost centre or a repository are told by day, those of the whole"
    " organisation by hour, too.",
    Cut.WEEK: "Numbers of a team, a cost centre or a repository are told by whole weeks that are"
    " over, those of the whole organisation by day and hour, too.",
}


class Description(NamedTuple):
    """A policy in sentences, the most important first."""

    collected: str
    never: str
    content: str
    identity: str
    others: tuple[str, ...]

    @property
    def meaning(self) -> tuple[str, ...]:
        """The sentences in which profiles differ."""
        return (self.content, self.identity, *self.others)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them."""
        return (self.collected, self.never, *self.meaning)


def describe(policy: Policy, kept: Kept) -> Description:
    """Say what is collected and what is not."""
    repositories = ("Repositories are stored as pseudonyms.",) if policy.hides_repositories else ()
    few = f"Numbers of fewer than {policy.min_people} people are withheld."
    retention = (
        f"Single events are kept for {counted(kept.detail_days, 'day')}. Whose a session was is"
        f" forgotten after {counted(kept.session_days, 'day')}, and what anybody used on a day"
        f" after {counted(kept.person_days, 'day')}; sums of teams and of all go after"
        f" {counted(kept.sum_days, 'day')}."
    )
    return Description(
        collected=_COLLECTED,
        never=_NEVER,
        content=_CONTENT[policy.content],
        identity=_IDENTITY[policy.identity],
        others=(
            *repositories,
            *((few,) if policy.min_people > 1 else ()),
            *((cut,) if (cut := _CUTS[policy.finest_cut]) else ()),
            retention,
            _STRANGERS[policy.strangers],
        ),
    )
