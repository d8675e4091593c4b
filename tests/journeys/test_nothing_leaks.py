"""What people and models wrote is in no file and no line of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb
import httpx
import pytest

from codometer.intake.receivers.export import Encoding
from codometer.privacy.policy import CONTENT_ATTRIBUTES
from codometer.store.duckdb_engine import FILE_NAME
from codometer.store.tables import TABLES
from tests import capture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import RunningServer

MARKED: Final = "AKIAIOSFODNN7EXAMPLE"
SHORTEST: Final = 8
"""Shorter values of content, such as `gh` or `success`, are words that are kept elsewhere."""

KEPT: Final = frozenset({"<REDACTED>", "ShellError"})
"""What stands for content, and a class of error that spans call `error` too."""
TYPES: Final = {
    Encoding.PROTOBUF: "application/x-protobuf",
    Encoding.JSON: "application/json",
}


def contents() -> set[str]:
    """Return every text of the recordings that stands under a name of content."""
    found = {MARKED}
    for name in capture.NAMES:
        for request in capture.recorded(name):
            found.update(_contents(request.message))
    return {text for text in found if len(text) >= SHORTEST and text not in KEPT}


def _contents(message: Any) -> Iterator[str]:  # noqa: ANN401 - any message of OTLP
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for item in value if descriptor.is_repeated else [value]:
            if descriptor.message_type.name == "KeyValue" and item.key in CONTENT_ATTRIBUTES:
                yield item.value.string_value
            yield from _contents(item)


def send_everything(server: RunningServer) -> None:
    with httpx.Client(base_url=server.otlp_url, trust_env=False) as http:
        for name in capture.NAMES:
            for request in capture.recorded(name):
                for encoding in Encoding:
                    export = request.export(encoding)
                    headers = {"content-type": TYPES[encoding]}
                    for body in (export.body, export.body[:-3], export.body + b"\xff{"):
                        answer = http.post(f"/v1/{export.kind}", content=body, headers=headers)
                        assert answer.status_code in (200, 400)
                        assert MARKED.encode() not in answer.content


def search(folder: Path, texts: set[str]) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert not [text for text in texts if text.encode() in held], file.name


def search_tables(folder: Path, texts: set[str]) -> None:
    """Look through SQL too, since the files are compressed."""
    with duckdb.connect(str(folder / FILE_NAME), read_only=True) as connection:
        for table in TABLES:
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                line = "\n".join(map(str, row))
                assert not [text for text in texts if text in line], table


@pytest.mark.slow
def test_no_content_reaches_a_file_or_the_log(server: RunningServer) -> None:
    texts = contents()
    assert len(texts) > 20
    assert any(MARKED in text for text in texts if text != MARKED)
    send_everything(server)
    assert server.query("requests")[0]["requests"] == 95
    search(server.data.parent, texts)
    server.kill()
    search(server.data.parent, texts)
    server.start()
    server.stop()
    search(server.data.parent, texts)
    search_tables(server.data, texts)
    server.start()
