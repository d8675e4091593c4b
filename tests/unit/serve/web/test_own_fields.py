"""Fields of one's own data are written as pages write values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from codometer.serve.web.pages.own import show_field
from codometer.serve.web.visitor import Visitor

BERLIN = cast("Visitor", SimpleNamespace(zone=ZoneInfo("Europe/Berlin"), today=date(2026, 11, 26)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (Decimal("0E-12"), "0"),
        (Decimal("0.250000000000"), "0.25"),
        (Decimal("1200.000000000000"), "1200"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (datetime(2026, 11, 25, 23, 45, 15, 568000, tzinfo=UTC), "00:45"),
        (datetime(2026, 11, 25, 23, 45, 15, 568000), "00:45"),  # noqa: DTZ001 - as the engine has it
        ("2.1.330", "2.1.330"),
    ],
)
def test_a_field_is_written_for_people(value: object, shown: str) -> None:
    assert shown in show_field(value, BERLIN)
    assert "E-" not in show_field(value, BERLIN)
