"""The seam between the pipeline and what is known about one coding agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codometer.model.event import Columns
    from codometer.model.signal import AttributeValue, DataPoint, LogRecord, Sheet, Span


class ModelName(Protocol):
    """A model as the catalogue knows it, and what else its id told."""

    @property
    def name(self) -> str:
        """The canonical name; an unknown model keeps its own."""

    @property
    def provider_hint(self) -> str | None:
        """Who serves it, where the id says so: `bedrock`, `vertex`."""

    @property
    def endpoint_scope(self) -> str | None:
        """`global` or `regional`, where the id says so."""

    @property
    def fast(self) -> bool:
        """Whether the id asks for the fast mode."""


class NormaliseModel(Protocol):
    """Turns the many spellings of a model's id into one."""

    def __call__(self, raw: str, /) -> ModelName:
        """Return what the id says."""


class Agent(Protocol):
    """All that is known about one coding agent. Pure: no input, no output, no clock."""

    @property
    def name(self) -> str:
        """The agent's name in the dimension `agent`."""

    @property
    def known_attributes(self) -> frozenset[str]:
        """The attributes that it reads; the values of others are filtered before it sees them."""

    def recognises(self, service: AttributeValue, name: str) -> bool:
        """Tell whether a signal of this name, from a service of this name, is this agent's.

        A service that did not say its name is None.
        """

    def read_logs(self, sheet: Sheet[LogRecord]) -> Columns:
        """Return the events that happened, in the order of the records."""

    def read_spans(self, sheet: Sheet[Span]) -> Columns:
        """Return the events that happened, in the order of the spans."""

    def read_points(self, sheet: Sheet[DataPoint]) -> Columns:
        """Return the readings: where the counters stood, in the order of the points."""

    def knows(self, what: str, name: str) -> bool:
        """Tell whether an `event`, `metric` or `span` of this name is in the agent's catalogue."""
