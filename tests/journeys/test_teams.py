"""Teams and counts of people at a running server, by its commands."""

from datetime import UTC, datetime, timedelta

import pytest

from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer
from tests.journeys.test_privacy import ADA, GRACE, command, join, send, wait_for
from tests.running import RunningServer

pytestmark = pytest.mark.slow

EMAIL = GRACE["user.email"]
REASON = "--reason=a new team"


def test_an_administrator_says_who_belongs_where_and_reads_it_back(server: RunningServer) -> None:
    join(server, "standard")
    wait_for(server, "standard")
    send(server, GRACE, "one")
    send(server, ADA, "two")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()

    done = command(server, "team", "assign", EMAIL, "checkout", "--since=2d", REASON)
    assert (done["sessions"], done["held"], done["corrected_from"]) == (1, 0, None)
    assert [(each["team"], each["until"]) for each in done["memberships"]] == [("checkout", None)]
    shown = command(server, "team", "assign", EMAIL, "mobile", f"--since={tomorrow}", REASON,
                    "--cost-center=CC-7", form="table")  # fmt: skip
    assert "CC-7" in shown
    assert "0 stored sessions were moved." in shown
    history = command(server, "team", "history", EMAIL, form="csv").splitlines()
    assert history[0] == "person,team,cost_center,since,until"
    assert history[2].endswith(f",mobile,CC-7,{tomorrow},")
    assert "In the team checkout since" in command(server, "person", "show", EMAIL, form="table")

    listed = command(server, "team", "list")
    assert listed.pop("period")["timezone"]
    assert listed == {
        "minimum_people": 5,
        "teams": [{"team": "checkout", "active": None, "assigned": None}],
    }
    assert "fewer than 5" in command(server, "team", "list", form="table")
    assert command(server, "team", "list", form="csv") == "team,active,assigned\ncheckout,,\n"

    removed = command(server, "team", "remove", EMAIL, "--since=2d", REASON)
    assert (removed["sessions"], removed["memberships"]) == (1, [])
    assert "what their client says" in command(server, "team", "history", EMAIL, form="table")
    assert command(server, "team", "list", form="table") == "No team is known.\n"


def test_what_names_nobody_or_no_day_is_wrong_usage(server: RunningServer) -> None:
    send(server, GRACE, "one")
    for arguments in (
        ("nobody", "checkout"),
        (EMAIL, "checkout", "--since=12h"),
        (EMAIL, "checkout", "--since=2026-11-23", "--until=2026-11-23"),
    ):
        answer = run_codometer(
            *("team", "assign", *arguments, REASON),
            url=server.url,
            environ={"CODOMETER_DATA": str(server.data)},
        )
        assert answer.exit_code == ExitStatus.WRONG_USAGE, answer.output


def test_people_are_counted_and_not_listed(server: RunningServer) -> None:
    send(server, GRACE, "one")
    send(server, ADA, "two")
    assert command(server, "people")["people"] == 2
    join(server, "standard")
    wait_for(server, "standard")
    assert command(server, "people")["people"] is None
    assert "fewer than 5" in command(server, "people", form="table")
    assert command(server, "people", form="csv").splitlines()[1] == ",,,,0,0,0"
