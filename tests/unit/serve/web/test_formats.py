from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from codometer.serve.web.formats import FILTERS

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "more", "text"),
    [
        ("money", 34_478.2, {}, "$34,478"),
        ("money", 42.16, {}, "$42.16"),
        ("money", 0.018, {}, "$0.018"),
        ("money", 0, {}, "$0"),
        ("money", None, {}, "–"),
        ("money_cell", 0.018, {}, "$0.02"),
        ("money_exact", 34_478.2, {}, "$34,478.20"),
        ("short", 35_512_345_678, {}, "35.5B"),
        ("count", 15_569, {}, "15,569"),
        ("count", 0, {}, "0"),
        ("count", None, {}, "–"),
        ("ratio", 0.784, {}, "78.4%"),
        ("rate", 0.784, {}, "78%"),
        ("axis", 0.8, {"display": "ratio"}, "80%"),
        ("axis", 2_000, {"display": "money"}, "$2k"),
        ("axis", 15_000, {"display": "count"}, "15k"),
        ("axis", 60, {"display": "seconds"}, "1:00"),
        ("duration", 0.42, {}, "420 ms"),
        ("duration", 8.94, {}, "8.9 s"),
        ("duration", 42, {}, "42 s"),
        ("duration", 89, {}, "1m 29s"),
        ("duration", 14_700, {}, "4h 05m"),
        ("duration", 14_515_200, {}, "4,032 h"),
        ("step", 118, {"before": 100, "display": "count"}, "↑ 18%"),
        ("step", 0.784, {"before": 0.801, "display": "ratio"}, "↓ 1.7 pt"),
        ("change_cell", 0.31, {}, "+31%"),
        ("figure", 902_123, {"display": "count", "unit": "lines"}, "902k"),
        ("figure", 15_569, {"display": "count", "unit": "sessions"}, "15,569"),
        ("figure", 42.161, {"display": "money", "unit": "USD"}, "$42.16"),
        ("figure", None, {"display": "ratio"}, "–"),
        ("bytes", 7_340_032, {}, "7.0 MiB"),
        ("weekday", TODAY, {}, "Sunday"),
        ("month", TODAY, {}, "November"),
        ("day", TODAY, {}, "22 Nov"),
        ("date", date(2025, 11, 12), {"today": TODAY}, "Wed 12 Nov 2025"),
        ("days", date(2026, 10, 26), {"last": TODAY}, "26 Oct to 22 Nov 2026"),
        ("passed", timedelta(minutes=14), {}, "14 min ago"),
        ("ago", NOW - timedelta(seconds=12), {"now": NOW, "zone": ZoneInfo("UTC")}, "12 s ago"),
        ("moment", NOW, {"zone": ZoneInfo("Asia/Kathmandu")}, "Sun 22 Nov 23:45"),
        ("iso", NOW, {}, "2026-11-22T18:00:00Z"),
    ],
)
def test_a_filter_writes_by_the_rules(
    name: str, value: object, more: Mapping[str, object], text: str
) -> None:
    assert FILTERS[name](value, **more) == text
