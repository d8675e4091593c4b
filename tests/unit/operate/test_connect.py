import sys
from pathlib import Path

import pytest

from codometer.operate.connect import command, connection_lines
from codometer.settings import Listen, Settings


def test_the_lines_name_this_server_and_ask_for_nothing_that_people_write() -> None:
    lines = connection_lines(Settings(listen=Listen(host="::1", otlp_port=5000))).splitlines()
    exports = [line.strip() for line in lines if "export" in line]
    assert exports == [
        "export CLAUDE_CODE_ENABLE_TELEMETRY=1",
        "export OTEL_METRICS_EXPORTER=otlp",
        "export OTEL_LOGS_EXPORTER=otlp",
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        "export OTEL_EXPORTER_OTLP_ENDPOINT=http://[::1]:5000",
        "export OTEL_LOG_USER_PROMPTS=0",
        "export OTEL_LOG_ASSISTANT_RESPONSES=0",
        "export OTEL_LOG_TOOL_DETAILS=0",
        "export OTEL_LOG_TOOL_CONTENT=0",
        "export OTEL_LOG_RAW_API_BODIES=0",
    ]


def test_a_query_names_a_server_that_is_not_where_it_is_looked_for() -> None:
    query = "codometer query tokens cost --by model"
    assert f"{query}\n" in connection_lines(Settings())
    elsewhere = Settings(listen=Listen(port=5000))
    assert f"{query} --url http://127.0.0.1:5000\n" in connection_lines(elsewhere)


@pytest.mark.parametrize(
    ("started_as", "path", "typed"),
    [
        (".venv/bin/codometer", "", ".venv/bin/codometer"),
        (".venv/bin/codometer", ".venv/bin", "codometer"),
        ("site-packages/codometer/__main__.py", "", "codometer"),
    ],
)
def test_a_command_to_paste_is_one_that_the_shell_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started_as: str, path: str, typed: str
) -> None:
    program = tmp_path / ".venv" / "bin" / "codometer"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [started_as, "serve"])
    monkeypatch.setenv("PATH", path or "nowhere")
    assert command() == typed
