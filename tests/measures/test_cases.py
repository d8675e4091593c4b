"""The cases in `cases/`, worked out by hand: what is given, what is asked, what must come out.

`given` lists rollup rows: a time (UTC), then columns of the rollup or its client; what is left
out is not known, but for the source, which is `event`. A row with `latency=` counts durations.
Under `ask` stand the groups, in the order of the answer: their values of the dimensions, then
the measures, each after a `|`. `none` stands for a dimension that is not known, `~` for within 2 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import floor, isclose, log
from pathlib import Path
from typing import Final

import pytest

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.measure import BIN_RATIO, Number
from codometer.analysis.measures.query import parse_query
from codometer.analysis.measures.run import run_query
from codometer.model.period import Period, parse_zone
from codometer.store.tables import TABLES
from tests.engines.embedded import DuckDBInMemory, Values, client, give_rollups, who

CASES: Final = Path(__file__).parent / "cases"
UTC: Final = parse_zone("UTC")
JULY: Final = Period.covering(
    datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC), UTC
)
_TYPES: Final = {column.name: column.type for table in TABLES.values() for column in table}
_KNOWN: Final = {column.name for table in ("workplace", "origin") for column in TABLES[table]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One `ask` of a case, and the answer that is expected."""

    place: str
    given: tuple[str, ...]
    text: str
    expected: list[str] = field(default_factory=list)


def read_questions() -> Iterator[Question]:
    """Read every case file."""
    for path in sorted(CASES.glob("*.case")):
        given: list[str] = []
        question: Question | None = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            text = line.partition("#")[0].rstrip()
            if text == "given":
                given, question = [], None
            elif text.startswith("ask "):
                question = Question(
                    place=f"{path.stem}:{number}", given=tuple(given), text=text[4:]
                )
                yield question
            elif text:
                (given if question is None else question.expected).append(text.strip())


QUESTIONS: Final = list(read_questions())


@pytest.fixture(scope="module")
def engine() -> DuckDBInMemory:
    return DuckDBInMemory()


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.place for question in QUESTIONS])
def test_a_case_comes_out_as_worked_out_by_hand(engine: DuckDBInMemory, question: Question) -> None:
    engine.empty()
    give(engine, question.given)
    asked, _, filters = question.text.partition(" where ")
    measures, _, by = asked.partition(" by ")
    query = parse_query(
        measures.split(),
        period=JULY,
        by=by.split(),
        where=[(name, value) for name, _, value in (f.partition("=") for f in filters.split())],
    )
    answer = run_query(engine, query, organisation_zone=UTC)
    expected = [[cell.strip() for cell in line.split("|")] for line in question.expected]
    keys = [line.pop(0).split() if query.by else [] for line in expected]
    assert [[str(v or "none") for v in group.key.values()] for group in answer.groups] == keys
    for group, values in zip(answer.groups, expected, strict=True):
        for (name, value), text in zip(group.values.items(), values, strict=True):
            assert is_as_written(value, text), f"{name} is {value}, not {text}"


def test_every_measure_has_a_case() -> None:
    asked = {name for question in QUESTIONS for name in question.text.split()}
    assert set(MEASURES) <= asked


def give(engine: DuckDBInMemory, lines: tuple[str, ...]) -> None:
    """Fill the tables with the rows of a case."""
    for number, line in enumerate(lines, start=1):
        time, *pairs = line.split()
        given = dict(pair.split("=", 1) for pair in pairs)
        known = {name: given.pop(name) for name in list(given) if name in _KNOWN}
        for table, of_client in client(number, **known).items():
            engine.insert(table, [of_client])
        row: Values = {
            "bucket": datetime.fromisoformat(time),
            **dict.fromkeys(("scope", "origin", "workplace"), number),
            "part": "live",
            "source": given.pop("source", "event"),
        }
        if "latency" in given:
            engine.insert("latency_15m", [{**row, **read_duration(given)}])
        else:
            give_rollups(engine, [{**row, **who(known), **read_all(given)}], UTC)


def read_duration(given: dict[str, str]) -> Values:
    """Return the columns of durations of one length."""
    what, ms = given.pop("latency"), int(given.pop("ms"))
    number = floor(log(ms) / log(BIN_RATIO)) if ms else -1
    return {"what": what, "bin": number, **read_all(given)}


def read_all(given: dict[str, str]) -> Values:
    """Read the values of columns."""
    return {name: read(name, text) for name, text in given.items()}


def read(column: str, text: str) -> object:
    """Read a value of a column."""
    readers = {"i64": int, "f64": float, "usd": Decimal}
    return readers.get(_TYPES[column], str)(text)


def is_as_written(value: Number | None, text: str) -> bool:
    """Compare a value with what a case says."""
    if text == "unknown" or value is None:
        return value is None and text == "unknown"
    if text.startswith("~"):
        return isclose(value, float(text[1:]), rel_tol=0.0201)
    return (
        isclose(value, float(text), rel_tol=1e-12)
        if isinstance(value, float)
        else value == Decimal(text)
    )
