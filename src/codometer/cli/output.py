"""Tables for people, JSON and CSV for programs.

What the server tells comes from telemetry, which anybody may have written:
control characters never reach the terminal, and no text is taken for markup.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from codometer.analysis.numbers import UNKNOWN
from codometer.serve.exact_json import decimal_text, encode

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

UNKNOWN_STYLE: Final = "dim"
WITHHELD: Final = "withheld"
"""Stands for what covers too few people to be told, which is not unknown."""

_WIDE: Final = 100_000
_GAP: Final = 2
# C0, C1, and the marks that reorder or hide text.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# What a spreadsheet would take for a formula. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: its head and its cells, already written."""

    head: str
    cells: Sequence[str]
    right: bool = False
    style: str = ""


def print_json(value: object) -> None:
    """Print JSON with all digits."""
    click.echo(encode(value, indent=2))


def print_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print CSV with all digits; unknown is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_csv_cell(name) for name in head])
    writer.writerows([_csv_cell(value) for value in row] for row in rows)
    click.echo(buffer.getvalue(), nl=False)


def clean(text: object) -> str:
    """Return text that is safe to show in a terminal."""
    return _CONTROL.sub("�", str(text))


def make_console() -> Console:
    """Return what prints to standard output: in colour to a terminal, plainly into a pipe."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console


def print_block(console: Console, block: RenderableType = "") -> None:
    """Print a text or a table, without blanks at the ends of lines."""
    with console.capture() as capture:
        console.print(block)
    for line in capture.get().splitlines():
        click.echo(line.rstrip() if not console.is_terminal else line)


def make_tables(
    console: Console, keys: Sequence[Column], groups: Sequence[Sequence[Column]]
) -> list[Table]:
    """Return the columns as a table, or as several under each other, each with the `keys`.

    No number is ever cut or wrapped: what does not fit the terminal goes into the next table.
    Columns of one group stay together.
    """
    room = console.width - min(total_width(keys), console.width // 2)
    tables: list[list[Column]] = [[]]
    for group in groups:
        if tables[-1] and total_width([*tables[-1], *group]) > room + _GAP:
            tables.append([])
        tables[-1].extend(group)
    return [_make_table([*keys, *columns]) for columns in tables]


def print_rows(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows as one table. Their cells come from elsewhere, and are cleaned."""
    columns = [
        Column(head=head, cells=[clean(row[number]) for row in rows])
        for number, head in enumerate(heads)
    ]
    console = make_console()
    for table in make_tables(console, columns, []):
        print_block(console, table)


def total_width(columns: Sequence[Column]) -> int:
    """Return how many characters the columns take, side by side."""
    return sum(_width(column) + _GAP for column in columns)


def _make_table(columns: Sequence[Column]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.head),
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=column.right,
            overflow="fold",
            min_width=_width(column) if column.right else None,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(
            *(
                Text(cell, style=UNKNOWN_STYLE if cell in {UNKNOWN, "unknown"} else "")
                for cell in row
            )
        )
    return table


def _width(column: Column) -> int:
    """Return the width of a column whose head may break between words."""
    words = column.head.split() or [""]
    return max(len(text) for text in [*words, *column.cells])


def _csv_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return decimal_text(value)
        case int() | float():
            return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
