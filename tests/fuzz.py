"""What nobody ought to send, from a seed: recorded requests with everything in them changed.

Values are exchanged for odd ones of every type, names for each other, parts for
nothing, bytes for other bytes. `send_through_intake` lets them go the whole way
from the receivers to rolled-up numbers, `send_over_http` through the receivers.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import zlib
from collections import Counter
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import zstandard

from codometer.errors import Malformed
from codometer.intake.receivers.export import Accepted, Encoding, ExportRequest
from codometer.model.signal import SignalKind
from tests import capture
from tests.oracle import damage
from tests.receiving import JSON, PROTOBUF, Raw, make_post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.message import Message

    from codometer.intake.pipeline import Intake

PATIENCE_SECONDS: Final = 20.0
AT_ONCE: Final = 200

_TEXTS: Final = (
    *("", " ", "0", "-1", "1e400", "nan", "Infinity", "-0.0", "true", "9" * 25, "1_000", "٣"),
    *("claude-opus-5-5", "claude_code.", "main", "accept", "\x00", "a\nb", "é" * 300, "x" * 2000),
    *(
        "\N{PILE OF POO}",
        "$(id)",
        "'; DROP TABLE event; --",
        "2026-13-45T99:99:99Z",
        "{}",
        "\u202e",
    ),
)
_INTEGERS: Final = (0, 1, -1, 127, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63))
_REALS: Final = (
    0.0,
    -0.0,
    -1.5,
    0.5,
    1e15,
    1e300,
    5e-324,
    float("inf"),
    float("-inf"),
    float("nan"),
)
_TIMES: Final = (0, 1, 2**63, 2**64 - 1, 1_704_067_200 * 10**9, 1_790_000_000 * 10**9)
_JSON_VALUES: Final[tuple[Any, ...]] = (
    *_TEXTS, *_INTEGERS, *_REALS, None, True, False, [], {}, [[]], {"": {}}, [None], 2**64, 10**400,
    "\ud83d", "-9223372036854775809", {"stringValue": 5}, {"intValue": "x"}, {"doubleValue": "NaN"},
    {"arrayValue": {"values": [{}]}}, {"kvlistValue": None}, {"boolValue": 1}, {"unheard": "of"},
)  # fmt: skip
_DEEP: Final = b"[" * 100_000


# What is changed.


@cache
def corpus() -> tuple[capture.Recorded, ...]:
    """Return one recorded request of each sort: a record, metric or span with its attributes."""
    found: dict[tuple[object, ...], capture.Recorded] = {}
    for name in capture.NAMES:
        for request in capture.split(capture.recorded(name)):
            item = _item(request.message)
            named = item.body.string_value if hasattr(item, "body") else item.name
            holder = _holder(item)
            found.setdefault((named, *(each.key for each in holder.attributes)), request)
    return tuple(found.values())


@cache
def _documents() -> tuple[tuple[SignalKind, str], ...]:
    return tuple((each.kind, each.export(Encoding.JSON).body.decode()) for each in corpus())


@cache
def _keys() -> tuple[str, ...]:
    return tuple(
        sorted({pair.key for each in corpus() for pair in _holder(_item(each.message)).attributes})
    )


def _item(message: Any) -> Any:  # noqa: ANN401 - a message without types
    """Return the first record, metric or span of a request."""
    group = message.ListFields()[0][1][0]
    scoped = next(value for field, value in group.ListFields() if field.name.startswith("scope_"))
    return next(value for field, value in scoped[0].ListFields() if field.number == 2)[0]


def _holder(item: Any) -> Any:  # noqa: ANN401 - as above
    """Return what has the attributes of an item: itself, or the first data point of a metric."""
    return item.sum.data_points[0] if hasattr(item, "sum") else item


# How it is changed.


class Fuzz:
    """Makes requests, the same ones from the same seed."""

    def __init__(self, seed: int) -> None:
        self._luck = random.Random(seed)  # noqa: S311 - not a secret

    def export(self) -> ExportRequest:
        """Make a request as receivers hand it on."""
        if self._luck.random() < 0.5:
            kind, body = self._protobuf()
            return ExportRequest(kind=kind, encoding=Encoding.PROTOBUF, body=body)
        kind, body = self._json()
        return ExportRequest(kind=kind, encoding=Encoding.JSON, body=body)

    def http(self) -> bytes:
        """Make the bytes of a request over HTTP, some of them not all of one."""
        luck, export = self._luck, self.export()
        write, name = luck.choice(_COMPRESSIONS)
        body = write(export.body if luck.random() < 0.9 else damage(export.body, luck))
        headers = [
            ("content-type", JSON if export.encoding is Encoding.JSON else PROTOBUF),
            *([("content-encoding", name)] if luck.random() < 0.8 else []),
            *luck.sample(_HEADERS, luck.choice((0, 0, 1, 2))),
            ("connection", "close" if luck.random() < 0.95 else "keep-alive"),
        ]
        length = len(body) + luck.choice((0, 0, 0, 0, 0, -1, 1, 1000))
        request = make_post(f"/v1/{export.kind}", body, length=max(0, length), headers=headers)
        if luck.random() < 0.05:
            request = request.replace(b"POST", luck.choice(_METHODS), 1)
        if luck.random() < 0.5:
            head, end, rest = request.partition(b"\r\n\r\n")
            request = damage(head, luck) + end + rest
        return request[: luck.randrange(len(request))] if luck.random() < 0.1 else request

    def _protobuf(self) -> tuple[SignalKind, bytes]:
        luck = self._luck
        chosen = luck.choice(corpus())
        message = type(chosen.message).FromString(chosen.message.SerializeToString())
        for _ in range(luck.randint(0, 3)):
            self._change(_item(message))
        body = message.SerializeToString()
        chance = luck.random()
        if chance < 0.4:
            body = damage(body, luck)
        elif chance < 0.5:
            other = luck.choice(corpus()).message.SerializeToString()
            body = body[: luck.randrange(len(body))] + other[luck.randrange(len(other)) :]
        elif chance < 0.6:
            body += body
        return chosen.kind if luck.random() < 0.98 else luck.choice(list(SignalKind)), body

    def _change(self, item: Any) -> None:  # noqa: ANN401 - a message without types
        luck, holder = self._luck, _holder(item)
        chance = luck.random()
        if chance < 0.1:
            self._change_times(holder)
        elif chance < 0.15:
            self._rename(item)
        elif chance < 0.25 and holder is not item:
            holder.as_double = luck.choice(_REALS)
        elif chance < 0.3:
            holder.attributes.add(key=luck.choice(_keys()))
        elif holder.attributes:
            attribute = luck.choice(holder.attributes)
            if luck.random() < 0.2:
                attribute.key = luck.choice(_keys() if luck.random() < 0.7 else _TEXTS)
            else:
                self._set(attribute.value)

    def _change_times(self, holder: Message) -> None:
        times = [field for field, _ in holder.ListFields() if field.name.endswith("unix_nano")]
        for field in times:
            setattr(holder, field.name, self._luck.choice(_TIMES))

    def _rename(self, item: Any) -> None:  # noqa: ANN401 - as above
        name = self._luck.choice(_TEXTS)
        if hasattr(item, "body"):
            item.body.string_value = item.event_name = name
        else:
            item.name = name

    def _set(self, value: Any) -> None:  # noqa: ANN401 - as above
        luck = self._luck
        which = luck.randrange(7)
        if which < 2:  # text is what clients send most
            value.string_value = luck.choice(_TEXTS)
        elif which == 2:
            value.int_value = luck.choice(_INTEGERS)
        elif which == 3:
            value.double_value = luck.choice(_REALS)
        elif which == 4:
            value.bool_value = luck.random() < 0.5
        elif which == 5:
            value.bytes_value = luck.randbytes(4)
        else:
            value.array_value.values.add().kvlist_value.values.add(key="k")

    def _json(self) -> tuple[SignalKind, bytes]:
        luck = self._luck
        kind, text = luck.choice(_documents())
        chance = luck.random()
        if chance < 0.9:
            document = json.loads(text)
            for _ in range(luck.randint(1, 3)):
                self._exchange(document)
            text = json.dumps(document)
        elif chance < 0.902:
            return kind, _DEEP
        body = text.encode()
        return kind, damage(body, luck) if luck.random() < 0.2 else body

    def _exchange(self, document: Any) -> None:  # noqa: ANN401 - JSON
        """Put something else in the place of one part, most often deep inside."""
        luck, place = self._luck, document
        while True:
            if not place:
                return
            key = luck.choice(list(place) if isinstance(place, dict) else range(len(place)))
            inner = place[key]
            if not isinstance(inner, dict | list) or luck.random() < 0.03:
                break
            place = inner
        chance = luck.random()
        if chance < 0.1:
            del place[key]
        elif chance < 0.2 and isinstance(place, dict):
            place[luck.choice(_keys())] = place.pop(key)
        elif chance < 0.25 and isinstance(place, list):
            place.append(deepcopy(inner))
        else:
            place[key] = deepcopy(luck.choice(_JSON_VALUES))


_COMPRESSIONS: Final[tuple[tuple[Callable[[bytes], bytes], str], ...]] = (
    (bytes, "identity"),
    (gzip.compress, "gzip"),
    (zlib.compress, "deflate"),
    (zstandard.compress, "zstd"),
)
_METHODS: Final = (b"GET", b"PUT", b"CONNECT", b"post", b"PRI", b"M-SEARCH", b"")
_HEADERS: Final = (
    ("content-encoding", "br"),
    ("content-encoding", "gzip"),
    ("content-type", "text/plain"),
    ("content-type", ""),
    ("transfer-encoding", "chunked"),
    ("expect", "100-continue"),
    ("connection", "upgrade"),
    ("upgrade", "h2c"),
    ("content-length", "-1"),
    ("content-length", "9" * 30),
    ("x" * 1000, "y" * 1000),
    ("authorization", "\xff\xfe"),
)


# Where it is sent.


async def send_through_intake(intake: Intake, requests: Iterable[ExportRequest]) -> int:
    """Send requests, many at once; return how many were accepted.

    Fails unless each is accepted, in part at least, or called malformed, and soon.
    """

    async def send(request: ExportRequest) -> bool:
        try:
            accepted = await intake.accept(request)
        except Malformed:
            return False
        assert isinstance(accepted, Accepted)
        assert "fault" not in accepted.message, request
        return True

    async with asyncio.timeout(PATIENCE_SECONDS):
        return sum(await asyncio.gather(*map(send, requests)))


async def send_over_http(port: int, requests: Iterable[bytes]) -> Counter[int]:
    """Send requests, many at once, each on a connection of its own; return the statuses.

    Fails unless all answers are well formed and each connection is closed soon.
    """
    statuses: Counter[int] = Counter()
    waiting = iter(requests)

    async def send_some() -> None:
        for request in waiting:
            async with asyncio.timeout(PATIENCE_SECONDS), await Raw.connect(port) as client:
                client.send(request)
                statuses.update(check_answers(await client.wait_until_closed()))

    await asyncio.gather(*(send_some() for _ in range(AT_ONCE)))
    return statuses


def check_answers(answered: bytes) -> list[int]:
    """Return the statuses of all answers; fail unless every byte is where it belongs."""
    statuses = []
    while answered:
        head, end, answered = answered.partition(b"\r\n\r\n")
        assert end
        line, *fields = head.decode("ascii").split("\r\n")
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1"
        if status == "100":
            continue
        headers = dict(one.split(": ", 1) for one in fields)
        length = int(headers["content-length"])
        assert len(answered) >= length
        _check_body(int(status), headers["content-type"], answered[:length])
        answered = answered[length:]
        statuses.append(int(status))
    return statuses


def _check_body(status: int, content_type: str, body: bytes) -> None:
    if content_type == JSON:
        assert set(json.loads(body)) == (set() if status == HTTPStatus.OK else {"code", "message"})
    elif content_type == PROTOBUF:
        assert body == b"" if status == HTTPStatus.OK else body[:1] == b"\x08"
    else:  # what uvicorn cannot parse gets its words
        assert (status, content_type) == (HTTPStatus.BAD_REQUEST, "text/plain; charset=utf-8")
