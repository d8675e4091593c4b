"""What a page says while nothing can be shown yet."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final, cast
from zoneinfo import ZoneInfo

import pytest

from codometer.intake.normalise import Reason
from codometer.model.status import (
    ContentStatus,
    RejectStatus,
    SignalStatus,
    Status,
    UnknownName,
)
from codometer.serve.web.pages.first_run import REFUSALS, Check, first_run_page
from codometer.serve.web.view import read_view
from codometer.settings import Listen, Settings
from tests.unit.serve.parts import LAST, NOW, STATUS, Client, Office, build_office_app

NOTHING: Final = replace(STATUS, signals=(), rejects=(), unknown_names=())
HTML: Final = {"accept": "text/html"}


class Source:
    """Something that knows a status."""

    def __init__(self, status: Status) -> None:
        self.status = status

    def read_status(self) -> Status:
        return self.status

    def read_rejects(self) -> Sequence[RejectStatus]:
        return self.status.rejects

    def read_sent_content(self) -> Sequence[ContentStatus]:
        return self.status.sent_content


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Give two ports on which somebody listens."""
    here = ("127.0.0.1", 0)
    with socket.create_server(here) as one, socket.create_server(here) as other:
        yield one.getsockname()[1], other.getsockname()[1]


def checks_of(
    status: Status = NOTHING, *, data: Path, listen: Listen | None = None, waited_seconds: int = 130
) -> list[Check]:
    settings = Settings(data=data, listen=listen or Listen(otlp_port=0, grpc_port=0))
    page = first_run_page(Source(status), settings, since=NOW - timedelta(seconds=waited_seconds))
    view = read_view({}, path="/", now=NOW, days_in=ZoneInfo("UTC"), ask=Office().ask)
    (panel,) = [panel for panel in page.panels if panel.name == "checks"]
    return cast("list[Check]", panel.build(view)["checks"])


def signals(**counts: int) -> tuple[SignalStatus, ...]:
    return tuple(
        SignalStatus(signal=name, events=count, first=LAST, last=LAST)
        for name, count in counts.items()
    )


def test_it_says_how_long_it_has_waited(tmp_path: Path) -> None:
    last = checks_of(data=tmp_path)[-1]
    assert last == Check(what="First signal", state="warn", value="waiting, 2 min")


def test_ports_that_hear_are_named(tmp_path: Path, ports: tuple[int, int]) -> None:
    listen = Listen(otlp_port=ports[0], grpc_port=ports[1])
    first = checks_of(data=tmp_path, listen=listen)[0]
    assert first == Check(what="Server is listening", state="ok", value=f":{ports[0]}, :{ports[1]}")


def test_a_port_that_hears_nothing_is_named(tmp_path: Path, ports: tuple[int, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        deaf = gone.getsockname()[1]
    first = checks_of(data=tmp_path, listen=Listen(otlp_port=deaf, grpc_port=ports[0]))[0]
    assert (first.what, first.state, first.value) == (
        "Server is not listening",
        "bad",
        f":{deaf}",
    )


def test_storage_that_can_be_written_says_how_much_room_there_is(tmp_path: Path) -> None:
    storage = checks_of(data=tmp_path)[1]
    assert storage.what == "Storage is writable"
    assert storage.value.endswith(" free")


def test_storage_that_is_gone_or_full_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = checks_of(data=tmp_path / "gone")[1]
    assert (gone.what, gone.state) == ("Storage cannot be read", "bad")
    assert gone.note.endswith("gone: no such file or directory.")
    monkeypatch.setattr("codometer.serve.web.pages.first_run.free_bytes", lambda _: 2**20)
    full = checks_of(data=tmp_path)[1]
    assert (full.what, full.state, full.value) == ("Storage is almost full", "warn", "1.0 MiB free")
    monkeypatch.setattr("codometer.serve.web.pages.first_run.is_writable", lambda _: False)
    locked = checks_of(data=tmp_path)[1]
    assert (locked.what, locked.state) == ("Storage is not writable", "bad")


def test_refused_signals_are_counted_with_the_reason_and_the_remedy(tmp_path: Path) -> None:
    refused = (
        RejectStatus(reason="time_out_of_range", count=1_204, last=NOW - timedelta(seconds=8)),
        RejectStatus(reason="something_new", count=1, last=None),
    )
    found = checks_of(replace(NOTHING, rejects=refused), data=tmp_path)[2:]
    assert found[0] == Check(
        what="1,204 signals refused",
        state="bad",
        value="8 s ago",
        note=(
            "Because their time is before 2024 or more than a day ahead. "
            "Set the clock of the machine that sends them."
        ),
    )
    assert found[1].what == "1 signal refused"
    assert found[1].note == "The reason is something_new."
    assert found[2].what == "First signal"


def test_every_reason_of_the_intake_is_explained() -> None:
    assert set(REFUSALS) == {str(reason) for reason in Reason}


def test_traces_alone_are_told_from_nothing(tmp_path: Path) -> None:
    last = checks_of(replace(NOTHING, signals=signals(logs=0, traces=1_500)), data=tmp_path)[-1]
    assert (last.what, last.value) == ("Nothing in it to count", "1,500 of traces")
    assert "OTEL_LOGS_EXPORTER=otlp" in last.note


def test_a_program_that_nobody_knows_is_named_by_what_it_sends(tmp_path: Path) -> None:
    names = [("attribute", "x.y"), ("event", "my.app.started"), ("metric", "my.app.clicks")]
    unknown = tuple(
        UnknownName(agent="unknown", what=what, name=name, count=1, last=LAST)
        for what, name in names
    )
    status = replace(NOTHING, signals=signals(logs=3), unknown_names=unknown)
    last = checks_of(status, data=tmp_path)[-1]
    assert last.note == (
        "They come from a program that is not known here: my.app.started, my.app.clicks."
    )


def test_a_client_that_asked_nothing_yet_is_told_from_nothing(tmp_path: Path) -> None:
    last = checks_of(replace(NOTHING, signals=signals(logs=3, metrics=2)), data=tmp_path)[-1]
    assert last.value == "3 of logs, 2 of metrics"
    assert last.note == "A session that asks a model something will be counted."


def test_the_page_has_the_command_to_copy_and_says_how_to_look_around() -> None:
    text = Client(build_office_app(Office(uses=()))).get("/", HTML).text
    assert "</span> OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\n" in text
    assert 'claude -p "Say hello"</pre>' in text
    assert "<code>codometer demo</code>" in text
    assert "Local mode" in text
