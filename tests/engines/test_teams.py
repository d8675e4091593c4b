"""Rows that are brought to another team, in a folder of which the settings were others once."""

from datetime import date
from zoneinfo import ZoneInfo

import duckdb

from codometer.store.migrate import STEPS
from codometer.store.origins import number_of_workplace
from codometer.store.retention import NOBODY
from codometer.store.tables import WORKPLACE_DIMENSIONS, resource_column
from codometer.store.teams import Stay, move_to_teams

DAY = date(2026, 11, 2)
TOLD = dict.fromkeys(WORKPLACE_DIMENSIONS, "x") | {"team": "told"}


def test_places_that_only_a_former_dimension_tells_apart_are_not_doubled() -> None:
    with duckdb.connect() as connection:
        for step in STEPS:
            for statement in step:
                connection.execute(statement)
        former = resource_column("deployment").name
        connection.execute(f"ALTER TABLE workplace ADD COLUMN {former} VARCHAR")
        for number, deployment in enumerate(("eu", "us")):
            workplace = number_of_workplace([*TOLD.values()], [("deployment", deployment)])
            for table, row in (
                ("workplace", {"workplace": workplace, **TOLD, former: deployment}),
                (
                    "origin",
                    {
                        "origin": number,
                        "workplace": workplace,
                        "session": "one",
                        "session_id": number,
                        "person": "p",
                        "told_team": "told",
                        "told_cost_center": "x",
                    },
                ),
                (
                    "session_day",
                    {
                        "day": DAY,
                        "scope": number,
                        "origin": number,
                        "workplace": workplace,
                        "output_tokens": 100,
                    },
                ),
            ):
                marks = ", ".join("?" * len(row))
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()]
                )
        moved = move_to_teams(
            connection,
            {"p": [Stay(DAY, None, "other", None)]},
            zone=ZoneInfo("Europe/Berlin"),
            resource_keys=[],
            held=NOBODY,
        )
        assert moved.sessions == 2
        told = connection.execute(
            "SELECT team, sum(output_tokens), count(*)"
            " FROM session_day JOIN workplace USING (workplace) GROUP BY team"
        ).fetchall()
        assert told == [("other", 200, 2)]
