import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer, serving
from tests.unit.serve.parts import Office, StoreGone

COMMANDS = (["query", "cost"], ["query"], ["status"], ["config", "show"])


@contextmanager
def answering(response: bytes) -> Iterator[str]:
    """Answer one request with these bytes, whatever it was."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(response)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.fixture
def closed_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_server_it_says_what_was_tried_and_what_to_do(
    closed_url: str, command: list[str]
) -> None:
    result = run_codometer(*command, "--url", closed_url)
    assert result.exit_code == ExitStatus.UNREACHABLE
    assert result.stdout == ""
    assert f"no Codometer server answers at {closed_url} (from --url)" in result.stderr
    assert "Hint: start one with `codometer serve`, or name another with --url" in result.stderr


def test_the_address_of_the_environment_is_named_as_such(closed_url: str) -> None:
    result = run_codometer("status", url=f"{closed_url}/")
    assert f"{closed_url} (from CODOMETER_URL)" in result.stderr


def test_somebody_else_on_the_port_is_not_the_server() -> None:
    page = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"
    with answering(page) as url:
        result = run_codometer("status", url=url)
    assert result.exit_code == ExitStatus.UNREACHABLE
    assert "something else does, with status 200 and no JSON" in result.stderr


def test_json_that_is_no_answer_of_ours_is_not_the_server() -> None:
    with answering(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}") as url:
        result = run_codometer("status", url=url)
    assert result.exit_code == ExitStatus.UNREACHABLE
    assert "something else does, with status 404" in result.stderr


def test_bytes_that_are_no_http_are_not_the_server() -> None:
    with answering(b"SSH-2.0-OpenSSH_9.9\r\n") as url:
        result = run_codometer("status", url=url)
    assert result.exit_code == ExitStatus.UNREACHABLE


def test_a_server_that_is_not_ready_counts_as_unreachable() -> None:
    with serving(Office(fault=StoreGone("the disk is away", hint="plug it in"))) as url:
        result = run_codometer("status", url=url)
    assert result.exit_code == ExitStatus.UNREACHABLE
    assert result.stderr == "Error: the disk is away\nHint: plug it in\n"


@pytest.mark.parametrize("url", ["127.0.0.1", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_an_address_that_is_none_is_wrong_usage(url: str) -> None:
    result = run_codometer("status", "--url", url)
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert "(--url) is no address" in result.stderr


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine() -> None:
    with serving(Office()) as url:
        result = run_codometer("status", url=url, environ={"HTTP_PROXY": "http://127.0.0.1:9"})
    assert result.exit_code == ExitStatus.DONE


def test_a_server_does_not_start_with_mistakes_in_its_settings(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    result = run_codometer("serve", "--host", "[::]", "--port", "70000", "--data", data)
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert "the configuration has 2 mistakes:" in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["query", "--help"], ["serve", "-h"]])
def test_help_fits_a_terminal_of_80_columns(arguments: list[str]) -> None:
    result = run_codometer(*arguments)
    assert result.exit_code == ExitStatus.DONE
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_a_command_that_does_not_exist_is_wrong_usage() -> None:
    assert run_codometer("queryx").exit_code == ExitStatus.WRONG_USAGE
