"""What people and models wrote is in no file and no line of the log."""

from __future__ import annotations

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor
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
AT_ONCE: Final = 16
SHORTEST: Final = 8
"""Shorter values of content, such as `gh` or `success`, are words that are kept elsewhere."""

KEPT: Final = frozenset({"<REDACTED>", "ShellError"})
"""What stands for content, and a class of error that spans call `error` too."""
KEPT_INSIDE: Final = frozenset({"mcp_server_name", "mcp_tool_name", "skill_name", "subagent_type"})
"""What measures are by, wherever it stands."""

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
                yield from _leaves(item.value.string_value)
            yield from _contents(item)


def _leaves(text: str) -> Iterator[str]:
    """Return the texts inside of a text of JSON, as tools' parameters are."""
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return
    while waiting:
        match waiting.pop():
            case str() as leaf:
                yield leaf
            case dict() as fields:
                waiting += [value for name, value in fields.items() if name not in KEPT_INSIDE]
            case list() as items:
                waiting += items


def send_everything(server: RunningServer, texts: set[str]) -> None:
    """Send what was recorded, whole, cut and garbled; no answer may repeat a text of it."""

    def send(body: tuple[str, dict[str, str], bytes]) -> None:
        kind, headers, content = body
        answer = http.post(f"/v1/{kind}", content=content, headers=headers)
        assert answer.status_code in (200, 400)
        assert not _find(texts, answer.content)

    with (
        httpx.Client(base_url=server.otlp_url, trust_env=False, timeout=30) as http,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        list(pool.map(send, _bodies()))


def _bodies() -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Return everything that is sent: kind, headers and body."""
    chance = random.Random(7)  # noqa: S311 - bytes, not secrets
    for name in capture.NAMES:
        for request in capture.recorded(name):
            for encoding in Encoding:
                whole = request.export(encoding).body
                half = whole[: len(whole) // 2]
                headers = {"content-type": TYPES[encoding]}
                for body in (
                    whole,
                    whole[:-3],
                    half,
                    whole + b"\xff{",
                    chance.randbytes(8) + whole,
                ):
                    yield request.kind, headers, body
                zipped = {**headers, "content-encoding": "gzip"}
                for packed in (
                    gzip.compress(whole),
                    gzip.compress(whole)[:-9],
                    gzip.compress(half),
                ):
                    yield request.kind, zipped, packed


def _find(texts: set[str], held: bytes) -> list[str]:
    return [text for text in texts if text.encode() in held]


def search(folder: Path, texts: set[str]) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            assert not _find(texts, file.read_bytes()), file.name


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
    send_everything(server, texts)
    assert server.query("requests")[0]["requests"] == 95
    search(server.data.parent, texts)
    server.kill()
    search(server.data.parent, texts)
    server.start()
    server.stop()
    search(server.data.parent, texts)
    search_tables(server.data, texts)
    server.start()
