import asyncio

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from codometer.intake.receivers.http_server import HttpServer, configure
from tests.receiving import tighten


async def _no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotImplementedError


class _Transport(asyncio.Transport):
    """One that only remembers whether it was aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = asyncio.Event()

    def abort(self) -> None:
        self.aborted.set()

    def is_closing(self) -> bool:
        return self.aborted.is_set()


def test_a_client_that_does_not_read_its_answers_is_cut_off() -> None:
    async def scenario() -> None:
        config = configure(_no_app, tighten(idle_seconds=0.01))
        config.load()
        transport = _Transport()
        connection = config.http_protocol_class(  # type: ignore[call-arg] # as uvicorn calls it
            config=config, server_state=ServerState(), app_state={}
        )
        connection.connection_made(transport)
        connection.pause_writing()
        connection.resume_writing()
        await asyncio.sleep(0.03)
        assert not transport.aborted.is_set()
        connection.pause_writing()
        await transport.aborted.wait()
        connection.connection_lost(OSError())

    asyncio.run(scenario())


def test_a_server_that_never_started_stops_at_once() -> None:
    server = HttpServer(_no_app, host="127.0.0.1", port=0, limits=tighten())
    asyncio.run(server.stop(1))


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        monkeypatch.setattr("uvicorn.Server.startup", fail)
        await HttpServer(_no_app, host="127.0.0.1", port=0, limits=tighten()).start()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(scenario())
