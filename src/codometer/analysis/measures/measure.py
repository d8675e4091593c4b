"""What a measure is: a number that we define once and show everywhere.

A measure says which facts it needs of a group of rollup rows (`facts`), and how
its value follows from them (`value`). The engine only adds and counts; ratios
and quantiles are worked out here, so every engine gives the same answer. What a
surface wants to know about a measure without knowing it by name, it carries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import ClassVar, Final

Number = int | float | Decimal
"""Money is Decimal, counts are int, durations and ratios of counts are float."""

BIN_RATIO: Final = 1.04
"""The upper edge of a latency bin over its lower one."""

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PICO: Final = Decimal(1).scaleb(-12)


class Direction(StrEnum):
    """Whether a higher value is good news."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


class Empty(StrEnum):
    """What to show for a group without rows, such as a quiet day, where others have some."""

    ZERO = "zero"
    UNKNOWN = "unknown"


class Provenance(StrEnum):
    """How the number came about."""

    COUNTED = "counted"
    ESTIMATED = "estimated"
    BILLED = "billed"
    ASSUMED = "assumed"


class Display(StrEnum):
    """How a value is written for people."""

    MONEY = "money"
    COUNT = "count"
    NUMBER = "number"
    RATIO = "ratio"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOf:
    """The fact: a rollup column's sum; None if no row can tell."""

    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctOf:
    """The fact: how many sessions, persons or services have a row with evidence above zero.

    None if no row that has the column can tell whether there is evidence. Where `absence_tells`,
    rows without it tell too: of none.
    """

    column: str
    evidence: tuple[str, ...]
    absence_tells: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileOf:
    """The fact: the latency bin in which `percent` of the durations of one kind are passed."""

    what: str
    percent: int


Fact = SumOf | DistinctOf | QuantileOf

Facts = Mapping[Fact, Number | None]
"""What is known of one group of rows. A fact that is missing is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(ABC):
    """What every measure carries."""

    additive: ClassVar[bool] = False
    """Whether the values of disjoint groups, or of consecutive periods, add up."""

    name: str
    label: str
    definition: str
    unit: str
    display: Display
    empty: Empty
    direction: Direction = Direction.NEITHER
    provenance: Provenance = Provenance.COUNTED
    prometheus: str | None = None
    """The name under which it is exported, if it is."""
    of_groups_only: bool = False
    """Never answered for single persons: hours, returns and rates of people are not shown."""

    @property
    @abstractmethod
    def dimensions(self) -> frozenset[str]:
        """The dimensions that apply, besides those of time and origin."""

    @abstractmethod
    def facts(self) -> tuple[Fact, ...]:
        """Return the facts that the value follows from."""

    @abstractmethod
    def value(self, facts: Facts) -> Number | None:
        """Return the value for a group, None if it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Measure):
    """The sum of one or several rollup columns; unknown if none of them is known."""

    additive: ClassVar[bool] = True

    columns: tuple[str, ...]
    known_by: frozenset[str] = frozenset()
    display: Display = Display.COUNT
    empty: Empty = Empty.ZERO

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions that rows with these columns carry."""
        return self.known_by

    def facts(self) -> tuple[SumOf, ...]:
        """Return one sum for each column."""
        return tuple(SumOf(column=column) for column in self.columns)

    def value(self, facts: Facts) -> Number | None:
        """Add what is known."""
        return _add([facts.get(fact) for fact in self.facts()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct(Measure):
    """How many sessions, persons or services were seen at work, plus those only counted."""

    column: str
    evidence: tuple[str, ...]
    """A value was at work when one of these sums is above zero."""
    absence_tells: bool = False
    """Whether there is none where rows have no value, rather than that it is not known."""
    counted: SumOf | None = None
    """Added: what clients counted by themselves where rows do not have the number."""
    known_by: frozenset[str] = frozenset()
    display: Display = Display.COUNT
    empty: Empty = Empty.ZERO

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions that rows with the evidence carry."""
        return self.known_by

    def facts(self) -> tuple[SumOf | DistinctOf, ...]:
        """Return the distinct count and the clients' own."""
        distinct = DistinctOf(
            column=self.column, evidence=self.evidence, absence_tells=self.absence_tells
        )
        return (distinct,) if self.counted is None else (distinct, self.counted)

    def value(self, facts: Facts) -> Number | None:
        """Add what is known."""
        return _add([facts.get(fact) for fact in self.facts()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(Measure):
    """One measure out of another, times `scale`; unknown if the other is zero or unknown."""

    over: Measure
    under: Measure
    scale: int = 1
    complement: bool = False
    """Whether the value is what the share leaves of 1."""
    display: Display = Display.RATIO
    empty: Empty = Empty.UNKNOWN

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions of both."""
        return self.over.dimensions & self.under.dimensions

    def facts(self) -> tuple[Fact, ...]:
        """Return the facts of both."""
        return (*self.over.facts(), *self.under.facts())

    def value(self, facts: Facts) -> Number | None:
        """Divide; money is rounded to a picodollar, half to even."""
        over, under = self.over.value(facts), self.under.value(facts)
        if over is None or not under:
            return None
        if isinstance(over, Decimal):
            scaled = _EXACT.multiply(over, Decimal(self.scale))
            return _EXACT.quantize(_EXACT.divide(scaled, _decimal(under)), _PICO)
        share = float(over) * self.scale / float(under)
        return 1 - share if self.complement else share


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile(Measure):
    """The duration in milliseconds that `percent` of all do not exceed, to within 2 %."""

    what: str
    percent: int
    known_by: frozenset[str]
    unit: str = "ms"
    display: Display = Display.MILLISECONDS
    direction: Direction = Direction.DOWN
    empty: Empty = Empty.UNKNOWN

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions that the durations carry."""
        return self.known_by

    def facts(self) -> tuple[QuantileOf]:
        """Return the bin."""
        return (QuantileOf(what=self.what, percent=self.percent),)

    def value(self, facts: Facts) -> float | None:
        """Return the geometric middle of the bin."""
        (fact,) = self.facts()
        number = facts.get(fact)
        if number is None:
            return None
        return BIN_RATIO ** (float(number) + 0.5) if number >= 0 else 0.0


def _decimal(number: Number) -> Decimal:
    """Return the number exactly, a double (seconds) to six places.

    The last digits of a sum of doubles depend on the order in which an engine adds them.
    """
    return Decimal(f"{number:.6f}") if isinstance(number, float) else Decimal(number)


def _add(parts: list[Number | None]) -> Number | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    total = known[0]
    for part in known[1:]:
        total = total + part  # type: ignore[operator] # the columns of a measure have one type
    return total
