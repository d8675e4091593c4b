import logging
from collections.abc import Iterator

import pytest

from tests.security.firm import Firm, found


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """Give a firm, one for all tests of a module."""
    with found(tmp_path_factory.mktemp("firm")) as founded:
        yield founded


@pytest.fixture(autouse=True)
def _no_faults(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test during which the server met a fault of its own, whatever it answered."""
    yield
    faults = [each for each in caplog.get_records("call") if each.levelno >= logging.ERROR]
    assert [each.getMessage() for each in faults] == []
