"""A small office on a free port of this machine, and the command line to ask it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from click.testing import CliRunner, Result

from codometer.cli.main import main
from tests.unit.serve.parts import Office, build_office_app

_PATIENCE_SECONDS = 10.0


@contextmanager
def serving(office: Office) -> Iterator[str]:
    """Serve an office's application and give its address."""
    config = uvicorn.Config(
        build_office_app(office), port=0, ws="none", log_config=None, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port_of(server)}"
    finally:
        server.should_exit = True
        thread.join()


def run_codometer(
    *arguments: str, url: str = "", environ: Mapping[str, str] | None = None
) -> Result:
    """Run a command as a shell would, without a terminal."""
    variables = {"CODOMETER_URL": url, **(environ or {})}
    return CliRunner(env=variables).invoke(main, arguments, prog_name="codometer")


def _port_of(server: uvicorn.Server) -> int:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.005)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port
