"""What happens in a client's process, before anything is sent. Times are in ms since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from codometer.model.money import PicoUSD
from codometer.operate.simulator.fleet import Installation, Person

Value = str | bool | int | float
Pairs = tuple[tuple[str, Value], ...]
"""Attributes in the order in which a client sends them."""


class Tokens(NamedTuple):
    """The four disjoint counts of a request."""

    uncached_input: int
    cache_read: int
    cache_write: int
    output: int


class Request(NamedTuple):
    """A successful call to a model: counted at `counted_ms`, its event stamped `stamped_ms`.

    `sequence` is the event's number in its process.
    """

    id: str
    sequence: int
    counted_ms: int
    stamped_ms: int
    model: str
    tokens: Tokens
    cost: PicoUSD


class Decision(NamedTuple):
    """Whether an edit may be made: its event is stamped before the counter counts it."""

    id: str
    sequence: int
    counted_ms: int
    stamped_ms: int
    tool: str
    accepted: bool
    source: str
    language: str


class Record(NamedTuple):
    """An event, as a log record. `pairs` are what only this record says."""

    stamped_ms: int
    name: str
    pairs: Pairs
    id: str | None = None
    """Of the request or tool call that it tells of."""


class Add(NamedTuple):
    """A counter was told to add. Series differ in metric or attributes."""

    counted_ms: int
    metric: str
    pairs: Pairs
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Process:
    """One run of a client, and everything that happened in it.

    A session may have several, one after the other or side by side.
    `records` are numbered by their place; `adds` are in the order of time.
    """

    person: Person
    installation: Installation
    session: str
    repository: str | None
    """The one that it works in, where the client tells."""
    starts_ms: int
    ends_ms: int
    records: tuple[Record, ...]
    adds: tuple[Add, ...]
    requests: tuple[Request, ...]
    decisions: tuple[Decision, ...]

    @property
    def identity(self) -> str:
        """What identifies the person in what is sent."""
        account = self.person.account
        return account.uuid if account else self.installation.id

    @property
    def terminal(self) -> str:
        """Where the client runs."""
        return "non-interactive" if self.person.is_service else self.installation.terminal
