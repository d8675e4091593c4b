from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from codometer.cli.edge import ExitStatus
from codometer.model.status import RollupStatus, Status, name_only
from tests.journeys.office import run_codometer, serving
from tests.unit.serve.parts import LAST, STATUS, Office


@dataclass
class Fleet(Office):
    """An office with another status."""

    status: Status = STATUS

    def read_status(self) -> Status:
        return self.status


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Office()) as address:
        yield address


def test_the_status_tells_what_arrived_and_what_needs_a_look(url: str) -> None:
    result = run_codometer("status", url=url)
    assert result.exit_code == ExitStatus.DONE
    assert (
        result.stdout.partition("\n\n")[2]
        == """\
Arrived from 3 clients in 41 sessions
Signal   Events  First (UTC)       Last
logs      8,214  2 Nov 2026 08:15  12 s ago
metrics   2,790  2 Nov 2026 08:15  12 s ago
traces        0  –                 –

Who that was; an installation stands for a person where a client names none
Known by  Count
account       3

Client versions
Agent        Version  Sessions  Last
claude_code  2.1.330        40  12 s ago
claude_code  unknown         1  2 Nov 2026 08:15

Refused signals
Reason   Signals  Last
too_old        1  12 s ago

Clients that send what people or models write; it is dropped where nobody agreed to it
What    Agent        Version  Signals  Last
prompt  claude_code  2.1.330        9  12 s ago
With these settings, all of them, Claude Code sends none:
  OTEL_LOG_USER_PROMPTS=0
  OTEL_LOG_ASSISTANT_RESPONSES=0
  OTEL_LOG_TOOL_DETAILS=0
  OTEL_LOG_TOOL_CONTENT=0
  OTEL_LOG_RAW_API_BODIES=0

Names that this version does not know; what they carry is kept
Name       What   Agent        Seen  Last
new_thing  event  claude_code     2  12 s ago

Models without a list price; their cost is what the client reports
Model        Requests
claude-next         3

Stored
Data     codometer-data, 7.0 MiB
Detail   11,004 rows since 2 Nov 2026 08:15 UTC
Rollups  1,920 rows, up to 23 Nov 2026 14:00 UTC, 2 to be brought up to date
"""
    )


def test_columns_of_which_nothing_is_told_are_left_out() -> None:
    with serving(Fleet(status=name_only(STATUS))) as url:
        text = run_codometer("status", url=url).stdout
    assert (
        """
Client versions
Agent        Version
claude_code  unknown
claude_code  2.1.330

"""
        in text
    )
    assert "Model\nclaude-next\n" in text


def test_an_empty_server_says_how_to_begin() -> None:
    empty = replace(
        STATUS,
        signals=tuple(replace(each, events=0, first=None, last=None) for each in STATUS.signals),
        versions=(),
        unknown_names=(),
        rejects=(),
        unpriced_models=(),
        storage=replace(STATUS.storage, detail_rows=0, rollup_rows=0, oldest_detail=None),
        rollup=RollupStatus(as_of=None, pending=0),
    )
    with serving(Fleet(status=empty)) as url:
        text = run_codometer("status", url=url).stdout
    assert "Nothing has arrived yet.\n" in text
    assert "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\n" in text
    assert "Detail   0 rows\nRollups  0 rows, not yet made\n" in text
    assert "Refused" not in text


def test_long_lists_are_cut_and_say_so() -> None:
    [reject] = STATUS.rejects
    many = replace(
        STATUS,
        rejects=tuple(
            replace(reject, reason=f"reason {number}", last=LAST - timedelta(hours=number))
            for number in range(12)
        ),
    )
    with serving(Fleet(status=many)) as url:
        text = run_codometer("status", url=url).stdout
    assert "reason 9        1  9 h ago\nand 2 more\n" in text
    assert "reason 10" not in text


def test_names_from_telemetry_cannot_steer_the_terminal() -> None:
    [name] = STATUS.unknown_names
    nasty = replace(STATUS, unknown_names=(replace(name, name="[red]x\x1b[2J\u202ey"),))
    with serving(Fleet(status=nasty)) as url:
        text = run_codometer("status", url=url).stdout
    assert "[red]x�[2J�y" in text


def test_programs_get_every_value(url: str) -> None:
    json = run_codometer("status", "--format", "json", url=url).stdout
    assert '  "clients": 3,\n' in json
    csv = run_codometer("status", "--format", "csv", url=url).stdout.splitlines()
    assert csv[0] == "section,item,field,value"
    assert "signals,1,events,8214" in csv
    assert "clients,,,3" in csv
    assert "storage,,bytes,7340032" in csv


def test_settings_in_force_are_those_of_the_server(url: str) -> None:
    lines = run_codometer("config", "show", url=url).stdout.splitlines()
    assert lines[0].split() == ["Setting", "Value", "From"]
    assert lines[3].split() == ["listen.port", "4319", "default"]
    csv = run_codometer("config", "show", "--format", "csv", url=url).stdout
    assert 'dimensions.team_attributes,"team.id, team",default\n' in csv


def test_settings_can_be_read_without_a_server(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[retention]\ndetail_days = 7", encoding="utf-8")
    result = run_codometer(
        "config", "show", "--local", "--config", str(path), "--format", "json",
        environ={"CODOMETER_LISTEN_PORT": "5000"},
    )  # fmt: skip
    assert result.exit_code == ExitStatus.DONE
    assert f'"value": 7,\n      "origin": "{path}"' in result.stdout
    assert '"value": 5000,\n      "origin": "CODOMETER_LISTEN_PORT"' in result.stdout


def test_a_file_is_only_read_here(tmp_path: Path) -> None:
    result = run_codometer("config", "show", "--config", str(tmp_path / "c.toml"))
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert "--local" in result.stderr
