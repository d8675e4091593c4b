"""A scripted stand-in for the Messages API, with a ledger of what it answered.

The client keeps its conversation in every request, so the stand-in keeps none: how many
answers of the model a request already holds says which turn of the script comes next.
Token counts look random and are drawn from a seed, so two runs bill the same.

Run as a program it serves one port of the loopback interface until it is ended:

    python -m tests.e2e.messages_api --port 8080 --work DIR --ledger FILE
"""

import argparse
import json
import random
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.e2e.script import MODEL_THAT_IS_DOWN, SCRIPT, Turn

SEED: Final = 20261123
OVERLOADED: Final = 529


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens of one answer; the four kinds never overlap."""

    uncached_input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One request to a model, and how it ended; only those with status 200 are paid for."""

    model: str
    status: int
    usage: Usage


def read_ledger(path: Path) -> list[LedgerLine]:
    """Return every request to a model so far, oldest first."""
    return [
        LedgerLine(**{**row, "usage": Usage(**row["usage"])})
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


class MessagesApi(ThreadingHTTPServer):
    """The stand-in: listens on loopback, answers from `SCRIPT`, appends to its ledger."""

    daemon_threads = True

    def __init__(self, *, port: int, work: Path, ledger: Path) -> None:
        """Begin an empty ledger and bind the port; `port` 0 takes a free one."""
        super().__init__(("127.0.0.1", port), _Handler)
        self._work = work
        self._ledger = ledger
        self._ledger.write_text("", encoding="utf-8")
        self._lock = threading.Lock()
        self._random = random.Random(SEED)  # noqa: S311 - counts of tokens, not a secret
        self._refused: set[int] = set()

    def record(self, line: LedgerLine) -> None:
        """Add one line to the ledger; it is on disk before the answer is."""
        with self._lock, self._ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")

    def draw_usage(self) -> Usage:
        """Draw the tokens of the next answer."""
        with self._lock:
            return Usage(
                uncached_input_tokens=self._random.randint(3, 2_000),
                cache_read_tokens=self._random.randint(9_000, 60_000),
                cache_write_5m_tokens=self._random.randint(0, 6_000),
                cache_write_1h_tokens=self._random.randint(0, 3_000),
                output_tokens=self._random.randint(20, 900),
            )

    def choose_refusal(self, model: str, index: int) -> int | None:
        """Return the status of an error to answer with, or None to answer properly."""
        if model == MODEL_THAT_IS_DOWN:
            return HTTPStatus.INTERNAL_SERVER_ERROR
        with self._lock:
            is_due = SCRIPT[index].overloaded_first and index not in self._refused
            self._refused.add(index)
        return OVERLOADED if is_due else None

    def write_content(self, turn: Turn) -> list[dict[str, Any]]:
        """Return the content blocks of a turn, with paths filled in."""
        blocks: list[dict[str, Any]] = [{"type": "text", "text": turn.text}]
        if turn.tool:
            filled = {
                name: value.replace("{work}", str(self._work))
                for name, value in turn.tool_input.items()
            }
            tool_use_id = f"toolu_{uuid.uuid4().hex[:24]}"
            blocks.append(
                {"type": "tool_use", "id": tool_use_id, "name": turn.tool, "input": filled}
            )
        return blocks


class _Handler(BaseHTTPRequestHandler):
    server: MessagesApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/ready":
            self._send_json(HTTPStatus.OK, {})
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "not_found_error")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.partition("?")[0] == "/v1/messages":
            self._answer_message(json.loads(body))
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "not_found_error")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Say nothing: the ledger is the log."""

    def _answer_message(self, request: Mapping[str, Any]) -> None:
        model, index = request["model"], _count_answers(request["messages"])
        refusal = self.server.choose_refusal(model, index)
        if refusal is not None:
            self.server.record(LedgerLine(model=model, status=refusal, usage=Usage()))
            self._refuse(refusal, "overloaded_error" if refusal == OVERLOADED else "api_error")
            return
        usage = self.server.draw_usage()
        self.server.record(LedgerLine(model=model, status=HTTPStatus.OK, usage=usage))
        message = _write_message(model, self.server.write_content(SCRIPT[index]))
        self._send_stream(_stream_message(message, usage))

    def _refuse(self, status: int, kind: str) -> None:
        error = {"type": kind, "message": "try again later"}
        self._send_json(status, {"type": "error", "error": error})

    def _send_json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send_stream(self, events: Iterator[dict[str, Any]]) -> None:
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self._send(HTTPStatus.OK, text.encode(), "text/event-stream")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("request-id", f"req_{uuid.uuid4().hex[:24]}")
        self.end_headers()
        self.wfile.write(body)


def _count_answers(messages: Sequence[Mapping[str, Any]]) -> int:
    return [message["role"] for message in messages].count("assistant")


def _write_message(model: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if content[-1]["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
    }


def _write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.uncached_input_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
        "service_tier": "standard",
    }


def _stream_message(message: dict[str, Any], usage: Usage) -> Iterator[dict[str, Any]]:
    """Yield the events of one streamed answer, in the order of the real API.

    The first event already counts one output token and the last counts them all, as the real
    API does: a client that adds the two is one token off.
    """
    opening = {**message, "content": [], "stop_reason": None}
    yield {
        "type": "message_start",
        "message": {**opening, "usage": {**_write_usage(usage), "output_tokens": 1}},
    }
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        yield from _stream_block(index, block)
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": _write_usage(usage),
    }
    yield {"type": "message_stop"}


def _stream_block(index: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        empty, parts = {**block, "text": ""}, _cut(block["text"])
        kind, key = "text_delta", "text"
    else:
        empty, parts = {**block, "input": {}}, _cut(json.dumps(block["input"]))
        kind, key = "input_json_delta", "partial_json"
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for part in parts:
        yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: part}}
    yield {"type": "content_block_stop", "index": index}


def _cut(text: str, size: int = 24) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A scripted stand-in for the Messages API.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    chosen = parser.parse_args()
    MessagesApi(port=chosen.port, work=chosen.work, ledger=chosen.ledger).serve_forever()


if __name__ == "__main__":
    main()
