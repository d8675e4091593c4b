"""Rows that get another workplace, in a folder of which the settings were others once."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import duckdb
import pytest

from codometer.store.migrate import STEPS
from codometer.store.origins import number_of_workplace
from codometer.store.people import rename_repositories
from codometer.store.retention import NOBODY
from codometer.store.tables import WORKPLACE_DIMENSIONS, resource_column
from codometer.store.teams import Stay, move_to_teams

DAY = date(2026, 11, 2)
TOLD = dict.fromkeys(WORKPLACE_DIMENSIONS, "x") | {"team": "told", "repository": "shop"}
FORMER = resource_column("deployment").name


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a store with two workplaces that only an attribute tells apart, allowed no longer."""
    with duckdb.connect() as opened:
        for step in STEPS:
            for statement in step:
                opened.execute(statement)
        opened.execute(f"ALTER TABLE workplace ADD COLUMN {FORMER} VARCHAR")
        for number, deployment in enumerate(("eu", "us")):
            add(opened, number, deployment)
        yield opened


def add(connection: duckdb.DuckDBPyConnection, number: int, deployment: str | None) -> None:
    """Store an origin and a day of it, at a workplace of its own."""
    workplace = number_of_workplace([*TOLD.values()], [("deployment", deployment)])
    origin = {"origin": number, "workplace": workplace, "session": "one", "session_id": number}
    whose = {"person": "p", "told_team": "told", "told_cost_center": "x"}
    day = {"day": DAY, "scope": number, "origin": number, "workplace": workplace}
    for table, row in (
        ("workplace", {"workplace": workplace, **TOLD, FORMER: deployment}),
        ("origin", origin | whose),
        ("session_day", day | {"output_tokens": 100}),
        ("workplace_day", {"day": DAY, "workplace": workplace, "source": "event"}),
    ):
        marks = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()]
        )


def tokens_by(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT {name}, sum(output_tokens), count(*)"
        f" FROM session_day JOIN workplace USING (workplace) GROUP BY {name}"
    ).fetchall()


def test_rows_that_change_team_are_not_doubled(connection: duckdb.DuckDBPyConnection) -> None:
    moved = move_to_teams(
        connection,
        {"p": [Stay(DAY, None, "other", None)]},
        zone=ZoneInfo("Europe/Berlin"),
        resource_keys=[],
        held=NOBODY,
    )
    assert moved.sessions == 2
    assert tokens_by(connection, "team") == [("other", 200, 2)]


def test_rows_whose_repository_gets_another_name_are_not_doubled(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rename_repositories(connection, lambda _: "hidden", resource_keys=[])
    assert tokens_by(connection, "repository") == [("hidden", 200, 2)]
    assert "shop" not in str(connection.execute("FROM workplace").fetchall())
    add(connection, 2, None)
    rename_repositories(connection, lambda _: "hidden", resource_keys=[])
    assert tokens_by(connection, "repository") == [("hidden", 300, 3)]
    of_days = "SELECT count(*) FROM workplace_day JOIN workplace USING (workplace)"
    assert connection.execute(of_days).fetchall() == [(3,)]
