"""A query's answer as a table for people, with what it rests on below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from codometer.analysis.measures.groups import OTHER
from codometer.analysis.numbers import UNKNOWN, format_change, format_column, format_value
from codometer.cli.coverage_notes import coverage_notes
from codometer.cli.output import (
    WITHHELD,
    Column,
    clean,
    make_console,
    make_tables,
    print_block,
    total_width,
)
from codometer.cli.times import format_period, parse_instant

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]

_BAR_STYLE: Final = "cyan"
_MIN_BAR: Final = 8
_MAX_BAR: Final = 24


def print_answer(answer: dict[str, Any], everything: dict[str, Any] | None) -> None:
    """Print an answer. `everything` is the answer to the same query without dimensions."""
    console = make_console()
    _print_period(console, answer)
    if not answer["rows"]:
        print_block(console, "Nothing was received for this period.")
        print_block(console, "`codometer status` tells what arrived and when.")
        return
    if answer["dimensions"]:
        _print_by_dimension(console, answer, everything["rows"] if everything else [])
    else:
        _print_by_measure(console, answer)
    _print_notes(console, answer)


def _print_period(console: Console, answer: dict[str, Any]) -> None:
    from rich.text import Text

    print_block(console, Text(format_period(answer["period"]), style="bold"))
    if previous := answer["previous_period"]:
        print_block(console, Text(f"before: {format_period(previous)}", style="dim"))
    print_block(console)


def _print_by_dimension(console: Console, answer: dict[str, Any], total: list[Row]) -> None:
    zone = ZoneInfo(answer["period"]["timezone"])
    rows: list[Row] = [*answer["rows"], *total]
    keys = []
    for number, dimension in enumerate(answer["dimensions"]):
        cells = [
            _key_text(row[dimension["name"]], dimension["name"], zone) for row in answer["rows"]
        ]
        if total:
            cells.append("" if number else "All")
        keys.append(Column(head=dimension["label"], cells=cells))
    compares = answer["previous_period"] is not None
    groups = [_measure_columns(measure, rows, compares=compares) for measure in answer["measures"]]
    room = console.width - total_width([*keys, *(each for group in groups for each in group)])
    if console.is_terminal and room >= _MIN_BAR and answer["measures"][0]["additive"]:
        name = answer["measures"][0]["name"]
        bars = _bars([row[name] for row in answer["rows"]], min(room, _MAX_BAR))
        groups.append([Column(head="", cells=[*bars, *("" for _ in total)], style=_BAR_STYLE)])
    _print_tables(console, keys, groups, has_total=bool(total))


def _print_by_measure(console: Console, answer: dict[str, Any]) -> None:
    """Print one measure a line: without dimensions an answer has one row."""
    [row] = answer["rows"]
    measures = answer["measures"]
    names = Column(head="Measure", cells=[measure["label"] for measure in measures])
    values = [format_value(row[each["name"]], each["display"]) for each in measures]
    columns = [_right("Value", [WITHHELD if row.get("withheld") else value for value in values])]
    if answer["previous_period"]:
        before = row["previous"]
        columns += [
            _right("Before", [format_value(before[m["name"]], m["display"]) for m in measures]),
            _right("Change", [_change(row, measure) for measure in measures]),
        ]
    _print_tables(console, [names], [columns], has_total=False)


def _print_tables(
    console: Console, keys: Sequence[Column], groups: Sequence[Sequence[Column]], *, has_total: bool
) -> None:
    for number, table in enumerate(make_tables(console, keys, groups)):
        if number:
            print_block(console)
        if has_total:
            table.rows[-1].style = "bold"
        print_block(console, table)


def _measure_columns(measure: dict[str, Any], rows: list[Row], *, compares: bool) -> list[Column]:
    name, display = measure["name"], measure["display"]
    values = [row[name] for row in rows]
    if not compares:
        return [_right(measure["label"], _withheld(rows, format_column(values, display)))]
    before = [row["previous"][name] for row in rows]
    # Both are written with the same number of decimals.
    written = format_column([*values, *before], display)
    return [
        _right(measure["label"], _withheld(rows, written[: len(rows)])),
        _right("Before", written[len(rows) :]),
        _right("Change", [_change(row, measure) for row in rows]),
    ]


def _withheld(rows: Sequence[Row], cells: Sequence[str]) -> list[str]:
    """Return the cells of a column, with a word where a value may not be told."""
    return [
        WITHHELD if row.get("withheld") else cell for row, cell in zip(rows, cells, strict=True)
    ]


def _change(row: Row, measure: dict[str, Any]) -> str:
    name = measure["name"]
    return format_change(row[name], row["previous"][name], row["change"][name], measure["display"])


def _right(head: str, cells: list[str]) -> Column:
    return Column(head=head, cells=cells, right=True)


def _key_text(value: str | None, dimension: str, zone: ZoneInfo) -> str:
    if value is None:
        return "unknown"
    if dimension == "hour":
        return f"{parse_instant(value).astimezone(zone):%Y-%m-%d %H:%M}"
    if dimension == "month":
        return value[:7]
    return clean(value)


def _bars(values: list[Any], width: int) -> list[str]:
    largest = max((value for value in values if value), default=0)
    if not largest:
        return ["" for _ in values]
    return ["━" * max(round(width * value / largest), 1) if value else "" for value in values]


def _has_unknown(row: Row, measures: Sequence[dict[str, Any]]) -> bool:
    if row.get("withheld"):
        return False
    parts = [row, *(row[part] for part in ("previous", "change") if part in row)]
    return any(part[measure["name"]] is None for part in parts for measure in measures)


def _print_notes(console: Console, answer: dict[str, Any]) -> None:
    from rich.text import Text

    notes = [*_small_group_notes(answer), *coverage_notes(answer)]
    if any(_has_unknown(row, answer["measures"]) for row in answer["rows"]):
        compared = " or that it can be compared with" if answer["previous_period"] else ""
        notes.insert(0, f"{UNKNOWN} is unknown: nothing came that tells it{compared}.")
    if notes:
        print_block(console)
    for note in notes:
        print_block(console, Text(note, style="dim"))


def _small_group_notes(answer: dict[str, Any]) -> list[str]:
    fewest = answer["minimum_people"]
    notes = []
    if any(row.get("merged") for row in answer["rows"]):
        notes.append(
            f"{OTHER} has the groups of fewer than {fewest} people, and others so that theirs"
            " do not follow."
        )
    if any(row.get("withheld") for row in answer["rows"]):
        notes.append(f"{WITHHELD}: fewer than {fewest} people, or theirs would follow.")
    return notes
