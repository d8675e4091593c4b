"""Both receivers ask who comes before they read what came, and say clearly why they refuse."""

import asyncio

import grpc
import httpx
import pytest

from codometer.errors import Forbidden, TooManyRequests, Unauthenticated
from codometer.model.signal import AttributeDefault, SignalKind
from codometer.networks import parse_network
from tests.receiving import (
    EXPORT_LOGS,
    JSON,
    ON_UVLOOP,
    PROTOBUF,
    Raw,
    make_post,
    receive,
    tighten,
)

pytestmark = ON_UVLOOP

Export = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

DEFAULTS = (AttributeDefault("team.id", "checkout", ("team.id",)),)


class Doorman:
    """Knows one word, and what people said who came."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, SignalKind, str]] = []

    def __call__(
        self, authorization: str | None, kind: SignalKind, address: str
    ) -> tuple[AttributeDefault, ...]:
        self.asked.append((authorization, kind, address))
        if authorization == "Bearer metrics only":
            raise Forbidden("this credential may not send logs")
        if authorization != "Bearer good":
            raise Unauthenticated("the credential is not known", hint="ask for one")
        return DEFAULTS


async def test_http_passes_on_what_the_credential_tells() -> None:
    doorman = Doorman()
    async with receive(authenticate=doorman) as receivers:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"http://127.0.0.1:{receivers.http.port}/v1/logs",
                content=b"{}",
                headers={"content-type": JSON, "authorization": "Bearer good"},
            )
        assert answer.status_code == 200
        (request,) = receivers.store.requests
        assert request.defaults == DEFAULTS
        assert doorman.asked == [("Bearer good", SignalKind.LOGS, "127.0.0.1")]


@pytest.mark.parametrize(
    ("authorization", "status", "code", "message"),
    [
        ("Bearer bad", 401, 16, "the credential is not known; ask for one"),
        ("", 401, 16, "the credential is not known; ask for one"),
        ("Bearer metrics only", 403, 7, "this credential may not send logs"),
    ],
)
async def test_http_refuses_for_good_and_says_why(
    authorization: str, status: int, code: int, message: str
) -> None:
    async with receive(authenticate=Doorman()) as receivers:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"http://127.0.0.1:{receivers.http.port}/v1/logs",
                content=b"{}",
                headers={"content-type": JSON, "authorization": authorization},
            )
        assert answer.status_code == status
        assert answer.json() == {"code": code, "message": message}
        assert answer.headers.get("www-authenticate") == (
            'Bearer realm="codometer"' if status == 401 else None
        )
        assert "retry-after" not in answer.headers
        assert receivers.store.requests == []


async def test_http_refuses_before_the_body_has_come() -> None:
    async with receive(authenticate=Doorman()) as receivers:
        async with await Raw.connect(receivers.http.port) as client:
            client.send(make_post(length=10_000_000, headers=[("content-type", PROTOBUF)]))
            answer = await client.read_answer()
        assert answer.status == 401
        assert receivers.budget.used_bytes == 0


async def test_grpc_passes_on_what_the_credential_tells() -> None:
    doorman = Doorman()
    async with receive(authenticate=doorman) as receivers, receivers.channel() as channel:
        export: Export = channel.unary_unary(EXPORT_LOGS)
        await export(b"", metadata=(("authorization", "Bearer good"),))
        (request,) = receivers.store.requests
        assert request.defaults == DEFAULTS
        assert doorman.asked == [("Bearer good", SignalKind.LOGS, "127.0.0.1")]


@pytest.mark.parametrize(
    ("metadata", "code", "message"),
    [
        ((("authorization", "Bearer bad"),), grpc.StatusCode.UNAUTHENTICATED, "ask for one"),
        ((), grpc.StatusCode.UNAUTHENTICATED, "the credential is not known"),
        (
            (("authorization", "Bearer metrics only"),),
            grpc.StatusCode.PERMISSION_DENIED,
            "may not send logs",
        ),
    ],
)
async def test_grpc_refuses_for_good_and_says_why(
    metadata: tuple[tuple[str, str], ...], code: grpc.StatusCode, message: str
) -> None:
    async with receive(authenticate=Doorman()) as receivers, receivers.channel() as channel:
        export: Export = channel.unary_unary(EXPORT_LOGS)
        with pytest.raises(grpc.aio.AioRpcError, match=message) as refused:
            await export(b"", metadata=metadata)
        assert refused.value.code() is code
        assert "grpc-status-details-bin" not in dict(refused.value.trailing_metadata() or ())
        assert receivers.store.requests == []


class Busy:
    """Has no room for the first few who come with a credential."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, *_: object) -> tuple[AttributeDefault, ...]:
        if self.left:
            self.left -= 1
            raise TooManyRequests("too many requests with one credential", hint="send it again")
        return ()


async def test_http_asks_for_patience_where_a_credential_sends_too_much() -> None:
    async with receive(authenticate=Busy(1)) as receivers:
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{receivers.http.port}/v1/logs"
            answers = [
                await client.post(url, content=b"{}", headers={"content-type": JSON})
                for _ in range(2)
            ]
        assert [answer.status_code for answer in answers] == [429, 200]
        assert answers[0].headers["retry-after"] == "1"


async def test_grpc_holds_who_sends_too_much_and_then_takes_it() -> None:
    async with receive(authenticate=Busy(2)) as receivers, receivers.channel() as channel:
        export: Export = channel.unary_unary(EXPORT_LOGS)
        await export(b"\x0a\x00", timeout=20)
        assert len(receivers.store.requests) == 1


async def test_grpc_tells_who_was_held_long_enough_to_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = tighten(hold_seconds=0.3)
    async with receive(limits, authenticate=Busy(99)) as receivers, receivers.channel() as channel:
        export: Export = channel.unary_unary(EXPORT_LOGS)
        with pytest.raises(grpc.aio.AioRpcError, match="too many requests") as refused:
            await export(b"", timeout=20)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert caplog.text == ""


async def test_a_credential_in_the_address_is_refused() -> None:
    async with receive() as receivers, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{receivers.http.port}/v1/logs?key=cdm_ing_secret"
        answer = await client.post(url, content=b"{}", headers={"content-type": JSON})
        assert answer.status_code == 400
        assert "secret" not in answer.text
        assert receivers.store.requests == []


async def test_a_proxy_of_ours_says_whom_it_speaks_for() -> None:
    doorman = Doorman()
    ours = [parse_network("127.0.0.1")]
    forwarded = "192.0.2.1, 203.0.113.7"
    async with receive(authenticate=doorman, proxies=ours) as receivers:
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"content-type": JSON, "authorization": "Bearer good"}
            await client.post(
                f"http://127.0.0.1:{receivers.http.port}/v1/logs",
                content=b"{}",
                headers={**headers, "x-forwarded-for": forwarded},
            )
        async with receivers.channel() as channel:
            export: Export = channel.unary_unary(EXPORT_LOGS)
            sent = (("authorization", "Bearer good"), ("x-forwarded-for", forwarded))
            await export(b"", metadata=sent)
    assert [address for _, _, address in doorman.asked] == ["203.0.113.7"] * 2


async def test_others_cannot_say_whom_they_speak_for() -> None:
    doorman = Doorman()
    async with receive(authenticate=doorman) as receivers, receivers.channel() as channel:
        export: Export = channel.unary_unary(EXPORT_LOGS)
        await export(b"", metadata=(("authorization", "Bearer good"), ("x-forwarded-for", "::1")))
    assert [address for _, _, address in doorman.asked] == ["127.0.0.1"]


async def test_many_who_are_refused_leave_room_for_those_who_are_not() -> None:
    async with receive(authenticate=Doorman()) as receivers, receivers.channel() as channel:
        export: Export = channel.unary_unary(EXPORT_LOGS)
        calls = [export(b"x" * 10_000, metadata=(("authorization", "no"),)) for _ in range(300)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(outcome, grpc.aio.AioRpcError) for outcome in outcomes)
        await export(b"", metadata=(("authorization", "Bearer good"),))
        assert receivers.budget.used_bytes == 0
