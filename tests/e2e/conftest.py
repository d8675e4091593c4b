"""One real journey for each way to export, shared by every test that asks about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import install_client
from tests.e2e.journey import WAYS_TO_EXPORT, Journey, travel
from tests.npm import InstallFailed, leave_out


@pytest.fixture(scope="session")
def client_program() -> Path:
    try:
        return install_client()
    except InstallFailed as fault:
        leave_out("the client", fault)


@pytest.fixture(scope="module", params=WAYS_TO_EXPORT)
def journey(
    request: pytest.FixtureRequest, client_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("journey")
    with travel(WAYS_TO_EXPORT[request.param], program=client_program, folder=folder) as journey:
        yield journey
