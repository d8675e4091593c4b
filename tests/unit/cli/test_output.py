import io
from collections.abc import Sequence
from decimal import Decimal

import pytest
from rich.console import Console

from codometer.cli.output import Column, clean, make_tables, print_csv

KEYS = [Column(head="Model", cells=["claude-opus-4-5", "claude-haiku-4-5"])]


def numbers(head: str, *cells: str) -> list[Column]:
    return [Column(head=head, cells=list(cells), right=True)]


def draw(width: int, keys: Sequence[Column], groups: Sequence[Sequence[Column]]) -> list[list[str]]:
    console = Console(width=width, file=io.StringIO(), markup=False)
    drawn = []
    for table in make_tables(console, keys, groups):
        with console.capture() as capture:
            console.print(table)
        drawn.append([line.rstrip() for line in capture.get().splitlines()])
    return drawn


def test_numbers_stand_to_the_right() -> None:
    assert draw(80, KEYS, [numbers("Tokens", "1,920,417", "8,012")]) == [
        [
            "Model                Tokens",
            "claude-opus-4-5   1,920,417",
            "claude-haiku-4-5      8,012",
        ]
    ]


def test_what_does_not_fit_goes_into_a_table_below() -> None:
    groups = [numbers(f"Measure {n}", "123,456,789", "1") for n in range(6)]
    tables = draw(48, KEYS, groups)
    assert len(tables) == 3
    for table in tables:
        assert max(len(line) for line in table) <= 48
        assert table[1].startswith("claude-opus-4-5")
        assert table[1].count("123,456,789") == 2


def test_columns_of_one_group_stay_together() -> None:
    pair = [*numbers("Cost", "$123,456.78", "$1.00"), *numbers("Change", "+31.0%", "–")]
    tables = draw(50, KEYS, [pair, pair])
    assert [table[0].split() for table in tables] == [["Model", "Cost", "Change"]] * 2


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_number_is_ever_cut(width: int) -> None:
    long_key = [Column(head="Repository", cells=["/".join(["deep"] * 30)])]
    text = str(draw(width, long_key, [numbers("Tokens", "123,456,789")]))
    assert "123,456,789" in text
    assert "…" not in text


def test_text_from_outside_is_neither_markup_nor_control() -> None:
    cells = [clean("[bold]x[/]"), clean("a\x1b[31mb\x07\u202ec\nd\u200b")]
    [table] = draw(80, [Column(head="Name", cells=cells)], [])
    assert table[1:] == ["[bold]x[/]", "a�[31mb��c�d�"]


def test_csv_keeps_digits_and_disarms_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(
        ["model", "cost"],
        [
            ["=cmd()", Decimal("0.100000000001")],
            ["a,b", None],
            ["-x", -1.5],
            ["@x", 3],
            ["é", True],
        ],
    )
    assert capsys.readouterr().out == (
        "model,cost\n'=cmd(),0.100000000001\n\"a,b\",\n'-x,-1.5\n'@x,3\né,True\n"
    )
