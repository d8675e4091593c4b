from decimal import Decimal

import pytest

from codometer.analysis.numbers import (
    Value,
    format_axis,
    format_bytes,
    format_change,
    format_change_cell,
    format_column,
    format_money,
    format_money_cell,
    format_money_exact,
    format_rate,
    format_short,
    format_step,
    format_value,
)


@pytest.mark.parametrize(
    ("value", "display", "text"),
    [
        (None, "money", "–"),
        (Decimal("1234567.891"), "money", "$1,234,567.89"),
        (Decimal("0.421"), "money", "$0.42"),
        (Decimal("0.0423"), "money", "$0.0423"),
        (Decimal("0.00002"), "money", "$0.000020"),
        (Decimal("0.00000001"), "money", "<$0.000001"),
        (Decimal("-3.5"), "money", "−$3.50"),
        (Decimal(0), "money", "$0.00"),
        (0, "count", "0"),
        (15_569, "count", "15,569"),
        (1.25, "count", "1.2"),
        (2.0, "number", "2"),
        (1234.567, "number", "1,234.57"),
        (None, "ratio", "–"),
        (0.784, "ratio", "78.4%"),
        (1, "ratio", "100.0%"),
        (0, "seconds", "0 s"),
        (8.94, "seconds", "8.9 s"),
        (42, "seconds", "42 s"),
        (89.6, "seconds", "1m 30s"),
        (14_700, "seconds", "4h 05m"),
        (14_515_200, "seconds", "4,032 h"),
        (420.4, "milliseconds", "420 ms"),
        (8_913.2, "milliseconds", "8.9 s"),
        (0, "milliseconds", "0 ms"),
        (3, "a display of a newer server", "3"),
    ],
)
def test_a_value_is_written_for_people(value: Value, display: str, text: str) -> None:
    assert format_value(value, display) == text


def test_a_column_of_amounts_has_the_same_number_of_decimals() -> None:
    dollars = [Decimal("1234.5"), Decimal("0.0004"), None, Decimal(0)]
    assert format_column(dollars, "money") == ["$1,234.50", "<$0.01", "–", "$0.00"]
    cents = [Decimal("0.0184"), Decimal("0.002")]
    assert format_column(cents, "money") == ["$0.0184", "$0.0020"]
    assert format_column([None], "money") == ["–"]
    assert format_column([3, None], "count") == ["3", "–"]


@pytest.mark.parametrize(
    ("now", "before", "change", "display", "text"),
    [
        (131, 100, 0.31, "count", "+31.0%"),
        (90, 100, -0.1, "count", "−10.0%"),
        (250, 100, 1.5, "count", "+150%"),
        (1200, 100, 11, "count", "12×"),
        (100, 100, 0.0, "count", "0.0%"),
        (99.99, 100, -0.0001, "count", "0.0%"),
        (0, 100, -1, "count", "−100%"),
        (1, 0, None, "count", "–"),
        (0.8, 0.783, 0.02, "ratio", "+1.7 pt"),
        (0.5, 0.5, 0, "ratio", "0.0 pt"),
        (0.5, None, None, "ratio", "–"),
        (None, 0.5, None, "ratio", "–"),
    ],
)
def test_a_change_has_a_sign(
    now: Value, before: Value, change: Value, display: str, text: str
) -> None:
    assert format_change(now, before, change, display) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (7_340_032, "7.0 MiB"), (2**51, "2,048.0 TiB")],
)
def test_a_size_has_a_unit(count: int, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("amount", "figure", "cell", "exact"),
    [
        (Decimal("34478.2"), "$34,478", "$34,478", "$34,478.20"),
        (99.996, "$100", "$100", "$100.00"),
        (Decimal("99.99"), "$99.99", "$99.99", "$99.99"),
        (42.16, "$42.16", "$42.16", "$42.16"),
        (0.0999, "$0.10", "$0.10", "$0.10"),
        (0.018, "$0.018", "$0.02", "$0.02"),
        (0.0002, "<$0.001", "<$0.01", "<$0.01"),
        (-297, "−$297", "−$297", "−$297.00"),
        (0, "$0", "$0", "$0.00"),
        (None, "–", "–", "–"),
    ],
)
def test_an_amount_is_as_precise_as_its_place(
    amount: Value, figure: str, cell: str, exact: str
) -> None:
    assert format_money(amount) == figure
    assert format_money_cell(amount) == cell
    assert format_money_exact(amount) == exact


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (35_512_345_678, "35.5B"),
        (902_123, "902k"),
        (999_950, "1.00M"),
        (1_234, "1.23k"),
        (999, "999"),
        (999.6, "1.00k"),
        (0, "0"),
        (None, "–"),
    ],
)
def test_a_large_count_has_three_digits(count: Value, text: str) -> None:
    assert format_short(count) == text


@pytest.mark.parametrize(
    ("tick", "display", "text"),
    [
        (2_000, "money", "$2k"),
        (1_200_000, "money", "$1.2M"),
        (0.25, "money", "$0.25"),
        (-500, "money", "−$500"),
        (0, "money", "$0"),
        (15_000, "count", "15k"),
        (200_000, "count", "200k"),
        (0.8, "ratio", "80%"),
        (0.025, "ratio", "2.5%"),
        (90, "seconds", "1:30"),
        (None, "count", "–"),
    ],
)
def test_a_tick_is_short(tick: Value, display: str, text: str) -> None:
    assert format_axis(tick, display) == text


def test_a_rate_in_a_table_is_in_whole_percent() -> None:
    assert [format_rate(0.784), format_rate(0), format_rate(None)] == ["78%", "0%", "–"]


@pytest.mark.parametrize(
    ("now", "before", "display", "text"),
    [
        (118, 100, "count", "↑ 18%"),
        (90, 100, "count", "↓ 10%"),
        (100.4, 100, "count", "→ 0%"),
        (100.5, 100, "count", "→ 0%"),
        (1200, 100, "count", "↑ 12×"),
        (5, 0, "count", "–"),
        (0, 0, "count", "–"),
        (5, None, "count", "–"),
        (None, 5, "count", "–"),
        (0.784, 0.801, "ratio", "↓ 1.7 pt"),
        (0.5, 0.0, "ratio", "↑ 50.0 pt"),
        (0.7841, 0.784, "ratio", "→ 0.0 pt"),
        (Decimal(50), Decimal(-100), "money", "↑ 150%"),
    ],
)
def test_a_step_has_an_arrow(now: Value, before: Value, display: str, text: str) -> None:
    assert format_step(now, before, display) == text


@pytest.mark.parametrize(
    ("change", "text"),
    [(0.31, "+31%"), (-0.06, "−6%"), (11, "12×"), (0.001, "0%"), (None, "–")],
)
def test_a_change_in_a_table_is_in_whole_percent(change: Value, text: str) -> None:
    assert format_change_cell(change) == text
