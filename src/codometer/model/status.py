"""What arrived, when, and from how many clients; what could not be understood; what is stored.

The store fills a `Status`; the API, `codometer status` and the doctor show it.
Instants are aware and in UTC. None is unknown, as everywhere, or not told (`name_only`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalStatus:
    """What came of one kind of signal: metrics, logs, traces."""

    signal: str
    events: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStatus:
    """The sessions of one version of one agent."""

    agent: str
    version: str | None
    sessions: int | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleStatus:
    """How many are known by one kind of identity; `service` are no persons.

    An `installation` stands for a person where a client names none.
    """

    kind: str
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownName:
    """A name that we do not know: `what` is event, metric or attribute."""

    agent: str
    what: str
    name: str
    count: int | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentStatus:
    """Signals of one version of an agent in which what people or models wrote was sent.

    `part` is prompt, response, tool or body. Of it nothing is kept but where it was agreed to.
    """

    agent: str
    version: str | None
    part: str
    count: int | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectStatus:
    """Signals refused for one reason."""

    reason: str
    count: int
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedModel:
    """A model without a list price, and its requests."""

    model: str
    requests: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageStatus:
    """What is on disk. `oldest_detail` is the time of the oldest single event."""

    path: str
    bytes: int
    detail_rows: int
    rollup_rows: int
    oldest_detail: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupStatus:
    """How far the rollups are: all before `as_of`, but for `pending` (scope, bucket) pairs."""

    as_of: datetime | None
    pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything that `codometer status` tells. `clients` are distinct installations."""

    signals: tuple[SignalStatus, ...]
    clients: int
    sessions: int
    people: tuple[PeopleStatus, ...]
    versions: tuple[VersionStatus, ...]
    unknown_names: tuple[UnknownName, ...]
    sent_content: tuple[ContentStatus, ...]
    rejects: tuple[RejectStatus, ...]
    unpriced_models: tuple[UnpricedModel, ...]
    storage: StorageStatus
    rollup: RollupStatus


def name_only(status: Status) -> Status:
    """Return what may be told of clients where people are protected.

    Which versions, models and names there are keeps a server running. How much and when each
    was used can be one person's, so that is left to questions, which know how many people
    are behind it.
    """
    return replace(
        status,
        people=tuple(replace(each, count=None) for each in status.people),
        versions=tuple(
            replace(each, sessions=None, last=None)
            for each in sorted(status.versions, key=lambda each: (each.agent, each.version or ""))
        ),
        unknown_names=tuple(
            replace(each, count=None, last=None)
            for each in sorted(status.unknown_names, key=lambda each: (each.agent, each.name))
        ),
        sent_content=name_content_only(status.sent_content),
        unpriced_models=tuple(
            replace(each, requests=None)
            for each in sorted(status.unpriced_models, key=lambda each: each.model)
        ),
    )


def name_content_only(sent: Sequence[ContentStatus]) -> tuple[ContentStatus, ...]:
    """Return which clients send content, as `name_only` does."""
    return tuple(
        replace(each, count=None, last=None)
        for each in sorted(sent, key=lambda each: (each.agent, each.version or "", each.part))
    )
