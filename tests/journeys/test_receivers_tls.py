"""Both receivers over TLS, with real clients: whom they trust, and what a hostile one can do."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import httpx
import pytest

from codometer.intake.limits import Limits
from codometer.intake.receivers.tls import ClientCertificates, Tls
from tests.certificates import Authority, Issued
from tests.receiving import (
    EXPORT_LOGS,
    ON_UVLOOP,
    PROTOBUF,
    Raw,
    Receivers,
    make_post,
    receive,
    tighten,
    wait_until,
)

pytestmark = ON_UVLOOP

SECONDS = 20


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path)


@pytest.fixture
def tls(authority: Authority) -> Tls:
    own = authority.issue("server")
    return Tls(str(own.certificate), str(own.key))


def trust(authority: Authority, shown: Issued | None = None) -> ssl.SSLContext:
    """Return what a client of the organisation trusts, and shows."""
    context = ssl.create_default_context(cafile=authority.file)
    if shown:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


async def post(receivers: Receivers, context: ssl.SSLContext) -> int:
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        answer = await client.post(
            f"https://localhost:{receivers.http.port}/v1/logs",
            content=b"\x0a\x00",
            headers={"content-type": PROTOBUF},
        )
    return answer.status_code


async def export(receivers: Receivers, authority: Authority, shown: Issued | None = None) -> bytes:
    """Export over gRPC as a client that trusts the authority."""
    credentials = grpc.ssl_channel_credentials(
        authority.file.read_bytes(),
        shown.key.read_bytes() if shown else None,
        shown.certificate.read_bytes() if shown else None,
    )
    target = f"localhost:{receivers.rpc.port}"
    async with grpc.aio.secure_channel(target, credentials) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
        return await call(b"\x0a\x00", timeout=SECONDS)


async def test_both_receivers_take_exports_over_tls(authority: Authority, tls: Tls) -> None:
    async with receive(tls=tls) as receivers:
        assert await post(receivers, trust(authority)) == 200
        await export(receivers, authority)
        assert len(receivers.store.requests) == 2


async def test_a_client_that_does_not_trust_the_authority_sends_nothing(
    authority: Authority, tls: Tls, tmp_path: Path
) -> None:
    other = Authority.make(tmp_path, "other")
    async with receive(tls=tls) as receivers:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await post(receivers, trust(other))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await export(receivers, other)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await post(receivers, trust(authority)) == 200
        assert len(receivers.store.requests) == 1


async def test_without_tls_nothing_is_taken_at_a_port_with_tls(tls: Tls) -> None:
    async with receive(tls=tls) as receivers:
        async with await Raw.connect(receivers.http.port) as client:
            client.send(make_post(body=b"\x0a\x00"))
            assert b"HTTP" not in await client.wait_until_closed()
        async with receivers.channel() as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT_LOGS)
            with pytest.raises(grpc.aio.AioRpcError):
                await call(b"", timeout=SECONDS)
        assert receivers.store.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_versions_of_tls_before_1_2_are_refused(
    authority: Authority, tls: Tls, version: ssl.TLSVersion
) -> None:
    context = trust(authority)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with receive(tls=tls) as receivers:
        for port in (receivers.http.port, receivers.rpc.port):
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await Raw.connect(port, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_1_2_and_1_3_are_spoken(
    authority: Authority, tls: Tls, version: ssl.TLSVersion
) -> None:
    context = trust(authority)
    context.minimum_version = context.maximum_version = version
    async with receive(tls=tls) as receivers:
        assert await post(receivers, context) == 200
        context.set_alpn_protocols(["h2"])
        async with await Raw.connect(receivers.rpc.port, context):
            pass


@asynccontextmanager
async def receive_from(
    authority: Authority, tls: Tls, *, required: bool
) -> AsyncIterator[Receivers]:
    clients = ClientCertificates(authority.file.read_bytes(), required)
    async with receive(tls=tls, clients=clients) as receivers:
        yield receivers


async def test_where_clients_need_a_certificate_those_without_one_are_refused(
    authority: Authority, tls: Tls
) -> None:
    laptop = authority.issue("laptop", ["laptop.example"])
    async with receive_from(authority, tls, required=True) as receivers:
        assert await post(receivers, trust(authority, laptop)) == 200
        await export(receivers, authority, laptop)
        # In TLS 1.3 the client hears of it when its handshake is over already.
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
            await post(receivers, trust(authority))
        with pytest.raises(grpc.aio.AioRpcError):
            await export(receivers, authority)
        assert len(receivers.store.requests) == 2


async def test_a_certificate_that_another_authority_signed_is_none(
    authority: Authority, tls: Tls, tmp_path: Path
) -> None:
    stranger = Authority.make(tmp_path, "stranger").issue("stranger", ["laptop.example"])
    for required in (True, False):
        async with receive_from(authority, tls, required=required) as receivers:
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
                await post(receivers, trust(authority, stranger))
            assert receivers.store.requests == []
    async with receive_from(authority, tls, required=True) as receivers:
        with pytest.raises(grpc.aio.AioRpcError):
            await export(receivers, authority, stranger)
        assert receivers.store.requests == []


async def test_a_certificate_that_has_ended_is_none(authority: Authority, tls: Tls) -> None:
    begins = datetime.now(UTC) - timedelta(days=20)
    ended = authority.issue("ended", ["laptop.example"], begins=begins, lasts=timedelta(days=10))
    async with receive_from(authority, tls, required=True) as receivers:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
            await post(receivers, trust(authority, ended))
        with pytest.raises(grpc.aio.AioRpcError):
            await export(receivers, authority, ended)
        assert receivers.store.requests == []


async def test_where_certificates_are_optional_clients_without_one_are_served(
    authority: Authority, tls: Tls
) -> None:
    laptop = authority.issue("laptop", ["laptop.example"])
    async with receive_from(authority, tls, required=False) as receivers:
        for shown in (laptop, None):
            assert await post(receivers, trust(authority, shown)) == 200
            await export(receivers, authority, shown)


async def test_a_renewed_certificate_is_taken_over_and_connections_stand(
    authority: Authority, tls: Tls
) -> None:
    context = trust(authority)
    async with receive(tls=tls) as receivers:
        async with await Raw.connect(receivers.http.port, context) as client:
            client.send(make_post(body=b"\x0a\x00"))
            assert (await client.read_answer()).status == 200
            ends = tls.ends
            authority.issue("server", lasts=timedelta(days=60))
            tls.renew()
            assert tls.ends > ends
            client.send(make_post(body=b"\x0a\x00"))
            assert (await client.read_answer()).status == 200
        assert await post(receivers, context) == 200
        await export(receivers, authority)
        for port in (receivers.http.port, receivers.rpc.port):
            assert await see_end(port, context) == tls.ends


async def see_end(port: int, context: ssl.SSLContext) -> datetime:
    """Return when the certificate ends that a port shows."""
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    ends = writer.get_extra_info("peercert")["notAfter"]
    writer.transport.abort()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)


async def test_a_renewed_file_that_cannot_be_used_changes_nothing(
    authority: Authority, tls: Tls, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ends = tls.ends
    async with receive(tls=tls) as receivers:
        (tmp_path / "server.key").write_text("half a fi", encoding="utf-8")
        tls.renew()
        assert "the certificate stays as it was" in caplog.text
        assert tls.ends == ends
        assert await post(receivers, trust(authority)) == 200


HURRIED = tighten(header_seconds=0.3, body_seconds=0.3)


@pytest.mark.parametrize("begun", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x01"])
async def test_a_handshake_that_never_ends_is_given_up(
    authority: Authority, tls: Tls, begun: bytes
) -> None:
    async with receive(HURRIED, tls=tls) as receivers:
        for port in (receivers.http.port, receivers.rpc.port):
            async with await Raw.connect(port) as client:
                client.send(begun)
                await client.wait_until_closed()
        assert await post(receivers, trust(authority)) == 200


async def test_headers_that_never_end_are_given_up_over_tls_too(
    authority: Authority, tls: Tls
) -> None:
    async with receive(HURRIED, tls=tls) as receivers:
        async with await Raw.connect(receivers.http.port, trust(authority)) as client:
            client.send(b"POST /v1/logs HTTP/1.1\r\n")
            assert await client.wait_until_closed() == b""
        await wait_until(lambda: not receivers.http.connections)


async def test_who_only_connects_takes_no_more_than_its_places(
    authority: Authority, tls: Tls
) -> None:
    limits = tighten(connections=5, header_seconds=SECONDS)
    async with receive(limits, tls=tls) as receivers:
        idle = [await Raw.connect(receivers.http.port) for _ in range(20)]
        closed = [asyncio.create_task(client.wait_until_closed()) for client in idle]
        await wait_until(lambda: sum(task.done() for task in closed) >= 14)
        assert sum(task.done() for task in closed) <= 15
        for client in idle:
            await client.close()
        await asyncio.gather(*closed, return_exceptions=True)
        await wait_until_served(receivers, trust(authority))


@pytest.mark.parametrize("secured", [True, False])
async def test_who_only_connects_to_grpc_takes_no_more_than_its_places(
    authority: Authority, tls: Tls, *, secured: bool
) -> None:
    limits = tighten(connections=5, header_seconds=SECONDS)
    async with receive(limits, tls=tls if secured else None) as receivers:
        idle = [await Raw.connect(receivers.rpc.port) for _ in range(12)]
        closed = [asyncio.create_task(client.wait_until_closed()) for client in idle]
        await wait_until(lambda: sum(task.done() for task in closed) >= 7)
        for client in idle:
            await client.close()
        await asyncio.gather(*closed, return_exceptions=True)
        async with asyncio.timeout(SECONDS):
            while not await is_taken(receivers, authority if secured else None):
                pass


async def is_taken(receivers: Receivers, authority: Authority | None) -> bool:
    with contextlib.suppress(grpc.aio.AioRpcError):
        if authority:
            await export(receivers, authority)
        else:
            async with receivers.channel() as channel:
                await channel.unary_unary(EXPORT_LOGS)(b"", timeout=SECONDS)
        return True
    return False


async def wait_until_served(receivers: Receivers, context: ssl.SSLContext) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert await post(receivers, context) == 200
                return


async def test_one_connection_too_many_is_asked_to_come_back_over_tls_too(
    authority: Authority, tls: Tls
) -> None:
    context = trust(authority)
    async with receive(tighten(connections=3), tls=tls) as receivers:
        clients = [await Raw.connect(receivers.http.port, context) for _ in range(3)]
        await wait_until(lambda: receivers.http.connections == 3)
        async with await Raw.connect(receivers.http.port, context) as late:
            assert (await late.read_answer()).status == 503
        for client in clients:
            await client.close()


async def test_a_server_with_tls_stops_while_handshakes_are_under_way(tls: Tls) -> None:
    async with receive(Limits(), tls=tls) as receivers:
        idle = [await Raw.connect(receivers.http.port) for _ in range(3)]
        async with asyncio.timeout(SECONDS):
            await receivers.stop(1)
        for client in idle:
            await client.wait_until_closed()
            await client.close()
