"""Content at a running server: opened by a command, sent in three ways, nowhere in clear."""

import json
import time
from typing import Any, Final

import grpc
import httpx
import pytest

from codometer.cli.edge import ExitStatus
from codometer.intake.receivers.export import Encoding
from tests import capture
from tests.journeys.office import run_codometer
from tests.people.desk import MARKED_EMAIL, MARKED_KEY, PROMPT, WITH_CONTENT
from tests.receiving import EXPORT_LOGS, EXPORT_METRICS, EXPORT_TRACES, JSON, PROTOBUF
from tests.running import HOST, RunningServer

pytestmark = pytest.mark.slow

METHODS: Final = {"logs": EXPORT_LOGS, "metrics": EXPORT_METRICS, "traces": EXPORT_TRACES}
PROJECTS: Final = [project for project, _ in WITH_CONTENT.values()]
PURPOSE: Final = "to write better instructions"


def command(server: RunningServer, *arguments: str, form: str = "json") -> Any:  # noqa: ANN401 - a document
    mine = {"CODOMETER_DATA": str(server.data)}
    result = run_codometer(*arguments, "--format", form, url=server.url, environ=mine)
    assert result.exit_code == ExitStatus.DONE, result.output
    return json.loads(result.stdout) if form == "json" else result.stdout


def send(server: RunningServer, way: str) -> None:
    """Send everything that was recorded."""
    with grpc.insecure_channel(f"{HOST}:{server.ports.grpc}") as channel:
        for name in capture.NAMES:
            for recorded in capture.recorded(name):
                if way == "grpc":
                    call = channel.unary_unary(METHODS[recorded.kind], bytes, bytes)
                    call(recorded.export().body, timeout=30)
                    continue
                encoding = Encoding(way)
                answer = httpx.post(
                    f"{server.otlp_url}/v1/{recorded.kind}",
                    content=recorded.export(encoding).body,
                    headers={"content-type": JSON if encoding is Encoding.JSON else PROTOBUF},
                    trust_env=False,
                    timeout=30,
                )
                assert answer.status_code == 200, answer.text


def held(server: RunningServer) -> set[str]:
    """Return what of these is in a file of the server, its log and its database included.

    The marked address is not among them: on one's own machine people are stored as they are called.
    """
    words = (MARKED_KEY, PROMPT, "def mul(a, b)", "Done: the module is written")
    files = [path.read_bytes() for path in server.data.parent.rglob("*") if path.is_file()]
    return {word for word in words if any(word.encode() in content for content in files)}


@pytest.mark.parametrize("way", ["protobuf", "json", "grpc"])
def test_what_was_agreed_to_is_kept_without_what_was_marked(
    server: RunningServer, way: str
) -> None:
    assert "No project is open" in command(server, "content", "list", form="table")
    send(server, way)
    assert command(server, "content", "show") == {"texts": []}
    sent = command(server, "status")["sent_content"]
    newest = {each["part"] for each in sent if each["version"] == "2.1.330"}
    assert newest == {"prompt", "response", "tool"}
    for project in PROJECTS:
        command(server, "content", "open", project, "--purpose", PURPOSE)
    listed = command(server, "content", "list", form="table")
    assert PURPOSE in listed
    assert PROJECTS[0] in command(server, "content", "list", form="csv")
    send(server, way)
    shown = command(server, "content", "show", form="table")
    assert PROMPT in shown
    assert "[REDACTED:aws:" in shown
    assert MARKED_KEY not in shown
    assert MARKED_EMAIL not in shown
    texts = command(server, "content", "show", "--project", PROJECTS[0])["texts"]
    assert {text["part"] for text in texts} == {"prompt", "response", "tool"}
    assert "user_prompt" in command(server, "content", "show", form="csv")
    assert held(server) == set()
    server.kill()
    assert held(server) == set()
    server.start()
    assert len(command(server, "content", "show", "--project", PROJECTS[0])["texts"]) == len(texts)
    for project in PROJECTS:
        command(server, "content", "close", project, "--reason", "it is done")
    assert command(server, "content", "show") == {"texts": []}
    server.stop()
    assert held(server) == set()
    server.start()


def test_a_stricter_profile_ends_it(server: RunningServer) -> None:
    command(server, "content", "open", PROJECTS[0], "--purpose", PURPOSE)
    send(server, "protobuf")
    assert command(server, "content", "show")["texts"]
    command(server, "privacy", "change", "--profile", "strict", "--reason", "agreed")
    deadline = time.monotonic() + 60
    while command(server, "content", "list")["projects"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert command(server, "content", "show") == {"texts": []}
    mine = {"CODOMETER_DATA": str(server.data)}
    wanted = ("content", "open", PROJECTS[0], "--purpose", PURPOSE)
    refused = run_codometer(*wanted, url=server.url, environ=mine)
    assert refused.exit_code == ExitStatus.WRONG_USAGE
    assert "nobody can agree" in refused.output
