"""A process of its own to abuse: `python -m tests.prove.served store|server FOLDER`.

Prints the ports of OTLP over HTTP and gRPC, and serves until its input ends.
`store` is the receivers before a store that takes everything, `server` all there is.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from codometer.intake.limits import allow_connections
from codometer.server import Server
from codometer.settings import Listen, Settings
from tests.receiving import receive


async def serve_receivers() -> None:
    async with receive() as receivers:
        receivers.store.keep = False
        announce(receivers.http.port, receivers.rpc.port)
        await wait_for_the_end()


async def serve_all(folder: Path) -> None:
    settings = replace(Settings(), data=folder, listen=Listen(port=0, otlp_port=0, grpc_port=0))
    server = Server(settings)
    until = asyncio.Event()
    running = asyncio.create_task(server.run(until))
    while not (server.otlp_http.port and server.otlp_grpc.port):  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    announce(server.otlp_http.port, server.otlp_grpc.port)
    await wait_for_the_end()
    until.set()
    await running


def announce(http_port: int, grpc_port: int) -> None:
    sys.stdout.write(f"{http_port} {grpc_port}\n")
    sys.stdout.flush()


async def wait_for_the_end() -> None:
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    allow_connections(4096)
    what, folder = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_receivers() if what == "store" else serve_all(Path(folder)))


if __name__ == "__main__":
    main()
